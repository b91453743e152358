#include "cli/duration_text.h"

#include <charconv>
#include <string>

namespace tiphys::cli {
namespace {

long seconds_of_unit(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    case 'w':
      return 7 * 86400;
    default:
      return 0;
  }
}

}  // namespace

Result<std::chrono::seconds> parse_age(std::string_view text) {
  constexpr long kLongest = 1000L * 365 * 86400;
  const auto refuse = [&] {
    return fail(ErrorCode::invalid, "expected a duration such as 90s, 5m, 3h or 7d, found \"" +
                                        std::string(text) + "\"");
  };
  long total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    long count = 0;
    const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    const auto digits = static_cast<std::size_t>(end - rest.data());
    if (code != std::errc() || digits == rest.size() || count < 0 || count > kLongest) {
      return refuse();
    }
    const long unit = seconds_of_unit(rest[digits]);
    if (unit == 0 || total + count * unit > kLongest) {
      return refuse();
    }
    total += count * unit;
    rest.remove_prefix(digits + 1);
  }
  if (text.empty()) {
    return refuse();
  }
  return std::chrono::seconds(total);
}

}  // namespace tiphys::cli

#include "workflows/controller/place.h"

#include <algorithm>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kDigits = "0123456789";

/// "(2)" at the end of "call(3:x)(2)", else nothing.
std::string_view attempt_at_end(std::string_view part) {
  const std::size_t open = part.rfind(")(");
  if (open == std::string_view::npos || !part.ends_with(')')) {
    return {};
  }
  const std::string_view tail = part.substr(open + 1);
  const std::string_view number = tail.substr(1, tail.size() - 2);
  return !number.empty() && number.find_first_not_of(kDigits) == std::string_view::npos
             ? tail
             : std::string_view();
}

}  // namespace

std::string without_item(std::string_view part) {
  const std::size_t open = part.find('(');
  if (open == std::string_view::npos) {
    return std::string(part);
  }
  const std::size_t end = std::min(part.find_first_not_of(kDigits, open + 1), part.size());
  if (end == open + 1 || !part.substr(end).starts_with(':')) {
    return std::string(part);
  }
  return std::string(part.substr(0, end)) + ")" + std::string(attempt_at_end(part.substr(end)));
}

}  // namespace tiphys::workflows

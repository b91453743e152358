#include "kube/quantity.h"

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace tiphys::kube {
namespace {

constexpr std::array<std::pair<std::string_view, long double>, 16> kUnits{{
    {"n", 1e-9L},
    {"u", 1e-6L},
    {"m", 1e-3L},
    {"", 1.0L},
    {"k", 1e3L},
    {"M", 1e6L},
    {"G", 1e9L},
    {"T", 1e12L},
    {"P", 1e15L},
    {"E", 1e18L},
    {"Ki", 1024.0L},
    {"Mi", 1048576.0L},
    {"Gi", 1073741824.0L},
    {"Ti", 1099511627776.0L},
    {"Pi", 1125899906842624.0L},
    {"Ei", 1152921504606846976.0L},
}};

std::optional<long double> unit_of(std::string_view suffix) {
  for (const auto& [name, factor] : kUnits) {
    if (name == suffix) {
      return factor;
    }
  }
  int exponent = 0;
  if (suffix.size() < 2 || (suffix[0] != 'e' && suffix[0] != 'E')) {
    return std::nullopt;
  }
  const char* begin = suffix.data() + (suffix[1] == '+' ? 2 : 1);
  const char* end = suffix.data() + suffix.size();
  const auto [at, error] = std::from_chars(begin, end, exponent);
  if (error != std::errc() || at != end || std::abs(exponent) > 40) {
    return std::nullopt;
  }
  return std::pow(10.0L, static_cast<long double>(exponent));
}

}  // namespace

Result<std::int64_t> parse_quantity(std::string_view text) {
  const auto invalid = [text] {
    return fail(ErrorCode::invalid, fmt::format("invalid quantity '{}'", text));
  };
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) {
    rest.remove_prefix(1);
  }
  const std::size_t length = std::min(rest.find_first_not_of("0123456789."), rest.size());
  long double number = 0;
  long double place = 0;
  bool digits = false;
  for (const char c : rest.substr(0, length)) {
    if (c == '.') {
      if (place != 0) {
        return invalid();
      }
      place = 1;
      continue;
    }
    digits = true;
    if (place != 0) {
      place /= 10;
      number += place * (c - '0');
    } else {
      number = number * 10 + (c - '0');
    }
  }
  const auto unit = unit_of(rest.substr(length));
  if (!digits || !unit) {
    return invalid();
  }
  // A sum of decimal places is off by far less than this.
  const long double milli = number * *unit * 1000;
  const long double rounded = std::ceil(milli - 1e-9L * std::max(1.0L, milli * 1e-9L));
  constexpr auto kMaximum = static_cast<long double>(std::numeric_limits<std::int64_t>::max());
  const auto value = rounded >= kMaximum ? std::numeric_limits<std::int64_t>::max()
                                         : static_cast<std::int64_t>(rounded);
  return negative ? -value : value;
}

Result<std::int64_t> parse_quantity(const doc::Value* value) {
  if (value == nullptr || value->is_null()) {
    return 0;
  }
  if (value->is_string()) {
    return parse_quantity(doc::text_of(value->get_string()));
  }
  if (value->is_number()) {
    return parse_quantity(doc::to_json(*value));
  }
  return fail(ErrorCode::invalid, "a quantity is a string or a number");
}

}  // namespace tiphys::kube

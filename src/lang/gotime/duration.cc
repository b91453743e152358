#include "lang/gotime/gotime.h"
#include "lang/gotime/layout.h"

#include <array>
#include <limits>

namespace tiphys::lang {
namespace {

using Ticks = std::uint64_t;
constexpr Ticks kMaximum = Ticks{1} << 63U;

struct Unit {
  std::string_view name;
  Ticks nanoseconds;
};

constexpr std::array kUnits = {
    Unit{"ns", 1},
    Unit{"us", 1'000},
    Unit{"\u00b5s", 1'000},
    Unit{"\u03bcs", 1'000},
    Unit{"ms", 1'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"m", 60ULL * 1'000'000'000},
    Unit{"h", 3600ULL * 1'000'000'000},
};

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

std::unexpected<Error> invalid_duration(std::string_view text) {
  return fail(ErrorCode::invalid, "time: invalid duration " + time_quote(text));
}

/// Digits after the point are kept while they fit; the rest is too small to matter.
struct Fraction {
  Ticks value = 0;
  double scale = 1;
  std::size_t digits = 0;
};

Fraction take_fraction(std::string_view& rest) {
  Fraction fraction;
  bool overflow = false;
  while (!rest.empty() && is_decimal(rest[0])) {
    const Ticks digit = static_cast<Ticks>(rest[0] - '0');
    ++fraction.digits;
    rest.remove_prefix(1);
    overflow =
        overflow || fraction.value > (kMaximum - 1) / 10 || fraction.value * 10 + digit > kMaximum;
    if (!overflow) {
      fraction.value = fraction.value * 10 + digit;
      fraction.scale *= 10;
    }
  }
  return fraction;
}

/// One "1.5h" from the front of `rest`.
Result<Ticks> take_part(std::string_view text, std::string_view& rest) {
  if (rest[0] != '.' && !is_decimal(rest[0])) {
    return invalid_duration(text);
  }
  Ticks value = 0;
  std::size_t digits = 0;
  for (; !rest.empty() && is_decimal(rest[0]); rest.remove_prefix(1), ++digits) {
    if (value > kMaximum / 10) {
      return invalid_duration(text);
    }
    value = value * 10 + static_cast<Ticks>(rest[0] - '0');
    if (value > kMaximum) {
      return invalid_duration(text);
    }
  }
  Fraction fraction;
  if (!rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    fraction = take_fraction(rest);
  }
  if (digits == 0 && fraction.digits == 0) {
    return invalid_duration(text);
  }
  std::size_t length = 0;
  while (length < rest.size() && rest[length] != '.' && !is_decimal(rest[length])) {
    ++length;
  }
  if (length == 0) {
    return fail(ErrorCode::invalid, "time: missing unit in duration " + time_quote(text));
  }
  const std::string_view name = rest.substr(0, length);
  rest.remove_prefix(length);
  for (const Unit& unit : kUnits) {
    if (unit.name != name) {
      continue;
    }
    if (value > kMaximum / unit.nanoseconds) {
      return invalid_duration(text);
    }
    value *= unit.nanoseconds;
    if (fraction.value > 0) {
      value += static_cast<Ticks>(static_cast<double>(fraction.value) *
                                  (static_cast<double>(unit.nanoseconds) / fraction.scale));
      if (value > kMaximum) {
        return invalid_duration(text);
      }
    }
    return value;
  }
  return fail(ErrorCode::invalid,
              "time: unknown unit " + time_quote(name) + " in duration " + time_quote(text));
}

/// Writes value / 10^digits with the zeros at the end left out.
std::string decimal_text(Ticks value, int digits) {
  std::string fraction;
  for (int i = 0; i < digits; ++i) {
    const char digit = static_cast<char>('0' + value % 10);
    if (!fraction.empty() || digit != '0') {
      fraction.insert(fraction.begin(), digit);
    }
    value /= 10;
  }
  std::string out = std::to_string(value);
  return fraction.empty() ? out : out + "." + fraction;
}

std::int64_t wrapped(Ticks value) { return static_cast<std::int64_t>(value); }

}  // namespace

std::string duration_text(Nanos duration) {
  const bool negative = duration.count() < 0;
  const Ticks ticks =
      negative ? 0 - static_cast<Ticks>(duration.count()) : static_cast<Ticks>(duration.count());
  std::string out = negative ? "-" : "";
  if (ticks == 0) {
    return "0s";
  }
  if (ticks < 1'000) {
    return out + std::to_string(ticks) + "ns";
  }
  if (ticks < 1'000'000) {
    return out + decimal_text(ticks, 3) + "\u00b5s";
  }
  if (ticks < 1'000'000'000) {
    return out + decimal_text(ticks, 6) + "ms";
  }
  const Ticks minutes = ticks / 1'000'000'000 / 60;
  if (minutes >= 60) {
    out += std::to_string(minutes / 60) + "h";
  }
  if (minutes > 0) {
    out += std::to_string(minutes % 60) + "m";
  }
  return out + decimal_text(ticks - minutes * 60 * 1'000'000'000, 9) + "s";
}

Result<Nanos> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) {
    rest.remove_prefix(1);
  }
  if (rest == "0") {
    return Nanos{0};
  }
  if (rest.empty()) {
    return invalid_duration(text);
  }
  Ticks total = 0;
  while (!rest.empty()) {
    TRY(const Ticks part, take_part(text, rest));
    total += part;
    if (total > kMaximum) {
      return invalid_duration(text);
    }
  }
  if (!negative && total > kMaximum - 1) {
    return invalid_duration(text);
  }
  return Nanos{wrapped(negative ? 0 - total : total)};
}

Nanos truncate_duration(Nanos duration, Nanos unit) {
  return unit.count() <= 0 ? duration : Nanos{duration.count() - duration.count() % unit.count()};
}

Nanos round_duration(Nanos duration, Nanos unit) {
  if (unit.count() <= 0) {
    return duration;
  }
  const std::int64_t value = duration.count();
  const std::int64_t step = unit.count();
  const std::int64_t rest = value % step;
  const Ticks distance = rest < 0 ? 0 - static_cast<Ticks>(rest) : static_cast<Ticks>(rest);
  if (distance + distance < static_cast<Ticks>(step)) {
    return Nanos{value - rest};
  }
  std::int64_t result = 0;
  if (value < 0) {
    const bool overflow = __builtin_sub_overflow(value - rest, step, &result);
    return Nanos{overflow ? std::numeric_limits<std::int64_t>::min() : result};
  }
  const bool overflow = __builtin_add_overflow(value - rest, step, &result);
  return Nanos{overflow ? std::numeric_limits<std::int64_t>::max() : result};
}

}  // namespace tiphys::lang

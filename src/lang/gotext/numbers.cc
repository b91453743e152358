#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace tiphys::lang {
namespace {

std::unexpected<Error> number_error(std::string_view function, std::string_view text,
                                    std::string_view what) {
  return fail(ErrorCode::invalid,
              fmt::format("strconv.{}: parsing {}: {}", function, quote(text), what));
}

char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = lower_ascii(c);
  }
  return out;
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char low = lower_ascii(c);
  return low >= 'a' && low <= 'z' ? low - 'a' + 10 : 99;
}

/// Underscores may stand between digits, or between a base prefix and a digit.
bool underscores_separate_digits(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    text.remove_prefix(1);
  }
  char before = '^';
  bool hex = false;
  std::size_t i = 0;
  if (text.size() >= 2 && text[0] == '0') {
    const char prefix = lower_ascii(text[1]);
    if (prefix == 'b' || prefix == 'o' || prefix == 'x') {
      i = 2;
      before = '0';
      hex = prefix == 'x';
    }
  }
  for (; i < text.size(); ++i) {
    const bool digit = digit_value(text[i]) < (hex ? 16 : 10);
    if (text[i] == '_') {
      if (before != '0') {
        return false;
      }
      before = '_';
    } else if (digit) {
      before = '0';
    } else if (before == '_') {
      return false;
    } else {
      before = '!';
    }
  }
  return before != '_';
}

struct BasePrefix {
  int base = 10;
  std::size_t length = 0;
};

BasePrefix base_prefix(std::string_view digits) {
  if (digits.empty() || digits[0] != '0') {
    return {};
  }
  const char second = digits.size() >= 3 ? lower_ascii(digits[1]) : '\0';
  switch (second) {
    case 'b':
      return {2, 2};
    case 'o':
      return {8, 2};
    case 'x':
      return {16, 2};
    default:
      return {8, 1};
  }
}

/// The %g of the shortest digits, as Go lays them out: scientific below 1e-4 and
/// from 1e6.
template <class Float>
std::string shortest_text(Float value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "+Inf" : "-Inf";
  }
  char buffer[64];
  const auto scientific =
      std::to_chars(std::begin(buffer), std::end(buffer), value, std::chars_format::scientific);
  const std::string_view text(buffer, scientific.ptr - std::begin(buffer));
  const std::size_t mark = text.find('e');
  int exponent = 0;
  const char* digits = text.data() + mark + 1 + (text[mark + 1] == '+' ? 1 : 0);
  std::from_chars(digits, text.data() + text.size(), exponent);
  if (exponent < -4 || exponent >= 6) {
    return std::string(text);
  }
  char plain[64];
  const auto fixed =
      std::to_chars(std::begin(plain), std::end(plain), value, std::chars_format::fixed);
  return std::string(plain, fixed.ptr);
}

bool is_decimal_float(std::string_view text) {
  std::size_t i = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  std::size_t digits = 0;
  bool dot = false;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !dot) {
      dot = true;
    } else if (digit_value(text[i]) < 10) {
      ++digits;
    } else {
      break;
    }
  }
  if (digits == 0) {
    return false;
  }
  if (i == text.size()) {
    return true;
  }
  if (lower_ascii(text[i]) != 'e') {
    return false;
  }
  ++i;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) {
    ++i;
  }
  const std::size_t exponent = i;
  while (i < text.size() && digit_value(text[i]) < 10) {
    ++i;
  }
  return i == text.size() && i > exponent;
}

/// 0x1.8p3: the binary exponent is required.
bool is_hex_float(std::string_view text) {
  std::size_t i = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  if (text.size() < i + 2 || text[i] != '0' || lower_ascii(text[i + 1]) != 'x') {
    return false;
  }
  i += 2;
  std::size_t digits = 0;
  bool dot = false;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !dot) {
      dot = true;
    } else if (digit_value(text[i]) < 16) {
      ++digits;
    } else {
      break;
    }
  }
  if (digits == 0 || i >= text.size() || lower_ascii(text[i]) != 'p') {
    return false;
  }
  ++i;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) {
    ++i;
  }
  const std::size_t exponent = i;
  while (i < text.size() && digit_value(text[i]) < 10) {
    ++i;
  }
  return i == text.size() && i > exponent;
}

std::string without_underscores(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_') {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

std::string float_text(double value) { return shortest_text(value); }

std::string float_text(float value) { return shortest_text(value); }

Result<std::int64_t> parse_integer(std::string_view text, int base, std::string_view function) {
  std::string_view digits = text;
  bool negative = false;
  if (!digits.empty() && (digits[0] == '+' || digits[0] == '-')) {
    negative = digits[0] == '-';
    digits.remove_prefix(1);
  }
  const bool from_prefix = base == 0;
  if (from_prefix) {
    const BasePrefix prefix = base_prefix(digits);
    base = prefix.base;
    digits.remove_prefix(prefix.length == digits.size() ? 0 : prefix.length);
  }
  const bool underscores = text.find('_') != std::string_view::npos;
  if (digits.empty() || (underscores && (!from_prefix || !underscores_separate_digits(text)))) {
    return number_error(function, text, "invalid syntax");
  }
  std::uint64_t value = 0;
  bool overflow = false;
  for (const char c : digits) {
    if (c == '_') {
      continue;
    }
    const int digit = digit_value(c);
    if (digit >= base) {
      return number_error(function, text, "invalid syntax");
    }
    overflow = overflow || __builtin_mul_overflow(value, static_cast<std::uint64_t>(base), &value);
    overflow = overflow || __builtin_add_overflow(value, static_cast<std::uint64_t>(digit), &value);
  }
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 63U;
  if (overflow || (negative ? value > kLimit : value >= kLimit)) {
    return number_error(function, text, "value out of range");
  }
  return static_cast<std::int64_t>(negative ? 0 - value : value);
}

Result<double> parse_float(std::string_view text) {
  std::string low = lower_ascii(text);
  std::string_view word = low;
  const bool negative = word.starts_with('-');
  if (negative || word.starts_with('+')) {
    word.remove_prefix(1);
  }
  if (word == "inf" || word == "infinity") {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return negative ? -kInfinity : kInfinity;
  }
  if (low == "nan") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (low.find('_') != std::string::npos) {
    if (!underscores_separate_digits(low)) {
      return number_error("ParseFloat", text, "invalid syntax");
    }
    low = without_underscores(low);
  }
  const bool hex = is_hex_float(low);
  if (!hex && !is_decimal_float(low)) {
    return number_error("ParseFloat", text, "invalid syntax");
  }
  std::string_view number = low;
  if (number[0] == '+' || number[0] == '-') {
    number.remove_prefix(1);
  }
  number.remove_prefix(hex ? 2 : 0);
  double value = 0;
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value,
                                      hex ? std::chars_format::hex : std::chars_format::general);
  if (parsed.ec == std::errc::result_out_of_range) {
    // from_chars does not say whether the number was too large or too small.
    value = std::strtod(low.c_str(), nullptr);
    if (std::isinf(value)) {
      return number_error("ParseFloat", text, "value out of range");
    }
    return value;
  }
  return negative ? -value : value;
}

}  // namespace tiphys::lang

#include "doc/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace tiphys::doc {
namespace {

struct Word {
  std::string_view text;
  Scalar scalar;
};

constexpr Scalar kNull{.kind = ScalarKind::null};
constexpr Scalar kTrue{.kind = ScalarKind::boolean, .boolean = true};
constexpr Scalar kFalse{.kind = ScalarKind::boolean, .boolean = false};

constexpr Scalar real(double number) { return {.kind = ScalarKind::real, .real = number}; }

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

constexpr std::array kWords = {
    Word{"y", kTrue},
    Word{"Y", kTrue},
    Word{"yes", kTrue},
    Word{"Yes", kTrue},
    Word{"YES", kTrue},
    Word{"true", kTrue},
    Word{"True", kTrue},
    Word{"TRUE", kTrue},
    Word{"on", kTrue},
    Word{"On", kTrue},
    Word{"ON", kTrue},
    Word{"n", kFalse},
    Word{"N", kFalse},
    Word{"no", kFalse},
    Word{"No", kFalse},
    Word{"NO", kFalse},
    Word{"false", kFalse},
    Word{"False", kFalse},
    Word{"FALSE", kFalse},
    Word{"off", kFalse},
    Word{"Off", kFalse},
    Word{"OFF", kFalse},
    Word{"", kNull},
    Word{"~", kNull},
    Word{"null", kNull},
    Word{"Null", kNull},
    Word{"NULL", kNull},
    Word{".nan", real(kNotANumber)},
    Word{".NaN", real(kNotANumber)},
    Word{".NAN", real(kNotANumber)},
    Word{".inf", real(kInfinity)},
    Word{".Inf", real(kInfinity)},
    Word{".INF", real(kInfinity)},
    Word{"+.inf", real(kInfinity)},
    Word{"+.Inf", real(kInfinity)},
    Word{"+.INF", real(kInfinity)},
    Word{"-.inf", real(-kInfinity)},
    Word{"-.Inf", real(-kInfinity)},
    Word{"-.INF", real(-kInfinity)},
};

constexpr std::size_t kLongestWord = 5;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<Scalar> find_word(std::string_view text) {
  if (text.size() > kLongestWord) {
    return std::nullopt;
  }
  const auto* found = std::ranges::find(kWords, text, &Word::text);
  if (found == kWords.end()) {
    return std::nullopt;
  }
  return found->scalar;
}

/// Digits without sign after an optional Go prefix (0x, 0b, 0o, or a bare 0 for octal).
std::optional<std::uint64_t> parse_magnitude(std::string_view text) {
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

std::optional<Scalar> parse_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  const bool has_sign = negative || text.starts_with('+');
  const auto magnitude = parse_magnitude(text.substr(has_sign ? 1 : 0));
  if (!magnitude) {
    return std::nullopt;
  }
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (*magnitude <= kLargest + (negative ? 1 : 0)) {
    const std::uint64_t bits = negative ? 0 - *magnitude : *magnitude;
    return Scalar{.kind = ScalarKind::integer, .integer = static_cast<std::int64_t>(bits)};
  }
  if (has_sign) {
    return std::nullopt;
  }
  return Scalar{.kind = ScalarKind::unsigned_integer, .unsigned_integer = *magnitude};
}

/// Decimal floats: [-+] digits [. digits] [e [-+] digits], at least one digit before the exponent.
bool is_decimal_float(std::string_view text) {
  std::size_t i = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t start = i;
    while (i < text.size() && is_digit(text[i])) {
      ++i;
    }
    return i - start;
  };
  std::size_t mantissa = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    mantissa += digits();
  }
  if (mantissa == 0) {
    return false;
  }
  if (i < text.size() && (text[i] | 0x20) == 'e') {
    ++i;
    i += i < text.size() && (text[i] == '-' || text[i] == '+') ? 1 : 0;
    if (digits() == 0) {
      return false;
    }
  }
  return i == text.size();
}

std::optional<Scalar> parse_real(std::string_view text) {
  if (!is_decimal_float(text)) {
    return std::nullopt;
  }
  text.remove_prefix(text.starts_with('+') ? 1 : 0);
  double number = 0;
  const auto problem = std::from_chars(text.data(), text.data() + text.size(), number).ec;
  if (problem == std::errc::result_out_of_range) {
    // Too small reads as zero, too large is no number: the exponent's sign tells them apart, and
    // a long mantissa without exponent can only be too large or a tiny fraction.
    const std::size_t e = text.find_first_of("eE");
    const bool tiny =
        e != std::string_view::npos
            ? text.substr(e + 1).starts_with('-')
            : text.substr(text.starts_with('-') ? 1 : 0).starts_with('0') || text.find('.') <= 1;
    if (!tiny) {
      return std::nullopt;
    }
    number = text.starts_with('-') ? -0.0 : 0.0;
  }
  return real(number);
}

/// Reads numbers of a date, the way Go's time.Parse does.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : text_(text) {}

  bool number(int lowest, int highest, int& out) {
    std::size_t digits = 0;
    out = 0;
    while (digits < 2 && digits < text_.size() && is_digit(text_[digits])) {
      out = out * 10 + (text_[digits++] - '0');
    }
    text_.remove_prefix(digits);
    return digits > 0 && out >= lowest && out <= highest;
  }

  bool take(char c) {
    if (!text_.starts_with(c)) {
      return false;
    }
    text_.remove_prefix(1);
    return true;
  }

  void fraction() {
    if (text_.size() < 2 || (text_[0] != '.' && text_[0] != ',') || !is_digit(text_[1])) {
      return;
    }
    text_.remove_prefix(1);
    while (!text_.empty() && is_digit(text_[0])) {
      text_.remove_prefix(1);
    }
  }

  bool zone() {
    if (take('Z')) {
      return true;
    }
    if (text_.size() < 6 || (text_[0] != '+' && text_[0] != '-') || !is_digit(text_[1]) ||
        !is_digit(text_[2]) || text_[3] != ':' || !is_digit(text_[4]) || !is_digit(text_[5])) {
      return false;
    }
    const int hours = (text_[1] - '0') * 10 + (text_[2] - '0');
    const int minutes = (text_[4] - '0') * 10 + (text_[5] - '0');
    text_.remove_prefix(6);
    return hours <= 24 && minutes <= 60;
  }

  bool done() const { return text_.empty(); }

 private:
  std::string_view text_;
};

int days_of_month(int month, int year) {
  if (month == 2) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  }
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool is_timestamp(std::string_view text) {
  if (text.size() < 8 || text[4] != '-' || !std::ranges::all_of(text.substr(0, 4), is_digit)) {
    return false;
  }
  int year = 0;
  std::from_chars(text.data(), text.data() + 4, year);
  DateReader reader(text.substr(5));
  int month = 0;
  int day = 0;
  if (!reader.number(1, 12, month) || !reader.take('-') || !reader.number(1, 31, day) ||
      day > days_of_month(month, year)) {
    return false;
  }
  if (reader.done()) {
    return true;
  }
  const bool zoned = reader.take('T') || reader.take('t');
  if (!zoned && !reader.take(' ')) {
    return false;
  }
  int part = 0;
  if (!reader.number(0, 23, part) || !reader.take(':') || !reader.number(0, 59, part) ||
      !reader.take(':') || !reader.number(0, 59, part)) {
    return false;
  }
  reader.fraction();
  return (!zoned || reader.zone()) && reader.done();
}

std::optional<Scalar> parse_number(std::string_view text) {
  std::string plain(text);
  std::erase(plain, '_');
  if (auto integer = parse_integer(plain)) {
    return integer;
  }
  return parse_real(plain);
}

Scalar resolve_untagged(std::string_view text, bool timestamps) {
  const Scalar as_text{};
  const char first = text.empty() ? '~' : text.front();
  constexpr std::string_view kHints = "+-0123456789yYnNtTfFoO~.";
  if (kHints.find(first) == std::string_view::npos) {
    return as_text;
  }
  if (const auto word = find_word(text)) {
    return *word;
  }
  if (first == '.') {
    return parse_real(text).value_or(as_text);
  }
  if (!is_digit(first) && first != '+' && first != '-') {
    return as_text;
  }
  if (timestamps && is_timestamp(text)) {
    return {.kind = ScalarKind::timestamp};
  }
  return parse_number(text).value_or(as_text);
}

std::string_view tag_of(ScalarKind kind) {
  switch (kind) {
    case ScalarKind::null:
      return "null";
    case ScalarKind::boolean:
      return "bool";
    case ScalarKind::integer:
    case ScalarKind::unsigned_integer:
      return "int";
    case ScalarKind::real:
      return "float";
    case ScalarKind::text:
      return "str";
    case ScalarKind::timestamp:
      return "timestamp";
  }
  return "str";
}

bool is_base_60(std::string_view text) {
  std::size_t i = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  if (i >= text.size() || !is_digit(text[i])) {
    return false;
  }
  while (i < text.size() && (is_digit(text[i]) || text[i] == '_')) {
    ++i;
  }
  std::size_t groups = 0;
  while (i + 1 < text.size() && text[i] == ':' && is_digit(text[i + 1])) {
    const bool two = i + 2 < text.size() && text[i + 1] <= '5' && is_digit(text[i + 2]);
    i += two ? 3 : 2;
    ++groups;
  }
  if (i < text.size() && text[i] == '.') {
    ++i;
    while (i < text.size() && (is_digit(text[i]) || text[i] == '_')) {
      ++i;
    }
  }
  return groups > 0 && i == text.size();
}

}  // namespace

Result<Scalar> resolve_scalar(std::string_view tag, std::string_view text) {
  if (tag.empty()) {
    return resolve_untagged(text, true);
  }
  if (!tag.starts_with(kYamlTagPrefix)) {
    return Scalar{};
  }
  const std::string_view wanted = tag.substr(kYamlTagPrefix.size());
  constexpr std::array<std::string_view, 5> kChecked = {"bool", "int", "float", "null",
                                                        "timestamp"};
  if (std::ranges::find(kChecked, wanted) == kChecked.end()) {
    return Scalar{};
  }
  Scalar found = resolve_untagged(text, wanted == "timestamp");
  if (wanted == "float" && found.kind == ScalarKind::integer) {
    return real(static_cast<double>(found.integer));
  }
  if (tag_of(found.kind) != wanted) {
    return fail(ErrorCode::invalid, "cannot decode !!" + std::string(tag_of(found.kind)) + " `" +
                                        std::string(text) + "` as a !!" + std::string(wanted));
  }
  return found;
}

bool reads_back_as_text(std::string_view text) {
  return resolve_untagged(text, true).kind == ScalarKind::text && !is_base_60(text);
}

}  // namespace tiphys::doc

#include "lang/expr/go_json.h"

#include "lang/gotext/gotext.h"

#include <fmt/format.h>

namespace tiphys::lang {
namespace {

constexpr int kMaxDepth = 500;

/// A character as the errors of encoding/json show it.
std::string quoted_char(char c) {
  if (c == '\'') {
    return R"('\'')";
  }
  if (c == '"') {
    return R"('"')";
  }
  const auto byte = static_cast<unsigned char>(c);
  std::string text;
  append_rune(text, byte);
  std::string quoted = quote(text);
  return "'" + quoted.substr(1, quoted.size() - 2) + "'";
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  Result<ExprValue> read() {
    skip_blanks();
    TRY(ExprValue value, read_value("looking for beginning of value"));
    skip_blanks();
    if (at_ < text_.size()) {
      return unexpected_char("after top-level value");
    }
    return value;
  }

 private:
  std::unexpected<Error> unexpected_char(std::string_view where) const {
    if (at_ >= text_.size()) {
      return fail(ErrorCode::invalid, "unexpected end of JSON input");
    }
    return fail(ErrorCode::invalid,
                fmt::format("invalid character {} {}", quoted_char(text_[at_]), where));
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) {
      ++at_;
    }
  }

  bool peek(char c) const { return at_ < text_.size() && text_[at_] == c; }

  Result<ExprValue> read_value(std::string_view where) {
    if (at_ >= text_.size()) {
      return unexpected_char(where);
    }
    switch (text_[at_]) {
      case '{':
        return read_object();
      case '[':
        return read_array();
      case '"': {
        TRY(std::string text, read_string());
        return ExprValue::string(std::move(text));
      }
      case 't':
        return read_word("true", ExprValue::boolean(true));
      case 'f':
        return read_word("false", ExprValue::boolean(false));
      case 'n':
        return read_word("null", ExprValue());
      default:
        if (text_[at_] == '-' || is_decimal(text_[at_])) {
          return read_number();
        }
        return unexpected_char(where);
    }
  }

  Result<ExprValue> read_word(std::string_view word, ExprValue value) {
    for (std::size_t i = 0; i < word.size(); ++i, ++at_) {
      if (!peek(word[i])) {
        return unexpected_char(
            fmt::format("in literal {} (expecting {})", word, quoted_char(word[i])));
      }
    }
    return value;
  }

  Result<> read_digits(std::string_view where) {
    if (at_ >= text_.size() || !is_decimal(text_[at_])) {
      return unexpected_char(where);
    }
    while (at_ < text_.size() && is_decimal(text_[at_])) {
      ++at_;
    }
    return {};
  }

  Result<ExprValue> read_number() {
    const std::size_t start = at_;
    at_ += peek('-') ? 1 : 0;
    if (peek('0')) {
      ++at_;
    } else {
      TRY_VOID(read_digits("in numeric literal"));
    }
    if (peek('.')) {
      ++at_;
      TRY_VOID(read_digits("after decimal point in numeric literal"));
    }
    if (peek('e') || peek('E')) {
      ++at_;
      at_ += peek('+') || peek('-') ? 1 : 0;
      TRY_VOID(read_digits("in exponent of numeric literal"));
    }
    const std::string_view literal = text_.substr(start, at_ - start);
    const Result<double> number = parse_float(literal);
    if (!number) {
      return fail(
          ErrorCode::invalid,
          fmt::format("json: cannot unmarshal number {} into Go value of type float64", literal));
    }
    return ExprValue::number(*number);
  }

  Result<std::string> read_string() {
    std::string out;
    ++at_;
    while (!peek('"')) {
      if (at_ >= text_.size() || static_cast<unsigned char>(text_[at_]) < 0x20) {
        return unexpected_char("in string literal");
      }
      if (text_[at_] == '\\') {
        TRY_VOID(read_escape(out));
        continue;
      }
      const auto [rune, size] = first_rune(text_.substr(at_));
      append_rune(out, rune);
      at_ += size;
    }
    ++at_;
    return out;
  }

  Result<> read_escape(std::string& out) {
    ++at_;
    if (at_ >= text_.size()) {
      return unexpected_char("in string escape code");
    }
    constexpr std::string_view kCodes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (text_[at_] == 'u') {
      ++at_;
      return read_code(out);
    }
    const std::size_t code = kCodes.find(text_[at_]);
    if (code == std::string_view::npos) {
      return unexpected_char("in string escape code");
    }
    out.push_back(kMeanings[code]);
    ++at_;
    return {};
  }

  Result<char32_t> read_hex() {
    char32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
      const std::size_t digit =
          at_ < text_.size() ? kDigits.find(text_[at_]) : std::string_view::npos;
      if (digit == std::string_view::npos) {
        return unexpected_char("in \\u hexadecimal character escape");
      }
      value = value * 16 + static_cast<char32_t>(digit > 15 ? digit - 6 : digit);
    }
    return value;
  }

  /// A surrogate without its partner becomes U+FFFD.
  Result<> read_code(std::string& out) {
    TRY(const char32_t first, read_hex());
    const bool high = first >= 0xD800 && first < 0xDC00;
    if (!high || !text_.substr(at_).starts_with("\\u")) {
      append_rune(out, first);
      return {};
    }
    const std::size_t before = at_;
    at_ += 2;
    TRY(const char32_t second, read_hex());
    if (second >= 0xDC00 && second < 0xE000) {
      append_rune(out, 0x10000 + ((first - 0xD800) << 10U) + (second - 0xDC00));
    } else {
      append_rune(out, kReplacementRune);
      at_ = before;
    }
    return {};
  }

  Result<> enter() {
    ++at_;
    if (++depth_ > kMaxDepth) {
      return fail(ErrorCode::invalid, "exceeded max depth");
    }
    return {};
  }

  Result<ExprValue> read_array() {
    TRY_VOID(enter());
    ExprList items;
    skip_blanks();
    while (!peek(']')) {
      TRY(ExprValue item, read_value("looking for beginning of value"));
      items.push_back(std::move(item));
      skip_blanks();
      if (peek(',')) {
        ++at_;
        skip_blanks();
        if (peek(']')) {
          return unexpected_char("looking for beginning of value");
        }
      } else if (!peek(']')) {
        return unexpected_char("after array element");
      }
    }
    ++at_;
    --depth_;
    return ExprValue::list(std::move(items));
  }

  Result<ExprValue> read_object() {
    TRY_VOID(enter());
    ExprEntries entries;
    skip_blanks();
    while (!peek('}')) {
      if (!peek('"')) {
        return unexpected_char("looking for beginning of object key string");
      }
      TRY(std::string key, read_string());
      skip_blanks();
      if (!peek(':')) {
        return unexpected_char("after object key");
      }
      ++at_;
      skip_blanks();
      TRY(ExprValue value, read_value("looking for beginning of value"));
      entries.insert_or_assign(std::move(key), std::move(value));
      skip_blanks();
      if (peek(',')) {
        ++at_;
        skip_blanks();
        if (peek('}')) {
          return unexpected_char("looking for beginning of object key string");
        }
      } else if (!peek('}')) {
        return unexpected_char("after object key:value pair");
      }
    }
    ++at_;
    --depth_;
    return ExprValue::map(std::move(entries));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<ExprValue> parse_go_json(std::string_view text) { return JsonReader(text).read(); }

}  // namespace tiphys::lang

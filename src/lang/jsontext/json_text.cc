#include "lang/jsontext/json_text.h"

#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <charconv>

namespace tiphys::lang {
namespace {

constexpr std::size_t kMaxDepth = 10000;

bool is_blank(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

bool is_decimal(char byte) { return byte >= '0' && byte <= '9'; }

bool is_hex(char byte) {
  return is_decimal(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

std::string quoted_character(char byte) {
  if (byte == '\'') {
    return R"('\'')";
  }
  if (byte == '"') {
    return R"('"')";
  }
  std::string rune;
  append_rune(rune, static_cast<unsigned char>(byte));
  std::string out = quote(rune);
  out.front() = '\'';
  out.back() = '\'';
  return out;
}

/// Reads a text once, left to right, as Go's scanner does; the end of the text counts as a blank.
class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  std::optional<std::string> run() {
    while (!failed_ && step()) {
    }
    return std::move(problem_);
  }

 private:
  enum class Expect { value, value_or_end, key, key_or_end, colon, after_value };

  char peek() const { return at_ < text_.size() ? text_[at_] : ' '; }

  bool fail(std::string_view context) {
    problem_ = fmt::format("invalid character {} {}", quoted_character(peek()), context);
    failed_ = true;
    return false;
  }

  bool end_of_text() {
    if (expect_ != Expect::after_value || !open_.empty()) {
      problem_ = "unexpected end of JSON input";
    }
    return false;
  }

  bool step() {
    while (at_ < text_.size() && is_blank(text_[at_])) {
      ++at_;
    }
    if (at_ == text_.size()) {
      return end_of_text();
    }
    switch (expect_) {
      case Expect::value_or_end:
        if (text_[at_] == ']') {
          return close();
        }
        return value();
      case Expect::value:
        return value();
      case Expect::key_or_end:
        if (text_[at_] == '}') {
          return close();
        }
        return key();
      case Expect::key:
        return key();
      case Expect::colon:
        if (text_[at_] != ':') {
          return fail("after object key");
        }
        ++at_;
        expect_ = Expect::value;
        return true;
      case Expect::after_value:
        return after_value();
    }
    return false;
  }

  bool key() {
    if (text_[at_] != '"') {
      return fail("looking for beginning of object key string");
    }
    expect_ = Expect::colon;
    return string();
  }

  bool close() {
    ++at_;
    open_.pop_back();
    expect_ = Expect::after_value;
    return true;
  }

  bool after_value() {
    if (open_.empty()) {
      return fail("after top-level value");
    }
    const bool in_object = open_.back() == '{';
    if (text_[at_] == ',') {
      ++at_;
      expect_ = in_object ? Expect::key : Expect::value;
      return true;
    }
    if (text_[at_] == (in_object ? '}' : ']')) {
      return close();
    }
    return fail(in_object ? "after object key:value pair" : "after array element");
  }

  bool open(char bracket) {
    if (open_.size() == kMaxDepth) {
      problem_ = "exceeded max depth";
      failed_ = true;
      return false;
    }
    open_ += bracket;
    ++at_;
    expect_ = bracket == '{' ? Expect::key_or_end : Expect::value_or_end;
    return true;
  }

  bool value() {
    const char first = text_[at_];
    if (first == '{' || first == '[') {
      return open(first);
    }
    expect_ = Expect::after_value;
    switch (first) {
      case '"':
        return string();
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        if (first == '-' || is_decimal(first)) {
          return number();
        }
        return fail("looking for beginning of value");
    }
  }

  bool literal(std::string_view word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      ++at_;
      if (peek() != word[i]) {
        return fail(fmt::format("in literal {} (expecting '{}')", word, word[i]));
      }
    }
    ++at_;
    return true;
  }

  bool digits(std::string_view context) {
    if (!is_decimal(peek())) {
      return fail(context);
    }
    while (is_decimal(peek())) {
      ++at_;
    }
    return true;
  }

  bool number() {
    if (text_[at_] == '-') {
      ++at_;
    }
    if (peek() == '0') {
      ++at_;
    } else if (!digits("in numeric literal")) {
      return false;
    }
    if (peek() == '.') {
      ++at_;
      if (!digits("after decimal point in numeric literal")) {
        return false;
      }
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') {
        ++at_;
      }
      return digits("in exponent of numeric literal");
    }
    return true;
  }

  bool string() {
    for (++at_; at_ < text_.size(); ++at_) {
      const char byte = text_[at_];
      if (byte == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(byte) < 0x20) {
        return fail("in string literal");
      }
      if (byte == '\\' && !escape()) {
        return false;
      }
    }
    problem_ = "unexpected end of JSON input";
    failed_ = true;
    return false;
  }

  /// Leaves the position on the last byte of the escape.
  bool escape() {
    ++at_;
    if (peek() != 'u') {
      constexpr std::string_view kKnown = "bfnrt\\/\"";
      return kKnown.find(peek()) != std::string_view::npos || fail("in string escape code");
    }
    for (int i = 0; i < 4; ++i) {
      ++at_;
      if (!is_hex(peek())) {
        return fail("in \\u hexadecimal character escape");
      }
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Expect expect_ = Expect::value;
  /// The brackets that are open, outermost first.
  std::string open_;
  bool failed_ = false;
  std::optional<std::string> problem_;
};

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) {
    ++at;
  }
  return at;
}

/// The position after the quoted string that starts at `at`.
std::size_t string_end(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') {
      ++at;
    }
  }
  return std::min(at + 1, text.size());
}

char32_t hex_at(std::string_view text, std::size_t at) {
  std::uint32_t value = 0;
  std::from_chars(text.data() + at, text.data() + at + 4, value, 16);
  return value;
}

/// Appends the rune of a \u escape that starts at `at`; returns the position after it.
std::size_t append_unicode_escape(std::string& out, std::string_view text, std::size_t at) {
  char32_t rune = hex_at(text, at + 2);
  at += 6;
  if (rune >= 0xD800 && rune < 0xDC00 && text.substr(at, 2) == "\\u") {
    const char32_t low = hex_at(text, at + 2);
    if (low >= 0xDC00 && low < 0xE000) {
      rune = 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
      at += 6;
    }
  }
  append_rune(out, rune);
  return at;
}

char unescaped(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return letter;
  }
}

}  // namespace

std::optional<std::string> json_problem(std::string_view text) { return Checker(text).run(); }

std::string_view json_kind(std::string_view value) {
  const std::size_t at = skip_blanks(value, 0);
  switch (at < value.size() ? value[at] : ' ') {
    case '[':
      return "array";
    case '{':
      return "object";
    case '"':
      return "string";
    case 't':
    case 'f':
      return "bool";
    case 'n':
      return "null";
    default:
      return "number";
  }
}

std::size_t json_value_end(std::string_view text, std::size_t position) {
  std::size_t at = skip_blanks(text, position);
  std::size_t depth = 0;
  while (at < text.size()) {
    const char byte = text[at];
    if (byte == '"') {
      at = string_end(text, at);
    } else if (byte == '{' || byte == '[') {
      ++depth;
      ++at;
      continue;
    } else if (byte == '}' || byte == ']') {
      if (depth == 0) {
        return at;
      }
      --depth;
      ++at;
    } else if (depth > 0 && (byte == ',' || byte == ':' || is_blank(byte))) {
      ++at;
      continue;
    } else {
      at = std::min(text.find_first_of(" \t\r\n,:]}\"", at), text.size());
    }
    if (depth == 0) {
      return at;
    }
  }
  return at;
}

std::vector<std::string_view> json_elements(std::string_view array) {
  std::vector<std::string_view> elements;
  std::size_t at = skip_blanks(array, skip_blanks(array, 0) + 1);
  while (at < array.size() && array[at] != ']') {
    const std::size_t end = json_value_end(array, at);
    elements.push_back(array.substr(at, end - at));
    at = skip_blanks(array, end);
    if (at < array.size() && array[at] == ',') {
      at = skip_blanks(array, at + 1);
    }
  }
  return elements;
}

std::vector<JsonMember> json_members(std::string_view object) {
  std::vector<JsonMember> members;
  std::size_t at = skip_blanks(object, skip_blanks(object, 0) + 1);
  while (at < object.size() && object[at] == '"') {
    const std::size_t key_end = string_end(object, at);
    JsonMember member{.key = json_unescape(object.substr(at, key_end - at)), .value = {}};
    const std::size_t start = skip_blanks(object, skip_blanks(object, key_end) + 1);
    const std::size_t end = json_value_end(object, start);
    member.value = object.substr(start, end - start);
    members.push_back(std::move(member));
    at = skip_blanks(object, end);
    if (at < object.size() && object[at] == ',') {
      at = skip_blanks(object, at + 1);
    }
  }
  return members;
}

std::string json_unescape(std::string_view quoted) {
  std::string out;
  const std::size_t end = quoted.size() < 2 ? quoted.size() : quoted.size() - 1;
  for (std::size_t at = 1; at < end;) {
    if (quoted[at] == '\\' && at + 1 < end) {
      if (quoted[at + 1] == 'u' && at + 6 <= end) {
        at = append_unicode_escape(out, quoted, at);
      } else {
        out += unescaped(quoted[at + 1]);
        at += 2;
      }
      continue;
    }
    const DecodedRune rune = first_rune(quoted.substr(at));
    append_rune(out, rune.rune);
    at += rune.size;
  }
  return out;
}

std::string without_html_escapes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view escape = text.substr(at, 6);
    const std::size_t known = escape == "\\u003c"   ? 0
                              : escape == "\\u003e" ? 1
                              : escape == "\\u0026" ? 2
                                                    : 3;
    if (known < 3) {
      out += "<>&"[known];
      at += 5;
    } else {
      out += text[at];
    }
  }
  return out;
}

void append_compact_json(std::string& out, std::string_view value) {
  bool in_string = false;
  for (std::size_t at = 0; at < value.size(); ++at) {
    const char byte = value[at];
    if (!in_string && is_blank(byte)) {
      continue;
    }
    if (byte == '<' || byte == '>' || byte == '&') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(byte));
      continue;
    }
    if (value.substr(at, 2) == "\xE2\x80" && at + 2 < value.size() &&
        (static_cast<unsigned char>(value[at + 2]) & ~1U) == 0xA8) {
      out += value[at + 2] == '\xA8' ? "\\u2028" : "\\u2029";
      at += 2;
      continue;
    }
    out += byte;
    if (in_string && byte == '\\' && at + 1 < value.size()) {
      out += value[++at];
    } else if (byte == '"') {
      in_string = !in_string;
    }
  }
}

}  // namespace tiphys::lang

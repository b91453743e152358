#include "lang/gotext/gotext.h"
#include "lang/jsonpath/parser.h"

#include <optional>

namespace tiphys::lang {
namespace {

std::unexpected<Error> broken() { return fail(ErrorCode::invalid, "invalid syntax"); }

std::optional<char32_t> digits_value(std::string_view digits, std::size_t count, int base) {
  if (digits.size() < count) {
    return std::nullopt;
  }
  char32_t value = 0;
  for (const char c : digits.substr(0, count)) {
    int digit = 99;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (const char low = static_cast<char>(c | 0x20); low >= 'a' && low <= 'f') {
      digit = low - 'a' + 10;
    }
    if (digit >= base) {
      return std::nullopt;
    }
    value = value * static_cast<char32_t>(base) + static_cast<char32_t>(digit);
  }
  return value;
}

char simple_escape(char letter) {
  switch (letter) {
    case 'a':
      return '\a';
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
    case 'v':
      return '\v';
    case '\\':
      return '\\';
    default:
      return '\0';
  }
}

/// Resolves the escape behind a backslash and takes it from `rest`.
Result<> take_escape(std::string_view& rest, char quote, std::string& out) {
  if (rest.empty()) {
    return broken();
  }
  const char letter = rest.front();
  rest.remove_prefix(1);
  if (const char plain = simple_escape(letter); plain != '\0') {
    out.push_back(plain);
    return {};
  }
  if (letter == '\'' || letter == '"') {
    if (letter != quote) {
      return broken();
    }
    out.push_back(letter);
    return {};
  }
  if (letter >= '0' && letter <= '7') {
    const std::string digits = letter + std::string(rest.substr(0, 2));
    const auto value = digits_value(digits, 3, 8);
    if (!value || *value > 255) {
      return broken();
    }
    out.push_back(static_cast<char>(*value));
    rest.remove_prefix(2);
    return {};
  }
  const std::size_t count = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
  const auto value = count == 0 ? std::nullopt : digits_value(rest, count, 16);
  if (!value) {
    return broken();
  }
  rest.remove_prefix(count);
  if (letter == 'x') {
    out.push_back(static_cast<char>(*value));
    return {};
  }
  if (*value > 0x10FFFF || (*value >= 0xD800 && *value < 0xE000)) {
    return broken();
  }
  append_rune(out, *value);
  return {};
}

}  // namespace

Result<std::string> unquote_json_path(std::string_view quoted) {
  if (quoted.size() < 2 || quoted.front() != quoted.back()) {
    return broken();
  }
  const char quote = quoted.front();
  std::string_view rest = quoted.substr(1, quoted.size() - 2);
  if (rest.find('\\') == std::string_view::npos && rest.find(quote) == std::string_view::npos) {
    return std::string(rest);
  }
  std::string out;
  while (!rest.empty()) {
    const DecodedRune rune = first_rune(rest);
    rest.remove_prefix(rune.size);
    if (rune.rune == U'\\') {
      TRY_VOID(take_escape(rest, quote, out));
    } else if (rune.rune == static_cast<char32_t>(quote)) {
      return broken();
    } else {
      append_rune(out, rune.rune);
    }
  }
  return out;
}

}  // namespace tiphys::lang

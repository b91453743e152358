#include "lang/expr/unescape.h"

#include "lang/gotext/gotext.h"

#include <optional>

namespace tiphys::lang {
namespace {

enum class Codes : std::uint8_t { characters, bytes };

std::unexpected<Error> bad_literal() { return fail(ErrorCode::parse, "unable to unescape string"); }

std::string with_line_feeds(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') {
      out.push_back('\n');
      i += i + 1 < text.size() && text[i + 1] == '\n' ? 1 : 0;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::optional<std::uint32_t> digit(char c, std::uint32_t base) {
  std::uint32_t value = 99;
  if (c >= '0' && c <= '9') {
    value = static_cast<std::uint32_t>(c - '0');
  } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
    value = static_cast<std::uint32_t>((c | 0x20) - 'a') + 10;
  }
  return value < base ? std::optional(value) : std::nullopt;
}

/// Exactly `count` digits from the front of `rest`.
std::optional<std::uint32_t> take_code(std::string_view& rest, std::size_t count,
                                       std::uint32_t base) {
  if (rest.size() < count) {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto next = digit(rest[i], base);
    if (!next) {
      return std::nullopt;
    }
    value = value * base + *next;
  }
  rest.remove_prefix(count);
  return value;
}

std::optional<std::uint32_t> take_braced_code(std::string_view& rest) {
  const std::size_t close = rest.find('}');
  if (close == std::string_view::npos || close < 2 || close > 7) {
    return std::nullopt;
  }
  std::string_view digits = rest.substr(1, close - 1);
  const auto value = take_code(digits, digits.size(), 16);
  rest.remove_prefix(close + 1);
  return value;
}

std::optional<char> simple_escape(char c) {
  switch (c) {
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
    case '\'':
    case '"':
    case '`':
    case '?':
      return c;
    default:
      return std::nullopt;
  }
}

std::optional<std::uint32_t> numeric_escape(char c, std::string_view& rest, Codes codes) {
  switch (c) {
    case 'x':
    case 'X':
      return take_code(rest, 2, 16);
    case 'u':
    case 'U':
      if (codes == Codes::bytes) {
        return std::nullopt;
      }
      if (c == 'u' && rest.starts_with('{')) {
        return take_braced_code(rest);
      }
      return take_code(rest, c == 'u' ? 4 : 8, 16);
    case '0':
    case '1':
    case '2':
    case '3': {
      const auto low = take_code(rest, 2, 8);
      return low ? std::optional(static_cast<std::uint32_t>(c - '0') * 64 + *low) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

Result<std::string> unescape(std::string_view literal, Codes codes) {
  const std::string text = with_line_feeds(literal);
  if (text.size() < 2 || text.front() != text.back()) {
    return bad_literal();
  }
  std::string_view rest = std::string_view(text).substr(1, text.size() - 2);
  std::string out;
  while (!rest.empty()) {
    if (rest[0] != '\\') {
      const auto [rune, size] = first_rune(rest);
      append_rune(out, rune);
      rest.remove_prefix(size);
      continue;
    }
    if (rest.size() < 2) {
      return fail(ErrorCode::parse, "unable to unescape string, found '\\' as last character");
    }
    const char c = rest[1];
    rest.remove_prefix(2);
    if (const auto simple = simple_escape(c)) {
      out.push_back(*simple);
      continue;
    }
    const auto code = numeric_escape(c, rest, codes);
    if (!code && c >= '0' && c <= '3') {
      return fail(ErrorCode::parse, "unable to unescape octal sequence in string");
    }
    if (!code || *code > 0x10FFFF) {
      return bad_literal();
    }
    if (codes == Codes::bytes) {
      out.push_back(static_cast<char>(*code));
    } else {
      append_rune(out, *code);
    }
  }
  return out;
}

}  // namespace

Result<std::string> unescape_text(std::string_view literal) {
  return unescape(literal, Codes::characters);
}

Result<std::string> unescape_bytes(std::string_view literal) {
  return unescape(literal, Codes::bytes);
}

}  // namespace tiphys::lang

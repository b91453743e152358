#include "lang/jq/lexer.h"

#include "lang/gotext/gotext.h"
#include "lang/jq/json_form.h"
#include "lang/jsontext/json_text.h"

#include <algorithm>
#include <array>

namespace tiphys::lang::jq {
namespace {

constexpr std::array<std::string_view, 21> kKeywords = {
    "or",    "and",   "module", "import", "include", "def",    "as",
    "label", "break", "null",   "true",   "false",   "if",     "then",
    "elif",  "else",  "end",    "try",    "catch",   "reduce", "foreach"};

/// Longer ones first.
constexpr std::array<std::string_view, 18> kOperations = {
    "?//", "//=", "|=", "+=", "-=", "*=", "/=", "%=", "//",
    "==",  "!=",  ">=", "<=", "=",  ">",  "<",  "or", "and"};

bool is_digit_byte(char c) { return c >= '0' && c <= '9'; }

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool continues_name(char c) { return begins_name(c) || is_digit_byte(c); }

bool is_hex(char c) { return is_digit_byte(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// The content of a text's piece; control characters may stand in it as they are.
std::string unescaped(std::string_view piece) {
  if (piece.find('\\') == std::string_view::npos) {
    return valid_utf8(piece);
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : piece) {
    if (const auto byte = static_cast<unsigned char>(c); byte < 0x20) {
      quoted += "\\u00";
      quoted.push_back(kHex[byte >> 4U]);
      quoted.push_back(kHex[byte & 15U]);
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back('"');
  return json_unescape(quoted);
}

}  // namespace

bool Lexer::skip_blanks() {
  while (at_ < source_.size()) {
    const char c = source_[at_];
    if (c == '#') {
      skip_comment();
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at_;
    } else {
      return true;
    }
  }
  return false;
}

/// Up to the end of the line; a backslash before it, unless there are two, takes the next line too.
void Lexer::skip_comment() {
  while (at_ < source_.size() && peek() != '\n' && peek() != '\r') {
    if (peek() == '\0') {
      at_ = source_.size();
    } else if (peek() == '\\') {
      ++at_;
      if (peek() == '\r') {
        ++at_;
        at_ += peek() == '\n' ? 1 : 0;
      } else {
        at_ += peek() == '\\' || peek() == '\n' ? 1 : 0;
      }
    } else {
      ++at_;
    }
  }
}

Token Lexer::next() {
  if (in_text_ && at_ < source_.size()) {
    return text(at_);
  }
  if (!skip_blanks()) {
    shown_.clear();
    return {};
  }
  const std::size_t begin = at_;
  const char c = source_[at_];
  if (begins_name(c)) {
    return name();
  }
  if (is_digit_byte(c)) {
    return number(begin, false);
  }
  ++at_;
  const char after = peek();
  if (c == '.' && after == '.') {
    ++at_;
    shown_ = "..";
    return {Word::recurse, ".."};
  }
  if (c == '.' && is_digit_byte(after)) {
    return number(begin, true);
  }
  if (c == '"') {
    return text(begin);
  }
  const bool is_prefix = (c == '.' && begins_name(after)) || (c == '$' && begins_name(after)) ||
                         (c == '@' && continues_name(after));
  if (!is_prefix) {
    return symbol(c);
  }
  Token rest = name();
  shown_ = std::string(source_.substr(begin, at_ - begin));
  if (c == '.') {
    // Names of modules are no fields.
    const std::size_t colon = rest.text.find(':');
    if (colon != std::string::npos) {
      at_ -= rest.text.size() - colon;
      rest.text.resize(colon);
      shown_ = "." + rest.text;
    }
    return {Word::field, std::move(rest.text)};
  }
  return {c == '$' ? Word::variable : Word::format, shown_};
}

/// A name, possibly of a module's member: `a::b`.
Token Lexer::name() {
  const std::size_t begin = at_;
  const auto skip_name = [this] {
    while (continues_name(peek())) {
      ++at_;
    }
  };
  skip_name();
  if (source_.substr(at_).starts_with("::") && at_ + 2 < source_.size() &&
      begins_name(source_[at_ + 2]) && (begin == 0 || source_[begin - 1] != '@')) {
    at_ += 2;
    skip_name();
  }
  shown_ = std::string(source_.substr(begin, at_ - begin));
  if (shown_ == "or" || shown_ == "and") {
    return {Word::operation, shown_};
  }
  const bool is_keyword = std::ranges::find(kKeywords, shown_) != kKeywords.end();
  return {is_keyword ? Word::keyword : Word::identifier, shown_};
}

std::size_t Lexer::scan_number(std::size_t at, bool has_point, bool& valid) const {
  const auto here = [&] { return at < source_.size() ? source_[at] : '\0'; };
  const auto skip_digits = [&] {
    const std::size_t begin = at;
    while (is_digit_byte(here())) {
      ++at;
    }
    return at > begin;
  };
  valid = true;
  skip_digits();
  if (here() == '.' && !has_point) {
    ++at;
    has_point = true;
    skip_digits();
  }
  if (here() == '.') {
    valid = false;
    return at + 1;
  }
  if (here() == 'e' || here() == 'E') {
    ++at;
    at += here() == '-' || here() == '+' ? 1 : 0;
    valid = skip_digits();
  }
  if (begins_name(here())) {
    valid = false;
    ++at;
  }
  return at;
}

Token Lexer::number(std::size_t begin, bool has_point) {
  bool valid = true;
  at_ = scan_number(has_point ? at_ : begin, has_point, valid);
  shown_ = std::string(source_.substr(begin, at_ - begin));
  return {valid ? Word::number : Word::invalid, shown_};
}

bool Lexer::is_number(std::string_view source) {
  std::size_t at = source.starts_with('+') || source.starts_with('-') ? 1 : 0;
  const bool has_point = at < source.size() && source[at] == '.';
  at += has_point ? 1 : 0;
  if (at >= source.size() || !is_digit_byte(source[at])) {
    return false;
  }
  bool valid = true;
  return Lexer(source).scan_number(at, has_point, valid) == source.size() && valid;
}

Token Lexer::symbol(char c) {
  const std::string_view rest = source_.substr(at_ - 1);
  for (const std::string_view operation : kOperations) {
    if (rest.starts_with(operation)) {
      at_ += operation.size() - 1;
      shown_ = std::string(operation);
      return {Word::operation, shown_};
    }
  }
  std::string whole(1, c);
  if (static_cast<unsigned char>(c) >= 0x80) {
    const DecodedRune rune = first_rune(rest);
    at_ += rune.size - 1;
    whole.clear();
    append_rune(whole, rune.rune);
  }
  shown_ = whole;
  return {Word::symbol, std::move(whole)};
}

Token Lexer::bad_escape(std::size_t begin, std::size_t end) {
  at_ = std::min(end, source_.size());
  shown_ = std::string(source_.substr(begin, at_ - begin));
  return {Word::invalid_escape, shown_};
}

Token Lexer::text_piece(std::size_t begin, std::size_t end, Word word) {
  at_ = end;
  shown_ = std::string(source_.substr(begin, end - begin));
  return {word, unescaped(shown_)};
}

/// A text from its quote on, or the next piece of one that something is put into.
Token Lexer::text(std::size_t begin) {
  const std::size_t from = in_text_ ? begin : begin + 1;
  for (std::size_t i = from; i < source_.size(); ++i) {
    const char c = source_[i];
    if (c == '"' && !in_text_) {
      Token whole = text_piece(begin + 1, i, Word::text);
      shown_ = std::string(source_.substr(begin, i + 1 - begin));
      at_ = i + 1;
      return whole;
    }
    if (c == '"' && i > from) {
      return text_piece(begin, i, Word::text);
    }
    if (c == '"') {
      in_text_ = false;
      at_ = i + 1;
      return {Word::text_end, {}};
    }
    if (c != '\\' || ++i >= source_.size()) {
      continue;
    }
    if (source_[i] == '(') {
      if (!in_text_) {
        in_text_ = true;
        at_ = from;
        return {Word::text_begin, {}};
      }
      if (i == from + 1) {
        in_text_ = false;
        at_ = i + 1;
        return {Word::query_begin, {}};
      }
      return text_piece(begin, i - 1, Word::text);
    }
    if (source_[i] == 'u') {
      for (std::size_t j = 1; j <= 4; ++j) {
        if (i + j >= source_.size() || !is_hex(source_[i + j])) {
          return bad_escape(i - 1, i + j);
        }
      }
      i += 4;
    } else if (std::string_view("\"/\\bfnrt").find(source_[i]) == std::string_view::npos) {
      return bad_escape(i - 1, i + 1);
    }
  }
  at_ = source_.size();
  in_text_ = false;
  shown_.clear();
  return {Word::unterminated_text, {}};
}

std::string Lexer::complaint(const Token& token) const {
  Budget budget(std::uint64_t{1} << 20U);
  switch (token.word) {
    case Word::end:
      return "unexpected EOF";
    case Word::invalid:
      return "invalid token " + to_json(Value::text(shown_), budget);
    case Word::invalid_escape:
      return "invalid escape sequence \"" + shown_ + "\" in string literal";
    case Word::unterminated_text:
      return "unterminated string literal";
    default:
      return "unexpected token " + to_json(Value::text(shown_), budget);
  }
}

}  // namespace tiphys::lang::jq

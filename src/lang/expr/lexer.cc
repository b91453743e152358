#include "lang/expr/lexer.h"

#include "lang/expr/unescape.h"
#include "lang/gotext/gotext.h"

#include <array>

namespace tiphys::lang {
namespace {

constexpr std::string_view kDecimal = "0123456789_";

int hex_value(char32_t rune) {
  if (rune >= '0' && rune <= '9') {
    return static_cast<int>(rune - '0');
  }
  const char32_t low = rune | 0x20U;
  return low >= 'a' && low <= 'f' ? static_cast<int>(low - 'a') + 10 : 16;
}

bool is_word_operator(std::string_view word) {
  constexpr std::array<std::string_view, 11> kWords = {
      "not",        "in",       "or",  "and", "matches", "contains",
      "startsWith", "endsWith", "let", "if",  "else"};
  for (const std::string_view known : kWords) {
    if (known == word) {
      return true;
    }
  }
  return false;
}

std::string_view kind_text(TokenKind kind) {
  switch (kind) {
    case TokenKind::identifier:
      return "Identifier";
    case TokenKind::number:
      return "Number";
    case TokenKind::string:
      return "String";
    case TokenKind::bytes:
      return "Bytes";
    case TokenKind::op:
      return "Operator";
    case TokenKind::bracket:
      return "Bracket";
    case TokenKind::end:
      return "EOF";
  }
  return "";
}

}  // namespace

std::string Token::name() const {
  std::string out(kind_text(kind));
  return text.empty() ? out : out + "(" + quote(text) + ")";
}

bool is_name_start(char32_t rune) { return rune == '_' || rune == '$' || is_letter(rune); }

bool is_name_part(char32_t rune) { return is_name_start(rune) || is_digit(rune); }

bool is_name(std::string_view text) {
  if (text.empty() || !is_name_start(first_rune(text).rune)) {
    return false;
  }
  while (!text.empty()) {
    const auto [rune, size] = first_rune(text);
    if (!is_name_part(rune)) {
      return false;
    }
    text.remove_prefix(size);
  }
  return true;
}

char32_t Lexer::advance() {
  if (end_.byte >= source_.size()) {
    ran_out_ = true;
    return kEnd;
  }
  const auto [rune, size] = first_rune(source_.substr(end_.byte));
  end_.byte += size;
  ++end_.rune;
  return rune;
}

char32_t Lexer::peek() const {
  return end_.byte < source_.size() ? first_rune(source_.substr(end_.byte)).rune : kEnd;
}

bool Lexer::accept(std::string_view any_of) {
  const char32_t next = peek();
  if (next >= 0x80 || any_of.find(static_cast<char>(next)) == std::string_view::npos) {
    return false;
  }
  advance();
  return true;
}

void Lexer::accept_all(std::string_view any_of) {
  while (accept(any_of)) {
  }
}

std::string_view Lexer::word() const {
  return source_.substr(start_.byte, end_.byte - start_.byte);
}

Token Lexer::emit(TokenKind kind) { return emit(kind, std::string(word())); }

Token Lexer::emit(TokenKind kind, std::string text) {
  Token token{kind, start_.rune, std::move(text)};
  start_ = end_;
  return token;
}

/// The last character read is at fault; at the end of the source the place after it.
void Lexer::fail_at_end(std::string message) {
  if (!error_) {
    const std::uint32_t end = end_.rune + (ran_out_ ? 1 : 0);
    error_ = SourceError{end - 1, std::move(message)};
  }
}

std::optional<Token> Lexer::next() {
  if (error_ || finished_) {
    return std::nullopt;
  }
  if (after_pointer_) {
    after_pointer_ = false;
    if (is_name_part(peek())) {
      while (is_name_part(peek())) {
        advance();
      }
      return emit(TokenKind::identifier);
    }
  }
  if (!skip_blanks_and_comments()) {
    return std::nullopt;
  }
  if (peek() == kEnd) {
    finished_ = true;
    return Token{TokenKind::end, end_.rune == 0 ? 0 : end_.rune - 1, ""};
  }
  Token token = read_token(advance());
  return error_ ? std::nullopt : std::optional(std::move(token));
}

bool Lexer::skip_blanks_and_comments() {
  while (true) {
    const std::string_view rest = source_.substr(end_.byte);
    if (peek() != kEnd && is_space(peek())) {
      advance();
    } else if (rest.starts_with("//")) {
      for (char32_t rune = advance(); rune != kEnd && rune != '\n';) {
        rune = advance();
      }
    } else if (rest.starts_with("/*")) {
      advance();
      advance();
      for (char32_t rune = advance(); rune != '*' || !accept("/"); rune = advance()) {
        if (rune == kEnd) {
          fail_at_end("unclosed comment");
          return false;
        }
      }
    } else {
      start_ = end_;
      ran_out_ = false;
      return true;
    }
  }
}

Token Lexer::read_token(char32_t first) {
  switch (first) {
    case '\'':
    case '"':
      return read_string(first, TokenKind::string);
    case '`':
      return read_raw_string();
    case '?':
      accept(".?");
      return emit(TokenKind::op);
    case '#':
      return read_pointer();
    case '|':
    case ':':
      accept(first == '|' ? "|" : ":");
      return emit(TokenKind::op);
    case '(':
    case '[':
    case '{':
    case ')':
    case ']':
    case '}':
      return emit(TokenKind::bracket);
    case ',':
    case ';':
    case '%':
    case '+':
    case '-':
    case '^':
    case '/':
      return emit(TokenKind::op);
    case '&':
    case '!':
    case '=':
    case '*':
    case '<':
    case '>':
      accept("&=*");
      return emit(TokenKind::op);
    case '.':
      if (is_digit(peek()) && peek() < 0x80) {
        return read_number();
      }
      accept(".");
      return emit(TokenKind::op);
    default:
      break;
  }
  if ((first == 'b' || first == 'B') && (peek() == '\'' || peek() == '"')) {
    return read_string(advance(), TokenKind::bytes);
  }
  if (first >= '0' && first <= '9') {
    end_ = start_;
    return read_number();
  }
  if (is_name_part(first)) {
    return read_name();
  }
  fail_at_end("unrecognized character: " + rune_name(first));
  return {};
}

Token Lexer::read_string(char32_t quote, TokenKind kind) {
  scan_string(quote);
  std::string_view literal = word();
  if (kind == TokenKind::bytes) {
    literal.remove_prefix(1);
  }
  Result<std::string> meaning =
      kind == TokenKind::bytes ? unescape_bytes(literal) : unescape_text(literal);
  if (!meaning) {
    fail_at_end(meaning.error().message);
    return {};
  }
  return emit(kind, *std::move(meaning));
}

void Lexer::scan_string(char32_t quote) {
  for (char32_t rune = advance(); rune != quote;) {
    if (rune == '\n' || rune == kEnd) {
      fail_at_end("literal not terminated");
      return;
    }
    rune = rune == '\\' ? scan_escape(quote) : advance();
  }
}

char32_t Lexer::scan_escape(char32_t quote) {
  const char32_t rune = advance();
  if (rune == quote) {
    return advance();
  }
  switch (rune) {
    case 'a':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
    case 'v':
    case '\\':
      return advance();
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
      return scan_digits(rune, 8, 3);
    case 'x':
      return scan_digits(advance(), 16, 2);
    case 'u':
      return peek() == '{' ? scan_braced_code() : scan_digits(advance(), 16, 4);
    case 'U':
      return scan_digits(advance(), 16, 8);
    default:
      fail_at_end("invalid char escape");
      return rune;
  }
}

char32_t Lexer::scan_digits(char32_t first, int base, int count) {
  for (; count > 0 && hex_value(first) < base; --count) {
    first = advance();
  }
  if (count > 0) {
    fail_at_end("invalid char escape");
  }
  return first;
}

/// `{1F600}` of `\u{1F600}`.
char32_t Lexer::scan_braced_code() {
  advance();
  int digits = 0;
  while (peek() != '}') {
    if (hex_value(peek()) >= 16 || digits >= 6) {
      fail_at_end("invalid char escape");
      return kEnd;
    }
    advance();
    ++digits;
  }
  if (digits == 0) {
    fail_at_end("invalid char escape");
    return kEnd;
  }
  advance();
  return advance();
}

/// A doubled backquote stands for one.
Token Lexer::read_raw_string() {
  std::string text;
  while (true) {
    const std::size_t from = end_.byte;
    const char32_t rune = advance();
    if (rune == kEnd) {
      fail_at_end("literal not terminated");
      return {};
    }
    if (rune == '`') {
      if (peek() != '`') {
        return emit(TokenKind::string, std::move(text));
      }
      advance();
      text.push_back('`');
      continue;
    }
    text += source_.substr(from, end_.byte - from);
  }
}

Token Lexer::read_number() {
  if (!scan_number()) {
    fail_at_end("bad number syntax: " + quote(word()));
    return {};
  }
  return emit(TokenKind::number);
}

/// From the first digit, or from behind a leading point.
bool Lexer::scan_number() {
  std::string_view digits = kDecimal;
  if (accept("0")) {
    if (accept("xX")) {
      digits = "0123456789abcdefABCDEF_";
    } else if (accept("oO")) {
      digits = "01234567_";
    } else if (accept("bB")) {
      digits = "01_";
    }
  }
  accept_all(digits);
  const Place before_dot = end_;
  if (accept(".")) {
    if (peek() == '.') {
      // 1..3 is a range.
      end_ = before_dot;
      return true;
    }
    accept_all(digits);
  }
  if (accept("eE")) {
    accept("+-");
    accept_all(digits);
  }
  if (peek() != kEnd && is_name_part(peek())) {
    advance();
    return false;
  }
  return true;
}

Token Lexer::read_pointer() {
  accept("#");
  after_pointer_ = true;
  return emit(TokenKind::op);
}

Token Lexer::read_name() {
  while (peek() != kEnd && is_name_part(peek())) {
    advance();
  }
  return emit(is_word_operator(word()) ? TokenKind::op : TokenKind::identifier);
}

}  // namespace tiphys::lang

#pragma once
/// Cuts an expression into tokens. Private to the module.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiphys::lang {

enum class TokenKind : std::uint8_t { identifier, number, string, bytes, op, bracket, end };

struct Token {
  TokenKind kind = TokenKind::end;
  /// Characters before the token.
  std::uint32_t at = 0;
  /// As written; for texts what they mean.
  std::string text;

  bool is(TokenKind wanted) const { return kind == wanted; }

  bool is(TokenKind wanted, std::string_view spelling) const {
    return kind == wanted && text == spelling;
  }

  bool is_op(std::string_view spelling) const { return is(TokenKind::op, spelling); }

  bool is_bracket(std::string_view spelling) const { return is(TokenKind::bracket, spelling); }

  /// As errors name it: `Operator("+")`, `EOF`.
  std::string name() const;
};

/// What is wrong at a place in the source.
struct SourceError {
  std::uint32_t at = 0;
  std::string message;
};

/// A letter, `_` or `$`, and these or a digit.
bool is_name_start(char32_t rune);
bool is_name_part(char32_t rune);
bool is_name(std::string_view text);

class Lexer {
 public:
  /// `source` must outlive the lexer.
  explicit Lexer(std::string_view source) : source_(source) {}

  /// The next token. Nothing once the end was given before, or when error() is set.
  std::optional<Token> next();

  const std::optional<SourceError>& error() const { return error_; }

 private:
  struct Place {
    std::size_t byte = 0;
    std::uint32_t rune = 0;
  };

  static constexpr char32_t kEnd = 0xFFFFFFFF;

  char32_t advance();
  char32_t peek() const;
  bool accept(std::string_view any_of);
  void accept_all(std::string_view any_of);
  std::string_view word() const;
  Token emit(TokenKind kind);
  Token emit(TokenKind kind, std::string text);
  void fail_at_end(std::string message);

  bool skip_blanks_and_comments();
  Token read_token(char32_t first);
  Token read_string(char32_t quote, TokenKind kind);
  Token read_raw_string();
  Token read_number();
  Token read_pointer();
  Token read_name();
  bool scan_number();
  void scan_string(char32_t quote);
  char32_t scan_escape(char32_t quote);
  char32_t scan_braced_code();
  char32_t scan_digits(char32_t first, int base, int count);

  std::string_view source_;
  Place start_;
  Place end_;
  bool ran_out_ = false;
  bool finished_ = false;
  /// A `#` was given and its name comes next.
  bool after_pointer_ = false;
  std::optional<SourceError> error_;
};

}  // namespace tiphys::lang

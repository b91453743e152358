#pragma once
/// Words of a jq program. Private to the module.

#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::lang::jq {

enum class Word : std::uint8_t {
  end,
  invalid,
  invalid_escape,
  unterminated_text,
  /// `text` is the character.
  symbol,
  keyword,
  identifier,
  /// With the dollar sign.
  variable,
  /// `.name`; `text` is the name.
  field,
  /// `..`
  recurse,
  number,
  /// With the at sign.
  format,
  /// A text without anything put into it, or a piece of one that has; `text` is its content.
  text,
  /// The quote before a text with something put into it, and the one behind it.
  text_begin,
  text_end,
  /// `\(` in such a text.
  query_begin,
  /// or, and, //, =, |=, ==, ?// and so on.
  operation,
};

struct Token {
  Word word = Word::end;
  std::string text;
};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  Token next();

  /// Called at the `)` behind what was put into a text: the text goes on.
  void resume_text() { in_text_ = true; }

  /// What is wrong with a token that does not fit, in gojq's words.
  std::string complaint(const Token& token) const;

  /// Whether the whole source is a number, possibly signed.
  static bool is_number(std::string_view source);

 private:
  char peek() const { return at_ < source_.size() ? source_[at_] : '\0'; }

  bool skip_blanks();
  void skip_comment();
  Token name();
  Token number(std::size_t begin, bool has_point);
  Token symbol(char c);
  Token text(std::size_t begin);
  Token text_piece(std::size_t begin, std::size_t end, Word word);
  Token bad_escape(std::size_t begin, std::size_t end);
  /// Where the number ends; `valid` tells whether it is one.
  std::size_t scan_number(std::size_t at, bool has_point, bool& valid) const;

  std::string_view source_;
  std::size_t at_ = 0;
  bool in_text_ = false;
  /// As the token that errors show: marks of interpolated texts leave the one before.
  std::string shown_;
};

}  // namespace tiphys::lang::jq

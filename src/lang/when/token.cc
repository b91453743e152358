#include "lang/when/token.h"

#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>

namespace tiphys::lang::when {
namespace {

using enum Kind;

std::string_view name_of(Kind kind) {
  constexpr std::array<std::string_view, 16> kNames = {
      "UNKNOWN",  "PREFIX",   "NUMERIC",      "BOOLEAN",  "STRING",     "PATTERN",
      "TIME",     "VARIABLE", "SEPARATOR",    "ACCESSOR", "COMPARATOR", "LOGICALOP",
      "MODIFIER", "CLAUSE",   "CLAUSE_CLOSE", "TERNARY"};
  return kNames[static_cast<std::size_t>(kind)];
}

constexpr std::uint32_t bit(Kind kind) { return 1U << static_cast<unsigned>(kind); }

constexpr std::uint32_t set_of(std::initializer_list<Kind> kinds) {
  std::uint32_t bits = 0;
  for (const Kind kind : kinds) {
    bits |= bit(kind);
  }
  return bits;
}

/// Which kinds may stand after a token of this kind.
std::uint32_t followers(Kind kind) {
  constexpr std::uint32_t kOperand = set_of({numeric, boolean, variable, accessor, clause});
  constexpr std::uint32_t kJoin = set_of({modifier, comparator, logical, clause_close, separator});
  switch (kind) {
    case unknown:
      return kOperand | set_of({prefix, pattern, string, time});
    case clause:
      return kOperand | set_of({prefix, pattern, string, time, clause_close});
    case clause_close:
      return kJoin | set_of({numeric, boolean, variable, string, pattern, time, clause, ternary});
    case numeric:
    case boolean:
    case string:
    case variable:
      return kJoin | bit(ternary);
    case time:
    case pattern:
      return kJoin;
    case modifier:
      return kOperand | set_of({prefix, string, clause_close});
    case comparator:
      return kOperand | set_of({prefix, string, time, pattern, clause_close});
    case logical:
      return kOperand | set_of({prefix, string, time, clause_close});
    case prefix:
      return kOperand | bit(clause_close);
    case ternary:
      return kOperand | set_of({prefix, string, time, separator});
    case accessor:
      return kJoin | set_of({clause, ternary});
    case separator:
      return kOperand | set_of({prefix, string, time});
  }
  return 0;
}

bool may_end(Kind kind) {
  constexpr std::uint32_t kLast =
      set_of({clause_close, numeric, boolean, string, time, pattern, variable, accessor});
  return (kLast & bit(kind)) != 0;
}

bool is_one_of(std::string_view text, std::span<const std::string_view> list) {
  return std::ranges::find(list, text) != list.end();
}

bool is_prefix(std::string_view symbol) {
  static constexpr std::array<std::string_view, 3> kAll = {"-", "!", "~"};
  return is_one_of(symbol, kAll);
}

Kind kind_of_symbol(std::string_view symbol) {
  static constexpr std::array<std::string_view, 11> kModifiers = {"+", "-", "*", "/",  "%", "**",
                                                                  "&", "|", "^", ">>", "<<"};
  static constexpr std::array<std::string_view, 2> kLogical = {"&&", "||"};
  static constexpr std::array<std::string_view, 8> kComparators = {
      "==", "!=", ">", ">=", "<", "<=", "=~", "!~"};
  static constexpr std::array<std::string_view, 3> kTernary = {"?", ":", "??"};
  if (is_one_of(symbol, kModifiers)) {
    return modifier;
  }
  if (is_one_of(symbol, kLogical)) {
    return logical;
  }
  if (is_one_of(symbol, kComparators)) {
    return comparator;
  }
  return is_one_of(symbol, kTernary) ? ternary : unknown;
}

bool is_numeric(char32_t rune) { return is_digit(rune) || rune == '.'; }

bool is_hex_digit(char32_t rune) {
  return is_digit(rune) || (rune >= 'a' && rune <= 'f') || (rune >= 'A' && rune <= 'F');
}

bool is_quote(char32_t rune) { return rune == '\'' || rune == '"'; }

bool is_name(char32_t rune) {
  return is_letter(rune) || is_digit(rune) || rune == '_' || rune == '.';
}

bool is_symbol(char32_t rune) {
  return !is_digit(rune) && !is_letter(rune) && rune != '(' && rune != ')' && rune != '[' &&
         rune != ']' && !is_quote(rune);
}

/// A quoted text that reads as one of these is a time, not a text.
std::optional<Instant> as_time(std::string_view text) {
  static constexpr std::array<std::string_view, 14> kLayouts = {
      "Mon Jan _2 15:04:05 2006",
      "Mon Jan _2 15:04:05 MST 2006",
      "Mon Jan 02 15:04:05 -0700 2006",
      "3:04PM",
      "2006-01-02T15:04:05Z07:00",
      "2006-01-02T15:04:05.999999999Z07:00",
      "2006-01-02",
      "2006-01-02 15:04",
      "2006-01-02 15:04:05",
      "2006-01-02 15:04:05-07:00",
      "2006-01-02T15Z0700",
      "2006-01-02T15:04Z0700",
      "2006-01-02T15:04:05Z0700",
      "2006-01-02T15:04:05.999999999Z0700",
  };
  // Every layout starts with a digit or a day's name; most texts do neither.
  constexpr std::string_view kStarts = "0123456789MTWFSmtwfs";
  if (text.empty() || kStarts.find(text.front()) == std::string_view::npos ||
      text.find_first_of("0123456789") == std::string_view::npos) {
    return std::nullopt;
  }
  for (const std::string_view layout : kLayouts) {
    if (auto instant = parse_time(layout, text)) {
      return *std::move(instant);
    }
  }
  return std::nullopt;
}

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::bad_request, std::move(message));
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const DecodedRune rune = first_rune(text.substr(at));
      runes_.push_back(rune.rune);
      at += rune.size;
    }
  }

  Result<std::vector<Token>> run() {
    std::vector<Token> tokens;
    Kind last = unknown;
    while (skip_blanks()) {
      TRY(Token token, next(last));
      last = token.kind;
      tokens.push_back(std::move(token));
    }
    return tokens;
  }

 private:
  enum class Blanks { keep, end_token };

  /// Text up to the first rune that is not `part`; a backslash takes the next rune as it is.
  struct Run {
    std::string text;
    /// False when the text ended first.
    bool ended = false;
  };

  bool skip_blanks() {
    while (at_ < runes_.size() && is_space(runes_[at_])) {
      ++at_;
    }
    return at_ < runes_.size();
  }

  template <class Part>
  Result<Run> read(Blanks blanks, Part part) {
    Run run;
    while (at_ < runes_.size()) {
      const char32_t rune = runes_[at_++];
      if (rune == '\\') {
        if (at_ == runes_.size()) {
          return refuse("the expression ends after a backslash");
        }
        append_rune(run.text, runes_[at_++]);
        continue;
      }
      if (blanks == Blanks::end_token && is_space(rune)) {
        if (!run.text.empty()) {
          run.ended = true;
          break;
        }
        continue;
      }
      if (!part(rune)) {
        run.ended = true;
        --at_;
        break;
      }
      append_rune(run.text, rune);
    }
    return run;
  }

  Result<Token> next(Kind last) {
    const char32_t rune = runes_[at_];
    if (is_numeric(rune)) {
      return number();
    }
    if (is_letter(rune)) {
      return word();
    }
    if (is_quote(rune)) {
      return quoted();
    }
    switch (rune) {
      case ',':
        ++at_;
        return Token{separator, ","};
      case '[':
        return bracketed();
      case '(':
        ++at_;
        return Token{clause, {}};
      case ')':
        ++at_;
        return Token{clause_close, {}};
      default:
        return symbol(last);
    }
  }

  Result<Token> number() {
    // "0x" is a hexadecimal number only when something follows.
    if (runes_[at_] == '0' && at_ + 2 < runes_.size() && runes_[at_ + 1] == 'x') {
      return hexadecimal();
    }
    TRY(const Run run, read(Blanks::end_token, is_numeric));
    double value = 0;
    const char* end = run.text.data() + run.text.size();
    const auto [rest, error] = std::from_chars(run.text.data(), end, value);
    if (error != std::errc() || rest != end) {
      return refuse(fmt::format("Unable to parse numeric value '{}' to float64\n", run.text));
    }
    return Token{numeric, value};
  }

  Result<Token> hexadecimal() {
    at_ += 2;
    TRY(const Run run, read(Blanks::end_token, is_hex_digit));
    std::uint64_t value = 0;
    const char* end = run.text.data() + run.text.size();
    const auto [rest, error] = std::from_chars(run.text.data(), end, value, 16);
    if (error != std::errc() || rest != end) {
      return refuse(fmt::format("Unable to parse hex value '{}' to uint64\n", run.text));
    }
    return Token{numeric, static_cast<double>(value)};
  }

  Result<Token> bracketed() {
    ++at_;
    TRY(Run run, read(Blanks::keep, [](char32_t rune) { return rune != ']'; }));
    if (!run.ended) {
      return refuse("Unclosed parameter bracket");
    }
    ++at_;
    return Token{variable, std::move(run.text)};
  }

  Result<Token> quoted() {
    ++at_;
    TRY(Run run, read(Blanks::keep, [](char32_t rune) { return !is_quote(rune); }));
    if (!run.ended) {
      return refuse("Unclosed string literal");
    }
    ++at_;
    if (auto instant = as_time(run.text)) {
      return Token{time, *std::move(instant)};
    }
    return Token{string, std::move(run.text)};
  }

  Result<Token> word() {
    TRY(Run run, read(Blanks::end_token, is_name));
    const std::size_t dot = run.text.find('.');
    if (dot != std::string::npos && dot > 0) {
      return access(run.text);
    }
    if (run.text == "true" || run.text == "false") {
      return Token{boolean, run.text == "true"};
    }
    if (run.text == "in" || run.text == "IN") {
      return Token{comparator, "in"};
    }
    return Token{variable, std::move(run.text)};
  }

  static Result<Token> access(const std::string& text) {
    if (text.back() == '.') {
      return refuse(fmt::format("Hanging accessor on token '{}'", text));
    }
    std::vector<std::string> parts(1);
    for (const char byte : text) {
      if (byte == '.') {
        parts.emplace_back();
      } else {
        parts.back() += byte;
      }
    }
    for (std::size_t i = 1; i < parts.size(); ++i) {
      const char32_t first = first_rune(parts[i]).rune;
      if (!parts[i].empty() && upper_rune(first) != first) {
        return refuse(
            fmt::format("Unable to access unexported field '{}' in token '{}'", parts[i], text));
      }
    }
    return Token{accessor, std::move(parts)};
  }

  Result<Token> symbol(Kind last) {
    TRY(Run run, read(Blanks::end_token, is_symbol));
    if ((followers(last) & bit(prefix)) != 0 && is_prefix(run.text)) {
      return Token{prefix, std::move(run.text)};
    }
    const Kind kind = kind_of_symbol(run.text);
    if (kind == unknown) {
      return refuse(fmt::format("Invalid token: '{}'", run.text));
    }
    return Token{kind, std::move(run.text)};
  }

  std::vector<char32_t> runes_;
  std::size_t at_ = 0;
};

std::string value_text(const Token& token) {
  struct Print {
    std::string operator()(std::monostate) const { return "<nil>"; }

    std::string operator()(const std::string& text) const { return text; }

    std::string operator()(double number) const { return float_text(number); }

    std::string operator()(bool value) const { return value ? "true" : "false"; }

    std::string operator()(const Instant& instant) const { return instant.text(); }

    std::string operator()(const GoRegexp& regexp) const { return regexp.pattern(); }

    std::string operator()(const std::vector<std::string>& parts) const {
      return fmt::format("[{}]", fmt::join(parts, " "));
    }
  };

  // A bracket's value is its rune, which prints as a number.
  if (token.kind == clause) {
    return "40";
  }
  return token.kind == clause_close ? "41" : std::visit(Print{}, token.value);
}

bool is_balanced(const std::vector<Token>& tokens) {
  const auto count = [&tokens](Kind kind) {
    return std::ranges::count(tokens, kind, &Token::kind);
  };
  return count(clause) == count(clause_close);
}

Result<> check_order(const std::vector<Token>& tokens) {
  const Token start;
  const Token* last = &start;
  for (const Token& token : tokens) {
    if ((followers(last->kind) & bit(token.kind)) == 0) {
      if (last->kind == variable && token.kind == clause) {
        return refuse("Undefined function " + std::get<std::string>(last->value));
      }
      return refuse(fmt::format("Cannot transition token types from {} to {}", describe(*last),
                                describe(token)));
    }
    last = &token;
  }
  if (!may_end(last->kind)) {
    return refuse("Unexpected end of expression");
  }
  return {};
}

bool is_match(const Token& token) {
  const auto* symbol = std::get_if<std::string>(&token.value);
  return token.kind == comparator && symbol != nullptr && (*symbol == "=~" || *symbol == "!~");
}

}  // namespace

std::string describe(const Token& token) {
  return fmt::format("{} [{}]", name_of(token.kind), value_text(token));
}

Result<std::vector<Token>> scan(std::string_view text) { return Scanner(text).run(); }

Result<> check(std::vector<Token>& tokens) {
  if (!is_balanced(tokens)) {
    return refuse("Unbalanced parenthesis");
  }
  TRY_VOID(check_order(tokens));
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    Token& right = tokens[i + 1];
    if (!is_match(tokens[i]) || right.kind != string) {
      continue;
    }
    auto regexp = GoRegexp::compile(std::get<std::string>(right.value));
    if (!regexp) {
      return refuse(std::move(regexp).error().message);
    }
    right = {pattern, *std::move(regexp)};
  }
  return {};
}

}  // namespace tiphys::lang::when

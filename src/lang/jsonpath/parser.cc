#include "lang/jsonpath/parser.h"

#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace tiphys::lang {
namespace {

using Kind = JsonPathNode::Kind;

/// Filters within filters.
constexpr int kMaximumNesting = 50;
constexpr char32_t kEnd = 0xFFFFFFFF;

bool is_line_end(char32_t rune) { return rune == U'\r' || rune == U'\n'; }

/// What ends a name.
bool is_terminator(char32_t rune) {
  return rune == kEnd || rune == U' ' || rune == U'\t' || is_line_end(rune) ||
         (rune < 0x80 &&
          std::string_view(".,[]$@{}").find(static_cast<char>(rune)) != std::string_view::npos);
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  if (auto number = parse_integer(text, 10)) {
    return *number;
  }
  return std::nullopt;
}

std::unexpected<Error> problem(std::string message) {
  return fail(ErrorCode::invalid, std::move(message));
}

std::string_view trim_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

class Parser {
 public:
  Parser(std::string_view text, int nesting) : text_(text), nesting_(nesting) {}

  Result<JsonPathNode> run() {
    if (nesting_ > kMaximumNesting) {
      return problem("the template is nested too deeply");
    }
    JsonPathNode root;
    while (at_ < text_.size()) {
      const std::size_t open = text_.find('{', at_);
      if (open != at_) {
        root.children.push_back(
            {.kind = Kind::text, .text = std::string(text_.substr(at_, open - at_))});
      }
      if (open == std::string_view::npos) {
        break;
      }
      at_ = open + 1;
      root.children.emplace_back();
      TRY_VOID(parse_action(root.children.back()));
    }
    return root;
  }

 private:
  char32_t peek() const {
    const DecodedRune rune = first_rune(text_.substr(at_));
    return rune.size == 0 ? kEnd : rune.rune;
  }

  void skip() { at_ += first_rune(text_.substr(at_)).size; }

  bool take(std::string_view prefix) {
    if (!text_.substr(at_).starts_with(prefix)) {
      return false;
    }
    at_ += prefix.size();
    return true;
  }

  /// The nodes of an action in braces of its own.
  Result<JsonPathNode> parse_part(const std::string& text) const {
    const std::string whole = "{" + text + "}";
    TRY(JsonPathNode root, Parser(whole, nesting_ + 1).run());
    return std::move(root.children.front());
  }

  Result<> parse_action(JsonPathNode& list) {
    while (!take("}")) {
      TRY_VOID(parse_step(list));
    }
    return {};
  }

  Result<> parse_step(JsonPathNode& list) {
    if (take("[?(")) {
      return parse_filter(list);
    }
    if (take("..")) {
      return parse_recursive(list);
    }
    const char32_t rune = peek();
    if (rune == kEnd || is_line_end(rune)) {
      return problem("unclosed action");
    }
    if (rune == U'+' || rune == U'-' || is_digit(rune)) {
      return parse_number(list);
    }
    if (rune == U'_' || is_letter(rune)) {
      parse_identifier(list);
      return {};
    }
    skip();
    switch (rune) {
      case U' ':
      case U'@':
      case U'$':
        return {};
      case U'[':
        return parse_array(list);
      case U'"':
      case U'\'':
        return parse_quote(list, static_cast<char>(rune));
      case U'.':
        parse_field(list);
        return {};
      default:
        return problem("unrecognized character in action: " + rune_name(rune));
    }
  }

  void parse_identifier(JsonPathNode& list) {
    const std::size_t begin = at_;
    while (!is_terminator(peek())) {
      skip();
    }
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (name == "true" || name == "false") {
      list.children.push_back({.kind = Kind::boolean, .boolean = name == "true"});
    } else {
      list.children.push_back({.kind = Kind::identifier, .text = std::string(name)});
    }
  }

  Result<> parse_recursive(JsonPathNode& list) {
    if (!list.children.empty() && list.children.back().kind == Kind::recursive) {
      return problem("invalid multiple recursive descent");
    }
    list.children.push_back({.kind = Kind::recursive});
    if (const char32_t rune = peek();
        rune != kEnd && (rune == U'_' || is_letter(rune) || is_digit(rune))) {
      parse_field(list);
    }
    return {};
  }

  Result<> parse_number(JsonPathNode& list) {
    const std::size_t begin = at_;
    if (peek() == U'+' || peek() == U'-') {
      skip();
    }
    while (peek() == U'.' || (peek() != kEnd && is_digit(peek()))) {
      skip();
    }
    const std::string_view text = text_.substr(begin, at_ - begin);
    if (const auto integer = integer_of(text)) {
      list.children.push_back({.kind = Kind::integer, .integer = *integer});
      return {};
    }
    if (const auto number = parse_float(text)) {
      list.children.push_back({.kind = Kind::number, .number = *number});
      return {};
    }
    return problem("cannot parse number " + std::string(text));
  }

  Result<> parse_quote(JsonPathNode& list, char quote) {
    const std::size_t begin = at_ - 1;
    for (;; ++at_) {
      if (at_ >= text_.size() || text_[at_] == '\n') {
        return problem("unterminated quoted string");
      }
      if (text_[at_] == quote && text_[at_ - 1] != '\\') {
        break;
      }
    }
    ++at_;
    const std::string_view quoted = text_.substr(begin, at_ - begin);
    auto value = unquote_json_path(quoted);
    if (!value) {
      return problem(
          fmt::format("unquote string {} error {}", quoted, std::move(value.error().message)));
    }
    list.children.push_back({.kind = Kind::text, .text = *std::move(value)});
    return {};
  }

  void parse_field(JsonPathNode& list) {
    std::string name;
    for (char32_t rune = peek(); !is_terminator(rune); rune = peek()) {
      const std::size_t begin = at_;
      skip();
      if (rune == U'\\') {
        skip();
      }
      for (const char c : text_.substr(begin, at_ - begin)) {
        if (c != '\\') {
          name.push_back(c);
        }
      }
    }
    if (name == "*") {
      list.children.push_back({.kind = Kind::wildcard});
    } else {
      list.children.push_back({.kind = Kind::field, .text = std::move(name)});
    }
  }

  Result<> parse_array(JsonPathNode& list) {
    const std::size_t end = text_.find_first_of("]\n", at_);
    if (end == std::string_view::npos || text_[end] == '\n') {
      return problem("unterminated array");
    }
    std::string_view inside = text_.substr(at_, end - at_);
    at_ = end + 1;
    if (inside == "*") {
      inside = ":";
    }
    if (inside.find(',') != std::string_view::npos) {
      return parse_union(list, inside);
    }
    const bool quoted = inside.size() >= 2 && inside.front() == '\'' && inside.back() == '\'';
    if (quoted && inside.find('\'', 1) == inside.size() - 1) {
      TRY(JsonPathNode key, parse_part("." + std::string(inside.substr(1, inside.size() - 2))));
      for (JsonPathNode& node : key.children) {
        list.children.push_back(std::move(node));
      }
      return {};
    }
    return parse_slice(list, inside);
  }

  Result<> parse_union(JsonPathNode& list, std::string_view inside) {
    JsonPathNode node{.kind = Kind::each_of};
    while (true) {
      const std::size_t comma = inside.find(',');
      TRY(JsonPathNode part,
          parse_part("[" + std::string(trim_blanks(inside.substr(0, comma))) + "]"));
      node.children.push_back(std::move(part));
      if (comma == std::string_view::npos) {
        break;
      }
      inside.remove_prefix(comma + 1);
    }
    list.children.push_back(std::move(node));
    return {};
  }

  /// `a`, `a:b`, `a:b:c`, each an integer or nothing.
  static Result<> parse_slice(JsonPathNode& list, std::string_view inside) {
    JsonPathNode node{.kind = Kind::slice};
    std::string_view rest = inside;
    bool has_end = false;
    for (std::size_t i = 0; i < 3; ++i) {
      if (i > 0) {
        if (!rest.starts_with(':')) {
          break;
        }
        rest.remove_prefix(1);
        has_end = true;
      }
      const std::size_t sign = rest.starts_with('-') ? 1 : 0;
      const std::size_t size = std::min(rest.find_first_not_of("0123456789", sign), rest.size());
      const std::string_view digits = rest.substr(0, size);
      rest.remove_prefix(size);
      if (digits.empty()) {
        continue;
      }
      const auto value = integer_of(digits);
      if (!value) {
        return problem("array index " + std::string(digits) + " is not a number");
      }
      node.slice.at(i) = {.value = *value, .known = true};
    }
    if (!rest.empty()) {
      return problem("invalid array index " + std::string(inside));
    }
    if (!has_end) {
      node.slice[1] = {.value = node.slice[0].value + (node.slice[0].value < INT64_MAX ? 1 : 0),
                       .known = true,
                       .derived = true};
    }
    list.children.push_back(std::move(node));
    return {};
  }

  /// Up to the `)` outside of quotes; upstream knows one pair of quotes only.
  Result<std::string_view> filter_text() {
    const std::size_t begin = at_;
    bool opened = false;
    bool closed = false;
    char quote = '\0';
    for (;; ++at_) {
      if (at_ >= text_.size() || text_[at_] == '\n') {
        return problem("unterminated filter");
      }
      const char c = text_[at_];
      if ((c == '"' || c == '\'') && !opened) {
        opened = true;
        quote = c;
      } else if (c == '"' || c == '\'') {
        closed = closed || (c == quote && text_[at_ - 1] != '\\');
      } else if (c == ')' && opened == closed) {
        break;
      }
    }
    const std::string_view inside = text_.substr(begin, at_ - begin);
    ++at_;
    if (!take("]")) {
      return problem("unclosed array expect ]");
    }
    return inside;
  }

  Result<> parse_filter(JsonPathNode& list) {
    constexpr std::string_view kOperators = "!<>=";
    TRY(const std::string_view inside, filter_text());
    JsonPathNode node{.kind = Kind::filter, .text = "exists"};
    const std::size_t left = inside.find_first_of(kOperators);
    std::size_t right =
        left == std::string_view::npos ? 0 : inside.find_first_not_of(kOperators, left);
    if (right == std::string_view::npos) {
      // The right side is at least one character, be it one of the operator's.
      right = inside.size() - 1;
    }
    if (left == std::string_view::npos || left == 0 || right <= left) {
      TRY(JsonPathNode what, parse_part(std::string(inside)));
      node.children = {std::move(what), JsonPathNode{}};
    } else {
      node.text = inside.substr(left, right - left);
      TRY(JsonPathNode what, parse_part(std::string(inside.substr(0, left))));
      TRY(JsonPathNode other, parse_part(std::string(inside.substr(right))));
      node.children = {std::move(what), std::move(other)};
    }
    list.children.push_back(std::move(node));
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace

Result<JsonPathNode> parse_json_path(std::string_view text) { return Parser(text, 0).run(); }

}  // namespace tiphys::lang

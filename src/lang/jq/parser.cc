#include "lang/jq/parser.h"

#include "lang/gotext/gotext.h"
#include "lang/jq/lexer.h"

#include <algorithm>

namespace tiphys::lang::jq {
namespace {

using Kind = Syntax::Kind;
using Parsed = Result<SyntaxPointer>;

constexpr std::size_t kMaximumNesting = 200;
constexpr std::size_t kMaximumTree = 1000;

struct Level {
  int strength = 0;
  enum class Side { left, right, none } side = Side::left;
};

Level level_of(const Token& token) {
  using Side = Level::Side;
  const std::string& text = token.text;
  if (token.word == Word::operation) {
    if (text == "//") {
      return {1, Side::right};
    }
    if (text == "or") {
      return {3, Side::left};
    }
    if (text == "and") {
      return {4, Side::left};
    }
    if (text == "==" || text == "!=" || text == "<" || text == ">" || text == "<=" ||
        text == ">=") {
      return {5, Side::none};
    }
    return text == "?//" ? Level{} : Level{2, Side::none};
  }
  if (token.word == Word::symbol && (text == "+" || text == "-")) {
    return {6, Side::left};
  }
  return token.word == Word::symbol && (text == "*" || text == "/" || text == "%")
             ? Level{7, Side::left}
             : Level{};
}

template <class... Children>
SyntaxPointer make(Kind kind, Children... children) {
  auto out = std::make_unique<Syntax>();
  out->kind = kind;
  (out->children.push_back(std::move(children)), ...);
  for (const SyntaxPointer& child : out->children) {
    out->depth = std::max(out->depth, child == nullptr ? 1 : child->depth + 1);
  }
  return out;
}

SyntaxPointer constant(Value value) {
  auto out = make(Kind::constant);
  out->constant = std::move(value);
  return out;
}

class Parser {
 public:
  explicit Parser(std::string_view source) : lexer_(source) { advance(); }

  Parsed program() {
    TRY_VOID(header());
    SyntaxPointer out;
    if (token_.word == Word::end) {
      out = make(Kind::missing);
    } else {
      TRY(out, query(AtEnd::may_be_missing));
    }
    if (token_.word != Word::end) {
      return refuse();
    }
    return out;
  }

 private:
  enum class AtEnd { is_an_error, may_be_missing };

  /// Counts how deep the parser has gone.
  class Deeper {
   public:
    explicit Deeper(std::size_t& depth) : depth_(depth) { ++depth_; }

    ~Deeper() { --depth_; }

    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    std::size_t& depth_;
  };

  void advance() { token_ = lexer_.next(); }

  std::unexpected<Error> refuse() const {
    return fail(ErrorCode::invalid, lexer_.complaint(token_));
  }

  Result<> check_depth(std::size_t tree = 0) const {
    if (depth_ > kMaximumNesting || tree > kMaximumTree) {
      return fail(ErrorCode::invalid, "the filter is nested too deeply");
    }
    return {};
  }

  bool is_symbol(char c) const {
    return token_.word == Word::symbol && token_.text.size() == 1 && token_.text[0] == c;
  }

  bool is_keyword(std::string_view text) const {
    return token_.word == Word::keyword && token_.text == text;
  }

  bool take_symbol(char c) {
    const bool found = is_symbol(c);
    if (found) {
      advance();
    }
    return found;
  }

  bool take_keyword(std::string_view text) {
    const bool found = is_keyword(text);
    if (found) {
      advance();
    }
    return found;
  }

  Result<> expect_symbol(char c) { return take_symbol(c) ? Result<>() : refuse(); }

  Result<> expect_keyword(std::string_view text) {
    return take_keyword(text) ? Result<>() : refuse();
  }

  Result<std::string> expect(Word word) {
    if (token_.word != word) {
      return refuse();
    }
    std::string text = std::move(token_.text);
    advance();
    return text;
  }

  // Modules: there are none here, but what asks for them is read.

  Result<> header() {
    if (take_keyword("module")) {
      TRY_VOID(constant_object());
      TRY_VOID(expect_symbol(';'));
    }
    while (is_keyword("import") || is_keyword("include")) {
      const bool is_import = is_keyword("import");
      advance();
      TRY(const std::string path, expect(Word::text));
      if (is_import) {
        TRY_VOID(expect_keyword("as"));
        if (token_.word != Word::identifier && token_.word != Word::variable) {
          return refuse();
        }
        advance();
      }
      if (is_symbol('{')) {
        TRY_VOID(constant_object());
      }
      TRY_VOID(expect_symbol(';'));
      if (import_error_.empty()) {
        import_error_ = "cannot load module: " + quote(path);
      }
    }
    return {};
  }

  Result<> constant_object() {
    TRY_VOID(expect_symbol('{'));
    const Deeper deeper(depth_);
    TRY_VOID(check_depth());
    while (!is_symbol('}')) {
      const bool is_key = token_.word == Word::identifier || token_.word == Word::keyword ||
                          token_.word == Word::text || token_.text == "or" || token_.text == "and";
      if (!is_key) {
        return refuse();
      }
      advance();
      TRY_VOID(expect_symbol(':'));
      TRY_VOID(constant_term());
      if (!take_symbol(',')) {
        break;
      }
    }
    return expect_symbol('}');
  }

  Result<> constant_term() {
    if (is_symbol('{')) {
      return constant_object();
    }
    if (!take_symbol('[')) {
      const bool is_scalar = token_.word == Word::number || token_.word == Word::text ||
                             is_keyword("null") || is_keyword("true") || is_keyword("false");
      if (!is_scalar) {
        return refuse();
      }
      advance();
      return {};
    }
    const Deeper deeper(depth_);
    TRY_VOID(check_depth());
    if (take_symbol(']')) {
      return {};
    }
    do {
      TRY_VOID(constant_term());
    } while (take_symbol(','));
    return expect_symbol(']');
  }

  // Filters, from the weakest binding to the strongest.

  Result<std::unique_ptr<Definition>> definition() {
    auto out = std::make_unique<Definition>();
    TRY(out->name, expect(Word::identifier));
    if (take_symbol('(')) {
      do {
        if (token_.word != Word::identifier && token_.word != Word::variable) {
          return refuse();
        }
        out->parameters.push_back(token_.text);
        advance();
      } while (take_symbol(';'));
      TRY_VOID(expect_symbol(')'));
    }
    TRY_VOID(expect_symbol(':'));
    TRY(out->body, query());
    TRY_VOID(expect_symbol(';'));
    return out;
  }

  Parsed define(AtEnd at_end) {
    TRY(auto defined, definition());
    SyntaxPointer rest;
    if (at_end == AtEnd::may_be_missing && token_.word == Word::end) {
      rest = make(Kind::missing);
    } else {
      TRY(rest, query(at_end));
    }
    const std::size_t depth = defined->body->depth;
    SyntaxPointer out = make(Kind::define, std::move(rest));
    out->depth = std::max(out->depth, depth + 1);
    out->definition = std::move(defined);
    TRY_VOID(check_depth(out->depth));
    return out;
  }

  Parsed query(AtEnd at_end = AtEnd::is_an_error) {
    const Deeper deeper(depth_);
    TRY_VOID(check_depth());
    if (take_keyword("def")) {
      return define(at_end);
    }
    TRY(SyntaxPointer left, commas());
    if (!take_symbol('|')) {
      return left;
    }
    TRY(SyntaxPointer right, query());
    SyntaxPointer out = make(Kind::pipe, std::move(left), std::move(right));
    TRY_VOID(check_depth(out->depth));
    return out;
  }

  Parsed commas() {
    TRY(SyntaxPointer left, operand());
    while (take_symbol(',')) {
      TRY(SyntaxPointer right, operand());
      left = make(Kind::comma, std::move(left), std::move(right));
      TRY_VOID(check_depth(left->depth));
    }
    return left;
  }

  /// An expression, possibly bound to patterns; labels and definitions take all that follows.
  Parsed operand() {
    if (take_keyword("label")) {
      TRY(std::string name, expect(Word::variable));
      TRY_VOID(expect_symbol('|'));
      TRY(SyntaxPointer body, query());
      SyntaxPointer out = make(Kind::label, std::move(body));
      out->name = std::move(name);
      return out;
    }
    if (take_keyword("def")) {
      return define(AtEnd::is_an_error);
    }
    TRY(SyntaxPointer source, expression());
    if (!take_keyword("as")) {
      return source;
    }
    std::vector<Pattern> patterns;
    do {
      TRY(Pattern one, pattern());
      patterns.push_back(std::move(one));
    } while (take_operation("?//"));
    TRY_VOID(expect_symbol('|'));
    TRY(SyntaxPointer body, query());
    SyntaxPointer out = make(Kind::bind, std::move(source), std::move(body));
    out->patterns = std::move(patterns);
    TRY_VOID(check_depth(out->depth));
    return out;
  }

  bool take_operation(std::string_view text) {
    const bool found = token_.word == Word::operation && token_.text == text;
    if (found) {
      advance();
    }
    return found;
  }

  Parsed expression(int weakest = 1) {
    const Deeper deeper(depth_);
    TRY_VOID(check_depth());
    TRY(SyntaxPointer left, term());
    for (Level level = level_of(token_); level.strength >= weakest; level = level_of(token_)) {
      std::string name = std::move(token_.text);
      advance();
      const bool is_right = level.side == Level::Side::right;
      TRY(SyntaxPointer right, expression(is_right ? level.strength : level.strength + 1));
      left = make(Kind::binary, std::move(left), std::move(right));
      left->name = std::move(name);
      TRY_VOID(check_depth(left->depth));
      if (level.side == Level::Side::none && level_of(token_).strength == level.strength) {
        return refuse();
      }
    }
    return left;
  }

  // Patterns.

  Result<Pattern> pattern() {
    const Deeper deeper(depth_);
    TRY_VOID(check_depth());
    Pattern out;
    if (token_.word == Word::variable) {
      out.variable = token_.text;
      advance();
      return out;
    }
    if (take_symbol('[')) {
      do {
        TRY(Pattern element, pattern());
        out.elements.push_back(std::move(element));
      } while (take_symbol(','));
      TRY_VOID(expect_symbol(']'));
      return out;
    }
    TRY_VOID(expect_symbol('{'));
    do {
      TRY(auto member, pattern_member());
      out.members.push_back(std::move(member));
    } while (take_symbol(','));
    TRY_VOID(expect_symbol('}'));
    return out;
  }

  Result<Pattern::Member> pattern_member() {
    Pattern::Member out;
    bool needs_value = true;
    if (token_.word == Word::variable) {
      out.variable = token_.text;
      advance();
      needs_value = false;
    } else if (take_symbol('(')) {
      TRY(out.key, query());
      TRY_VOID(expect_symbol(')'));
    } else if (is_plain_key()) {
      out.key = constant(Value::text(token_.text));
      advance();
    } else {
      TRY(out.key, text());
    }
    if (!needs_value && !is_symbol(':')) {
      return out;
    }
    TRY_VOID(expect_symbol(':'));
    TRY(Pattern value, pattern());
    out.value = std::make_unique<Pattern>(std::move(value));
    return out;
  }

  bool is_plain_key() const {
    return token_.word == Word::identifier
               ? token_.text.find(':') == std::string::npos
               : token_.word == Word::keyword || token_.text == "or" || token_.text == "and";
  }

  // Terms.

  Parsed term() {
    const Deeper deeper(depth_);
    TRY_VOID(check_depth());
    TRY(SyntaxPointer out, plain_term());
    while (true) {
      SyntaxPointer longer;
      if (token_.word == Word::field) {
        longer = make(Kind::index, std::move(out), constant(Value::text(token_.text)));
        advance();
      } else if (is_symbol('[')) {
        TRY(longer, suffix(std::move(out)));
      } else if (take_symbol('?')) {
        longer = make(Kind::optional, std::move(out));
      } else if (take_symbol('.')) {
        TRY(longer, behind_point(std::move(out)));
      } else {
        return out;
      }
      out = std::move(longer);
      TRY_VOID(check_depth(out->depth));
    }
  }

  /// `.[...]` or `."text"`.
  Parsed behind_point(SyntaxPointer target) {
    if (is_symbol('[')) {
      return suffix(std::move(target));
    }
    TRY(SyntaxPointer key, text());
    return make(Kind::index, std::move(target), std::move(key));
  }

  /// `[]`, `[key]`, `[from:to]`.
  Parsed suffix(SyntaxPointer target) {
    TRY_VOID(expect_symbol('['));
    if (take_symbol(']')) {
      return make(Kind::iterate, std::move(target));
    }
    SyntaxPointer from;
    SyntaxPointer to;
    if (!is_symbol(':')) {
      TRY(from, query());
      if (take_symbol(']')) {
        return make(Kind::index, std::move(target), std::move(from));
      }
    }
    TRY_VOID(expect_symbol(':'));
    if (from == nullptr || !is_symbol(']')) {
      TRY(to, query());
    }
    TRY_VOID(expect_symbol(']'));
    return make(Kind::slice, std::move(target), std::move(from), std::move(to));
  }

  Parsed plain_term() {
    switch (token_.word) {
      case Word::recurse:
        advance();
        return make(Kind::recurse);
      case Word::field: {
        SyntaxPointer key = constant(Value::text(token_.text));
        advance();
        return make(Kind::index, make(Kind::identity), std::move(key));
      }
      case Word::number: {
        SyntaxPointer out = constant(parse_number(token_.text));
        advance();
        return out;
      }
      case Word::identifier:
        return call();
      case Word::variable: {
        SyntaxPointer out = make(Kind::variable);
        out->name = token_.text;
        advance();
        return out;
      }
      case Word::format:
        return format();
      case Word::text:
      case Word::text_begin:
        return text();
      case Word::keyword:
        return keyword_term();
      case Word::symbol:
        return symbol_term();
      default:
        return refuse();
    }
  }

  Parsed symbol_term() {
    if (take_symbol('.')) {
      const bool goes_on =
          is_symbol('[') || token_.word == Word::text || token_.word == Word::text_begin;
      return goes_on ? behind_point(make(Kind::identity)) : Parsed(make(Kind::identity));
    }
    if (take_symbol('(')) {
      TRY(SyntaxPointer inner, query());
      TRY_VOID(expect_symbol(')'));
      return make(Kind::group, std::move(inner));
    }
    if (take_symbol('[')) {
      if (take_symbol(']')) {
        return make(Kind::array);
      }
      TRY(SyntaxPointer inner, query());
      TRY_VOID(expect_symbol(']'));
      return make(Kind::array, std::move(inner));
    }
    if (take_symbol('{')) {
      return object();
    }
    if (is_symbol('+') || is_symbol('-')) {
      std::string sign = token_.text;
      advance();
      TRY(SyntaxPointer inner, term());
      SyntaxPointer out = make(Kind::unary, std::move(inner));
      out->name = std::move(sign);
      return out;
    }
    return refuse();
  }

  Parsed keyword_term() {
    if (take_keyword("null")) {
      return constant(Value());
    }
    if (is_keyword("true") || is_keyword("false")) {
      const bool value = token_.text == "true";
      advance();
      return constant(Value::boolean(value));
    }
    if (take_keyword("if")) {
      return conditional();
    }
    if (take_keyword("try")) {
      TRY(SyntaxPointer body, term());
      if (!take_keyword("catch")) {
        return make(Kind::attempt, std::move(body));
      }
      TRY(SyntaxPointer handler, term());
      return make(Kind::attempt, std::move(body), std::move(handler));
    }
    if (is_keyword("reduce") || is_keyword("foreach")) {
      const bool is_reduce = is_keyword("reduce");
      advance();
      return loop(is_reduce ? Kind::reduce : Kind::foreach);
    }
    if (take_keyword("break")) {
      SyntaxPointer out = make(Kind::break_to);
      TRY(out->name, expect(Word::variable));
      return out;
    }
    return refuse();
  }

  Parsed conditional() {
    TRY(SyntaxPointer condition, query());
    TRY_VOID(expect_keyword("then"));
    TRY(SyntaxPointer then, query());
    if (take_keyword("end")) {
      return make(Kind::conditional, std::move(condition), std::move(then));
    }
    SyntaxPointer other;
    if (take_keyword("elif")) {
      const Deeper deeper(depth_);
      TRY_VOID(check_depth());
      TRY(other, conditional());
    } else {
      TRY_VOID(expect_keyword("else"));
      TRY(other, query());
      TRY_VOID(expect_keyword("end"));
    }
    return make(Kind::conditional, std::move(condition), std::move(then), std::move(other));
  }

  Parsed loop(Kind kind) {
    TRY(SyntaxPointer source, expression());
    TRY_VOID(expect_keyword("as"));
    TRY(Pattern bound, pattern());
    TRY_VOID(expect_symbol('('));
    TRY(SyntaxPointer start, query());
    TRY_VOID(expect_symbol(';'));
    TRY(SyntaxPointer update, query());
    SyntaxPointer out = make(kind, std::move(source), std::move(start), std::move(update));
    if (kind == Kind::foreach && take_symbol(';')) {
      TRY(SyntaxPointer extract, query());
      out->depth = std::max(out->depth, extract->depth + 1);
      out->children.push_back(std::move(extract));
    }
    TRY_VOID(expect_symbol(')'));
    out->patterns.push_back(std::move(bound));
    return out;
  }

  Parsed call() {
    SyntaxPointer out = make(Kind::call);
    out->name = token_.text;
    advance();
    if (!take_symbol('(')) {
      return out;
    }
    do {
      TRY(SyntaxPointer argument, query());
      out->depth = std::max(out->depth, argument->depth + 1);
      out->children.push_back(std::move(argument));
    } while (take_symbol(';'));
    TRY_VOID(expect_symbol(')'));
    return out;
  }

  Parsed format() {
    std::string name = token_.text;
    advance();
    if (token_.word != Word::text && token_.word != Word::text_begin) {
      SyntaxPointer out = make(Kind::format);
      out->name = std::move(name);
      return out;
    }
    TRY(SyntaxPointer out, text());
    out->name = std::move(name);
    return out;
  }

  /// A constant, or an interpolation.
  Parsed text() {
    if (token_.word == Word::text) {
      SyntaxPointer out = constant(Value::text(token_.text));
      advance();
      return out;
    }
    if (token_.word != Word::text_begin) {
      return refuse();
    }
    advance();
    SyntaxPointer out = make(Kind::interpolation);
    while (token_.word != Word::text_end) {
      SyntaxPointer part;
      if (token_.word == Word::text) {
        part = constant(Value::text(token_.text));
        advance();
      } else if (token_.word == Word::query_begin) {
        advance();
        TRY(part, query());
        if (!is_symbol(')')) {
          return refuse();
        }
        lexer_.resume_text();
        advance();
        part = make(Kind::group, std::move(part));
      } else {
        return refuse();
      }
      out->depth = std::max(out->depth, part->depth + 1);
      out->children.push_back(std::move(part));
      // The parts are added to one another, the first two deepest.
      TRY_VOID(check_depth(out->depth + out->children.size()));
    }
    advance();
    out->depth += out->children.size();
    return out;
  }

  Parsed object() {
    SyntaxPointer out = make(Kind::object);
    while (!is_symbol('}')) {
      TRY_VOID(object_member(*out));
      if (!take_symbol(',')) {
        break;
      }
    }
    TRY_VOID(expect_symbol('}'));
    return out;
  }

  Result<> object_member(Syntax& out) {
    SyntaxPointer key;
    bool needs_value = false;
    if (token_.word == Word::variable) {
      key = make(Kind::variable);
      key->name = token_.text;
      advance();
    } else if (take_symbol('(')) {
      TRY(key, query());
      key = make(Kind::group, std::move(key));
      TRY_VOID(expect_symbol(')'));
      needs_value = true;
    } else if (is_plain_key()) {
      key = constant(Value::text(token_.text));
      advance();
    } else {
      TRY(key, text());
    }
    SyntaxPointer value;
    if (take_symbol(':')) {
      TRY(value, member_value());
    } else if (needs_value) {
      return refuse();
    }
    out.depth = std::max({out.depth, key->depth + 1, value == nullptr ? 1 : value->depth + 1});
    out.children.push_back(std::move(key));
    out.children.push_back(std::move(value));
    return {};
  }

  Parsed member_value() {
    TRY(SyntaxPointer left, expression());
    if (!take_symbol('|')) {
      return left;
    }
    const Deeper deeper(depth_);
    TRY_VOID(check_depth());
    TRY(SyntaxPointer right, member_value());
    return make(Kind::pipe, std::move(left), std::move(right));
  }

 public:
  /// Why the program cannot run although it can be read; empty when it can.
  const std::string& import_error() const { return import_error_; }

 private:
  Lexer lexer_;
  Token token_;
  std::size_t depth_ = 0;
  std::string import_error_;
};

}  // namespace

Result<SyntaxPointer> parse_program(std::string_view source) {
  Parser parser(source);
  TRY(SyntaxPointer out, parser.program());
  if (!parser.import_error().empty()) {
    return fail(ErrorCode::invalid, parser.import_error());
  }
  return out;
}

}  // namespace tiphys::lang::jq

#include "lang/expr/parser.h"

#include "lang/expr/builtins.h"
#include "lang/expr/lexer.h"
#include "lang/expr/syntax.h"
#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace tiphys::lang {
namespace {

/// Recursive descent. After the first error every function returns null quickly; the error stays.
class Parser {
 public:
  Parser(std::string_view source, const HiddenNames& hidden)
      : source_(source), hidden_(hidden), lexer_(source) {}

  Result<NodePtr> parse() {
    next();
    NodePtr root = sequence();
    if (!current_.is(TokenKind::end)) {
      unexpected(current_);
    }
    if (error_) {
      return fail(ErrorCode::parse, with_snippet(source_, error_->at, error_->message));
    }
    return root;
  }

 private:
  void fail_here(std::string message) { fail_at(current_, std::move(message)); }

  void fail_at(const Token& token, std::string message) {
    if (!error_) {
      error_ = SourceError{token.at, std::move(message)};
    }
  }

  void unexpected(const Token& token) { fail_at(token, "unexpected token " + token.name()); }

  void next() {
    if (stashed_) {
      current_ = *std::move(stashed_);
      stashed_.reset();
      return;
    }
    if (std::optional<Token> token = lexer_.next()) {
      current_ = *std::move(token);
    } else if (lexer_.error()) {
      // What cannot be read comes before what cannot be parsed.
      error_ = lexer_.error();
    } else {
      fail_here("unexpected end of expression");
    }
  }

  void expect(TokenKind kind, std::string_view text) {
    if (current_.is(kind, text)) {
      next();
    } else {
      unexpected(current_);
    }
  }

  void expect_op(std::string_view text) { expect(TokenKind::op, text); }

  void expect_bracket(std::string_view text) { expect(TokenKind::bracket, text); }

  void expect_name() {
    if (current_.is(TokenKind::identifier)) {
      next();
    } else {
      unexpected(current_);
    }
  }

  /// Counts a node; null once something is wrong.
  NodePtr make(NodeKind kind, std::uint32_t at) {
    if (++made_ > kMaxNodes) {
      fail_here("compilation failed: expression exceeds maximum allowed nodes");
    }
    return error_ ? nullptr : make_node(kind, at);
  }

  NodePtr make(NodeKind kind, std::uint32_t at, std::string text) {
    NodePtr node = make(kind, at);
    if (node) {
      node->text = std::move(text);
    }
    return node;
  }

  template <class... Kids>
  NodePtr make_with(NodeKind kind, std::uint32_t at, Kids... kids) {
    NodePtr node = make(kind, at);
    if (node) {
      (add_kid(*node, std::move(kids)), ...);
      check_size(*node);
    }
    return error_ ? nullptr : std::move(node);
  }

  void check_size(const Node& node) {
    if (node.depth > kMaxTreeDepth) {
      fail_here("compilation failed: expression is nested too deeply");
    } else if (node.size > kMaxCopiedNodes) {
      fail_here("compilation failed: expression exceeds maximum allowed nodes");
    }
  }

  /// A second use of a tree.
  NodePtr copy(const NodePtr& node) {
    if (!node || error_) {
      return nullptr;
    }
    copied_ += node->size;
    if (copied_ > kMaxCopiedNodes) {
      fail_here("compilation failed: expression exceeds maximum allowed nodes");
      return nullptr;
    }
    return clone(*node);
  }

  NodePtr sequence() {
    std::vector<NodePtr> nodes;
    nodes.push_back(expression(0));
    while (current_.is_op(";") && !error_) {
      next();
      if (current_.is(TokenKind::end)) {
        break;
      }
      nodes.push_back(expression(0));
    }
    if (nodes.size() == 1) {
      return std::move(nodes.front());
    }
    NodePtr node = make(NodeKind::sequence, nodes.front() ? nodes.front()->at : 0);
    return with_kids(std::move(node), std::move(nodes));
  }

  NodePtr with_kids(NodePtr node, std::vector<NodePtr> kids) {
    if (!node) {
      return nullptr;
    }
    for (NodePtr& kid : kids) {
      add_kid(*node, std::move(kid));
    }
    check_size(*node);
    return error_ ? nullptr : std::move(node);
  }

  NodePtr expression(int precedence) {
    if (error_) {
      return nullptr;
    }
    if (nesting_ >= kMaxNesting) {
      fail_here("compilation failed: expression is nested too deeply");
      return nullptr;
    }
    ++nesting_;
    NodePtr node = expression_inside(precedence);
    --nesting_;
    return node;
  }

  NodePtr expression_inside(int precedence) {
    if (precedence == 0 && current_.is_op("let")) {
      return declaration();
    }
    if (precedence == 0 && current_.is_op("if")) {
      return if_else();
    }
    NodePtr left = operators(primary(), precedence);
    return precedence == 0 ? ternary(std::move(left)) : std::move(left);
  }

  NodePtr operators(NodePtr left, int precedence) {
    std::string previous;
    while (current_.is(TokenKind::op) && !error_) {
      Token token = current_;
      const bool negated = token.is_op("not");
      if (negated && !negated_operator(precedence, token)) {
        break;
      }
      const BinaryOperator* known = binary_operator(token.text);
      if (known == nullptr || known->precedence < precedence) {
        break;
      }
      next();
      if (token.text == "|") {
        left = pipe(std::move(left));
      } else if (previous == "??" && token.text != "??") {
        fail_at(token, fmt::format("Operator ({}) and coalesce expressions (?\?) cannot be mixed. "
                                   "Wrap either by parentheses.",
                                   token.text));
        break;
      } else if (is_comparison(known->op)) {
        left = comparisons(std::move(left), token, *known);
      } else {
        left = binary(std::move(left), token, *known);
        if (negated) {
          left = unary(token.at, Op::logical_not, "not", std::move(left));
        }
      }
      if (!left) {
        return nullptr;
      }
      previous = token.text;
    }
    return left;
  }

  /// Behind `not`: moves on to the operator, or back when it binds less tightly than wanted.
  bool negated_operator(int precedence, Token& token) {
    const Token not_token = current_;
    next();
    const BinaryOperator* known =
        current_.is(TokenKind::op) ? binary_operator(current_.text) : nullptr;
    if (known == nullptr || !can_be_negated(known->op)) {
      unexpected(current_);
      return false;
    }
    if (known->precedence < precedence) {
      stashed_ = std::move(current_);
      current_ = not_token;
      return false;
    }
    token = current_;
    return true;
  }

  NodePtr pipe(NodePtr left) {
    const Token name = current_;
    expect_name();
    std::vector<NodePtr> arguments;
    arguments.push_back(std::move(left));
    return call(name, std::move(arguments), Overrides::allowed);
  }

  NodePtr binary(NodePtr left, const Token& token, const BinaryOperator& known) {
    const bool right_first = known.op == Op::power;
    NodePtr right = expression(right_first ? known.precedence : known.precedence + 1);
    return binary_node(std::move(left), token, known, std::move(right));
  }

  NodePtr binary_node(NodePtr left, const Token& token, const BinaryOperator& known,
                      NodePtr right) {
    NodePtr node = make_with(NodeKind::binary, token.at, std::move(left), std::move(right));
    if (node) {
      node->op = known.op;
      node->text = token.text;
    }
    return node;
  }

  NodePtr unary(std::uint32_t at, Op op, std::string text, NodePtr operand) {
    NodePtr node = make_with(NodeKind::unary, at, std::move(operand));
    if (node) {
      node->op = op;
      node->text = std::move(text);
    }
    return node;
  }

  /// a < b <= c means a < b && b <= c.
  NodePtr comparisons(NodePtr left, Token token, BinaryOperator known) {
    NodePtr root;
    while (true) {
      NodePtr right = expression(known.precedence + 1);
      const bool more = current_.is(TokenKind::op) && !error_ &&
                        binary_operator(current_.text) != nullptr &&
                        is_comparison(binary_operator(current_.text)->op);
      NodePtr again = more ? copy(right) : nullptr;
      NodePtr node = binary_node(std::move(left), token, known, std::move(right));
      if (!node) {
        return nullptr;
      }
      if (root) {
        Token both = token;
        both.text = "&&";
        root = binary_node(std::move(root), both, *binary_operator("&&"), std::move(node));
      } else {
        root = std::move(node);
      }
      if (!more || !root) {
        return root;
      }
      left = std::move(again);
      token = current_;
      known = *binary_operator(token.text);
      next();
    }
  }

  NodePtr declaration() {
    expect_op("let");
    const Token name = current_;
    expect_name();
    expect_op("=");
    NodePtr value = expression(0);
    expect_op(";");
    NodePtr body = sequence();
    NodePtr node = make_with(NodeKind::declaration, name.at, std::move(value), std::move(body));
    if (node) {
      node->text = name.text;
    }
    return node;
  }

  NodePtr if_else() {
    if (nesting_ >= kMaxNesting) {
      fail_here("compilation failed: expression is nested too deeply");
    }
    next();
    if (error_) {
      return nullptr;
    }
    NodePtr condition = expression(0);
    expect_bracket("{");
    NodePtr then = sequence();
    expect_bracket("}");
    expect_op("else");
    NodePtr otherwise;
    if (current_.is_op("if")) {
      ++nesting_;
      otherwise = if_else();
      --nesting_;
    } else {
      expect_bracket("{");
      otherwise = sequence();
      expect_bracket("}");
    }
    if (error_) {
      return nullptr;
    }
    // Upstream gives these nodes no place, so their errors name the first character.
    return make_with(NodeKind::conditional, 0, std::move(condition), std::move(then),
                     std::move(otherwise));
  }

  NodePtr ternary(NodePtr node) {
    while (current_.is_op("?") && !error_) {
      next();
      NodePtr then;
      if (current_.is_op(":")) {
        next();
        then = copy(node);
      } else {
        then = expression(0);
        expect_op(":");
      }
      NodePtr otherwise = expression(0);
      node = make_with(NodeKind::conditional, current_.at, std::move(node), std::move(then),
                       std::move(otherwise));
      if (!node) {
        return nullptr;
      }
      node->ternary = true;
    }
    return node;
  }

  NodePtr primary() {
    const Token token = current_;
    if (const auto known = unary_operator(token)) {
      next();
      NodePtr operand = expression(known->precedence);
      NodePtr node = unary(token.at, known->op, token.text, std::move(operand));
      return node ? postfix(std::move(node)) : nullptr;
    }
    if (token.is_bracket("(")) {
      next();
      NodePtr inside = sequence();
      expect_bracket(")");
      return postfix(std::move(inside));
    }
    if (predicates_ > 0 && (token.is_op("#") || token.is_op("."))) {
      return pointer(token);
    }
    if (token.is_op("::")) {
      next();
      const Token name = current_;
      expect_name();
      return postfix(call(name, {}, Overrides::ignored));
    }
    return secondary();
  }

  /// `#`, `#index`, or the element a leading `.field` belongs to.
  NodePtr pointer(const Token& token) {
    std::string name;
    if (token.is_op("#")) {
      next();
      if (current_.is(TokenKind::identifier)) {
        name = current_.text;
        next();
      }
    }
    NodePtr node = make(NodeKind::pointer, token.at, std::move(name));
    return node ? postfix(std::move(node)) : nullptr;
  }

  NodePtr secondary() {
    const Token token = current_;
    NodePtr node;
    switch (token.kind) {
      case TokenKind::identifier:
        next();
        if (token.text == "true" || token.text == "false") {
          node = make(NodeKind::boolean, token.at);
          if (node) {
            node->integer = token.text == "true" ? 1 : 0;
          }
          return node;
        }
        if (token.text == "nil") {
          return make(NodeKind::nil, token.at);
        }
        node = current_.is_bracket("(") ? call(token, {}, Overrides::allowed)
                                        : make(NodeKind::identifier, token.at, token.text);
        break;
      case TokenKind::number:
        next();
        return number(token);
      case TokenKind::string:
      case TokenKind::bytes:
        next();
        node = make(token.is(TokenKind::string) ? NodeKind::string : NodeKind::bytes, token.at,
                    token.text);
        break;
      default:
        if (token.is_bracket("[")) {
          node = list(token);
        } else if (token.is_bracket("{")) {
          node = map(token);
        } else {
          unexpected(token);
        }
    }
    return postfix(std::move(node));
  }

  NodePtr number(const Token& token) {
    Result<NodePtr> literal = number_literal(token);
    if (!literal) {
      fail_here(literal.error().message);
    }
    NodePtr node = make(NodeKind::integer, token.at);
    return node && literal ? *std::move(literal) : nullptr;
  }

  enum class Overrides : std::uint8_t { allowed, ignored };

  NodePtr call(const Token& name, std::vector<NodePtr> arguments, Overrides overrides) {
    const bool hidden = overrides == Overrides::allowed && hidden_.contains(name.text);
    const auto* shape = std::ranges::find(kPredicates, name.text, &PredicateShape::name);
    if (shape != kPredicates.end() && !hidden) {
      return predicate_call(name, *shape, std::move(arguments));
    }
    if (!hidden && find_builtin(name.text) != nullptr) {
      arguments = call_arguments(std::move(arguments));
      return with_kids(make(NodeKind::builtin, name.at, name.text), std::move(arguments));
    }
    NodePtr callee = make(NodeKind::identifier, name.at, name.text);
    if (!callee) {
      return nullptr;
    }
    arguments = call_arguments(std::move(arguments));
    arguments.insert(arguments.begin(), std::move(callee));
    return with_kids(make(NodeKind::call, name.at), std::move(arguments));
  }

  NodePtr predicate_call(const Token& name, const PredicateShape& shape,
                         std::vector<NodePtr> arguments) {
    expect_bracket("(");
    const std::size_t offset = arguments.size();
    for (std::size_t i = offset; i < shape.count; ++i) {
      if (current_.is_bracket(")")) {
        if (i >= shape.required) {
          break;
        }
        fail_here(fmt::format("expected at least {} arguments", shape.count - offset));
      }
      if (i > offset) {
        expect_op(",");
      }
      arguments.push_back(i == 1 ? predicate() : expression(0));
    }
    if (current_.is_op(",")) {
      next();
    }
    expect_bracket(")");
    return with_kids(make(NodeKind::builtin, name.at, name.text), std::move(arguments));
  }

  std::vector<NodePtr> call_arguments(std::vector<NodePtr> arguments) {
    const std::size_t offset = arguments.size();
    expect_bracket("(");
    while (!current_.is_bracket(")") && !error_) {
      if (arguments.size() > offset) {
        expect_op(",");
      }
      if (current_.is_bracket(")")) {
        break;
      }
      arguments.push_back(expression(0));
    }
    expect_bracket(")");
    return arguments;
  }

  NodePtr predicate() {
    const Token start = current_;
    const bool braces = start.is_bracket("{");
    if (braces) {
      next();
    }
    ++predicates_;
    NodePtr body = braces ? sequence() : expression(0);
    if (!braces && current_.is_op(";")) {
      fail_here("wrap predicate with brackets { and }");
    }
    --predicates_;
    if (braces) {
      expect_bracket("}");
    }
    return make_with(NodeKind::predicate, start.at, std::move(body));
  }

  NodePtr list(const Token& token) {
    std::vector<NodePtr> items;
    expect_bracket("[");
    while (!current_.is_bracket("]") && !error_) {
      if (!items.empty()) {
        expect_op(",");
        if (current_.is_bracket("]")) {
          break;
        }
      }
      items.push_back(expression(0));
    }
    expect_bracket("]");
    return with_kids(make(NodeKind::list, token.at), std::move(items));
  }

  NodePtr map(const Token& token) {
    std::vector<NodePtr> pairs;
    expect_bracket("{");
    while (!current_.is_bracket("}") && !error_) {
      if (!pairs.empty()) {
        expect_op(",");
        if (current_.is_bracket("}")) {
          break;
        }
        if (current_.is_op(",")) {
          unexpected(current_);
        }
      }
      NodePtr key = map_key();
      expect_op(":");
      NodePtr value = expression(0);
      NodePtr pair = make_with(NodeKind::pair, token.at, std::move(key), std::move(value));
      if (!pair) {
        return nullptr;
      }
      pairs.push_back(std::move(pair));
    }
    expect_bracket("}");
    return with_kids(make(NodeKind::map, token.at), std::move(pairs));
  }

  NodePtr map_key() {
    const bool plain = current_.is(TokenKind::number) || current_.is(TokenKind::string) ||
                       current_.is(TokenKind::identifier);
    if (plain) {
      NodePtr key = make(NodeKind::string, current_.at, current_.text);
      if (key) {
        next();
      }
      return key;
    }
    if (current_.is_bracket("(")) {
      return expression(0);
    }
    fail_here(
        "a map key must be a quoted string, a number, a identifier, or an expression enclosed in "
        "parentheses (unexpected token " +
        current_.name() + ")");
    return nullptr;
  }

  NodePtr postfix(NodePtr node) {
    while ((current_.is(TokenKind::op) || current_.is(TokenKind::bracket)) && !error_) {
      const bool optional = current_.is_op("?.");
      if (current_.is_op(".") || optional) {
        next();
        if (optional && current_.is_bracket("[")) {
          node = index(std::move(node), true);
        } else {
          node = field(std::move(node), optional);
        }
      } else if (current_.is_bracket("[")) {
        node = index(std::move(node), false);
      } else {
        break;
      }
      if (!node) {
        return nullptr;
      }
    }
    return node;
  }

  NodePtr field(NodePtr object, bool optional) {
    const Token name = current_;
    next();
    const bool usable =
        name.is(TokenKind::identifier) || (name.is(TokenKind::op) && is_name(name.text));
    if (!usable) {
      fail_here("expected name");
    }
    NodePtr property = make(NodeKind::string, name.at, name.text);
    // One chain holds all members behind its first ?.
    const bool in_chain = object && object->kind == NodeKind::chain;
    if (in_chain) {
      NodePtr inner = std::move(object->kids.front());
      object = std::move(inner);
    }
    NodePtr node = make_with(NodeKind::member, name.at, std::move(object), std::move(property));
    if (!node) {
      return nullptr;
    }
    node->optional = optional;
    if (current_.is_bracket("(")) {
      node->method = true;
      std::vector<NodePtr> kids = call_arguments({});
      kids.insert(kids.begin(), std::move(node));
      node = with_kids(make(NodeKind::call, name.at), std::move(kids));
    }
    return in_chain || optional ? chain(std::move(node), name.at) : std::move(node);
  }

  NodePtr chain(NodePtr node, std::uint32_t at) {
    return node ? make_with(NodeKind::chain, at, std::move(node)) : nullptr;
  }

  /// `[i]`, `[from:to]` and their shortened forms.
  NodePtr index(NodePtr object, bool optional) {
    const std::uint32_t at = current_.at;
    next();
    NodePtr from = current_.is_op(":") ? nullptr : expression(0);
    if (current_.is_op(":")) {
      next();
      NodePtr to = current_.is_bracket("]") ? nullptr : expression(0);
      NodePtr node =
          make_with(NodeKind::slice, at, std::move(object), std::move(from), std::move(to));
      if (node) {
        expect_bracket("]");
      }
      return node;
    }
    NodePtr node = make_with(NodeKind::member, at, std::move(object), std::move(from));
    if (!node) {
      return nullptr;
    }
    node->optional = optional;
    if (optional) {
      node = chain(std::move(node), at);
    }
    expect_bracket("]");
    return node;
  }

  std::string_view source_;
  const HiddenNames& hidden_;
  Lexer lexer_;
  Token current_;
  std::optional<Token> stashed_;
  std::optional<SourceError> error_;
  int predicates_ = 0;
  int nesting_ = 0;
  std::uint32_t made_ = 0;
  std::uint32_t copied_ = 0;
};

}  // namespace

Result<NodePtr> parse_expression(std::string_view source, const HiddenNames& hidden) {
  return Parser(source, hidden).parse();
}

}  // namespace tiphys::lang

#include "lang/when/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace tiphys::lang::when {
namespace {

constexpr int kMaxDepth = 500;

/// A level of precedence: the kind of its operators and their symbols.
struct Level {
  Kind kind;
  std::array<std::string_view, 9> symbols;
};

/// Loosest first.
constexpr std::array<Level, 10> kLevels = {{
    {Kind::separator, {","}},
    {Kind::ternary, {"?", ":", "??"}},
    {Kind::logical, {"||"}},
    {Kind::logical, {"&&"}},
    {Kind::comparator, {"==", "!=", ">", ">=", "<", "<=", "=~", "!~", "in"}},
    {Kind::modifier, {"^", "&", "|"}},
    {Kind::modifier, {">>", "<<"}},
    {Kind::modifier, {"+", "-"}},
    {Kind::modifier, {"*", "/", "%"}},
    {Kind::modifier, {"**"}},
}};

bool belongs(const Level& level, const Token& token) {
  if (token.kind != level.kind) {
    return false;
  }
  return std::ranges::find(level.symbols, std::get<std::string>(token.value)) !=
         level.symbols.end();
}

NodePtr make_node(Node::Type type) {
  auto node = std::make_unique<Node>();
  node->type = type;
  return node;
}

class Planner {
 public:
  explicit Planner(const std::vector<Token>& tokens) : tokens_(tokens) {}

  Result<NodePtr> level(std::size_t index) {
    if (index == kLevels.size()) {
      return operand();
    }
    TRY(NodePtr left, level(index + 1));
    NodePtr chain;
    while (at_ < tokens_.size() && belongs(kLevels[index], tokens_[at_])) {
      if (!chain) {
        chain = make_node(Node::Type::chain);
        chain->first = std::move(left);
      }
      std::string symbol = std::get<std::string>(tokens_[at_++].value);
      TRY(NodePtr right, level(index + 1));
      chain->links.push_back({std::move(symbol), std::move(right)});
    }
    return chain ? std::move(chain) : std::move(left);
  }

 private:
  Result<NodePtr> operand() {
    if (at_ == tokens_.size() || tokens_[at_].kind == Kind::clause_close) {
      return NodePtr();
    }
    const Token& token = tokens_[at_++];
    switch (token.kind) {
      case Kind::clause:
        return group();
      case Kind::accessor:
        return accessor(token);
      case Kind::prefix: {
        NodePtr node = make_node(Node::Type::prefix);
        node->name = std::get<std::string>(token.value);
        TRY(node->first, operand());
        return node;
      }
      case Kind::variable: {
        NodePtr node = make_node(Node::Type::variable);
        node->name = std::get<std::string>(token.value);
        return node;
      }
      default:
        return literal(token);
    }
  }

  Result<NodePtr> group() {
    if (++depth_ > kMaxDepth) {
      return fail(ErrorCode::bad_request, "brackets are nested too deeply");
    }
    NodePtr node = make_node(Node::Type::group);
    TRY(node->first, level(0));
    ++at_;
    --depth_;
    return node;
  }

  /// An accessor that is followed by a bracket takes the rest of the expression as arguments.
  Result<NodePtr> accessor(const Token& token) {
    NodePtr node = make_node(Node::Type::accessor);
    node->name = std::get<std::vector<std::string>>(token.value).front();
    if (at_ < tokens_.size() && tokens_[at_].kind == Kind::clause) {
      if (++depth_ > kMaxDepth) {
        return fail(ErrorCode::bad_request, "calls are nested too deeply");
      }
      TRY(node->first, level(0));
      --depth_;
    }
    return node;
  }

  static Result<NodePtr> literal(const Token& token) {
    NodePtr node = make_node(Node::Type::literal);
    switch (token.kind) {
      case Kind::numeric:
        node->value.data = std::get<double>(token.value);
        return node;
      case Kind::boolean:
        node->value.data = std::get<bool>(token.value);
        return node;
      case Kind::string:
        node->value.data = std::get<std::string>(token.value);
        return node;
      case Kind::pattern:
        node->value.data = std::get<GoRegexp>(token.value);
        return node;
      case Kind::time:
        node->value.data = static_cast<double>(std::get<Instant>(token.value).unix_seconds);
        return node;
      default:
        return fail(ErrorCode::bad_request,
                    fmt::format("Unable to plan token kind: 'SEPARATOR', value: '{}'",
                                std::get<std::string>(token.value)));
    }
  }

  const std::vector<Token>& tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<NodePtr> plan(const std::vector<Token>& tokens) { return Planner(tokens).level(0); }

}  // namespace tiphys::lang::when

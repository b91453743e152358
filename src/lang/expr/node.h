#pragma once
/// The syntax tree of expressions. Private to the module.

#include "lang/expr/value.h"

#include <memory>

namespace re2 {
class RE2;
}

namespace tiphys::lang {

struct Builtin;
struct Node;
using NodePtr = std::unique_ptr<Node>;

enum class NodeKind : std::uint8_t {
  nil,
  identifier,   // text
  integer,      // integer
  number,       // number
  boolean,      // integer
  string,       // text
  bytes,        // text
  constant,     // constant: made by the optimizer
  unary,        // op, text = as written; kids: operand
  binary,       // op, text = as written; kids: left, right
  chain,        // kids: what a ?. can cut short
  member,       // kids: object, property
  slice,        // kids: object, from or null, to or null
  call,         // kids: callee, arguments ...
  builtin,      // text = name; kids: arguments ...
  predicate,    // kids: body
  pointer,      // text = "", "index", "acc", ...
  declaration,  // text = name; kids: value, body
  sequence,     // kids: all
  conditional,  // kids: condition, then, else
  list,         // kids: elements
  map,          // kids: pairs
  pair,         // kids: key, value
};

enum class Op : std::uint8_t {
  none,
  logical_or,
  logical_and,
  equal,
  not_equal,
  less,
  greater,
  less_equal,
  greater_equal,
  in,
  matches,
  contains,
  starts_with,
  ends_with,
  range,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  power,
  coalesce,
  logical_not,
  plus,
  minus,
};

/// What the checker knows of a node before it runs.
struct Nature {
  enum class State : std::uint8_t {
    /// Nothing is known.
    unknown,
    /// It is nil.
    nil,
    /// It has `type`; kind any = some interface{}.
    typed,
  };
  State state = State::unknown;
  ExprType type;
  /// More about the elements of a list than its Go type says; may be null.
  std::shared_ptr<const Nature> element;
  /// The function of the language a name stands for; may be null.
  const Builtin* builtin = nullptr;

  static Nature of(ExprType type) { return {State::typed, std::move(type), nullptr, nullptr}; }

  static Nature nothing() { return {State::nil, {}, nullptr, nullptr}; }

  bool is_nil() const { return state == State::nil; }

  bool is_typed() const { return state == State::typed; }

  bool is_unknown() const {
    return state == State::unknown || (is_typed() && type.kind() == ExprKind::any);
  }

  /// Kind any stands for everything that has no Go type yet.
  ExprKind kind() const { return is_typed() ? type.kind() : ExprKind::any; }

  std::string name() const { return is_typed() ? type.go_name() : "unknown"; }
};

struct Node {
  NodeKind kind = NodeKind::nil;
  Op op = Op::none;
  /// member: written with ?.
  bool optional = false;
  /// member: a call follows.
  bool method = false;
  /// conditional: written with ? and :
  bool ternary = false;
  /// builtin find and findLast: nothing found is an error, as for filter(...)[0].
  bool throws = false;
  /// builtin sum of a list in brackets: the last two are added first.
  bool from_right = false;
  /// Characters before the node's token.
  std::uint32_t at = 0;
  /// Nodes in the tree below, this one included, and levels.
  std::uint32_t size = 1;
  std::uint32_t depth = 1;
  std::string text;
  std::int64_t integer = 0;
  double number = 0;
  std::vector<NodePtr> kids;

  /// Set by the checker and the optimizer.
  Nature nature;
  ExprValue constant;
  /// identifier: place among the names of the environment; declaration and variable: place among
  /// the variables; -1 otherwise.
  int slot = -1;
  bool variable = false;
  const Builtin* builtin = nullptr;
  /// filter, find, findLast: what to give instead of the element; may be null.
  NodePtr mapping;
  /// count: stop once so many were found.
  std::optional<std::int64_t> threshold;
  /// matches: the compiled pattern when it is a literal.
  std::shared_ptr<const re2::RE2> pattern;

  const Node& kid(std::size_t i) const { return *kids[i]; }
};

NodePtr make_node(NodeKind kind, std::uint32_t at);
/// A copy of the whole tree.
NodePtr clone(const Node& node);
/// Adds a kid and counts it; null is allowed.
void add_kid(Node& node, NodePtr kid);
/// The expression in normal form; equal texts mean equal expressions.
std::string source_of(const Node& node);

/// Larger trees are refused, as upstream does when it makes more than so many nodes.
inline constexpr std::uint32_t kMaxNodes = 10'000;
/// Shared parts are copied; this bounds what copies can add up to.
inline constexpr std::uint32_t kMaxCopiedNodes = 50'000;
inline constexpr std::uint32_t kMaxTreeDepth = 600;

/// A message with line, column and the line itself, as upstream prints it. `at` counts characters.
std::string with_snippet(std::string_view source, std::uint32_t at, std::string_view message);

}  // namespace tiphys::lang

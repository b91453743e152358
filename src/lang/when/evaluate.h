#pragma once
/// Planning and evaluating the tokens of `when`. Private to the module.

#include "base/error.h"
#include "lang/when/token.h"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace tiphys::lang::when {

struct Value;
using List = std::vector<Value>;

/// nil, number, boolean, text, list or pattern.
struct Value {
  std::variant<std::monostate, double, bool, std::string, List, GoRegexp> data;
};

/// As Go's %v prints it.
std::string text_of(const Value& value);

struct Node;
using NodePtr = std::unique_ptr<Node>;

/// An operation of a chain of equal precedence, and what stands right of it (null: nothing).
struct Link {
  std::string symbol;
  NodePtr right;
};

struct Node {
  enum class Type { literal, variable, accessor, prefix, group, chain };
  Type type = Type::literal;
  /// Of a literal.
  Value value;
  /// The name of a variable, the first part of an accessor, the symbol of a prefix.
  std::string name;
  /// What a prefix or group holds, an accessor is called with, a chain begins with; may be null.
  NodePtr first;
  /// Of a chain; evaluated from left to right.
  std::vector<Link> links;
};

/// Builds the tree of tokens that passed `check`. As upstream, tokens behind a complete expression
/// are ignored. Errors: bad_request; brackets nested too deeply.
Result<NodePtr> plan(const std::vector<Token>& tokens);

/// Errors: bad_request.
Result<Value> evaluate(const NodePtr& node);

}  // namespace tiphys::lang::when

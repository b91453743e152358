#pragma once
/// A compiled program: a tree in which every name is resolved. Private to the module.
///
/// What is bound at run time (variables, arguments, labels) forms a chain, innermost first; a node
/// names a binding by how many links up it is. Functions are not bound: a call knows its function
/// and how far up the chain stood when the function was defined.

#include "lang/jq/budget.h"
#include "lang/jq/native.h"

#include <memory>
#include <string>
#include <vector>

namespace tiphys::lang::jq {

struct Node;
using NodePointer = std::unique_ptr<Node>;

/// One step in taking a value apart for a pattern.
struct PatternStep {
  enum class Kind {
    /// Binds the current value.
    store,
    /// Makes a bound value the current one.
    load,
    /// The element `index` of the current value.
    element,
    /// The member `key` of the current value.
    member,
    /// Evaluates `node` on the current value; the result becomes the current value.
    evaluate,
    /// The member or element that the current value names, of a bound value.
    lookup,
  };

  Kind kind = Kind::store;
  std::size_t hops = 0;
  std::size_t index = 0;
  std::string key;
  NodePointer node;
};

/// A pattern as steps. At the end the chain is as before plus one binding for each variable of all
/// alternatives, in one order.
struct PatternPlan {
  std::vector<PatternStep> steps;

  /// For each variable where it is bound at the end of the steps; nothing: null.
  struct Source {
    bool is_bound = false;
    std::size_t hops = 0;
  };

  std::vector<Source> variables;
  /// Links that the steps have added.
  std::size_t added = 0;
};

struct Function {
  struct Parameter {
    std::string name;
    bool is_value = false;
  };

  std::string name;
  std::vector<Parameter> parameters;
  NodePointer body;
  /// Defined outside of everything: its chain is empty.
  bool is_global = false;
};

struct Node {
  enum class Kind {
    identity,
    constant,
    pipe,
    comma,
    /// A binding's value.
    variable,
    /// An argument that is a filter.
    closure,
    call,
    /// A function of this program's host language.
    native,
    range,
    /// child[constant]
    index,
    iterate,
    attempt,
    alternative,
    /// condition, then, otherwise
    conditional,
    reduce,
    foreach,
    collect,
    /// Keys and values in turn; a null value is the member that the key names.
    object,
    bind,
    label,
    break_to,
    path,
    empty,
    /// paths, value
    assign,
    /// paths, filter
    modify,
    /// `constant` is the path; the child gives the value.
    assign_constant,
  };

  Kind kind = Kind::identity;
  std::vector<NodePointer> children;
  Value constant;
  std::size_t hops = 0;
  const Function* function = nullptr;
  const Native* native = nullptr;
  std::vector<PatternPlan> patterns;
  /// Of break_to, for its error.
  std::string name;
};

struct Program {
  std::vector<std::unique_ptr<Function>> functions;
  NodePointer root;
};

}  // namespace tiphys::lang::jq

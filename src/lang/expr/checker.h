#pragma once
/// The type check. Private to the module.

#include "lang/expr/expr.h"
#include "lang/expr/node.h"

namespace tiphys::lang {

/// A name the expression reads, and its type when it was checked; nothing when it was not there.
struct CheckedName {
  std::string name;
  std::optional<ExprType> type;
};

/// A tree that may run wherever the names have these types.
struct CheckedTree {
  NodePtr root;
  /// By slot.
  std::vector<CheckedName> names;
  int variables = 0;
};

/// Annotates the tree with natures and slots. Errors: parse, with snippet.
Result<CheckedTree> check_tree(std::string_view source, NodePtr root,
                               const ExprEnvironment& environment);

}  // namespace tiphys::lang

#pragma once
/// Rewrites of a checked tree. They are visible: some skip what would fail, some fail earlier, so
/// they are the same ones as upstream's, in the same order. Private to the module.

#include "lang/expr/node.h"

namespace tiphys::lang {

/// Errors: parse, with snippet ("integer divide by zero").
Result<> optimize(std::string_view source, NodePtr& root);

/// One pass over constants; true when something changed. Errors as above.
Result<bool> fold_constants(std::string_view source, NodePtr& root);

/// Puts `next` where `node` was: it takes over the place, the nature stays its own.
void replace_node(NodePtr& node, NodePtr next);
/// The same, and it takes over the nature too.
void replace_keeping_nature(NodePtr& node, NodePtr next);
NodePtr boolean_node(bool value);
NodePtr integer_node(std::int64_t value);

/// Calls `visit` for every node below and then for `node` itself.
template <class Visit>
void walk(NodePtr& node, const Visit& visit) {
  if (!node) {
    return;
  }
  for (NodePtr& kid : node->kids) {
    walk(kid, visit);
  }
  visit(node);
}

}  // namespace tiphys::lang

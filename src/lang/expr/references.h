#pragma once
/// What an expression reads. Private to the module.

#include "lang/expr/expr.h"
#include "lang/expr/node.h"

namespace tiphys::lang {

std::vector<ExprReference> references_of(const Node& root);

}  // namespace tiphys::lang

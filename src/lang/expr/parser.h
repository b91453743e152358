#pragma once
/// Text to tree. Private to the module.

#include "lang/expr/node.h"

#include <functional>
#include <set>

namespace tiphys::lang {

/// Names of the environment hide functions of the language with the same name; they are then parsed
/// as ordinary calls.
using HiddenNames = std::set<std::string, std::less<>>;

/// Errors: parse, with snippet.
Result<NodePtr> parse_expression(std::string_view source, const HiddenNames& hidden = {});

}  // namespace tiphys::lang

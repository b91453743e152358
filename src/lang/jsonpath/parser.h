#pragma once
/// From a template's text to its nodes. Private to the module.

#include "base/error.h"
#include "lang/jsonpath/node.h"

#include <string_view>

namespace tiphys::lang {

/// The list of a template's texts and actions (each a list). Errors: invalid.
Result<JsonPathNode> parse_json_path(std::string_view text);

/// Resolves the escapes of a literal in double or single quotes as Go does, in both kinds of
/// quotes. Error: `invalid syntax`.
Result<std::string> unquote_json_path(std::string_view quoted);

}  // namespace tiphys::lang

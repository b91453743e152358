#pragma once
/// --node-field-selector on the nodes of a status document: `displayName=a,phase!=Failed`
/// (reference, workflows 2.16).

#include "base/error.h"
#include "doc/json.h"

#include <functional>
#include <string>
#include <string_view>

namespace tiphys::cli {

/// Error invalid for a part without an operator or an unknown field.
Result<std::function<bool(const doc::Value& node)>> parse_node_selector(std::string_view selector);

}  // namespace tiphys::cli

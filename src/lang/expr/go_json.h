#pragma once
/// Reading of JSON text with the errors of Go's encoding/json. Private to the module.

#include "lang/expr/value.h"

namespace tiphys::lang {

/// As json.Unmarshal into an interface{}: numbers are float64. At most 500 levels deep. Errors:
/// invalid.
Result<ExprValue> parse_go_json(std::string_view text);

}  // namespace tiphys::lang

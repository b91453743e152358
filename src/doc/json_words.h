#pragma once
/// What JSON values are called in messages for users. Private to this module.

#include "doc/json.h"

#include <string_view>

namespace tiphys::doc {

/// "a string", "a list", "null" ...
std::string_view words_for(const Value& value);

}  // namespace tiphys::doc

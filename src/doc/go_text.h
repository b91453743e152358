#pragma once
/// Values as Go's fmt and strconv print them, for texts that users compare with those of Go
/// programs and for orders that are defined by such texts.

#include "doc/json.h"

#include <string>

namespace tiphys::doc {

/// A number as strconv.FormatFloat(number, 'g', -1, bits) prints it; `bits` is 32 or 64.
std::string go_general_number(double number, int bits);

/// A document as fmt prints it with %v: "map[a:1 b:[x y]]", strings bare, null "<nil>".
std::string go_text(const Value& value);

}  // namespace tiphys::doc

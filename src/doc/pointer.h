#pragma once
/// JSON pointers (RFC 6901): "/spec/templates/0/name", "~1" for a slash and "~0" for a tilde in a
/// key.

#include "base/error.h"
#include "doc/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::doc {

/// The keys and indexes of a pointer, unescaped. Errors: parse, when it is not empty and does not
/// start with a slash, or a tilde is followed by neither 0 nor 1.
Result<std::vector<std::string>> parse_pointer(std::string_view pointer);

/// One key or index as a pointer writes it.
std::string escape_pointer_token(std::string_view token);

/// The value that a pointer names, or null when there is none or the pointer is malformed. List
/// indexes have no leading zeros; "-" names nothing.
const Value* at_pointer(const Value& document, std::string_view pointer);

}  // namespace tiphys::doc

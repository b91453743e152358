#pragma once
/// From a program's text to its syntax. Private to the module.

#include "base/error.h"
#include "lang/jq/syntax.h"

#include <string_view>

namespace tiphys::lang::jq {

/// A whole program: imports, definitions and at most one filter. Errors: invalid, gojq's texts;
/// also for programs that are nested too deeply.
Result<SyntaxPointer> parse_program(std::string_view source);

}  // namespace tiphys::lang::jq

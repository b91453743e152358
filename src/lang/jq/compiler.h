#pragma once
/// From syntax to a program. Private to the module.

#include "base/error.h"
#include "lang/jq/program.h"
#include "lang/jq/syntax.h"

namespace tiphys::lang::jq {

/// Errors: invalid, gojq's texts, such as "function not defined: f/1".
Result<Program> compile_program(const Syntax& syntax);

}  // namespace tiphys::lang::jq

#pragma once
/// Regular expressions of Go's package regexp. Private to the module.

#include "base/error.h"

#include <re2/re2.h>

#include <memory>

namespace tiphys::lang {

/// Errors (invalid) carry Go's text: "error parsing regexp: missing closing ): `(`".
Result<std::shared_ptr<const RE2>> compile_regex(std::string_view pattern);

}  // namespace tiphys::lang

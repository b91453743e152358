#pragma once
/// Go's fmt.Sprintf with exactly one argument, an int: what withSequence's `format` means. Wrong
/// formats give Go's marks instead of errors: "%!d(MISSING)", "%!(EXTRA int=0)", "%!(NOVERB)".

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::lang {

/// Errors: invalid, when width or precision would make the text longer than a million characters
/// several times over.
Result<std::string> go_format_int(std::string_view format, std::int64_t value);

}  // namespace tiphys::lang

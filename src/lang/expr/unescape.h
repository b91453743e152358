#pragma once
/// What quoted literals mean. Private to the module.

#include "base/error.h"

#include <string>
#include <string_view>

namespace tiphys::lang {

/// `literal` with its quotes; line ends become \n. Codes are characters.
Result<std::string> unescape_text(std::string_view literal);
/// The same for b'...': \x and octal codes are bytes, \u does not exist.
Result<std::string> unescape_bytes(std::string_view literal);

}  // namespace tiphys::lang

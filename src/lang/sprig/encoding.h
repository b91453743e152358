#pragma once
/// Encodings of bytes as text. Private to the module.

#include "base/error.h"

#include <string>
#include <string_view>

namespace tiphys::lang::sprig {

/// RFC 4648 with padding.
std::string base32_encode(std::string_view bytes);
/// Line breaks are skipped. Error: `illegal base32 data at input byte N`, N as Go counts it.
Result<std::string> base32_decode(std::string_view text);
/// Lower case.
std::string hex_encode(std::string_view bytes);

}  // namespace tiphys::lang::sprig

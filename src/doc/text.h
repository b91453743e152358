#pragma once
/// Bytes and characters: UTF-8 and base64 as Go's standard library treats them.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tiphys::doc {

/// Length in bytes of the UTF-8 character at the start of `text` (not empty), 0 when it is none.
std::size_t utf8_length(std::string_view text);

/// Replaces each byte that is no UTF-8 by U+FFFD, as Go's JSON writer does.
std::string with_valid_utf8(std::string_view text);

/// Standard base64 with padding; line breaks are skipped. Nothing when `text` is something else.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace tiphys::doc

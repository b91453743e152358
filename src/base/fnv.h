#pragma once
/// FNV hashes with the constants of Go's hash/fnv; Argo derives node ids and pod names from the
/// 32-bit variant.

#include <cstdint>
#include <string_view>

namespace tiphys {

/// FNV-1a, 32 bit, of the bytes.
std::uint32_t fnv1a_32(std::string_view bytes);
/// FNV-1 (multiply first), 32 bit, of the bytes.
std::uint32_t fnv1_32(std::string_view bytes);

}  // namespace tiphys

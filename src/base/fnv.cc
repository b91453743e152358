#include "base/fnv.h"

namespace tiphys {
namespace {
constexpr std::uint32_t kOffset = 2166136261U;
constexpr std::uint32_t kPrime = 16777619U;
}  // namespace

std::uint32_t fnv1a_32(std::string_view bytes) {
  std::uint32_t hash = kOffset;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * kPrime;
  }
  return hash;
}

std::uint32_t fnv1_32(std::string_view bytes) {
  std::uint32_t hash = kOffset;
  for (const char byte : bytes) {
    hash = (hash * kPrime) ^ static_cast<unsigned char>(byte);
  }
  return hash;
}

}  // namespace tiphys

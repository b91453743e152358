#include "kube/names.h"

#include <algorithm>

namespace tiphys::kube {
namespace {

constexpr std::size_t kRandomLength = 5;
constexpr std::size_t kMaximumBase = 63 - kRandomLength;
/// apimachinery util/rand: no vowels, no digits that look like them.
constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";

constexpr std::size_t kLongestSubdomain = 253;
constexpr std::size_t kLongestLabel = 63;

bool is_lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// Lower-case letters, digits and dashes, none of the dashes at an end.
bool is_part(std::string_view text) {
  return !text.empty() && is_lower_alphanumeric(text.front()) &&
         is_lower_alphanumeric(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_lower_alphanumeric(c) || c == '-'; });
}

}  // namespace

std::string new_uid(async::Random& random) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::uint64_t high = (random.next() & ~0xF000ULL) | 0x4000ULL;
  const std::uint64_t low = (random.next() & ~(0xC0ULL << 56U)) | (0x80ULL << 56U);
  std::string uid;
  uid.reserve(36);
  for (unsigned digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) {
      uid += '-';
    }
    const std::uint64_t half = digit < 16 ? high : low;
    uid += kHex[(half >> (60U - 4U * (digit % 16U))) & 0xFU];
  }
  return uid;
}

std::string generate_name(async::Random& random, std::string_view base) {
  std::string name(base.substr(0, kMaximumBase));
  for (std::size_t i = 0; i < kRandomLength; ++i) {
    name += kAlphabet[random.below(kAlphabet.size())];
  }
  return name;
}

bool is_dns_subdomain(std::string_view name) {
  if (name.size() > kLongestSubdomain) {
    return false;
  }
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    if (!is_part(name.substr(0, dot))) {
      return false;
    }
    name.remove_prefix(dot + 1);
  }
  return is_part(name);
}

bool is_dns_label(std::string_view name) { return name.size() <= kLongestLabel && is_part(name); }

}  // namespace tiphys::kube

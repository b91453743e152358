#include "lang/sprig/encoding.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

namespace tiphys::lang::sprig {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Characters that carry 0 to 5 bytes.
constexpr std::array<std::size_t, 6> kCharacters = {0, 2, 4, 5, 7, 8};

std::unexpected<Error> corrupt(std::size_t at) {
  return fail(ErrorCode::invalid, fmt::format("illegal base32 data at input byte {}", at));
}

void append_group(std::string& out, const std::array<std::uint8_t, 8>& group, std::size_t count) {
  std::uint64_t bits = 0;
  for (const std::uint8_t five : group) {
    bits = bits << 5U | five;
  }
  for (std::size_t byte = 0; byte < count * 5 / 8; ++byte) {
    out.push_back(static_cast<char>(bits >> (32 - 8 * byte) & 0xFFU));
  }
}

/// Where the padding behind `count` characters of the last group is wrong. `at` is the place behind
/// the first padding character.
Result<> check_padding(std::string_view text, std::size_t at, std::size_t count) {
  const std::size_t wanted = 7 - count;
  if (text.size() - at < wanted) {
    return corrupt(text.size());
  }
  for (std::size_t i = 0; i < wanted; ++i) {
    if (text[at + i] != '=') {
      return corrupt(at + i - 1);
    }
  }
  const bool possible = count == 2 || count == 4 || count == 5 || count == 7;
  return possible ? Result<>() : corrupt(at - 1);
}

}  // namespace

std::string base32_encode(std::string_view bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 5) {
    const std::string_view group = bytes.substr(at, 5);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      bits = bits << 8U | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    }
    for (std::size_t i = 0; i < 8; ++i) {
      const bool used = i < kCharacters[group.size()];
      out.push_back(used ? kAlphabet[bits >> (35 - 5 * i) & 31U] : '=');
    }
  }
  return out;
}

Result<std::string> base32_decode(std::string_view input) {
  std::string text;
  for (const char c : input) {
    if (c != '\r' && c != '\n') {
      text.push_back(c);
    }
  }
  std::string out;
  std::array<std::uint8_t, 8> group{};
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool last_group = text.size() - at - 1 < 8;
    if (text[at] == '=' && count >= 2 && last_group) {
      TRY_VOID(check_padding(text, at + 1, count));
      append_group(out, group, count);
      return out;
    }
    const std::size_t five = kAlphabet.find(text[at]);
    if (five == std::string_view::npos) {
      return corrupt(at);
    }
    group[count++] = static_cast<std::uint8_t>(five);
    if (count == group.size()) {
      append_group(out, group, count);
      group.fill(0);
      count = 0;
    }
  }
  // Go names the place where the unfinished group begins.
  return count == 0 ? Result<std::string>(std::move(out)) : corrupt(text.size() - count);
}

std::string hex_encode(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return out;
}

}  // namespace tiphys::lang::sprig

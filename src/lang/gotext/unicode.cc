#include "lang/gotext/case_tables.h"
#include "lang/gotext/gotext.h"

#include <re2/re2.h>

#include <algorithm>
#include <iterator>
#include <span>

namespace tiphys::lang {
namespace {

bool is_continuation(unsigned char byte) { return (byte & 0xC0U) == 0x80; }

/// Bytes of the sequence that starts with `lead`, 0 when nothing can start with it.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return 2;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    return 3;
  }
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

bool matches_class(const RE2& pattern, char32_t rune) {
  std::string text;
  append_rune(text, rune);
  return RE2::FullMatch(text, pattern);
}

char32_t map_case(std::span<const CaseRange> ranges, char32_t rune) {
  auto range = std::ranges::upper_bound(ranges, rune, {}, &CaseRange::first);
  while (range != ranges.begin()) {
    --range;
    if (rune <= range->last && (rune - range->first) % range->stride == 0) {
      return static_cast<char32_t>(static_cast<int>(rune) + range->delta);
    }
    if (range->last < rune && range->stride == 1) {
      break;
    }
  }
  return rune;
}

std::string map_text(std::string_view text, char32_t (*map)(char32_t)) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [rune, size] = first_rune(text);
    append_rune(out, map(rune));
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace

DecodedRune first_rune(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = sequence_length(lead);
  if (length == 1) {
    return {lead, 1};
  }
  if (length == 0 || text.size() < length) {
    return {kReplacementRune, 1};
  }
  char32_t rune = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!is_continuation(byte)) {
      return {kReplacementRune, 1};
    }
    rune = rune << 6U | (byte & 0x3FU);
  }
  const bool overlong = (length == 3 && rune < 0x800) || (length == 4 && rune < 0x10000);
  if (overlong || rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) {
    return {kReplacementRune, 1};
  }
  return {rune, length};
}

DecodedRune last_rune(std::string_view text) {
  const std::size_t end = text.size();
  for (std::size_t size = std::min<std::size_t>(4, end); size >= 1; --size) {
    const DecodedRune decoded = first_rune(text.substr(end - size));
    if (decoded.size == size) {
      return decoded;
    }
  }
  return end == 0 ? DecodedRune{} : DecodedRune{kReplacementRune, 1};
}

void append_rune(std::string& out, char32_t rune) {
  if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) {
    rune = kReplacementRune;
  }
  const auto push = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (rune < 0x80) {
    push(rune);
  } else if (rune < 0x800) {
    push(0xC0U | rune >> 6U);
    push(0x80U | (rune & 0x3FU));
  } else if (rune < 0x10000) {
    push(0xE0U | rune >> 12U);
    push(0x80U | (rune >> 6U & 0x3FU));
    push(0x80U | (rune & 0x3FU));
  } else {
    push(0xF0U | rune >> 18U);
    push(0x80U | (rune >> 12U & 0x3FU));
    push(0x80U | (rune >> 6U & 0x3FU));
    push(0x80U | (rune & 0x3FU));
  }
}

std::size_t rune_count(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) {
    text.remove_prefix(first_rune(text).size);
  }
  return count;
}

std::string valid_utf8(std::string_view text) {
  return map_text(text, [](char32_t rune) { return rune; });
}

bool is_letter(char32_t rune) {
  if (rune < 0x80) {
    return (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z');
  }
  static const RE2 pattern(R"(\pL)");
  return rune != kReplacementRune && matches_class(pattern, rune);
}

bool is_digit(char32_t rune) {
  if (rune < 0x80) {
    return rune >= '0' && rune <= '9';
  }
  static const RE2 pattern(R"(\p{Nd})");
  return rune != kReplacementRune && matches_class(pattern, rune);
}

bool is_space(char32_t rune) {
  switch (rune) {
    case ' ':
    case '\t':
    case '\n':
    case '\v':
    case '\f':
    case '\r':
    case 0x85:
    case 0xA0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
      return true;
    default:
      return rune >= 0x2000 && rune <= 0x200A;
  }
}

bool is_print(char32_t rune) {
  if (rune < 0x80) {
    return rune >= 0x20 && rune < 0x7F;
  }
  if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) {
    return false;
  }
  static const RE2 pattern(R"([\pL\pM\pN\pP\pS])");
  return matches_class(pattern, rune);
}

char32_t upper_rune(char32_t rune) {
  if (rune < 0x80) {
    return rune >= 'a' && rune <= 'z' ? rune - 32 : rune;
  }
  return map_case(kUpperRanges, rune);
}

char32_t lower_rune(char32_t rune) {
  if (rune < 0x80) {
    return rune >= 'A' && rune <= 'Z' ? rune + 32 : rune;
  }
  return map_case(kLowerRanges, rune);
}

std::string upper(std::string_view text) { return map_text(text, upper_rune); }

std::string lower(std::string_view text) { return map_text(text, lower_rune); }

std::string_view trim_space(std::string_view text) {
  while (!text.empty()) {
    const auto [rune, size] = first_rune(text);
    if (!is_space(rune)) {
      break;
    }
    text.remove_prefix(size);
  }
  while (!text.empty()) {
    const auto [rune, size] = last_rune(text);
    if (!is_space(rune)) {
      break;
    }
    text.remove_suffix(size);
  }
  return text;
}

}  // namespace tiphys::lang

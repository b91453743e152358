#include "cli/text/terminal_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tiphys::cli {
namespace {

struct Character {
  char32_t code = 0;  ///< 0 for what is not UTF-8
  std::size_t bytes = 1;
};

Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return {lead, 1};
  }
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || bytes > text.size()) {
    return {};
  }
  char32_t code = lead & (0x7FU >> bytes);
  for (std::size_t at = 1; at < bytes; ++at) {
    if ((byte(at) & 0xC0U) != 0x80U) {
      return {};
    }
    code = (code << 6U) | (byte(at) & 0x3FU);
  }
  return {code, bytes};
}

/// Length of a colour sequence at the beginning of the text, 0 when there is none.
std::size_t color_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) {
    return 0;
  }
  const std::size_t end = text.find_first_not_of("0123456789;", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

std::size_t width_of(char32_t code) {
  struct Range {
    char32_t first, last;
  };

  static constexpr std::array<Range, 10> kWide = {{{0x1100, 0x115F},
                                                   {0x2E80, 0x303E},
                                                   {0x3041, 0xA4CF},
                                                   {0xAC00, 0xD7A3},
                                                   {0xF900, 0xFAFF},
                                                   {0xFE30, 0xFE6F},
                                                   {0xFF00, 0xFF60},
                                                   {0xFFE0, 0xFFE6},
                                                   {0x1F300, 0x1FAFF},
                                                   {0x20000, 0x3FFFD}}};
  if ((code >= 0x300 && code <= 0x36F) || (code >= 0xFE00 && code <= 0xFE0F)) {
    return 0;
  }
  const auto holds = [&](const Range& range) { return code >= range.first && code <= range.last; };
  return std::ranges::any_of(kWide, holds) ? 2 : 1;
}

}  // namespace

std::string printable_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character character = first_character(text.substr(at));
    if (character.bytes == 1 && character.code == 0 && text[at] != '\0') {
      out += '?';
    } else if (!is_control(character.code)) {
      out += text.substr(at, character.bytes);
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
    at += character.bytes;
  }
  while (out.ends_with(' ')) {
    out.pop_back();
  }
  return out;
}

std::size_t column_count(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t color = color_length(text.substr(at)); color > 0) {
      at += color;
      continue;
    }
    const Character character = first_character(text.substr(at));
    columns += width_of(character.code);
    at += character.bytes;
  }
  return columns;
}

std::string fit_columns(std::string_view text, std::size_t columns, bool utf8) {
  if (text.size() <= columns || column_count(text) <= columns) {
    return std::string(text);
  }
  const std::string_view ellipsis = utf8 ? "…" : ".";
  std::string out;
  std::size_t used = 0;
  bool colored = false;
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t color = color_length(text.substr(at)); color > 0) {
      colored = true;
      out += text.substr(at, color);
      at += color;
      continue;
    }
    const Character character = first_character(text.substr(at));
    const std::size_t width = width_of(character.code);
    if (used + width + 1 > columns) {
      break;
    }
    out += text.substr(at, character.bytes);
    used += width;
    at += character.bytes;
  }
  if (columns > 0) {
    out += ellipsis;
  }
  return out + (colored ? "\x1b[0m" : "");
}

}  // namespace tiphys::cli

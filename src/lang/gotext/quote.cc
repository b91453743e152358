#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <array>

namespace tiphys::lang {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void append_escaped(std::string& out, char32_t rune) {
  switch (rune) {
    case '\a':
      out += R"(\a)";
      return;
    case '\b':
      out += R"(\b)";
      return;
    case '\f':
      out += R"(\f)";
      return;
    case '\n':
      out += R"(\n)";
      return;
    case '\r':
      out += R"(\r)";
      return;
    case '\t':
      out += R"(\t)";
      return;
    case '\v':
      out += R"(\v)";
      return;
    default:
      break;
  }
  const auto code = static_cast<std::uint32_t>(rune);
  if (rune < ' ' || rune == 0x7F) {
    out += fmt::format("\\x{:02x}", code);
  } else if (rune < 0x10000) {
    out += fmt::format("\\u{:04x}", code);
  } else {
    out += fmt::format("\\U{:08x}", code);
  }
}

int base64_value(char c) {
  const std::size_t at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::string quote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto [rune, size] = first_rune(text);
    if (rune == kReplacementRune && size == 1) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (rune == '"' || rune == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(rune));
    } else if (is_print(rune)) {
      out += text.substr(0, size);
    } else {
      append_escaped(out, rune);
    }
    text.remove_prefix(size);
  }
  out.push_back('"');
  return out;
}

std::string rune_name(char32_t rune) {
  std::string out = fmt::format("U+{:04X}", static_cast<std::uint32_t>(rune));
  if (is_print(rune)) {
    out += " '";
    append_rune(out, rune);
    out += "'";
  }
  return out;
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      const bool padding = i + k > bytes.size();
      out.push_back(padding ? '=' : kAlphabet[group >> (18U - 6U * k) & 0x3FU]);
    }
  }
  return out;
}

Result<std::string> base64_decode(std::string_view text) {
  const auto illegal = [](std::size_t at) {
    return fail(ErrorCode::invalid, fmt::format("illegal base64 data at input byte {}", at));
  };
  std::string out;
  std::array<std::uint32_t, 4> group{};
  std::size_t filled = 0;
  std::size_t i = 0;
  const auto skip_breaks = [&] {
    while (i < text.size() && (text[i] == '\n' || text[i] == '\r')) {
      ++i;
    }
  };
  for (skip_breaks(); i < text.size(); skip_breaks()) {
    const char c = text[i++];
    if (c == '=') {
      if (filled < 2) {
        return illegal(i - 1);
      }
      if (filled == 2) {
        skip_breaks();
        if (i >= text.size()) {
          return illegal(text.size());
        }
        if (text[i] != '=') {
          return illegal(i);
        }
        ++i;
      }
      skip_breaks();
      if (i < text.size()) {
        return illegal(i);
      }
      out.push_back(static_cast<char>(group[0] << 2U | group[1] >> 4U));
      if (filled == 3) {
        out.push_back(static_cast<char>((group[1] << 4U | group[2] >> 2U) & 0xFFU));
      }
      return out;
    }
    const int value = base64_value(c);
    if (value < 0) {
      return illegal(i - 1);
    }
    group[filled++] = static_cast<std::uint32_t>(value);
    if (filled == 4) {
      const std::uint32_t bits = group[0] << 18U | group[1] << 12U | group[2] << 6U | group[3];
      out.push_back(static_cast<char>(bits >> 16U & 0xFFU));
      out.push_back(static_cast<char>(bits >> 8U & 0xFFU));
      out.push_back(static_cast<char>(bits & 0xFFU));
      filled = 0;
    }
  }
  // The text ends inside a group: Go names the start of that group.
  return filled == 0 ? Result<std::string>(out) : illegal(i - filled);
}

}  // namespace tiphys::lang

#include "lang/tags/escape.h"

#include "lang/gotext/gotext.h"

#include <fmt/format.h>

namespace tiphys::lang {
namespace {

bool is_plain(char byte) { return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\'; }

JsonSafety append_control(std::string& out, unsigned char byte) {
  constexpr std::string_view kLetters = "abtnvfr";
  if (byte < '\a' || byte > '\r') {
    out += fmt::format("\\x{:02x}", byte);
    return JsonSafety::unsafe;
  }
  const char letter = kLetters[static_cast<std::size_t>(byte - '\a')];
  out += '\\';
  out += letter;
  return letter == 'a' || letter == 'v' ? JsonSafety::unsafe : JsonSafety::safe;
}

JsonSafety append_rune_escaped(std::string& out, std::string_view bytes, char32_t rune) {
  if (rune == kReplacementRune && bytes.size() == 1) {
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes.front()));
    return JsonSafety::unsafe;
  }
  if (is_print(rune)) {
    out += bytes;
    return JsonSafety::safe;
  }
  const auto point = static_cast<std::uint32_t>(rune);
  if (point < 0x10000) {
    out += fmt::format("\\u{:04x}", point);
    return JsonSafety::safe;
  }
  out += fmt::format("\\U{:08x}", point);
  return JsonSafety::unsafe;
}

}  // namespace

JsonSafety append_go_escaped(std::string& out, std::string_view text) {
  JsonSafety safety = JsonSafety::safe;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t plain = at;
    while (plain < text.size() && is_plain(text[plain])) {
      ++plain;
    }
    out.append(text, at, plain - at);
    at = plain;
    if (at == text.size()) {
      break;
    }
    JsonSafety one = JsonSafety::safe;
    const auto byte = static_cast<unsigned char>(text[at]);
    std::size_t size = 1;
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[at];
    } else if (byte < 0x80) {
      one = append_control(out, byte);
    } else {
      const DecodedRune rune = first_rune(text.substr(at));
      size = rune.size;
      one = append_rune_escaped(out, text.substr(at, size), rune.rune);
    }
    at += size;
    if (one == JsonSafety::unsafe) {
      safety = one;
    }
  }
  return safety;
}

}  // namespace tiphys::lang

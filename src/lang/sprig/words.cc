/// Functions on the words of a text: case, initials, wrapping.
#include "lang/gotext/gotext.h"
#include "lang/sprig/functions.h"
#include "lang/sprig/runes.h"

#include <algorithm>

namespace tiphys::lang::sprig {
namespace {

template <class Map>
std::string mapped(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [rune, size] = first_rune(text);
    append_rune(out, map(rune));
    text.remove_prefix(size);
  }
  return out;
}

bool separates_words(char32_t rune) {
  if (rune < 0x80) {
    return !is_letter(rune) && !is_digit(rune) && rune != U'_';
  }
  return !is_letter(rune) && !is_digit(rune) && is_space(rune);
}

Answer title(const Call& call) {
  bool at_start = true;
  return text_answer(call, mapped(call.text(0), [&](char32_t rune) {
                       const char32_t out = at_start ? title_rune(rune) : rune;
                       at_start = separates_words(rune);
                       return out;
                     }));
}

Answer untitle(const Call& call) {
  bool at_start = true;
  return text_answer(call, mapped(call.text(0), [&](char32_t rune) {
                       if (is_space(rune)) {
                         at_start = true;
                         return rune;
                       }
                       const char32_t out = at_start ? lower_rune(rune) : rune;
                       at_start = false;
                       return out;
                     }));
}

/// A lower-case letter behind a blank gets its title form, which differs for a few letters.
Answer swapcase(const Call& call) {
  bool behind_space = true;
  return text_answer(call, mapped(call.text(0), [&](char32_t rune) {
                       if (is_upper(rune) || is_title(rune)) {
                         behind_space = false;
                         return lower_rune(rune);
                       }
                       if (is_lower(rune)) {
                         const char32_t out = behind_space ? title_rune(rune) : upper_rune(rune);
                         behind_space = false;
                         return out;
                       }
                       behind_space = is_space(rune);
                       return rune;
                     }));
}

/// The library takes every byte for a character here, so that text beyond ASCII comes out garbled.
char32_t byte_rune(char byte) { return static_cast<unsigned char>(byte); }

Answer nospace(const Call& call) {
  std::string out;
  bool found = false;
  for (const char byte : call.text(0)) {
    if (is_space(byte_rune(byte))) {
      found = true;
    } else {
      append_rune(out, byte_rune(byte));
    }
  }
  return found ? text_answer(call, std::move(out)) : Answer(call[0]);
}

Answer initials(const Call& call) {
  std::string out;
  bool behind_space = true;
  for (const char byte : call.text(0)) {
    const bool space = is_space(byte_rune(byte));
    if (!space && behind_space) {
      append_rune(out, byte_rune(byte));
    }
    behind_space = space;
  }
  return text_answer(call, std::move(out));
}

enum class LongWords { keep, cut };

/// Lines of at most `width` bytes, broken at blanks; blanks at the start of a line go.
Answer wrapped(const Call& call, std::string_view text, std::int64_t wanted,
               std::string_view new_line, LongWords long_words) {
  const auto width = static_cast<std::size_t>(std::max<std::int64_t>(wanted, 1));
  std::string out;
  std::size_t at = 0;
  const auto line = [&](std::size_t end, std::size_t next) -> Result<> {
    TRY_VOID(call.run.charge_text(end - at + new_line.size()));
    out += text.substr(at, end - at);
    out += new_line;
    at = next;
    return {};
  };
  while (text.size() - at > width) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    const std::size_t space = text.substr(at, width + 1).rfind(' ');
    if (space != std::string_view::npos) {
      TRY_VOID(line(at + space, at + space + 1));
    } else if (long_words == LongWords::cut) {
      TRY_VOID(line(at + width, at + width));
    } else if (const std::size_t end = text.find(' ', at + width); end != std::string_view::npos) {
      TRY_VOID(line(end, end + 1));
    } else {
      break;
    }
  }
  TRY_VOID(call.run.charge_text(text.size() - at));
  out += text.substr(at);
  return ExprValue::string(std::move(out));
}

Answer wrap(const Call& call) {
  return wrapped(call, call.text(1), call.integer(0), "\n", LongWords::keep);
}

Answer wrap_with(const Call& call) {
  const std::string_view separator = call.text(1);
  return wrapped(call, call.text(2), call.integer(0), separator.empty() ? "\n" : separator,
                 LongWords::cut);
}

Answer shuffle(const Call& call) {
  std::vector<char32_t> runes;
  for (std::string_view text = call.text(0); !text.empty();) {
    const auto [rune, size] = first_rune(text);
    runes.push_back(rune);
    text.remove_prefix(size);
  }
  TRY_VOID(call.run.step(runes.size()));
  for (std::size_t i = runes.size(); i > 1; --i) {
    TRY(const std::uint64_t other, random_below(call, i));
    std::swap(runes[i - 1], runes[other]);
  }
  std::string out;
  for (const char32_t rune : runes) {
    append_rune(out, rune);
  }
  return text_answer(call, std::move(out));
}

constexpr Function kFunctions[] = {
    {"title", "func(string) string", title},
    {"untitle", "func(string) string", untitle},
    {"swapcase", "func(string) string", swapcase},
    {"nospace", "func(string) string", nospace},
    {"initials", "func(string) string", initials},
    {"wrap", "func(int, string) string", wrap},
    {"wrapWith", "func(int, string, string) string", wrap_with},
    {"shuffle", "func(string) string", shuffle},
    {"snakecase", "func(string) string",
     [](const Call& call) { return text_answer(call, joined_words(call.text(0), '_')); }},
    {"kebabcase", "func(string) string",
     [](const Call& call) { return text_answer(call, joined_words(call.text(0), '-')); }},
    {"camelcase", "func(string) string",
     [](const Call& call) { return text_answer(call, pascal_case(call.text(0))); }},
};

}  // namespace

std::span<const Function> word_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig

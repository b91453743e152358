/// Regular expressions with the iteration rules of Go's package regexp.
#include "lang/expr/parts.h"
#include "lang/goregex/goregex.h"
#include "lang/gotext/gotext.h"
#include "lang/sprig/functions.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::lang::sprig {
namespace {

using Pattern = std::shared_ptr<const RE2>;
using Groups = std::vector<re2::StringPiece>;

enum class Must { no, yes };

/// Go writes a pattern in backquotes where that is possible.
std::string quote_pattern(std::string_view pattern) {
  bool plain = true;
  for (std::string_view rest = pattern; !rest.empty();) {
    const auto [rune, size] = first_rune(rest);
    const bool broken = rune == kReplacementRune && size == 1;
    const bool control = (rune < 0x20 && rune != U'\t') || rune == 0x7F;
    plain = plain && !broken && !control && rune != U'`' && rune != 0xFEFF;
    rest.remove_prefix(size);
  }
  return plain ? fmt::format("`{}`", pattern) : quote(pattern);
}

/// Without `must` upstream panics with the pattern in front.
Result<Pattern> compile(const Call& call, Must must) {
  constexpr std::size_t kCompileSteps = 500;
  TRY_VOID(call.run.step(kCompileSteps + call.text(1).size() / 8));
  auto pattern = compile_regex(call.text(0));
  if (!pattern && must == Must::no) {
    return failure(fmt::format("regexp: Compile({}): {}", quote_pattern(call.text(0)),
                               pattern.error().message));
  }
  return pattern;
}

/// A match may look at the whole rest of the text before it is found.
Result<> charge_match(const Call& call, std::size_t rest) { return call.run.step(1 + rest / 1024); }

bool match_at(const RE2& pattern, std::string_view text, std::size_t at, Groups& groups) {
  return pattern.Match({text.data(), text.size()}, at, text.size(), RE2::UNANCHORED, groups.data(),
                       static_cast<int>(groups.size()));
}

struct Found {
  std::size_t begin = 0;
  std::size_t end = 0;
};

Found place_of(std::string_view text, const re2::StringPiece& piece) {
  const auto begin = static_cast<std::size_t>(piece.data() - text.data());
  return {begin, begin + piece.size()};
}

Result<std::vector<Found>> find_all(const Call& call, const RE2& pattern, std::string_view text,
                                    std::int64_t limit) {
  std::vector<Found> out;
  RegexMatches matches(pattern, text, 1);
  const auto full = [&] { return limit >= 0 && std::cmp_greater_equal(out.size(), limit); };
  while (!full() && matches.next()) {
    const auto found = *matches.span(0);
    TRY_VOID(charge_match(call, text.size() - found.begin));
    TRY_VOID(call.run.charge(1));
    out.push_back({found.begin, found.end});
  }
  return out;
}

Answer match(const Call& call, Must must) {
  const auto pattern = compile(call, Must::yes);
  if (!pattern) {
    return must == Must::yes ? Answer(std::unexpected(pattern.error())) : ExprValue::boolean(false);
  }
  Groups none;
  return ExprValue::boolean(match_at(**pattern, call.text(1), 0, none));
}

Answer find(const Call& call, Must must) {
  TRY(const Pattern pattern, compile(call, must));
  Groups groups(1);
  const bool found = match_at(*pattern, call.text(1), 0, groups);
  return text_answer(call, found ? groups[0].as_string() : std::string());
}

Answer find_all_texts(const Call& call, Must must) {
  TRY(const Pattern pattern, compile(call, must));
  const std::string_view text = call.text(1);
  TRY(const auto places, find_all(call, *pattern, text, call.integer(2)));
  std::vector<std::string> out;
  for (const Found& found : places) {
    out.emplace_back(text.substr(found.begin, found.end - found.begin));
  }
  return out.empty() ? nil_list(ExprKind::string) : list_answer(call, std::move(out));
}

Answer split(const Call& call, Must must) {
  TRY(const Pattern pattern, compile(call, must));
  const std::string_view text = call.text(1);
  const std::int64_t limit = call.integer(2);
  if (limit == 0) {
    return nil_list(ExprKind::string);
  }
  if (!pattern->pattern().empty() && text.empty()) {
    return list_answer(call, std::vector<std::string>{""});
  }
  TRY(const auto places, find_all(call, *pattern, text, limit));
  std::vector<std::string> out;
  std::size_t begin = 0;
  std::size_t end = 0;
  for (const Found& found : places) {
    if (limit > 0 && std::cmp_equal(out.size() + 1, limit)) {
      break;
    }
    end = found.begin;
    if (found.end != 0) {
      out.emplace_back(text.substr(begin, end - begin));
    }
    begin = found.end;
  }
  if (end != text.size()) {
    out.emplace_back(text.substr(begin));
  }
  return out.empty() ? nil_list(ExprKind::string) : list_answer(call, std::move(out));
}

/// A piece of a replacement: text, or the number of a group (-1 for one that does not exist).
struct TemplatePart {
  std::string text;
  std::optional<int> group;
};

bool names_group(char32_t rune) { return is_letter(rune) || is_digit(rune) || rune == U'_'; }

int group_number(const RE2& pattern, std::string_view name) {
  const bool digits = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
  if (digits && name.size() < 10 && (name.size() == 1 || name[0] != '0')) {
    const int number = std::stoi(std::string(name));
    return number <= pattern.NumberOfCapturingGroups() ? number : -1;
  }
  const auto& names = pattern.NamedCapturingGroups();
  const auto known = names.find(std::string(name));
  return known == names.end() ? -1 : known->second;
}

/// The name behind a dollar, taken from `rest`: "name" or "{name}"; nothing when there is none.
std::optional<std::string_view> take_group_name(std::string_view& rest) {
  const bool brace = rest.starts_with('{');
  const std::string_view inner = rest.substr(brace ? 1 : 0);
  std::size_t size = 0;
  while (size < inner.size()) {
    const auto rune = first_rune(inner.substr(size));
    if (!names_group(rune.rune)) {
      break;
    }
    size += rune.size;
  }
  if (size == 0 || (brace && !inner.substr(size).starts_with('}'))) {
    return std::nullopt;
  }
  rest = inner.substr(size + (brace ? 1 : 0));
  return inner.substr(0, size);
}

std::vector<TemplatePart> parse_template(const RE2& pattern, std::string_view rest) {
  std::vector<TemplatePart> parts;
  std::string text;
  for (std::size_t dollar = rest.find('$'); dollar != std::string_view::npos;
       dollar = rest.find('$')) {
    text += rest.substr(0, dollar);
    rest.remove_prefix(dollar + 1);
    if (rest.starts_with('$')) {
      text += '$';
      rest.remove_prefix(1);
    } else if (const auto name = take_group_name(rest)) {
      parts.push_back({std::exchange(text, {}), group_number(pattern, *name)});
    } else {
      text += '$';
    }
  }
  text += rest;
  parts.push_back({std::move(text), std::nullopt});
  return parts;
}

/// Where the search goes on behind a match: at least one character further.
std::size_t next_place(std::string_view text, std::size_t at, std::size_t match_end) {
  const std::size_t width = first_rune(text.substr(at)).size;
  if (at + width > match_end) {
    return at + width;
  }
  return at + 1 > match_end ? at + 1 : match_end;
}

Answer replaced(const Call& call, const RE2& pattern, const std::vector<TemplatePart>& parts) {
  const std::string_view text = call.text(1);
  Groups groups(static_cast<std::size_t>(pattern.NumberOfCapturingGroups()) + 1);
  std::string out;
  std::size_t done = 0;
  const auto put = [&](std::string_view piece) -> Result<> {
    TRY_VOID(call.run.charge_text(piece.size()));
    out += piece;
    return {};
  };
  for (std::size_t at = 0; at <= text.size() && match_at(pattern, text, at, groups);) {
    TRY_VOID(charge_match(call, text.size() - at));
    const Found found = place_of(text, groups[0]);
    TRY_VOID(put(text.substr(done, found.begin - done)));
    if (found.end > done || found.begin == 0) {
      for (const TemplatePart& part : parts) {
        TRY_VOID(put(part.text));
        const int group = part.group.value_or(-1);
        if (group >= 0 && groups[static_cast<std::size_t>(group)].data() != nullptr) {
          const re2::StringPiece& piece = groups[static_cast<std::size_t>(group)];
          TRY_VOID(put({piece.data(), piece.size()}));
        }
      }
    }
    done = found.end;
    at = next_place(text, at, found.end);
  }
  TRY_VOID(put(text.substr(done)));
  return ExprValue::string(std::move(out));
}

Answer replace_all(const Call& call, Must must) {
  TRY(const Pattern pattern, compile(call, must));
  return replaced(call, *pattern, parse_template(*pattern, call.text(2)));
}

Answer replace_all_literal(const Call& call, Must must) {
  TRY(const Pattern pattern, compile(call, must));
  return replaced(call, *pattern, {{std::string(call.text(2)), std::nullopt}});
}

Answer quote_meta(const Call& call) {
  constexpr std::string_view kSpecial = "\\.+*?()|[]{}^$";
  std::string out;
  for (const char c : call.text(0)) {
    if (kSpecial.find(c) != std::string_view::npos) {
      out.push_back('\\');
    }
    out.push_back(c);
  }
  return text_answer(call, std::move(out));
}

template <Answer (*function)(const Call&, Must), Must must>
Answer with(const Call& call) {
  return function(call, must);
}

constexpr std::string_view kReplace = "func(string, string, string) string";
constexpr std::string_view kMustReplace = "func(string, string, string) (string, error)";
constexpr std::string_view kTexts = "func(string, string, int) []string";
constexpr std::string_view kMustTexts = "func(string, string, int) ([]string, error)";

constexpr Function kFunctions[] = {
    {"regexMatch", "func(string, string) bool", with<match, Must::no>},
    {"mustRegexMatch", "func(string, string) (bool, error)", with<match, Must::yes>},
    {"regexFindAll", kTexts, with<find_all_texts, Must::no>},
    {"mustRegexFindAll", kMustTexts, with<find_all_texts, Must::yes>},
    {"regexFind", "func(string, string) string", with<find, Must::no>},
    {"mustRegexFind", "func(string, string) (string, error)", with<find, Must::yes>},
    {"regexReplaceAll", kReplace, with<replace_all, Must::no>},
    {"mustRegexReplaceAll", kMustReplace, with<replace_all, Must::yes>},
    {"regexReplaceAllLiteral", kReplace, with<replace_all_literal, Must::no>},
    {"mustRegexReplaceAllLiteral", kMustReplace, with<replace_all_literal, Must::yes>},
    {"regexSplit", kTexts, with<split, Must::no>},
    {"mustRegexSplit", kMustTexts, with<split, Must::yes>},
    {"regexQuoteMeta", "func(string) string", quote_meta},
};

}  // namespace

std::span<const Function> regex_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig

/// Functions on texts.
#include "lang/expr/builtins.h"
#include "lang/expr/operators.h"
#include "lang/expr/parts.h"
#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::lang {
namespace {

using Body = Result<ExprValue>;

ExprType signature(std::vector<ExprType> parameters, ExprType result) {
  return ExprType::function(std::move(parameters), false, {std::move(result)});
}

Body made_text(ExprRun& run, std::string text) {
  TRY_VOID(run.charge_text(text.size()));
  return ExprValue::string(std::move(text));
}

/// Where the characters of `set` end at the front and begin at the back.
std::string_view trim_set(std::string_view text, std::string_view set) {
  const auto in_set = [set](char32_t rune) {
    for (std::string_view rest = set; !rest.empty();) {
      const auto [member, size] = first_rune(rest);
      if (member == rune) {
        return true;
      }
      rest.remove_prefix(size);
    }
    return false;
  };
  while (!text.empty() && in_set(first_rune(text).rune)) {
    text.remove_prefix(first_rune(text).size);
  }
  while (!text.empty() && in_set(last_rune(text).rune)) {
    text.remove_suffix(last_rune(text).size);
  }
  return text;
}

Body trim(ExprRun& run, ExprArguments arguments) {
  TRY(const std::string_view text, text_argument(arguments[0]));
  if (arguments.size() == 1) {
    return made_text(run, std::string(trim_space(text)));
  }
  TRY(const std::string_view set, text_argument(arguments[1]));
  TRY_VOID(run.step(text.size() / 16 * (set.size() / 16 + 1)));
  return made_text(run, std::string(trim_set(text, set)));
}

/// Text and affix of trimPrefix and trimSuffix; the affix is a blank when not given.
Result<std::pair<std::string_view, std::string_view>> text_and_affix(ExprArguments arguments) {
  std::string_view affix = " ";
  if (arguments.size() == 2) {
    TRY(affix, text_argument(arguments[1]));
  }
  TRY(const std::string_view text, text_argument(arguments[0]));
  return std::pair(text, affix);
}

Body trim_prefix(ExprRun& run, ExprArguments arguments) {
  TRY(const auto parts, text_and_affix(arguments));
  const auto [text, affix] = parts;
  return made_text(run, std::string(text.substr(text.starts_with(affix) ? affix.size() : 0)));
}

Body trim_suffix(ExprRun& run, ExprArguments arguments) {
  TRY(const auto parts, text_and_affix(arguments));
  const auto [text, affix] = parts;
  const std::size_t cut = text.ends_with(affix) ? affix.size() : 0;
  return made_text(run, std::string(text.substr(0, text.size() - cut)));
}

Body to_upper(ExprRun& run, ExprArguments arguments) {
  TRY(const std::string_view text, text_argument(arguments[0]));
  return made_text(run, upper(text));
}

Body to_lower(ExprRun& run, ExprArguments arguments) {
  TRY(const std::string_view text, text_argument(arguments[0]));
  return made_text(run, lower(text));
}

enum class Keep : std::uint8_t { nothing, separator };

/// Go's strings.SplitN and SplitAfterN: `limit` parts at most, negative = all. An empty separator
/// splits into characters.
std::vector<std::string_view> split_text(std::string_view text, std::string_view separator,
                                         std::int64_t limit, Keep keep) {
  std::vector<std::string_view> parts;
  while (limit < 0 || static_cast<std::int64_t>(parts.size()) + 1 < limit) {
    if (separator.empty()) {
      const std::size_t size = first_rune(text).size;
      if (size == 0 || size == text.size()) {
        break;
      }
      parts.push_back(text.substr(0, size));
      text.remove_prefix(size);
      continue;
    }
    const std::size_t at = text.find(separator);
    if (at == std::string_view::npos) {
      break;
    }
    parts.push_back(text.substr(0, at + (keep == Keep::separator ? separator.size() : 0)));
    text.remove_prefix(at + separator.size());
  }
  if (!(separator.empty() && text.empty())) {
    parts.push_back(text);
  }
  return parts;
}

Body split_with(ExprRun& run, ExprArguments arguments, Keep keep) {
  TRY(const std::string_view text, text_argument(arguments[0]));
  TRY(const std::string_view separator, text_argument(arguments[1]));
  std::int64_t limit = -1;
  if (arguments.size() == 3) {
    TRY(limit, to_int(arguments[2]));
  }
  if (limit == 0) {
    return nil_list(ExprKind::string);
  }
  TRY_VOID(run.step(text.size()));
  TRY_VOID(run.charge_text(text.size()));
  ExprList items;
  for (const std::string_view part : split_text(text, separator, limit, keep)) {
    items.push_back(ExprValue::string(std::string(part)));
  }
  return ExprValue::list(std::move(items), ExprKind::string);
}

Body split(ExprRun& run, ExprArguments arguments) {
  return split_with(run, arguments, Keep::nothing);
}

Body split_after(ExprRun& run, ExprArguments arguments) {
  return split_with(run, arguments, Keep::separator);
}

std::size_t count_of(std::string_view text, std::string_view part) {
  if (part.empty()) {
    return rune_count(text) + 1;
  }
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

/// Replaces the first `count` occurrences; an empty `old` stands before every character and at the
/// end.
std::string replaced(std::string_view text, std::string_view old, std::string_view next,
                     std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t keep = text.find(old);
    if (old.empty()) {
      keep = i == 0 ? 0 : first_rune(text).size;
    }
    out += text.substr(0, keep);
    out += next;
    text.remove_prefix(keep + old.size());
  }
  return out.append(text);
}

Body replace(ExprRun& run, ExprArguments arguments) {
  TRY(const std::string_view text, text_argument(arguments[0]));
  TRY(const std::string_view old, text_argument(arguments[1]));
  TRY(const std::string_view next, text_argument(arguments[2]));
  std::int64_t limit = -1;
  if (arguments.size() == 4) {
    TRY(limit, to_int(arguments[3]));
  }
  TRY_VOID(run.step(text.size() / 8));
  std::size_t count = count_of(text, old);
  if (limit >= 0) {
    count = std::min(count, static_cast<std::size_t>(limit));
  }
  TRY_VOID(run.charge_text(text.size()));
  TRY_VOID(run.charge_text(count, next.size()));
  return ExprValue::string(replaced(text, old, next, count));
}

Body repeat(ExprRun& run, ExprArguments arguments) {
  constexpr std::int64_t kMost = 1'000'000;
  TRY(const std::string_view text, text_argument(arguments[0]));
  TRY(const std::int64_t count, to_int(arguments[1]));
  if (count < 0) {
    return run_error(
        fmt::format("invalid argument for repeat (expected positive integer, got {})", count));
  }
  if (count > kMost) {
    return run_error("memory budget exceeded");
  }
  const auto times = static_cast<std::size_t>(count);
  TRY_VOID(run.charge(text.size() * times));
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) {
    out += text;
  }
  return made_text(run, std::move(out));
}

Body join(ExprRun& run, ExprArguments arguments) {
  std::string_view glue;
  if (arguments.size() == 2) {
    TRY(glue, text_argument(arguments[1]));
  }
  const ExprKind element =
      arguments[0].kind() == ExprKind::list ? arguments[0].type().element().kind() : ExprKind::nil;
  if (element != ExprKind::string && element != ExprKind::any) {
    const bool nil = arguments[0].is_nil();
    return run_error(fmt::format("invalid argument for join (type {})",
                                 nil ? "%!s(<nil>)" : arguments[0].type().go_name()));
  }
  std::string out;
  bool first = true;
  for (const ExprValue& item : arguments[0].as_list()) {
    TRY(const std::string_view text, text_argument(item));
    TRY_VOID(run.charge_text(text.size() + glue.size()));
    out += first ? "" : glue;
    out += text;
    first = false;
  }
  return ExprValue::string(std::move(out));
}

using TextPair = std::pair<std::string_view, std::string_view>;

Result<TextPair> two_texts(ExprArguments arguments) {
  TRY(const std::string_view first, text_argument(arguments[0]));
  TRY(const std::string_view second, text_argument(arguments[1]));
  return TextPair(first, second);
}

ExprValue place(std::size_t at) {
  return ExprValue::integer(at == std::string_view::npos ? -1 : static_cast<std::int64_t>(at));
}

Body index_of(ExprRun&, ExprArguments arguments) {
  TRY(const TextPair texts, two_texts(arguments));
  return place(texts.first.find(texts.second));
}

Body last_index_of(ExprRun&, ExprArguments arguments) {
  TRY(const TextPair texts, two_texts(arguments));
  return place(texts.first.rfind(texts.second));
}

Body has_prefix(ExprRun&, ExprArguments arguments) {
  TRY(const TextPair texts, two_texts(arguments));
  return ExprValue::boolean(texts.first.starts_with(texts.second));
}

Body has_suffix(ExprRun&, ExprArguments arguments) {
  TRY(const TextPair texts, two_texts(arguments));
  return ExprValue::boolean(texts.first.ends_with(texts.second));
}

}  // namespace

std::vector<Builtin> text_builtins() {
  using enum ExprKind;
  const ExprType texts = ExprType::list_of(string);
  const std::vector one = {signature({string}, string)};
  const std::vector one_or_two = {signature({string}, string), signature({string, string}, string)};
  const std::vector two_or_one = {signature({string, string}, string), signature({string}, string)};
  const std::vector splits = {signature({string, string}, texts),
                              signature({string, string, int_}, texts)};
  const std::vector places = {signature({string, string}, int_)};
  const std::vector tests = {signature({string, string}, boolean)};
  return {
      {.name = "trim", .overloads = one_or_two, .body = trim},
      {.name = "trimPrefix", .overloads = two_or_one, .body = trim_prefix},
      {.name = "trimSuffix", .overloads = two_or_one, .body = trim_suffix},
      {.name = "upper", .overloads = one, .body = to_upper},
      {.name = "lower", .overloads = one, .body = to_lower},
      {.name = "split", .overloads = splits, .body = split},
      {.name = "splitAfter", .overloads = splits, .body = split_after},
      {.name = "replace",
       .overloads = {signature({string, string, string, int_}, string),
                     signature({string, string, string}, string)},
       .body = replace},
      {.name = "repeat", .overloads = {signature({string, int_}, string)}, .body = repeat},
      {.name = "join",
       .overloads = {signature({texts, string}, string), signature({list, string}, string),
                     signature({list}, string), signature({texts, string}, string),
                     signature({texts}, string)},
       .body = join},
      {.name = "indexOf", .overloads = places, .body = index_of},
      {.name = "lastIndexOf", .overloads = places, .body = last_index_of},
      {.name = "hasPrefix", .overloads = tests, .body = has_prefix},
      {.name = "hasSuffix", .overloads = tests, .body = has_suffix},
  };
}

}  // namespace tiphys::lang

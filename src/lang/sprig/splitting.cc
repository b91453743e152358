/// Functions between texts and lists of texts: splitting, joining, counting.
#include "lang/gotext/gotext.h"
#include "lang/sprig/functions.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::lang::sprig {
namespace {

/// Go's strings.SplitN: at most `limit` parts, all when it is negative. An empty separator splits
/// between the characters.
Result<std::vector<std::string>> split_text(const Call& call, std::string_view text,
                                            std::string_view separator, std::int64_t limit) {
  std::vector<std::string> parts;
  if (limit == 0) {
    return parts;
  }
  const auto take = [&](std::size_t size, std::size_t skip) -> Result<> {
    TRY_VOID(call.run.charge(1));
    TRY_VOID(call.run.charge_text(size));
    parts.emplace_back(text.substr(0, size));
    text.remove_prefix(size + skip);
    return {};
  };
  const auto full = [&] { return limit > 0 && std::cmp_equal(parts.size() + 1, limit); };
  if (separator.empty()) {
    while (!text.empty()) {
      TRY_VOID(take(full() ? text.size() : first_rune(text).size, 0));
    }
    return parts;
  }
  std::size_t at = text.find(separator);
  while (at != std::string_view::npos && !full()) {
    TRY_VOID(take(at, separator.size()));
    at = text.find(separator);
  }
  TRY_VOID(take(text.size(), 0));
  return parts;
}

/// {_0: first, _1: second}
Answer numbered(const Call& call, std::vector<std::string> parts) {
  ExprEntries entries;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    entries.emplace(fmt::format("_{}", i), ExprValue::string(std::move(parts[i])));
  }
  return map_answer(call, std::move(entries), ExprKind::string);
}

Answer split(const Call& call) {
  TRY(auto parts, split_text(call, call.text(1), call.text(0), -1));
  return numbered(call, std::move(parts));
}

Answer splitn(const Call& call) {
  TRY(auto parts, split_text(call, call.text(2), call.text(0), call.integer(1)));
  return numbered(call, std::move(parts));
}

Answer split_list(const Call& call) {
  TRY(auto parts, split_text(call, call.text(1), call.text(0), -1));
  return list_answer(call, std::move(parts));
}

Answer join(const Call& call) {
  const std::string_view separator = call.text(0);
  const std::vector<std::string> items = printed_items(call[1]);
  std::size_t size = 0;
  for (const std::string& item : items) {
    size += item.size();
  }
  TRY_VOID(call.run.charge_text(size));
  TRY_VOID(call.run.charge_text(items.size(), separator.size()));
  return ExprValue::string(fmt::format("{}", fmt::join(items, separator)));
}

Answer to_strings(const Call& call) { return list_answer(call, printed_items(call[0])); }

Answer sort_alpha(const Call& call) {
  if (call[0].kind() != ExprKind::list) {
    return list_answer(call, {printed(call[0])});
  }
  std::vector<std::string> items = printed_items(call[0]);
  TRY_VOID(call.run.step(items.size()));
  std::ranges::sort(items);
  return list_answer(call, std::move(items));
}

/// start, start + step, ... below `stop`, above it when the step is negative.
Result<std::vector<std::int64_t>> counted(const Call& call, std::int64_t start, std::int64_t stop,
                                          std::int64_t step) {
  std::vector<std::int64_t> out;
  const bool down = stop < start;
  if (down ? step >= 0 : step <= 0) {
    return out;
  }
  for (std::int64_t i = start; down ? i > stop : i < stop;) {
    TRY_VOID(call.run.charge(1));
    out.push_back(i);
    // Go's addition wraps around; the budget ends a loop that does so for ever.
    i = static_cast<std::int64_t>(static_cast<std::uint64_t>(i) + static_cast<std::uint64_t>(step));
  }
  return out;
}

Answer until_step(const Call& call, std::int64_t start, std::int64_t stop, std::int64_t step) {
  TRY(const auto numbers, counted(call, start, stop, step));
  ExprList items;
  items.reserve(numbers.size());
  for (const std::int64_t number : numbers) {
    items.push_back(ExprValue::integer(number));
  }
  return ExprValue::list(std::move(items), ExprKind::int_);
}

std::int64_t behind(std::int64_t last, std::int64_t direction) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(last) +
                                   static_cast<std::uint64_t>(direction));
}

/// As the command of that name: last | first last | first step last.
Answer seq(const Call& call) {
  if (call.size() == 0 || call.size() > 3) {
    return text_answer(call, "");
  }
  const std::int64_t first = call.size() == 1 ? 1 : call.integer(0);
  const std::int64_t last = call.integer(call.size() - 1);
  const std::int64_t direction = last < first ? -1 : 1;
  const std::int64_t step = call.size() == 3 ? call.integer(1) : direction;
  if (direction < 0 && step > 0) {
    return text_answer(call, "");
  }
  TRY(const auto numbers, counted(call, first, behind(last, direction), step));
  return text_answer(call, fmt::format("{}", fmt::join(numbers, " ")));
}

constexpr Function kFunctions[] = {
    {"split", "func(string, string) map[string]string", split},
    {"splitList", "func(string, string) []string", split_list},
    {"splitn", "func(string, int, string) map[string]string", splitn},
    {"toStrings", "func(interface {}) []string", to_strings},
    {"join", "func(string, interface {}) string", join},
    {"sortAlpha", "func(interface {}) []string", sort_alpha},
    {"until", "func(int) []int",
     [](const Call& call) {
       return until_step(call, 0, call.integer(0), call.integer(0) < 0 ? -1 : 1);
     }},
    {"untilStep", "func(int, int, int) []int",
     [](const Call& call) {
       return until_step(call, call.integer(0), call.integer(1), call.integer(2));
     }},
    {"seq", "func(...int) string", seq},
};

}  // namespace

std::span<const Function> splitting_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig

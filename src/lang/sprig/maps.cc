/// Functions on maps with text keys. Upstream changes the first argument of set, unset and merge in
/// place; values never change here, so these give a new map.
#include "lang/expr/parts.h"
#include "lang/sprig/functions.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::lang::sprig {
namespace {

/// Nothing for a nil map.
ExprEntries entries_of(const ExprValue& value) {
  ExprEntries out;
  if (const ExprMap* map = value.as_map()) {
    map->each([&](std::string_view key, const ExprValue& member) {
      out.emplace(key, member);
      return true;
    });
  }
  return out;
}

std::optional<ExprValue> member_of(const ExprValue& map, std::string_view key) {
  const ExprMap* members = map.as_map();
  return members == nullptr ? std::nullopt : members->find(key);
}

Result<> charge_copy(const Call& call, const ExprValue& map) {
  return call.run.charge(map.as_map() == nullptr ? 0 : map.as_map()->size());
}

Answer dict(const Call& call) {
  ExprEntries out;
  for (std::size_t i = 0; i < call.size(); i += 2) {
    ExprValue value = i + 1 < call.size() ? call[i + 1] : ExprValue::string("");
    std::string key = printed(call[i]);
    TRY_VOID(call.run.charge_text(key.size()));
    out.insert_or_assign(std::move(key), std::move(value));
  }
  return map_answer(call, std::move(out));
}

Answer get(const Call& call) {
  return member_of(call[0], call.text(1)).value_or(ExprValue::string(""));
}

Answer set(const Call& call) {
  if (call[0].is_nil()) {
    return failure("assignment to entry in nil map");
  }
  TRY_VOID(charge_copy(call, call[0]));
  ExprEntries out = entries_of(call[0]);
  out.insert_or_assign(std::string(call.text(1)), call[2]);
  return ExprValue::map(std::move(out));
}

Answer unset(const Call& call) {
  TRY_VOID(charge_copy(call, call[0]));
  ExprEntries out = entries_of(call[0]);
  out.erase(std::string(call.text(1)));
  return ExprValue::map(std::move(out));
}

Answer has_key(const Call& call) {
  return ExprValue::boolean(member_of(call[0], call.text(1)).has_value());
}

Answer pluck(const Call& call) {
  ExprList out;
  for (const ExprValue& map : call.rest(1)) {
    if (auto value = member_of(map, call.text(0))) {
      out.push_back(*std::move(value));
    }
  }
  return list_answer(call, std::move(out));
}

/// Upstream's order is random; here keys and values come sorted by key.
Answer keys(const Call& call) {
  std::vector<std::string> out;
  for (const ExprValue& map : call.arguments) {
    for (const auto& entry : entries_of(map)) {
      out.push_back(entry.first);
    }
  }
  return list_answer(call, std::move(out));
}

Answer values(const Call& call) {
  ExprList out;
  for (const auto& entry : entries_of(call[0])) {
    out.push_back(entry.second);
  }
  return list_answer(call, std::move(out));
}

Answer pick(const Call& call) {
  ExprEntries out;
  for (const ExprValue& key : call.rest(1)) {
    if (auto value = member_of(call[0], key.as_string())) {
      out.insert_or_assign(std::string(key.as_string()), *std::move(value));
    }
  }
  return map_answer(call, std::move(out));
}

Answer omit(const Call& call) {
  TRY_VOID(charge_copy(call, call[0]));
  ExprEntries out = entries_of(call[0]);
  for (const ExprValue& key : call.rest(1)) {
    out.erase(std::string(key.as_string()));
  }
  return ExprValue::map(std::move(out));
}

Answer dig(const Call& call) {
  if (call.size() < 3) {
    return failure("dig needs at least three arguments");
  }
  const auto mismatch = [](const ExprValue& value, std::string_view wanted) {
    return failure(fmt::format("interface conversion: interface {{}} is {}, not {}",
                               value.is_nil() ? "nil" : type_text(value), wanted));
  };
  const auto is_map = [](const ExprValue& value) {
    return value.kind() == ExprKind::map && value.type() == ExprType(ExprKind::map);
  };
  ExprValue place = call.arguments.back();
  if (!is_map(place)) {
    return mismatch(place, "map[string]interface {}");
  }
  const ExprArguments keys = call.arguments.first(call.size() - 2);
  for (const ExprValue& key : keys) {
    if (key.kind() != ExprKind::string) {
      return mismatch(key, "string");
    }
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto step = member_of(place, keys[i].as_string());
    if (!step) {
      return call[call.size() - 2];
    }
    if (i + 1 < keys.size() && !is_map(*step)) {
      return mismatch(*step, "map[string]interface {}");
    }
    place = *std::move(step);
  }
  return place;
}

enum class Overwrite { no, yes };

bool is_pointer(const ExprValue& value) {
  return value.kind() == ExprKind::object && value.as_object()->go_name().starts_with('*');
}

/// mergo v1.0.1 on maps: of two maps the members are merged; otherwise the source counts where the
/// destination has nothing or, when overwriting, always. Without overwriting a nil of the source
/// adds no key.
Result<ExprValue> merged(const Call& call, const ExprValue& into, const ExprValue& from,
                         Overwrite overwrite) {
  TRY_VOID(charge_copy(call, into));
  TRY_VOID(charge_copy(call, from));
  ExprEntries out = entries_of(into);
  for (auto& [key, value] : entries_of(from)) {
    const auto known = out.find(key);
    const bool missing = known == out.end();
    if (value.is_nil()) {
      if (overwrite == Overwrite::yes) {
        out.insert_or_assign(key, value);
      }
      continue;
    }
    const bool maps =
        !missing && value.kind() == ExprKind::map && known->second.kind() == ExprKind::map;
    if (maps) {
      TRY(ExprValue both, merged(call, known->second, value, overwrite));
      known->second = is_empty(both) ? value : std::move(both);
      continue;
    }
    const bool structure = value.kind() == ExprKind::map || value.kind() == ExprKind::time;
    if (!missing && structure && is_pointer(known->second)) {
      return fail(ErrorCode::conflict, "src and dst must be of same type");
    }
    if (missing || overwrite == Overwrite::yes || is_empty(known->second)) {
      out.insert_or_assign(key, value);
    }
  }
  return ExprValue::map(std::move(out), into.type().element());
}

Answer merge_all(const Call& call, Overwrite overwrite) {
  ExprValue out = call[0].is_nil() ? ExprValue::map(ExprEntries()) : call[0];
  for (const ExprValue& from : call.rest(1)) {
    if (from.is_nil()) {
      continue;
    }
    TRY(out, merged(call, out, from, overwrite));
  }
  return out;
}

constexpr std::string_view kMerge =
    "func(map[string]interface {}, ...map[string]interface {}) interface {}";
constexpr std::string_view kMustMerge =
    "func(map[string]interface {}, ...map[string]interface {}) (interface {}, error)";

/// Without `must` a conflict of types is an empty text.
Answer lenient(Answer answer) {
  const bool conflict = !answer && answer.error().code == ErrorCode::conflict;
  return conflict ? ExprValue::string("") : std::move(answer);
}

Answer merge(const Call& call) { return lenient(merge_all(call, Overwrite::no)); }

Answer merge_overwrite(const Call& call) { return lenient(merge_all(call, Overwrite::yes)); }

Answer must_merge(const Call& call) { return merge_all(call, Overwrite::no); }

Answer must_merge_overwrite(const Call& call) { return merge_all(call, Overwrite::yes); }

constexpr Function kFunctions[] = {
    {"dict", "func(...interface {}) map[string]interface {}", dict},
    {"get", "func(map[string]interface {}, string) interface {}", get},
    {"set", "func(map[string]interface {}, string, interface {}) map[string]interface {}", set},
    {"unset", "func(map[string]interface {}, string) map[string]interface {}", unset},
    {"hasKey", "func(map[string]interface {}, string) bool", has_key},
    {"pluck", "func(string, ...map[string]interface {}) []interface {}", pluck},
    {"keys", "func(...map[string]interface {}) []string", keys},
    {"values", "func(map[string]interface {}) []interface {}", values},
    {"pick", "func(map[string]interface {}, ...string) map[string]interface {}", pick},
    {"omit", "func(map[string]interface {}, ...string) map[string]interface {}", omit},
    {"dig", "func(...interface {}) (interface {}, error)", dig},
    {"merge", kMerge, merge},
    {"mergeOverwrite", kMerge, merge_overwrite},
    {"mustMerge", kMustMerge, must_merge},
    {"mustMergeOverwrite", kMustMerge, must_merge_overwrite},
};

}  // namespace

std::span<const Function> map_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig

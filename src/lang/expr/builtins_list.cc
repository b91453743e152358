/// Functions on lists and maps.
#include "lang/expr/builtins.h"
#include "lang/expr/operators.h"
#include "lang/expr/parts.h"
#include "lang/expr/sorting.h"
#include "lang/gotext/gotext.h"

#include <fmt/format.h>

namespace tiphys::lang {
namespace {

using Body = Result<ExprValue>;

bool is_list(const ExprValue& value) { return value.kind() == ExprKind::list; }

/// The check of a function of one list: `what` and the type, else `result`.
Result<ExprType> one_list(ArgumentTypes types, std::string_view what, ExprType result) {
  TRY_VOID(expect_count(types.size(), 1));
  const ExprKind kind = argument_kind(types[0]);
  if (kind != ExprKind::list && kind != ExprKind::any) {
    return run_error(fmt::format(fmt::runtime(what), argument_name(types[0])));
  }
  return result;
}

Result<ExprType> one_map(ArgumentTypes types, std::string_view what) {
  TRY_VOID(expect_count(types.size(), 1));
  const ExprKind kind = argument_kind(types[0]);
  if (kind != ExprKind::map && kind != ExprKind::any) {
    return run_error(fmt::format(fmt::runtime(what), argument_name(types[0])));
  }
  return ExprType(ExprKind::list);
}

Result<ExprType> element_or_any(ArgumentTypes types, std::string_view what) {
  TRY(const ExprType checked, one_list(types, what, ExprKind::any));
  return argument_kind(types[0]) == ExprKind::list ? types[0]->element() : checked;
}

Result<ExprType> check_first(ArgumentTypes types) {
  return element_or_any(types, "cannot get first element from {}");
}

Result<ExprType> check_last(ArgumentTypes types) {
  return element_or_any(types, "cannot get last element from {}");
}

Result<ExprType> check_reverse(ArgumentTypes types) {
  return one_list(types, "cannot reverse {}", ExprKind::list);
}

Result<ExprType> check_uniq(ArgumentTypes types) {
  return one_list(types, "cannot uniq {}", ExprKind::list);
}

Result<ExprType> check_flatten(ArgumentTypes types) {
  return one_list(types, "cannot flatten {}", ExprKind::list);
}

Result<ExprType> check_from_pairs(ArgumentTypes types) {
  return one_list(types, "cannot transform {} from pairs",
                  ExprType::map_of(ExprKind::any, ExprKind::any));
}

Result<ExprType> check_keys(ArgumentTypes types) {
  return one_map(types, "cannot get keys from {}");
}

Result<ExprType> check_values(ArgumentTypes types) {
  return one_map(types, "cannot get values from {}");
}

Result<ExprType> check_to_pairs(ArgumentTypes types) {
  return one_map(types, "cannot transform {} to pairs");
}

Result<ExprType> check_concat(ArgumentTypes types) {
  if (types.empty()) {
    return run_error("invalid number of arguments (expected at least 1, got 0)");
  }
  for (const auto& type : types) {
    if (argument_kind(type) != ExprKind::list && argument_kind(type) != ExprKind::any) {
      return run_error("cannot concat " + argument_name(type));
    }
  }
  return ExprType(ExprKind::list);
}

Result<ExprType> check_take(ArgumentTypes types) {
  TRY_VOID(expect_count(types.size(), 2));
  const ExprKind from = argument_kind(types[0]);
  if (from != ExprKind::list && from != ExprKind::any) {
    return run_error("cannot take from " + argument_name(types[0]));
  }
  const ExprKind count = argument_kind(types[1]);
  const bool signed_integer = count >= ExprKind::int_ && count <= ExprKind::int64;
  if (!signed_integer && count != ExprKind::any && count != ExprKind::duration) {
    return run_error(fmt::format("cannot take {} elements", argument_name(types[1])));
  }
  return *types[0];
}

Result<ExprType> check_len(ArgumentTypes types) {
  TRY_VOID(expect_count(types.size(), 1));
  switch (argument_kind(types[0])) {
    case ExprKind::list:
    case ExprKind::map:
    case ExprKind::string:
    case ExprKind::any:
      return ExprType(ExprKind::int_);
    default:
      return run_error(fmt::format("invalid argument for len (type {})", argument_name(types[0])));
  }
}

Body len(ExprRun& run, ExprArguments arguments) {
  if (arguments[0].kind() == ExprKind::string) {
    const std::string_view text = arguments[0].as_string();
    TRY_VOID(run.step(text.size() / 16));
    return ExprValue::integer(static_cast<std::int64_t>(rune_count(text)));
  }
  TRY(const std::int64_t length, go_length(arguments[0]));
  return ExprValue::integer(length);
}

/// first() and last() never fail: what cannot be read is nil.
Body end_of(const ExprValue& from, std::int64_t index) {
  const Result<ExprValue> found = fetch(from, ExprValue::integer(index));
  return found ? *found : ExprValue();
}

Body first(ExprRun&, ExprArguments arguments) { return end_of(arguments[0], 0); }

Body last(ExprRun&, ExprArguments arguments) { return end_of(arguments[0], -1); }

Body get(ExprRun&, ExprArguments arguments) {
  const ExprValue& from = arguments[0];
  const ExprValue& key = arguments[1];
  switch (from.kind()) {
    case ExprKind::list:
    case ExprKind::string: {
      TRY(std::int64_t index, to_int(key));
      TRY(const std::int64_t length, go_length(from));
      index += index < 0 ? length : 0;
      return index < 0 || index >= length ? ExprValue() : fetch(from, ExprValue::integer(index));
    }
    case ExprKind::map: {
      TRY(auto entry, map_entry(from, key));
      return entry.value_or(ExprValue());
    }
    case ExprKind::time:
    case ExprKind::duration:
    case ExprKind::object: {
      const Result<ExprValue> found = fetch(from, key);
      return found ? *found : ExprValue();
    }
    default:
      return ExprValue();
  }
}

Body take(ExprRun& run, ExprArguments arguments) {
  if (!is_list(arguments[0])) {
    return run_error(fmt::format("cannot take from {}", kind_name(arguments[0])));
  }
  const ExprValue& count = arguments[1];
  const bool signed_integer = count.kind() >= ExprKind::int_ && count.kind() <= ExprKind::int64;
  if (!signed_integer && count.kind() != ExprKind::duration) {
    return run_error(fmt::format("cannot take {} elements", kind_name(count)));
  }
  const std::int64_t wanted = signed_integer ? count.as_integer() : count.as_duration().count();
  if (arguments[0].type().array_length()) {
    return run_error("reflect.Value.Slice: slice of unaddressable array");
  }
  if (wanted < 0) {
    return run_error("reflect.Value.Slice: slice index out of bounds");
  }
  TRY_VOID(run.step(arguments[0].as_list().size()));
  return slice(arguments[0], ExprValue::integer(0), ExprValue::integer(wanted));
}

/// Calls `visit(key, value)` for every entry of a map of either sort.
template <class Visit>
void each_entry(const ExprValue& map, const Visit& visit) {
  if (const auto* any = map.as_any_map()) {
    for (const auto& [key, value] : *any) {
      visit(key, value);
    }
    return;
  }
  map.as_map()->each([&](std::string_view key, const ExprValue& value) {
    visit(ExprValue::string(std::string(key)), value);
    return true;
  });
}

Body keys(ExprRun&, ExprArguments arguments) {
  if (arguments[0].kind() != ExprKind::map) {
    return run_error(fmt::format("cannot get keys from {}", kind_name(arguments[0])));
  }
  ExprList out;
  each_entry(arguments[0], [&](const ExprValue& key, const ExprValue&) { out.push_back(key); });
  return ExprValue::list(std::move(out));
}

Body values(ExprRun&, ExprArguments arguments) {
  if (arguments[0].kind() != ExprKind::map) {
    return run_error(fmt::format("cannot get values from {}", kind_name(arguments[0])));
  }
  ExprList out;
  each_entry(arguments[0], [&](const ExprValue&, const ExprValue& value) { out.push_back(value); });
  return ExprValue::list(std::move(out));
}

Body to_pairs(ExprRun&, ExprArguments arguments) {
  if (arguments[0].kind() != ExprKind::map) {
    return run_error(fmt::format("cannot transform {} to pairs", kind_name(arguments[0])));
  }
  static const ExprType pair_type = ExprType::array_of(ExprKind::any, 2);
  ExprList out;
  each_entry(arguments[0], [&](const ExprValue& key, const ExprValue& value) {
    out.push_back(ExprParts::make(ListPart{.items = {key, value}, .type = pair_type}));
  });
  return ExprValue::list(std::move(out), pair_type);
}

Body from_pairs(ExprRun&, ExprArguments arguments) {
  if (!is_list(arguments[0])) {
    return run_error(fmt::format("cannot transform {} from pairs", arguments[0].text()));
  }
  AnyMapPart part;
  part.type = ExprType::map_of(ExprKind::any, ExprKind::any);
  for (const ExprValue& pair : arguments[0].as_list()) {
    if (!is_list(pair)) {
      return run_error("invalid pair " + pair.text());
    }
    if (pair.as_list().size() != 2) {
      return run_error("invalid pair length " + pair.text());
    }
    const ExprValue& key = pair.as_list()[0];
    const auto hash = hash_key(key);
    if (!hash) {
      return run_error("runtime error: hash of unhashable type " + type_text(key));
    }
    const auto [place, added] = part.index.emplace(*hash, part.entries.size());
    if (added) {
      part.entries.emplace_back(key, pair.as_list()[1]);
    } else {
      part.entries[place->second].second = pair.as_list()[1];
    }
  }
  return ExprParts::make(std::move(part));
}

Body reverse(ExprRun& run, ExprArguments arguments) {
  if (!is_list(arguments[0])) {
    return run_error(fmt::format("cannot reverse {}", kind_name(arguments[0])));
  }
  const ExprList& items = arguments[0].as_list();
  TRY_VOID(run.charge(items.size()));
  return ExprValue::list(ExprList(items.rbegin(), items.rend()));
}

Body uniq(ExprRun& run, ExprArguments arguments) {
  if (!is_list(arguments[0])) {
    return run_error(fmt::format("cannot uniq {}", kind_name(arguments[0])));
  }
  ExprList out;
  for (const ExprValue& item : arguments[0].as_list()) {
    bool known = false;
    for (std::size_t i = 0; i < out.size() && !known; ++i) {
      TRY(known, equal(run, item, out[i]));
    }
    if (!known) {
      out.push_back(item);
    }
  }
  return ExprValue::list(std::move(out));
}

Body concat(ExprRun& run, ExprArguments arguments) {
  ExprList out;
  for (const ExprValue& argument : arguments) {
    if (!is_list(argument)) {
      return run_error(fmt::format("cannot concat {}", kind_name(argument)));
    }
    TRY_VOID(run.charge(argument.as_list().size()));
    out.insert(out.end(), argument.as_list().begin(), argument.as_list().end());
  }
  return out.empty() ? nil_list() : ExprValue::list(std::move(out));
}

Result<> flatten_into(ExprRun& run, const ExprValue& list, ExprList& out) {
  for (const ExprValue& item : list.as_list()) {
    TRY_VOID(run.step());
    if (is_list(item)) {
      TRY_VOID(flatten_into(run, item, out));
    } else {
      TRY_VOID(run.charge(1));
      out.push_back(item);
    }
  }
  return {};
}

Body flatten(ExprRun& run, ExprArguments arguments) {
  if (!is_list(arguments[0])) {
    return run_error(fmt::format("cannot flatten {}", kind_name(arguments[0])));
  }
  ExprList out;
  TRY_VOID(flatten_into(run, arguments[0], out));
  return ExprValue::list(std::move(out));
}

bool is_sortable(const ExprValue& value) {
  if (!is_list(value) || value.type().array_length()) {
    return false;
  }
  const ExprKind element = value.type().element().kind();
  return element == ExprKind::any || element == ExprKind::int_ || element == ExprKind::float64 ||
         element == ExprKind::string;
}

Body sort(ExprRun& run, ExprArguments arguments) {
  SortOrder order = SortOrder::ascending;
  if (arguments.size() == 2) {
    if (arguments[1].kind() != ExprKind::string) {
      return run_error(
          fmt::format("sort order argument must be a string (got {})", type_text(arguments[1])));
    }
    const std::string_view name = arguments[1].as_string();
    if (name != "asc" && name != "desc") {
      return run_error(fmt::format("invalid order {}, expected asc or desc", name));
    }
    order = name == "asc" ? SortOrder::ascending : SortOrder::descending;
  }
  if (!is_sortable(arguments[0])) {
    // Upstream sorts nothing then and gives its nil slice.
    return nil_list();
  }
  ExprList items = arguments[0].as_list();
  TRY_VOID(run.charge(items.size()));
  TRY(const auto places, sorted_places(run, items, order));
  ExprList out;
  out.reserve(items.size());
  for (const std::size_t place : places) {
    out.push_back(items[place]);
  }
  return ExprValue::list(std::move(out));
}

}  // namespace

std::vector<Builtin> list_builtins() {
  using enum ExprKind;
  const auto signature = [](std::vector<ExprType> parameters) {
    return ExprType::function(std::move(parameters), false, {ExprKind::list});
  };
  const ExprType ints = ExprType::list_of(int_);
  const ExprType floats = ExprType::list_of(float64);
  const ExprType texts = ExprType::list_of(string);
  return {
      {.name = "len", .validate = check_len, .body = len},
      {.name = "first", .validate = check_first, .body = first},
      {.name = "last", .validate = check_last, .body = last},
      {.name = "get", .body = get},
      {.name = "take", .validate = check_take, .body = take},
      {.name = "keys", .validate = check_keys, .body = keys},
      {.name = "values", .validate = check_values, .body = values},
      {.name = "toPairs", .validate = check_to_pairs, .body = to_pairs},
      {.name = "fromPairs", .validate = check_from_pairs, .body = from_pairs},
      {.name = "reverse", .validate = check_reverse, .body = reverse},
      {.name = "uniq", .validate = check_uniq, .body = uniq},
      {.name = "concat", .validate = check_concat, .body = concat},
      {.name = "flatten", .validate = check_flatten, .body = flatten},
      {.name = "sort",
       .overloads = {signature({list, string}), signature({ints, string}),
                     signature({floats, string}), signature({texts, string}), signature({list}),
                     signature({floats}), signature({texts}), signature({ints})},
       .body = sort},
  };
}

}  // namespace tiphys::lang

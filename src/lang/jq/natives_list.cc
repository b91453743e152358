// Lists, maps, order.

#include "lang/gotext/gotext.h"
#include "lang/jq/json_form.h"
#include "lang/jq/native.h"
#include "lang/jq/operators.h"
#include "lang/jq/paths.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace tiphys::lang::jq {
namespace {

Value count_of(std::size_t count) { return Value::integer(static_cast<std::int64_t>(count)); }

/// The elements of a list, the values of a map by key.
std::optional<List> values_of(const NativeCall& call) {
  if (call.value.is(Kind::list)) {
    return call.value.as_list();
  }
  if (!call.value.is(Kind::map)) {
    return std::nullopt;
  }
  List out;
  for (const auto& [key, value] : call.value.as_map()) {
    out.push_back(value);
  }
  call.budget.spend(out.size());
  return out;
}

Outcome magnitude(const NativeCall& call, std::string_view name) {
  const Value& value = call.value;
  if (value.is(Kind::number)) {
    return Value::number(std::fabs(value.as_number()));
  }
  const bool is_negative = (value.is(Kind::integer) && value.as_integer() < 0) ||
                           (value.is(Kind::big) && value.as_big().sign() < 0) ||
                           (value.is(Kind::literal) && value.as_text().starts_with('-'));
  if (is_negative) {
    return negate(value);
  }
  return value.is_number() ? Outcome(value) : not_for(name, value);
}

Outcome abs(const NativeCall& call) { return magnitude(call, "abs"); }

Outcome length(const NativeCall& call) {
  switch (call.value.kind()) {
    case Kind::null:
      return Value::integer(0);
    case Kind::text:
      call.budget.spend_bytes(call.value.as_text().size());
      return count_of(rune_count(call.value.as_text()));
    case Kind::list:
      return count_of(call.value.as_list().size());
    case Kind::map:
      return count_of(call.value.as_map().size());
    default:
      return magnitude(call, "length");
  }
}

Outcome keys(const NativeCall& call) {
  List out;
  if (call.value.is(Kind::list)) {
    call.budget.spend(call.value.as_list().size());
    for (std::size_t i = 0; i < call.value.as_list().size(); ++i) {
      out.push_back(count_of(i));
    }
  } else if (call.value.is(Kind::map)) {
    call.budget.spend(call.value.as_map().size());
    for (const auto& [key, value] : call.value.as_map()) {
      out.push_back(Value::text(key));
    }
  } else {
    return not_for("keys", call.value);
  }
  return Value::list(std::move(out));
}

Outcome has(const NativeCall& call) {
  const Value& key = call.argument(0);
  if (call.value.is(Kind::list)) {
    if (const auto index = to_integer(key)) {
      return Value::boolean(*index >= 0 && std::cmp_less(*index, call.value.as_list().size()));
    }
  } else if (call.value.is(Kind::map) && key.is(Kind::text)) {
    return Value::boolean(call.value.as_map().contains(key.as_text()));
  } else if (call.value.is_null()) {
    return Value::boolean(false);
  }
  return not_for("has", key, call.value);
}

/// Texts and lists grow in place: adding many is not quadratic.
class Sum {
 public:
  explicit Sum(Budget& budget) : budget_(budget) {}

  std::optional<Problem> put(const Value& value) {
    if (value.is_null()) {
      return std::nullopt;
    }
    if (value.is(Kind::text) && (total_.is_null() || is_text_)) {
      budget_.spend_bytes(value.as_text().size());
      is_text_ = true;
      total_ = Value::boolean(true);
      text_ += value.as_text();
      return std::nullopt;
    }
    if (value.is(Kind::list) && total_.is(Kind::list)) {
      budget_.spend(value.as_list().size());
      for (const Value& element : value.as_list()) {
        total_.append(element);
      }
      return std::nullopt;
    }
    if (value.is(Kind::map) && total_.is(Kind::map)) {
      budget_.spend(value.as_map().size());
      for (const auto& [key, held] : value.as_map()) {
        total_.set_member(key, held);
      }
      return std::nullopt;
    }
    auto sum = add(total(), value, budget_);
    if (!sum) {
      return std::move(sum).error();
    }
    is_text_ = false;
    total_ = *std::move(sum);
    return std::nullopt;
  }

  Value total() const { return is_text_ ? Value::text(text_) : total_; }

 private:
  Budget& budget_;
  Value total_;
  std::string text_;
  bool is_text_ = false;
};

Outcome sum(const NativeCall& call) {
  const auto values = values_of(call);
  if (!values) {
    return not_for("add", call.value);
  }
  Sum sum(call.budget);
  for (const Value& value : *values) {
    if (auto wrong = sum.put(value)) {
      return std::unexpected(*std::move(wrong));
    }
  }
  return sum.total();
}

Outcome join(const NativeCall& call) {
  const auto values = values_of(call);
  if (!values) {
    return not_for("join", call.argument(0), call.value);
  }
  if (values->empty()) {
    return Value::text("");
  }
  Sum sum(call.budget);
  bool is_first = true;
  for (const Value& value : *values) {
    auto wrong = sum.put(is_first ? Value::text("") : call.argument(0));
    is_first = false;
    const bool is_scalar = value.is(Kind::boolean) || value.is_number();
    if (!wrong) {
      wrong = sum.put(is_scalar ? Value::text(to_json(value, call.budget)) : value);
    }
    if (wrong) {
      return std::unexpected(*std::move(wrong));
    }
  }
  return sum.total();
}

Outcome reverse(const NativeCall& call) {
  if (!call.value.is(Kind::list)) {
    return not_for("reverse", call.value);
  }
  call.budget.spend(call.value.as_list().size());
  List out = call.value.as_list();
  std::ranges::reverse(out);
  return Value::list(std::move(out));
}

std::expected<bool, Problem> holds(const Value& value, const Value& part, Budget& budget) {
  if (!budget.spend(1)) {
    return false;
  }
  if (value.is_number() && part.is_number()) {
    return compare(value, part, budget) == 0;
  }
  if (value.is(Kind::text) && part.is(Kind::text)) {
    budget.spend_bytes(value.as_text().size());
    return value.as_text().find(part.as_text()) != std::string::npos;
  }
  if (value.is(Kind::list) && part.is(Kind::list)) {
    return std::ranges::all_of(part.as_list(), [&](const Value& wanted) {
      return std::ranges::any_of(value.as_list(), [&](const Value& element) {
        return holds(element, wanted, budget).value_or(false);
      });
    });
  }
  if (value.is(Kind::map) && part.is(Kind::map)) {
    return std::ranges::all_of(part.as_map(), [&](const auto& wanted) {
      const auto held = value.as_map().find(wanted.first);
      return held != value.as_map().end() &&
             holds(held->second, wanted.second, budget).value_or(false);
    });
  }
  if (value.kind() == part.kind() && value.is_same(part)) {
    return true;
  }
  return not_for("contains", part, value);
}

Outcome boolean_of(std::expected<bool, Problem> held) {
  return held ? Outcome(Value::boolean(*held)) : Outcome(std::unexpected(std::move(held).error()));
}

Outcome contains(const NativeCall& call) {
  return boolean_of(holds(call.value, call.argument(0), call.budget));
}

Outcome inside(const NativeCall& call) {
  return boolean_of(holds(call.argument(0), call.value, call.budget));
}

Value characters(const Value& text, Budget& budget) {
  List out;
  for (std::string_view rest = text.as_text(); !rest.empty() && budget.spend(1);) {
    const DecodedRune rune = first_rune(rest);
    out.push_back(Value::integer(static_cast<std::int64_t>(rune.rune)));
    rest.remove_prefix(rune.size);
  }
  return Value::list(std::move(out));
}

/// Where the argument is in the value; nothing for null.
std::expected<std::optional<List>, Problem> places(const NativeCall& call, std::string_view name) {
  const Value& part = call.argument(0);
  if (call.value.is_null()) {
    return std::nullopt;
  }
  if (call.value.is(Kind::list)) {
    return places_of(call.value.as_list(), part.is(Kind::list) ? part.as_list() : List{part},
                     call.budget);
  }
  if (!call.value.is(Kind::text) || !part.is(Kind::text)) {
    return not_for(name, part, call.value);
  }
  return places_of(characters(call.value, call.budget).as_list(),
                   characters(part, call.budget).as_list(), call.budget);
}

Outcome indices(const NativeCall& call) {
  auto found = places(call, "indices");
  if (!found) {
    return std::unexpected(std::move(found).error());
  }
  return *found ? Value::list(**std::move(found)) : Value();
}

Outcome first_index(const NativeCall& call) {
  auto found = places(call, "index");
  if (!found) {
    return std::unexpected(std::move(found).error());
  }
  return *found && !(*found)->empty() ? (*found)->front() : Value();
}

Outcome last_index(const NativeCall& call) {
  auto found = places(call, "rindex");
  if (!found) {
    return std::unexpected(std::move(found).error());
  }
  return *found && !(*found)->empty() ? (*found)->back() : Value();
}

void flatten_into(List& out, const List& elements, double depth, Budget& budget) {
  for (const Value& element : elements) {
    if (!budget.spend(1)) {
      return;
    }
    if (element.is(Kind::list) && depth != 0) {
      flatten_into(out, element.as_list(), depth - 1, budget);
    } else {
      out.push_back(element);
    }
  }
}

Outcome flatten(const NativeCall& call) {
  const auto values = values_of(call);
  if (!values) {
    return not_for("flatten", call.value);
  }
  double depth = -1;
  if (!call.arguments.empty()) {
    const auto wanted = to_double(call.argument(0));
    if (!wanted) {
      return not_for("flatten", call.argument(0));
    }
    depth = *wanted;
    if (depth < 0 || std::isnan(depth)) {
      return problem("flatten depth should not be negative: " + preview(Value::number(depth)));
    }
  }
  List out;
  flatten_into(out, *values, depth, call.budget);
  return Value::list(std::move(out));
}

Outcome range(const NativeCall& call) {
  for (const Value& argument : call.arguments) {
    if (!argument.is_number()) {
      return not_for("range", argument);
    }
  }
  return Value();
}

// Order. The `_by` functions get the keys of the elements as their argument.

struct Keyed {
  Value value;
  Value key;
};

std::expected<std::vector<Keyed>, Problem> keyed(const NativeCall& call, std::string_view name) {
  const bool has_keys = !call.arguments.empty();
  if (!call.value.is(Kind::list)) {
    return has_keys ? not_for(name, call.argument(0), call.value) : not_for(name, call.value);
  }
  const Value& keys = has_keys ? call.argument(0) : call.value;
  if (!keys.is(Kind::list)) {
    return not_for(name, keys, call.value);
  }
  if (keys.as_list().size() != call.value.as_list().size()) {
    return failed_for(std::string(name) + "(" + preview(keys) + ")", preview(call.value),
                      "length mismatch");
  }
  std::vector<Keyed> out;
  for (std::size_t i = 0; i < keys.as_list().size(); ++i) {
    out.push_back({call.value.as_list()[i], keys.as_list()[i]});
  }
  return out;
}

/// A merge sort of our own: NaN breaks the rules that library sorts rely on.
void sort_stably(std::vector<Keyed>& items, Budget& budget) {
  std::vector<Keyed> other(items.size());
  for (std::size_t width = 1; width < items.size(); width *= 2) {
    for (std::size_t begin = 0; begin < items.size(); begin += 2 * width) {
      std::size_t left = begin;
      const std::size_t middle = std::min(begin + width, items.size());
      std::size_t right = middle;
      const std::size_t end = std::min(begin + 2 * width, items.size());
      for (std::size_t out = begin; out < end; ++out) {
        const bool takes_right =
            left == middle ||
            (right < end && compare(items[right].key, items[left].key, budget) < 0);
        other[out] = std::move(takes_right ? items[right++] : items[left++]);
      }
    }
    std::swap(items, other);
  }
}

std::expected<std::vector<Keyed>, Problem> sorted(const NativeCall& call, std::string_view name) {
  auto items = keyed(call, name);
  if (items) {
    sort_stably(*items, call.budget);
  }
  return items;
}

Outcome sort_named(const NativeCall& call, std::string_view name) {
  auto items = sorted(call, name);
  if (!items) {
    return std::unexpected(std::move(items).error());
  }
  List out;
  for (Keyed& item : *items) {
    out.push_back(std::move(item.value));
  }
  return Value::list(std::move(out));
}

Outcome sort(const NativeCall& call) { return sort_named(call, "sort"); }

Outcome sort_by(const NativeCall& call) { return sort_named(call, "sort_by"); }

/// Elements with one key together.
std::expected<std::vector<List>, Problem> grouped(const NativeCall& call, std::string_view name) {
  auto items = sorted(call, name);
  if (!items) {
    return std::unexpected(std::move(items).error());
  }
  std::vector<List> out;
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (i == 0 || compare((*items)[i - 1].key, (*items)[i].key, call.budget) != 0) {
      out.emplace_back();
    }
    out.back().push_back((*items)[i].value);
  }
  return out;
}

Outcome group_by(const NativeCall& call) {
  auto groups = grouped(call, "group_by");
  if (!groups) {
    return std::unexpected(std::move(groups).error());
  }
  List out;
  for (List& group : *groups) {
    out.push_back(Value::list(std::move(group)));
  }
  return Value::list(std::move(out));
}

Outcome unique_named(const NativeCall& call, std::string_view name) {
  auto groups = grouped(call, name);
  if (!groups) {
    return std::unexpected(std::move(groups).error());
  }
  List out;
  for (const List& group : *groups) {
    out.push_back(group.front());
  }
  return Value::list(std::move(out));
}

Outcome unique(const NativeCall& call) { return unique_named(call, "unique"); }

Outcome unique_by(const NativeCall& call) { return unique_named(call, "unique_by"); }

enum class Extreme { least, most };

Outcome extreme(const NativeCall& call, std::string_view name, Extreme which) {
  auto items = keyed(call, name);
  if (!items) {
    return std::unexpected(std::move(items).error());
  }
  const Keyed* best = nullptr;
  for (const Keyed& item : *items) {
    if (best == nullptr ||
        (compare(best->key, item.key, call.budget) > 0) == (which == Extreme::least)) {
      best = &item;
    }
  }
  return best == nullptr ? Value() : best->value;
}

Outcome least(const NativeCall& call) { return extreme(call, "min", Extreme::least); }

Outcome least_by(const NativeCall& call) { return extreme(call, "min_by", Extreme::least); }

Outcome most(const NativeCall& call) { return extreme(call, "max", Extreme::most); }

Outcome most_by(const NativeCall& call) { return extreme(call, "max_by", Extreme::most); }

Outcome bsearch(const NativeCall& call) {
  if (!call.value.is(Kind::list)) {
    return not_for("bsearch", call.argument(0), call.value);
  }
  const List& list = call.value.as_list();
  std::size_t low = 0;
  std::size_t high = list.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (compare(list[middle], call.argument(0), call.budget) >= 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  const bool is_there = low < list.size() && compare(list[low], call.argument(0), call.budget) == 0;
  const auto place = static_cast<std::int64_t>(low);
  return Value::integer(is_there ? place : -place - 1);
}

Outcome transpose(const NativeCall& call) {
  if (!call.value.is(Kind::list)) {
    return not_for("transpose", call.value);
  }
  const List& rows = call.value.as_list();
  std::size_t width = 0;
  for (const Value& row : rows) {
    if (!row.is(Kind::list)) {
      return not_for("transpose", call.value);
    }
    width = std::max(width, row.as_list().size());
  }
  List out;
  if (!call.budget.spend(width * (rows.size() + 1))) {
    return Value();
  }
  for (std::size_t column = 0; column < width; ++column) {
    List cells;
    for (const Value& row : rows) {
      cells.push_back(column < row.as_list().size() ? row.as_list()[column] : Value());
    }
    out.push_back(Value::list(std::move(cells)));
  }
  return Value::list(std::move(out));
}

constexpr Native kNatives[] = {
    {"abs", 0, abs},           {"length", 0, length},
    {"keys", 0, keys},         {"has", 1, has},
    {"add", 0, sum},           {"join", 1, join},
    {"reverse", 0, reverse},   {"contains", 1, contains},
    {"inside", 1, inside},     {"indices", 1, indices},
    {"index", 1, first_index}, {"rindex", 1, last_index},
    {"flatten", 0, flatten},   {"flatten", 1, flatten},
    {"_range", 3, range},      {"sort", 0, sort},
    {"_sort_by", 1, sort_by},  {"_group_by", 1, group_by},
    {"unique", 0, unique},     {"_unique_by", 1, unique_by},
    {"min", 0, least},         {"_min_by", 1, least_by},
    {"max", 0, most},          {"_max_by", 1, most_by},
    {"bsearch", 1, bsearch},   {"transpose", 0, transpose},
};

}  // namespace

std::span<const Native> list_natives() { return kNatives; }

}  // namespace tiphys::lang::jq

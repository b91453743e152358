/// The functions that run a predicate for every element.
#include "lang/expr/builtins.h"
#include "lang/expr/evaluator.h"
#include "lang/expr/parts.h"
#include "lang/expr/sorting.h"

#include <fmt/format.h>

namespace tiphys::lang {

Result<ExprValue> Evaluator::with_predicate(const Node& node) {
  if (node.from_right) {
    return sum_from_right(node);
  }
  if (node.kids.empty()) {
    return error_at(node, "invalid number of arguments");
  }
  TRY_VOID(begin(node));
  Result<ExprValue> result = run_loop(node);
  scopes_.pop_back();
  if (!result) {
    return result;
  }
  return shallow(node, *std::move(result));
}

Result<> Evaluator::begin(const Node& node) {
  TRY(ExprValue collection, eval(node.kid(0)));
  const Result<std::int64_t> length = go_length(collection);
  if (!length) {
    const bool nil = collection.is_nil();
    return error_at(node, fmt::format("reflect: call of reflect.Value.Len on {} Value",
                                      nil ? "zero" : kind_name(collection)));
  }
  scopes_.push_back({std::move(collection), *length, 0, {}});
  return {};
}

Result<ExprValue> Evaluator::item(const Node& node) {
  const Scope& scope = scopes_.back();
  if (scope.collection.kind() == ExprKind::map) {
    return error_at(node, "reflect: call of reflect.Value.Index on map Value");
  }
  if (scope.index < 0 || scope.index >= scope.length) {
    return error_at(node, fmt::format("runtime error: index out of range [{}] with length {}",
                                      scope.index, scope.length));
  }
  if (scope.collection.kind() == ExprKind::list) {
    return scope.collection.as_list()[static_cast<std::size_t>(scope.index)];
  }
  return at(node, fetch(scope.collection, ExprValue::integer(scope.index)));
}

/// What the predicate says about the current element; without predicate the element itself.
Result<bool> Evaluator::test(const Node& node) {
  TRY(const ExprValue value, node.kids.size() > 1 ? eval(node.kid(1)) : item(node));
  return condition(node, value);
}

Result<ExprValue> Evaluator::run_loop(const Node& node) {
  const std::string_view name = node.text;
  if (name == "filter") {
    return filter(node);
  }
  if (name == "map") {
    return mapped(node);
  }
  if (name == "count") {
    return count(node);
  }
  if (name == "sum") {
    return sum(node);
  }
  if (name == "find" || name == "findIndex") {
    return find(node, false, name == "findIndex");
  }
  if (name == "findLast" || name == "findLastIndex") {
    return find(node, true, name == "findLastIndex");
  }
  if (name == "groupBy") {
    return group_by(node);
  }
  if (name == "sortBy") {
    return sort_by(node);
  }
  return name == "reduce" ? reduce(node) : quantifier(node);
}

/// all, none, any, one.
Result<ExprValue> Evaluator::quantifier(const Node& node) {
  std::int64_t hits = 0;
  for (; scopes_.back().index < scopes_.back().length; ++scopes_.back().index) {
    TRY(const bool holds, test(node));
    hits += holds ? 1 : 0;
    const bool decided = node.text == "all"    ? !holds
                         : node.text == "none" ? holds
                                               : node.text == "any" && holds;
    if (decided) {
      return ExprValue::boolean(node.text == "any");
    }
  }
  return ExprValue::boolean(node.text == "one" ? hits == 1 : node.text != "any");
}

Result<ExprValue> Evaluator::filter(const Node& node) {
  ExprList out;
  for (; scopes_.back().index < scopes_.back().length; ++scopes_.back().index) {
    TRY(const bool holds, test(node));
    if (holds) {
      TRY(ExprValue kept, node.mapping ? eval(*node.mapping) : item(node));
      out.push_back(std::move(kept));
    }
  }
  if (Result<> charged = run_.charge(out.size()); !charged) {
    return located(node.at, charged.error());
  }
  return ExprValue::list(std::move(out));
}

Result<ExprValue> Evaluator::mapped(const Node& node) {
  ExprList out;
  for (; scopes_.back().index < scopes_.back().length; ++scopes_.back().index) {
    TRY(ExprValue value, eval(node.kid(1)));
    out.push_back(std::move(value));
  }
  if (Result<> charged = run_.charge(out.size()); !charged) {
    return located(node.at, charged.error());
  }
  return ExprValue::list(std::move(out));
}

Result<ExprValue> Evaluator::count(const Node& node) {
  std::int64_t hits = 0;
  for (; scopes_.back().index < scopes_.back().length; ++scopes_.back().index) {
    TRY(const bool holds, test(node));
    hits += holds ? 1 : 0;
    if (holds && node.threshold && hits >= *node.threshold) {
      break;
    }
  }
  return ExprValue::integer(hits);
}

Result<ExprValue> Evaluator::sum(const Node& node) {
  ExprValue total = ExprValue::integer(0);
  for (; scopes_.back().index < scopes_.back().length; ++scopes_.back().index) {
    TRY(const ExprValue value, node.kids.size() > 1 ? eval(node.kid(1)) : item(node));
    TRY(total, at(node, arithmetic(run_, Op::add, value, total)));
  }
  return total;
}

Result<ExprValue> Evaluator::sum_from_right(const Node& node) {
  ExprList values;
  for (const NodePtr& kid : node.kid(0).kids) {
    TRY(ExprValue value, eval(*kid));
    values.push_back(std::move(value));
  }
  ExprValue total = values.back();
  for (std::size_t i = values.size() - 1; i-- > 0;) {
    Result<ExprValue> next = arithmetic(run_, Op::add, values[i], total);
    if (!next) {
      // Upstream's inner additions have no place of their own.
      return located(i == 0 ? node.at : 0, next.error());
    }
    total = *std::move(next);
  }
  return total;
}

Result<ExprValue> Evaluator::find(const Node& node, bool backwards, bool give_index) {
  const std::int64_t length = scopes_.back().length;
  for (std::int64_t i = 0; i < length; ++i) {
    scopes_.back().index = backwards ? length - 1 - i : i;
    TRY(const bool holds, test(node));
    if (!holds) {
      continue;
    }
    if (give_index) {
      return ExprValue::integer(scopes_.back().index);
    }
    return node.mapping ? eval(*node.mapping) : item(node);
  }
  if (node.throws) {
    return error_at(node, "reflect: slice index out of range");
  }
  return ExprValue();
}

Result<ExprValue> Evaluator::group_by(const Node& node) {
  std::vector<std::pair<ExprValue, ExprList>> groups;
  std::unordered_map<std::string, std::size_t> places;
  for (; scopes_.back().index < scopes_.back().length; ++scopes_.back().index) {
    TRY(ExprValue key, eval(node.kid(1)));
    const auto hash = hash_key(key);
    if (!hash) {
      return error_at(node, "runtime error: hash of unhashable type " + type_text(key));
    }
    TRY(ExprValue value, item(node));
    const auto [place, added] = places.emplace(*hash, groups.size());
    if (added) {
      groups.emplace_back(std::move(key), ExprList());
    }
    groups[place->second].second.push_back(std::move(value));
  }
  std::vector<std::pair<ExprValue, ExprValue>> entries;
  for (auto& [key, members] : groups) {
    entries.emplace_back(std::move(key), ExprValue::list(std::move(members)));
  }
  return ExprValue::any_map(std::move(entries), ExprKind::list);
}

Result<ExprValue> Evaluator::sort_by(const Node& node) {
  SortOrder order = SortOrder::ascending;
  if (node.kids.size() == 3) {
    TRY(const ExprValue name, eval(node.kid(2)));
    if (name.kind() != ExprKind::string) {
      return error_at(node, "sortBy order argument must be a string");
    }
    if (name.as_string() != "asc" && name.as_string() != "desc") {
      return error_at(node, "unknown order, use asc or desc");
    }
    order = name.as_string() == "asc" ? SortOrder::ascending : SortOrder::descending;
  }
  ExprList items;
  ExprList keys;
  for (; scopes_.back().index < scopes_.back().length; ++scopes_.back().index) {
    TRY(ExprValue key, eval(node.kid(1)));
    TRY(ExprValue value, item(node));
    keys.push_back(std::move(key));
    items.push_back(std::move(value));
  }
  TRY(const auto places, at(node, sorted_places(run_, keys, order)));
  if (Result<> charged = run_.charge(items.size()); !charged) {
    return located(node.at, charged.error());
  }
  ExprList out;
  for (const std::size_t place : places) {
    out.push_back(items[place]);
  }
  return ExprValue::list(std::move(out));
}

Result<ExprValue> Evaluator::reduce(const Node& node) {
  if (node.kids.size() == 3) {
    TRY(ExprValue start, eval(node.kid(2)));
    scopes_.back().accumulator = std::move(start);
  } else {
    if (scopes_.back().length == 0) {
      return error_at(node, "reduce of empty array with no initial value");
    }
    TRY(ExprValue start, item(node));
    scopes_.back().accumulator = std::move(start);
    ++scopes_.back().index;
  }
  for (; scopes_.back().index < scopes_.back().length; ++scopes_.back().index) {
    TRY(ExprValue next, eval(node.kid(1)));
    scopes_.back().accumulator = std::move(next);
  }
  return scopes_.back().accumulator;
}

}  // namespace tiphys::lang

#include "lang/expr/json_path.h"

#include "lang/expr/expr.h"
#include "lang/expr/go_json.h"
#include "lang/expr/operators.h"
#include "lang/expr/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tiphys::lang {

std::optional<std::int64_t> path_integer(const ExprValue& value) {
  if (value.is_integer()) {
    return value.as_integer();
  }
  if (value.is_float() && std::trunc(value.as_number()) == value.as_number()) {
    return truncated(value.as_number());
  }
  return std::nullopt;
}

std::string path_kind(const ExprValue& value) {
  return value.is_nil() ? "nil" : std::string(kind_name(value));
}

namespace {

std::unexpected<Error> wrong_target(std::string_view step, std::string_view wanted,
                                    const ExprValue& got) {
  return path_error(fmt::format("{}: invalid token target. expected [{}] got [{}]", step, wanted,
                                path_kind(got)));
}

std::unexpected<Error> wrong_argument(std::string_view step, std::string_view wanted,
                                      std::string_view got) {
  return path_error(
      fmt::format("{}: invalid token argument. expected [{}] got [{}]", step, wanted, got));
}

std::unexpected<Error> out_of_range(std::string_view step) {
  return path_error(fmt::format("{}: invalid token out of range", step));
}

/// An error of a script inside `step`; errors of tokens stay as they are.
std::unexpected<Error> inside(std::string_view step, const Error& error) {
  const bool token = error.message.find("invalid token") != std::string::npos;
  return path_error(token ? error.message
                          : fmt::format("{}: invalid token {}", step, error.message));
}

Result<ExprValue> run_script(const PathScript& script, const ExprValue& root,
                             const ExprValue& current, PathBudget& budget) {
  if (script.empty()) {
    return path_error("invalid expression. is empty");
  }
  Result<ExprValue> value = script.evaluate(root, current, budget);
  if (!value && !value.error().message.starts_with("invalid expression")) {
    return path_error("invalid expression. " + value.error().message);
  }
  return value;
}

/// Text counts unless it is empty or an empty literal, numbers unless they are zero.
bool is_hit(const ExprValue& value) {
  switch (value.kind()) {
    case ExprKind::boolean:
      return value.as_bool();
    case ExprKind::list:
    case ExprKind::map:
      return go_length(value).value_or(0) > 0;
    case ExprKind::string: {
      const std::string_view text = value.as_string();
      return !text.empty() && text != "''" && text != R"("")";
    }
    case ExprKind::nil:
      return false;
    default:
      return value.is_number() && value.as_number() != 0;
  }
}

/// The members of a map by key, or the elements of a list.
std::optional<ExprList> children(const ExprValue& value) {
  if (value.kind() == ExprKind::list) {
    return value.as_list();
  }
  if (value.kind() != ExprKind::map || value.as_map() == nullptr) {
    return std::nullopt;
  }
  ExprList out;
  value.as_map()->each([&](std::string_view, const ExprValue& member) {
    out.push_back(member);
    return true;
  });
  return out;
}

class PathRun {
 public:
  PathRun(const PathTokens& tokens, PathBudget& budget) : tokens_(tokens), budget_(budget) {}

  Result<ExprValue> apply(std::size_t at, const ExprValue& root, const ExprValue& current) {
    TRY_VOID(budget_.spend());
    const PathToken& token = tokens_[at];
    switch (token.kind) {
      case PathKind::root:
        return next(at, root, root);
      case PathKind::current:
        return next(at, root, current);
      case PathKind::wildcard:
        return wildcard(at, root, current);
      case PathKind::recursive: {
        ExprList found;
        TRY_VOID(recurse(at, root, current, found));
        return ExprValue::list(std::move(found));
      }
      case PathKind::length:
        return length(at, root, current);
      case PathKind::key:
        return key(at, token.key, root, current);
      case PathKind::index:
        return index(at, token.index, root, current);
      case PathKind::range:
        return range(at, root, current);
      case PathKind::set:
        return set(at, root, current);
      case PathKind::filter:
        return filter(at, root, current);
      case PathKind::script:
        return script(at, root, current);
    }
    return ExprValue();
  }

 private:
  bool is_last(std::size_t at) const { return at + 1 >= tokens_.size(); }

  Result<ExprValue> next(std::size_t at, const ExprValue& root, const ExprValue& value) {
    return is_last(at) ? Result<ExprValue>(value) : apply(at + 1, root, value);
  }

  /// A step that gives several values hands each to the next step, unless that picks one of them.
  bool for_each(std::size_t at) const {
    return !is_last(at) && tokens_[at + 1].kind != PathKind::index;
  }

  /// Adds what the next step makes of an item; items it cannot be applied to are left out.
  Result<> add(std::size_t at, const ExprValue& root, const ExprValue& item, bool each,
               ExprList& out) {
    TRY_VOID(budget_.spend());
    if (!each) {
      out.push_back(item);
      return {};
    }
    Result<ExprValue> value = apply(at + 1, root, item);
    if (budget_.steps == 0) {
      return std::unexpected(budget_.spend().error());
    }
    if (value && !value->is_nil()) {
      out.push_back(*std::move(value));
    }
    return {};
  }

  Result<ExprValue> finish(std::size_t at, const ExprValue& root, ExprList items, bool each) {
    ExprValue list = ExprValue::list(std::move(items));
    return each || is_last(at) ? Result<ExprValue>(std::move(list)) : apply(at + 1, root, list);
  }

  Result<ExprValue> wildcard(std::size_t at, const ExprValue& root, const ExprValue& current) {
    const auto items = children(current);
    if (!items) {
      return wrong_target("wildcard", "array map slice", current);
    }
    ExprList out;
    for (const ExprValue& item : *items) {
      TRY_VOID(add(at, root, item, !is_last(at), out));
    }
    return ExprValue::list(std::move(out));
  }

  Result<> recurse(std::size_t at, const ExprValue& root, const ExprValue& current, ExprList& out) {
    if (current.is_nil()) {
      return {};
    }
    TRY_VOID(budget_.spend());
    const Result<ExprValue> found = next(at, root, current);
    if (budget_.steps == 0) {
      return std::unexpected(budget_.spend().error());
    }
    if (found && found->kind() == ExprKind::list && !is_last(at)) {
      for (const ExprValue& item : found->as_list()) {
        TRY_VOID(budget_.spend());
        out.push_back(item);
      }
    } else if (found && !found->is_nil()) {
      out.push_back(*found);
    }
    for (const ExprValue& child : children(current).value_or(ExprList())) {
      TRY_VOID(recurse(at, root, child, out));
    }
    return {};
  }

  Result<ExprValue> length(std::size_t at, const ExprValue& root, const ExprValue& current) {
    const Result<std::int64_t> count = go_length(current);
    if (!count) {
      return wrong_target("length", "array map slice string", current);
    }
    if (current.as_map() != nullptr) {
      if (const auto member = current.as_map()->find("length")) {
        return next(at, root, *member);
      }
    }
    return next(at, root, ExprValue::sized_integer(ExprKind::int64, *count));
  }

  Result<ExprValue> key(std::size_t at, std::string_view name, const ExprValue& root,
                        const ExprValue& current) {
    if (current.as_map() == nullptr) {
      return wrong_target("key", "map", current);
    }
    const auto member = current.as_map()->find(name);
    if (!member) {
      return path_error(fmt::format("key: invalid token key '{}' not found", name));
    }
    return next(at, root, *member);
  }

  Result<ExprValue> index(std::size_t at, std::int64_t index, const ExprValue& root,
                          const ExprValue& current) {
    if (current.kind() != ExprKind::list) {
      return wrong_target("index", "array slice", current);
    }
    const auto length = static_cast<std::int64_t>(current.as_list().size());
    index += index < 0 ? length : 0;
    if (index < 0 || index >= length) {
      return out_of_range("index");
    }
    return next(at, root, current.as_list()[static_cast<std::size_t>(index)]);
  }

  Result<std::int64_t> range_argument(const PathArgument& argument, const ExprValue& root,
                                      const ExprValue& current) {
    if (const auto* number = std::get_if<std::int64_t>(&argument)) {
      return *number;
    }
    const auto* code = std::get_if<std::shared_ptr<const PathScript>>(&argument);
    if (code == nullptr) {
      return wrong_argument("range", "int", "string");
    }
    const Result<ExprValue> value = run_script(**code, root, current, budget_);
    if (!value) {
      return inside("range", value.error());
    }
    if (const auto number = path_integer(*value)) {
      return *number;
    }
    return path_error(
        fmt::format("range: invalid token unexpected expression result. expected [int] got [{}]",
                    path_kind(*value)));
  }

  /// A bound of a range in 0 ... length.
  Result<std::int64_t> bound(const PathArgument& argument, std::int64_t otherwise,
                             std::int64_t length, const ExprValue& root, const ExprValue& current) {
    if (std::holds_alternative<std::monostate>(argument)) {
      return otherwise;
    }
    TRY(std::int64_t value, range_argument(argument, root, current));
    value += value < 0 ? length : 0;
    return std::clamp<std::int64_t>(value, 0, length);
  }

  Result<ExprValue> range(std::size_t at, const ExprValue& root, const ExprValue& current) {
    if (current.kind() != ExprKind::list) {
      return wrong_target("range", "array slice", current);
    }
    const auto& arguments = tokens_[at].arguments;
    const auto length = static_cast<std::int64_t>(current.as_list().size());
    TRY(const std::int64_t from, bound(arguments[0], 0, length, root, current));
    TRY(const std::int64_t to, bound(arguments[1], length, length, root, current));
    std::int64_t step = 1;
    if (arguments.size() > 2 && !std::holds_alternative<std::monostate>(arguments[2])) {
      TRY(step, range_argument(arguments[2], root, current));
    }
    if (step == 0) {
      return out_of_range("range");
    }
    step = std::clamp<std::int64_t>(step, -length - 1, length + 1);
    const bool each = for_each(at);
    ExprList out;
    for (std::int64_t i = step > 0 ? from : to - 1; i >= from && i < to; i += step) {
      TRY_VOID(add(at, root, current.as_list()[static_cast<std::size_t>(i)], each, out));
    }
    return finish(at, root, std::move(out), each);
  }

  Result<ExprValue> set_argument(const PathArgument& argument, const ExprValue& root,
                                 const ExprValue& current) {
    if (const auto* name = std::get_if<std::string>(&argument)) {
      return ExprValue::string(*name);
    }
    if (const auto* number = std::get_if<std::int64_t>(&argument)) {
      return ExprValue::integer(*number);
    }
    const auto* code = std::get_if<std::shared_ptr<const PathScript>>(&argument);
    if (code == nullptr) {
      return wrong_argument("union", "int string", "nil");
    }
    Result<ExprValue> value = run_script(**code, root, current, budget_);
    if (!value) {
      return inside("union", value.error());
    }
    if (value->kind() == ExprKind::string) {
      return value;
    }
    if (const auto number = path_integer(*value)) {
      return ExprValue::integer(*number);
    }
    return wrong_argument("union", "int string", path_kind(*value));
  }

  /// [a,b]: names or numbers, not both.
  Result<ExprValue> set(std::size_t at, const ExprValue& root, const ExprValue& current) {
    ExprList wanted;
    for (const PathArgument& argument : tokens_[at].arguments) {
      TRY(ExprValue value, set_argument(argument, root, current));
      if (!wanted.empty() && wanted.front().kind() != value.kind()) {
        const bool text = value.kind() == ExprKind::string;
        return text ? wrong_argument("union", "int", "string")
                    : wrong_argument("union", "string", "int");
      }
      wanted.push_back(std::move(value));
    }
    const bool by_name = !wanted.empty() && wanted.front().kind() == ExprKind::string;
    if (by_name && current.as_map() == nullptr) {
      return wrong_target("union", "map", current);
    }
    if (!by_name && current.kind() != ExprKind::list) {
      return wrong_target("union", "array slice", current);
    }
    const bool each = for_each(at);
    ExprList out;
    for (const ExprValue& one : wanted) {
      if (auto member = by_name ? current.as_map()->find(one.as_string())
                                : element(current, one.as_integer())) {
        TRY_VOID(add(at, root, *member, each, out));
      }
    }
    return finish(at, root, std::move(out), each);
  }

  static std::optional<ExprValue> element(const ExprValue& list, std::int64_t index) {
    const auto length = static_cast<std::int64_t>(list.as_list().size());
    index += index < 0 ? length : 0;
    return index < 0 || index >= length
               ? std::nullopt
               : std::optional(list.as_list()[static_cast<std::size_t>(index)]);
  }

  Result<ExprValue> filter(std::size_t at, const ExprValue& root, const ExprValue& current) {
    const PathScript& code = *tokens_[at].script;
    if (code.empty()) {
      return path_error("invalid expression. is empty");
    }
    const auto items = children(current);
    if (!items) {
      return wrong_target("filter", "array map slice", current);
    }
    ExprList hits;
    for (const ExprValue& item : *items) {
      const Result<ExprValue> value = code.evaluate(root, item, budget_);
      TRY_VOID(budget_.spend());
      if (value && is_hit(*value)) {
        hits.push_back(item);
      }
    }
    if (is_last(at)) {
      return ExprValue::list(std::move(hits));
    }
    if (tokens_[at + 1].kind == PathKind::index) {
      return apply(at + 1, current, ExprValue::list(std::move(hits)));
    }
    ExprList out;
    for (const ExprValue& hit : hits) {
      TRY_VOID(add(at, root, hit, true, out));
    }
    return ExprValue::list(std::move(out));
  }

  Result<ExprValue> script(std::size_t at, const ExprValue& root, const ExprValue& current) {
    TRY(const ExprValue value, run_script(*tokens_[at].script, root, current, budget_));
    if (value.kind() == ExprKind::string) {
      return key(at, value.as_string(), root, current);
    }
    if (const auto number = path_integer(value)) {
      return index(at, *number, root, current);
    }
    return path_error(fmt::format("unexpected expression result. expected [int string] got [{}]",
                                  path_kind(value)));
  }

  const PathTokens& tokens_;
  PathBudget& budget_;
};

}  // namespace

Result<ExprValue> apply_path(const PathTokens& tokens, std::size_t at, const ExprValue& root,
                             const ExprValue& current, PathBudget& budget) {
  return PathRun(tokens, budget).apply(at, root, current);
}

Result<ExprValue> query_json_path(std::string_view json, std::string_view path) {
  constexpr std::size_t kLongestPath = 4096;
  if (path.size() > kLongestPath) {
    return path_error("invalid JSONPath selector: it is longer than 4096 bytes");
  }
  TRY(const ExprValue root, parse_go_json(json));
  PathBudget budget;
  const Result<PathTokens> tokens = parse_path(path, budget);
  if (!tokens) {
    return path_error(
        fmt::format("invalid JSONPath selector '{}' {}", path, tokens.error().message));
  }
  return apply_path(*tokens, 0, root, root, budget);
}

}  // namespace tiphys::lang

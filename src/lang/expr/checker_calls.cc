#include "lang/expr/builtins.h"
#include "lang/expr/checker_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tiphys::lang {
namespace {

/// Functions that ask their predicate a question.
bool wants_boolean(std::string_view name) {
  constexpr std::array<std::string_view, 10> kNames = {
      "all",  "none",      "any",      "one",    "count",
      "find", "findIndex", "findLast", "filter", "findLastIndex"};
  return std::ranges::find(kNames, name) != kNames.end();
}

/// A literal takes the numeric type of the parameter it is passed to.
void retype_literals(Node& node, const ExprType& wanted) {
  if (node.kind == NodeKind::integer) {
    if (wanted.is_float()) {
      node.kind = NodeKind::number;
      node.number = static_cast<double>(node.integer);
    }
    node.nature = Nature::of(wanted);
    return;
  }
  const bool arithmetic =
      node.kind == NodeKind::binary &&
      (node.op == Op::add || node.op == Op::subtract || node.op == Op::multiply);
  if (node.kind == NodeKind::unary || arithmetic) {
    for (const NodePtr& kid : node.kids) {
      retype_literals(*kid, wanted);
    }
  }
}

}  // namespace

Nature Checker::call(Node& node) {
  Node& callee = *node.kids[0];
  if (callee.kind == NodeKind::identifier && callee.text == "$env") {
    return error(node, "map[string]interface {} is not callable");
  }
  const Nature nature = visit(callee);
  if (nature.is_unknown()) {
    // Upstream leaves these arguments unchecked; here their names still get their places.
    ++lenient_;
    for (std::size_t i = 1; i < node.kids.size(); ++i) {
      visit(*node.kids[i]);
    }
    --lenient_;
    return {};
  }
  if (nature.builtin != nullptr) {
    return call_builtin(*nature.builtin, node, 1);
  }
  std::string name = "function";
  if (callee.kind == NodeKind::identifier) {
    name = callee.text;
  } else if (callee.kind == NodeKind::member && callee.kid(1).kind == NodeKind::string) {
    name = callee.kid(1).text;
  }
  if (nature.is_nil()) {
    return error(node, name + " is nil; cannot call nil as function");
  }
  if (nature.kind() != ExprKind::function) {
    return error(node, nature.name() + " is not callable");
  }
  CallNature result = call_function(name, nature.type, node, 1);
  return result ? *std::move(result) : error(result.error());
}

Checker::CallNature Checker::call_function(std::string_view name, const ExprType& type, Node& node,
                                           std::size_t first) {
  constexpr std::size_t kMostResults = 2;
  if (type.results().size() > kMostResults) {
    return std::unexpected(
        SourceError{node.at, fmt::format("func {} returns more then two values", name)});
  }
  const auto& parameters = type.parameters();
  const std::size_t given = node.kids.size() - first;
  const bool variadic = type.variadic();
  const bool few = given + (variadic ? 1 : 0) < parameters.size();
  const bool many = !variadic && given > parameters.size();
  if (few || many) {
    for (std::size_t i = first; i < node.kids.size(); ++i) {
      visit(*node.kids[i]);
    }
    return std::unexpected(SourceError{
        node.at, fmt::format("{} arguments to call {}", few ? "not enough" : "too many", name)});
  }
  for (std::size_t i = 0; i < given; ++i) {
    const bool rest = variadic && i + 1 >= parameters.size();
    const ExprType wanted = rest ? parameters.back().element() : parameters[i];
    if (auto problem = check_argument(name, wanted, *node.kids[first + i])) {
      return std::unexpected(*std::move(problem));
    }
  }
  return type.results().empty() ? Nature{} : Nature::of(type.results().front());
}

std::optional<SourceError> Checker::check_argument(std::string_view name, const ExprType& wanted,
                                                   Node& argument) {
  const Nature given = visit(argument);
  const bool retyped =
      given.type.is_integer() &&
      (wanted.is_float() || (wanted.is_integer() && wanted.kind() != given.type.kind()));
  if (retyped) {
    retype_literals(argument, wanted);
    return std::nullopt;
  }
  const Nature target = Nature::of(wanted);
  if (given.is_nil()) {
    const bool pointer = wanted.kind() == ExprKind::any || target.name().starts_with('*');
    if (pointer) {
      return std::nullopt;
    }
    return SourceError{argument.at, fmt::format("cannot use nil as argument (type {}) to call {}",
                                                target.name(), name)};
  }
  if (assignable(given, target) || given.is_unknown()) {
    return std::nullopt;
  }
  return SourceError{argument.at, fmt::format("cannot use {} as argument (type {}) to call {} ",
                                              given.name(), target.name(), name)};
}

Nature Checker::builtin(Node& node) {
  node.builtin = find_builtin(node.text);
  if (node.builtin == nullptr) {
    return error(node, "unknown builtin " + node.text);
  }
  if (node.text == "get") {
    return get_builtin(node);
  }
  return node.builtin->body == nullptr ? predicate_builtin(node)
                                       : call_builtin(*node.builtin, node, 0);
}

Nature Checker::call_builtin(const Builtin& builtin, Node& node, std::size_t first) {
  if (builtin.validate != nullptr) {
    std::vector<std::optional<ExprType>> types;
    for (std::size_t i = first; i < node.kids.size(); ++i) {
      const Nature argument = visit(*node.kids[i]);
      types.push_back(argument.is_unknown() ? std::optional<ExprType>(ExprKind::any)
                      : argument.is_typed() ? std::optional(argument.type)
                                            : std::nullopt);
    }
    const Result<ExprType> type = builtin.validate(types);
    if (!type) {
      return error(node, type.error().message);
    }
    return Nature::of(*type);
  }
  std::optional<SourceError> last;
  for (const ExprType& overload : builtin.overloads) {
    CallNature result = call_function(builtin.name, overload, node, first);
    if (result) {
      return *std::move(result);
    }
    last = result.error();
  }
  return last ? error(*std::move(last)) : Nature{};
}

Nature Checker::get_builtin(Node& node) {
  if (node.kids.size() != 2) {
    return error(node,
                 fmt::format("invalid number of arguments (expected 2, got {})", node.kids.size()));
  }
  const Nature base = visit(*node.kids[0]);
  const Nature key = visit(*node.kids[1]);
  if (node.kid(0).kind == NodeKind::identifier && node.kid(0).text == "$env") {
    const bool named = node.kid(1).kind == NodeKind::string;
    const auto known = named ? environment_nature(node.kid(1).text) : std::nullopt;
    return known ? *known : Nature{};
  }
  if (base.is_unknown()) {
    return {};
  }
  if (base.kind() == ExprKind::list) {
    if (!key.type.is_integer() && !key.is_unknown()) {
      return error(node.kid(1), "non-integer slice index " + key.name());
    }
    return element_of(base);
  }
  if (base.kind() == ExprKind::map) {
    if (!assignable(key, Nature::of(base.type.key())) && !key.is_unknown()) {
      return error(node.kid(1),
                   fmt::format("cannot use {} to get an element from {}", key.name(), base.name()));
    }
    return element_of(base);
  }
  return error(node.kid(0), fmt::format("type {} does not support indexing", base.name()));
}

Nature Checker::predicate_builtin(Node& node) {
  const Nature collection = visit(*node.kids[0]);
  if (collection.kind() != ExprKind::list && !collection.is_unknown()) {
    return error(node.kid(0),
                 fmt::format("builtin {} takes only array (got {})", node.text, collection.name()));
  }
  if (node.kids.size() == 1) {
    if (node.text == "count") {
      return Nature::of(ExprKind::int_);
    }
    return collection.is_unknown() ? Nature{} : element_of(collection);
  }
  const bool reduce = node.text == "reduce";
  scopes_.push_back({collection, reduce || node.text == "map", reduce});
  const Nature body = visit(*node.kids[1]);
  scopes_.pop_back();
  if (node.kids.size() == 3) {
    const Nature third = visit(*node.kids[2]);
    if (!reduce && third.kind() != ExprKind::string && !third.is_unknown()) {
      return error(node.kid(2),
                   fmt::format("sortBy order argument must be a string (got {})", third.name()));
    }
  }
  if (body.is_nil()) {
    if (node.text == "sum") {
      return error(node, "unknown builtin sum");
    }
    return error(node.kid(1), reduce ? "predicate should has two input and one output param"
                                     : "predicate should has one input and one output param");
  }
  return predicate_result(node, collection, body);
}

Nature Checker::predicate_result(const Node& node, const Nature& collection, const Nature& body) {
  const std::string& name = node.text;
  if (wants_boolean(name) && body.kind() != ExprKind::boolean && !body.is_unknown()) {
    return error(node.kid(1), fmt::format("predicate should return boolean (got {})", body.name()));
  }
  if (name == "filter") {
    return collection.is_unknown() ? Nature::of(ExprKind::list) : list_of(element_of(collection));
  }
  if (name == "map") {
    return list_of(body);
  }
  if (name == "find" || name == "findLast") {
    return collection.is_unknown() ? Nature{} : element_of(collection);
  }
  if (name == "count" || name == "findIndex" || name == "findLastIndex") {
    return Nature::of(ExprKind::int_);
  }
  if (name == "groupBy") {
    return Nature::of(ExprType::map_of(ExprKind::any, ExprKind::list));
  }
  if (name == "sortBy") {
    return collection;
  }
  if (name == "sum" || name == "reduce") {
    // Upstream's predicate is a Go function, so what is not known is an interface{}.
    return name == "sum" && body.is_unknown() ? Nature::of(ExprKind::any) : body;
  }
  return Nature::of(ExprKind::boolean);
}

}  // namespace tiphys::lang

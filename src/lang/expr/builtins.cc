#include "lang/expr/builtins.h"

#include "lang/expr/parts.h"

#include <fmt/format.h>

#include <unordered_map>

namespace tiphys::lang {
namespace {

/// Functions that run an expression of the caller; the evaluator knows how.
std::vector<Builtin> predicate_builtins() {
  using enum ExprKind;
  const ExprType predicate = ExprType::function({any}, false, {boolean});
  const ExprType mapping = ExprType::function({any}, false, {any});
  const ExprType reducer = ExprType::function({any, any}, false, {any});
  const auto shape = [](std::vector<ExprType> parameters, ExprType result) {
    return std::vector{ExprType::function(std::move(parameters), false, {std::move(result)})};
  };
  const ExprType groups = ExprType::map_of(any, list);
  return {
      {.name = "all", .overloads = shape({list, predicate}, boolean)},
      {.name = "none", .overloads = shape({list, predicate}, boolean)},
      {.name = "any", .overloads = shape({list, predicate}, boolean)},
      {.name = "one", .overloads = shape({list, predicate}, boolean)},
      {.name = "filter", .overloads = shape({list, predicate}, list)},
      {.name = "map", .overloads = shape({list, mapping}, list)},
      {.name = "find", .overloads = shape({list, predicate}, any)},
      {.name = "findIndex", .overloads = shape({list, predicate}, int_)},
      {.name = "findLast", .overloads = shape({list, predicate}, any)},
      {.name = "findLastIndex", .overloads = shape({list, predicate}, int_)},
      {.name = "count", .overloads = shape({list, predicate}, int_)},
      {.name = "sum", .overloads = shape({list, predicate}, int_)},
      {.name = "groupBy", .overloads = shape({list, mapping}, groups)},
      {.name = "sortBy", .overloads = shape({list, predicate, string}, list)},
      {.name = "reduce", .overloads = shape({list, reducer, any}, any)},
  };
}

std::unordered_map<std::string_view, Builtin> all_builtins() {
  std::unordered_map<std::string_view, Builtin> out;
  for (auto table : {predicate_builtins(), text_builtins(), list_builtins(), number_builtins(),
                     time_builtins(), conversion_builtins()}) {
    for (Builtin& builtin : table) {
      out.emplace(builtin.name, std::move(builtin));
    }
  }
  return out;
}

}  // namespace

ExprType Builtin::type() const {
  return overloads.empty()
             ? ExprType::function({ExprType::list_of(ExprKind::any)}, true, {ExprKind::any})
             : overloads.front();
}

const Builtin* find_builtin(std::string_view name) {
  static const std::unordered_map<std::string_view, Builtin> builtins = all_builtins();
  const auto found = builtins.find(name);
  return found == builtins.end() ? nullptr : &found->second;
}

Result<std::string_view> text_argument(const ExprValue& value) {
  if (value.kind() != ExprKind::string) {
    return failed_assertion(value, "string");
  }
  return value.as_string();
}

std::unexpected<Error> failed_assertion(const ExprValue& value, std::string_view wanted) {
  return run_error(fmt::format("interface conversion: interface {{}} is {}, not {}",
                               value.is_nil() ? "nil" : type_text(value), wanted));
}

Result<> expect_count(std::size_t got, std::size_t wanted) {
  if (got != wanted) {
    return run_error(fmt::format("invalid number of arguments (expected {}, got {})", wanted, got));
  }
  return {};
}

std::string argument_name(const std::optional<ExprType>& type) {
  return type ? type->go_name() : "%!s(<nil>)";
}

ExprKind argument_kind(const std::optional<ExprType>& type) {
  return type ? type->kind() : ExprKind::nil;
}

}  // namespace tiphys::lang

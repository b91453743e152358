#pragma once
/// The functions of the language. Private to the module.

#include "lang/expr/expr.h"
#include "lang/expr/node.h"

namespace tiphys::lang {

/// The type of an argument before it is computed: kind any when unknown, nothing for nil.
using ArgumentTypes = std::span<const std::optional<ExprType>>;

struct Builtin {
  std::string_view name;
  /// Accepted signatures, tried in order; empty when `validate` decides.
  std::vector<ExprType> overloads = {};
  /// Checks the arguments and gives the result type; may be null.
  Result<ExprType> (*validate)(ArgumentTypes arguments) = nullptr;
  /// Null for functions with predicates: the evaluator runs those.
  Result<ExprValue> (*body)(ExprRun& run, ExprArguments arguments) = nullptr;

  /// The type of the name when it is used as a value.
  ExprType type() const;
};

const Builtin* find_builtin(std::string_view name);

/// The tables, one per subject.
std::vector<Builtin> text_builtins();
std::vector<Builtin> list_builtins();
std::vector<Builtin> number_builtins();
std::vector<Builtin> time_builtins();
std::vector<Builtin> conversion_builtins();

/// What int() and float() do.
Result<ExprValue> convert_to_int(const ExprValue& value);
Result<ExprValue> convert_to_float(const ExprValue& value);

/// The text of an argument; the error is that of a failed Go type assertion.
Result<std::string_view> text_argument(const ExprValue& value);
/// Go's panic of `value.(wanted)`.
std::unexpected<Error> failed_assertion(const ExprValue& value, std::string_view wanted);
/// "invalid number of arguments (expected 1, got 2)" where the count is wrong.
Result<> expect_count(std::size_t got, std::size_t wanted);
/// The name of an argument type as Go's %s prints it.
std::string argument_name(const std::optional<ExprType>& type);
ExprKind argument_kind(const std::optional<ExprType>& type);
/// An error with ErrorCode::invalid.
std::unexpected<Error> run_error(std::string message);

}  // namespace tiphys::lang

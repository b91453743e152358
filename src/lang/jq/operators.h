#pragma once
/// Arithmetic, order and numbers of jq values. Private to the module.
///
/// Source of the rules: gojq v0.12.19 operator.go, compare.go and func.go.

#include "lang/jq/budget.h"

#include <optional>

namespace tiphys::lang::jq {

/// -1, 0, 1: null < false < true < numbers < strings < arrays < objects. NaN is below every number,
/// itself included.
int compare(const Value& a, const Value& b, Budget& budget);

Outcome add(const Value& a, const Value& b, Budget& budget);
Outcome subtract(const Value& a, const Value& b, Budget& budget);
Outcome multiply(const Value& a, const Value& b, Budget& budget);
Outcome divide(const Value& a, const Value& b, Budget& budget);
Outcome modulo(const Value& a, const Value& b, Budget& budget);
Outcome negate(const Value& value);

/// A number cut to 64 bits, saturating; nothing for anything but numbers.
std::optional<std::int64_t> to_integer(const Value& value);
/// The same, fractions rounded up.
std::optional<std::int64_t> to_integer_up(const Value& value);
std::optional<double> to_double(const Value& value);

/// Go's strings.Split.
Value split_text(std::string_view text, std::string_view separator, Budget& budget);

}  // namespace tiphys::lang::jq

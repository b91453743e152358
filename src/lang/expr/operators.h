#pragma once
/// What operators do with values at run time. Errors (invalid) carry upstream's text without place.
/// Private to the module.

#include "lang/expr/expr.h"
#include "lang/expr/node.h"

namespace tiphys::lang {

Result<bool> equal(ExprRun& run, const ExprValue& left, const ExprValue& right);
/// One of less, greater, less_equal, greater_equal.
Result<bool> ordered(Op op, const ExprValue& left, const ExprValue& right);
/// One of add, subtract, multiply, divide, modulo, power.
Result<ExprValue> arithmetic(ExprRun& run, Op op, const ExprValue& left, const ExprValue& right);
Result<ExprValue> negate(const ExprValue& value);
Result<ExprValue> make_range(ExprRun& run, const ExprValue& from, const ExprValue& to);
Result<bool> is_in(ExprRun& run, const ExprValue& needle, const ExprValue& collection);
/// One of contains, starts_with, ends_with.
Result<bool> text_test(Op op, const ExprValue& left, const ExprValue& right);
/// `pattern` may be null, then `right` is compiled.
Result<bool> matches(const ExprValue& left, const ExprValue& right, const re2::RE2* pattern);

/// object[key], object.key
Result<ExprValue> fetch(const ExprValue& object, const ExprValue& key);
/// The value of a map, or nothing when the key is not there.
Result<std::optional<ExprValue>> map_entry(const ExprValue& map, const ExprValue& key);
Result<ExprValue> slice(const ExprValue& object, const ExprValue& from, const ExprValue& to);
/// Bytes of a text, elements of a list or map: what len() of Go says.
Result<std::int64_t> go_length(const ExprValue& value);
/// Any number cut to an int.
Result<std::int64_t> to_int(const ExprValue& value);
/// A float64 as Go on amd64 converts it to int: out of range gives the lowest int.
std::int64_t truncated(double value);

}  // namespace tiphys::lang

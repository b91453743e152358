#pragma once
/// Methods of times, durations and time zones. Private to the module.

#include "lang/expr/value.h"

namespace tiphys::lang {

/// The signature of a method of time.Time or time.Duration, without receiver; nothing when there is
/// none.
std::optional<ExprType> method_type(ExprKind receiver, std::string_view name);
/// The method as a function of its arguments alone. Also for objects.
std::optional<ExprValue> bound_method(const ExprValue& receiver, std::string_view name);

/// A *time.Location.
ExprValue location_value(std::shared_ptr<const Zone> zone);
/// The zone of a location value, null for other values.
std::shared_ptr<const Zone> location_zone(const ExprValue& value);
/// The type of location_value().
const ExprType& location_type();
/// The number behind a time.Month or time.Weekday, or nothing.
std::optional<std::int64_t> named_integer(const ExprValue& value);
/// The type is a number under another name: time.Month, time.Weekday.
bool is_named_integer(const ExprType& type);

}  // namespace tiphys::lang

#pragma once
/// Values as text: JSON as jq writes it, JSON as Go writes it, and how error messages show values.
/// Private to the module.

#include "lang/jq/budget.h"

#include <string>

namespace tiphys::lang::jq {

/// NaN is null, infinities the largest number, nothing escaped that need not be; members by key.
std::string to_json(const Value& value, Budget& budget);

/// At most 30 bytes of the JSON form, cut with `...`.
std::string preview(const Value& value);
/// `string ("abc")`, `null`: how type errors name a value.
std::string preview_with_type(const Value& value);

/// As Go's encoding/json writes it, `<`, `>` and `&` escaped. Errors for NaN and infinities.
std::expected<std::string, std::string> to_go_json(const Value& value, Budget& budget);

/// The values of a JSON text; numbers keep their spelling. `text` passed json_problem.
Outcome from_json(std::string_view text, Budget& budget);

}  // namespace tiphys::lang::jq

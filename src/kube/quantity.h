#pragma once
/// Amounts as pods write them ("100m", "1.5Gi", "2e3"), for counting against this machine.

#include "base/error.h"
#include "doc/json.h"

#include <cstdint>
#include <string_view>

namespace tiphys::kube {

/// Thousandths of the unit, rounded up, at most about 9.2e15 units (apimachinery
/// pkg/api/resource/quantity.go: number, then one of n u m k M G T P E, Ki to Ei, or an exponent).
/// Error invalid for anything else.
Result<std::int64_t> parse_quantity(std::string_view text);
/// The same of a JSON string or number; null counts as 0.
Result<std::int64_t> parse_quantity(const doc::Value* value);

}  // namespace tiphys::kube

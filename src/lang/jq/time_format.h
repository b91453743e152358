#pragma once
/// strftime and strptime. Private to the module.
///
/// Source of the rules: github.com/itchyny/timefmt-go, which gojq uses.

#include "lang/gotime/gotime.h"

#include <expected>
#include <string>
#include <string_view>

namespace tiphys::lang::jq {

/// Directives that do not exist are left as they are; flags (`-_^#0`) and widths are known.
std::string format_time(const Instant& instant, std::string_view format);

/// The error is the library's: `failed to parse "x" with "%Y": cannot parse "%Y"`.
std::expected<Instant, std::string> read_time(std::string_view text, std::string_view format);

}  // namespace tiphys::lang::jq

#pragma once
/// Ages as people write them on a command line: "90s", "5m", "1h30m", "7d".

#include "base/error.h"

#include <chrono>
#include <string_view>

namespace tiphys::cli {

/// Error invalid naming the text.
Result<std::chrono::seconds> parse_age(std::string_view text);

}  // namespace tiphys::cli

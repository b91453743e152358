#pragma once
/// Moments and durations for people, spelled as the `argo` command spells them.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tiphys::cli {

using Moment = std::chrono::sys_seconds;

/// "2026-11-22T20:53:14Z" (fractions of a second are dropped, offsets applied); nothing when it is
/// no such text.
std::optional<Moment> parse_moment(std::string_view rfc3339);
std::string format_moment(Moment moment);

/// "4s", "12m", "3h", "2d": one unit, rounded down.
std::string short_duration(std::chrono::seconds duration);
/// "4 seconds", "1 minute 12 seconds", "3 hours 5 minutes": at most two units.
std::string long_duration(std::chrono::seconds duration);
/// "Sun Nov 22 20:53:14 +0000 (5 minutes ago)".
std::string timestamp(Moment moment, Moment now);

}  // namespace tiphys::cli

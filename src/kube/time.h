#pragma once
/// Moments as Kubernetes writes them (metav1.Time): RFC 3339 in UTC with whole seconds.

#include "async/clock.h"
#include "base/error.h"

#include <string>
#include <string_view>

namespace tiphys::kube {

/// "2024-01-02T03:04:05Z"; fractions of a second are cut off.
std::string format_time(async::TimePoint moment);
/// The same with microseconds, as metav1.MicroTime: "2024-01-02T03:04:05.000000Z".
std::string format_micro_time(async::TimePoint moment);
/// Reads an RFC 3339 moment, fractions and offsets included. Error parse. Years 1678 to 2261, the
/// range of a TimePoint.
Result<async::TimePoint> parse_time(std::string_view text);

}  // namespace tiphys::kube

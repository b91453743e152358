#include "async/testing/manual_clock.h"

#include <algorithm>

namespace tiphys::async::testing {

ManualClock::ManualClock(TimePoint start) : now_(start) {}

TimePoint ManualClock::now() const { return now_; }

void ManualClock::advance_to(TimePoint moment) { now_ = std::max(now_, moment); }

void ManualClock::advance_by(Duration duration) { advance_to(now_ + duration); }

}  // namespace tiphys::async::testing

#include "async/clock.h"

namespace tiphys::async {

TimePoint SystemClock::now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

}  // namespace tiphys::async

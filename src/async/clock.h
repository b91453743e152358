#pragma once
/// Time as a value that is handed in. Three nouns: `TimePoint`, a moment on the wall clock (UTC, in
/// nanoseconds); `Clock`, which says what moment it is; `SimulatedClock`, a clock that stands still
/// until the loop moves it to the next thing to do, so that weeks pass in milliseconds. Nobody else
/// asks the system for the time.

#include <chrono>

namespace tiphys::async {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::sys_time<std::chrono::nanoseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

/// A clock that moves only when it is told to.
class SimulatedClock : public Clock {
 public:
  /// Moves the clock to `moment`; an earlier moment than now changes nothing.
  virtual void advance_to(TimePoint moment) = 0;
};

/// The machine's wall clock.
class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
};

}  // namespace tiphys::async

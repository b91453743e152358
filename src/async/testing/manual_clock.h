#pragma once
/// A clock for tests and simulations: starts at a given moment and moves when told to.

#include "async/clock.h"

namespace tiphys::async::testing {

class ManualClock final : public SimulatedClock {
 public:
  /// Starts at 2024-01-01T00:00:00Z unless told otherwise.
  explicit ManualClock(TimePoint start = std::chrono::sys_days{std::chrono::year{2024} / 1 / 1});
  TimePoint now() const override;
  void advance_to(TimePoint moment) override;
  void advance_by(Duration duration);

 private:
  TimePoint now_;
};

}  // namespace tiphys::async::testing

#pragma once
/// What goes wrong and when, drawn from choices. With no choices left nothing does: commits take no
/// time, nothing is delayed, nothing crashes.

#include "choices.h"
#include "cluster/store/testing/simulated_disk.h"

#include <chrono>

namespace tiphys::simulation {

class Faults final : public store::testing::DiskFaults {
 public:
  using Milliseconds = std::chrono::milliseconds;

  explicit Faults(Choices& choices) : choices_(choices) {
    crashes_left_ = choices_.below(5);
    failures_left_ = choices_.below(3) / 2;
    pods_survive_ = choices_.chance(30);
    slow_ = choices_.chance(30);
    hasty_ = choices_.chance(50);
    if (choices_.chance(25)) {
      meddling_ = static_cast<Meddling>(choices_.below(4));
      moments_to_meddling_ = 1 + choices_.below(40);
    }
    plan_crash();
  }

  /// What somebody does to the run while it runs.
  enum class Meddling : std::uint8_t { nothing, suspend, stop, terminate };

  Meddling meddling() const { return meddling_; }

  /// True once, when it is time to meddle.
  bool meddles_here() { return moments_to_meddling_ != 0 && --moments_to_meddling_ == 0; }

  Milliseconds commit_time() override { return delay(3); }

  Milliseconds report_time() override { return delay(3); }

  bool commit_fails() override {
    if (failures_left_ == 0 || !choices_.chance(5)) {
      return false;
    }
    --failures_left_;
    return true;
  }

  /// Something happened at which the program may die. True when it does.
  bool dies_here() {
    if (crashes_left_ == 0 || --moments_to_crash_ != 0) {
      return false;
    }
    --crashes_left_;
    plan_crash();
    return true;
  }

  /// Processes go on when the program dies, as on a cluster.
  bool pods_survive() const { return pods_survive_; }

  /// Of the node: between what happens and what is told.
  Milliseconds delay(std::uint32_t usual) {
    if (slow_ && choices_.chance(10)) {
      return Milliseconds(choices_.below(20'000));
    }
    return Milliseconds(choices_.below(usual));
  }

  bool repeats() { return choices_.chance(15); }

  bool leaves_out() { return choices_.chance(30); }

  /// Compare the engine that lives with one made from what is stored.
  bool looks_back() { return choices_.chance(3); }

  /// How long the program stays dead.
  Milliseconds dead_time() { return Milliseconds(choices_.below(5'000)); }

 private:
  void plan_crash() {
    moments_to_crash_ = crashes_left_ == 0 ? 0 : 1 + choices_.below(hasty_ ? 15 : 60);
  }

  Choices& choices_;
  std::uint32_t crashes_left_ = 0;
  std::uint32_t failures_left_ = 0;
  std::uint32_t moments_to_crash_ = 0;
  bool pods_survive_ = false;
  bool slow_ = false;
  bool hasty_ = false;  ///< crashes come soon after each other
  Meddling meddling_ = Meddling::nothing;
  std::uint32_t moments_to_meddling_ = 0;
};

}  // namespace tiphys::simulation

#pragma once
/// The one thread everything runs on. Three nouns: the `Loop`, which calls functions one at a time;
/// a `turn`, the functions called between two looks at the outside world; a handle (`Timer`,
/// `Watch`, `Hold`), whose destruction takes back what it stands for.
///
/// Everything is called on the thread that made the loop, except `post` and `stop`, which may be
/// called from any. Handles must not outlive their loop. A function that is called never runs
/// inside another one, and may destroy any handle, its own included.
///
/// With a `SimulatedClock` the loop moves time itself: when nothing is ready, no file descriptor is
/// readable and nobody holds a `Hold`, the clock jumps to the next timer.

#include "async/clock.h"

#include <cstdint>
#include <functional>
#include <memory>

namespace tiphys::async {

using Function = std::move_only_function<void()>;

class Loop;

/// A call that is due at a moment. Destroying or cancelling it before then prevents the call.
class Timer final {
 public:
  Timer() = default;
  Timer(Timer&& other) noexcept;
  Timer& operator=(Timer&& other) noexcept;
  ~Timer();
  void cancel();

 private:
  friend class Loop;

  Timer(Loop* loop, TimePoint moment, std::uint64_t id) : loop_(loop), moment_(moment), id_(id) {}

  Loop* loop_ = nullptr;
  TimePoint moment_;
  std::uint64_t id_ = 0;
};

/// A file descriptor that is looked at. Destroy it before the descriptor is closed.
class Watch final {
 public:
  Watch() = default;
  Watch(Watch&& other) noexcept;
  Watch& operator=(Watch&& other) noexcept;
  ~Watch();
  void cancel();

 private:
  friend class Loop;

  Watch(Loop* loop, std::uint64_t id) : loop_(loop), id_(id) {}

  Loop* loop_ = nullptr;
  std::uint64_t id_ = 0;
};

/// Says that something is under way outside the loop (a commit, work on a pool, a process) and will
/// come back through `post` or a descriptor: until then the loop is not idle and simulated time
/// stands still. Made and destroyed on the loop's thread.
class Hold final {
 public:
  Hold() = default;
  Hold(Hold&& other) noexcept;
  Hold& operator=(Hold&& other) noexcept;
  ~Hold();

 private:
  friend class Loop;

  explicit Hold(Loop* loop) : loop_(loop) {}

  Loop* loop_ = nullptr;
};

enum class Interest { readable, writable };

class Loop final {
 public:
  /// Real time. The clock must outlive the loop, as must that of the next constructor.
  explicit Loop(const Clock& clock);
  explicit Loop(SimulatedClock& clock);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  const Clock& clock() const;
  TimePoint now() const;

  /// Calls `function` soon, in the order posted (of one thread). From any thread. A call that has
  /// not happened when the loop is destroyed never happens.
  void post(Function function);
  /// Calls `function` once at the end of this turn: after the functions that are ready now and
  /// those that they post in turn (a thousand at most), before the loop waits.
  void at_end_of_turn(Function function);
  /// Calls `function` at `moment`, at once when that has passed. Calls due at the same moment come
  /// in the order they were asked for.
  [[nodiscard]] Timer call_at(TimePoint moment, Function function);
  [[nodiscard]] Timer call_after(Duration delay, Function function);
  /// Calls `function` as long as `descriptor` is ready (level-triggered; an error or the other
  /// side's end counts as ready). A descriptor that supports polling, watched once at a time.
  [[nodiscard]] Watch watch_fd(int descriptor, Interest interest, Function function);
  [[nodiscard]] Hold hold();

  /// Runs until `stop`.
  void run();
  /// Runs until nothing is ready and nothing is held; timers that are not due do not count.
  void run_until_idle();
  /// Runs until the clock shows `moment`; timers due then and set earlier have been called.
  void run_until(TimePoint moment);
  /// Makes the run under way, or else the next one, return at the end of its turn. From any thread;
  /// not to be called from signal handlers.
  void stop();

 private:
  friend class Timer;
  friend class Watch;
  friend class Hold;
  class Impl;

  std::unique_ptr<Impl> impl_;
};

}  // namespace tiphys::async

#include "async/loop.h"

#include "async/testing/manual_clock.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace tiphys::async {
namespace {

using testing::ManualClock;
using namespace std::chrono_literals;

TEST(Loop, calls_posted_functions_in_order_and_never_inside_one_another) {
  ManualClock clock;
  Loop loop(clock);
  std::string trace;
  loop.post([&] {
    trace += "a(";
    loop.post([&] { trace += "c"; });
    trace += ")";
  });
  loop.post([&] { trace += "b"; });
  loop.run_until_idle();
  EXPECT_EQ(trace, "a()bc");
}

TEST(Loop, calls_the_end_of_turn_once_after_everything_that_was_ready) {
  ManualClock clock;
  Loop loop(clock);
  std::string trace;
  loop.post([&] {
    loop.at_end_of_turn([&] { trace += "end"; });
    loop.post([&] { trace += "later "; });
  });
  loop.post([&] { trace += "ready "; });
  loop.run_until_idle();
  EXPECT_EQ(trace, "ready later end");
}

TEST(Loop, a_turn_ends_even_when_functions_post_for_ever) {
  ManualClock clock;
  Loop loop(clock);
  int calls = 0;
  std::function<void()> again = [&] {
    ++calls;
    loop.post([&] { again(); });
  };
  again();
  loop.at_end_of_turn([&] { loop.stop(); });
  loop.run();
  EXPECT_GT(calls, 100);
}

TEST(Loop, simulated_weeks_pass_at_once) {
  ManualClock clock;
  Loop loop(clock);
  const TimePoint start = loop.now();
  int hours = 0;
  Timer timer;
  std::function<void()> tick = [&] {
    ++hours;
    timer = loop.call_after(1h, [&] { tick(); });
  };
  timer = loop.call_after(1h, [&] { tick(); });
  loop.run_until(start + 24h * 21);
  EXPECT_EQ(hours, 24 * 21 - 1 + 1);
  EXPECT_EQ(loop.now(), start + 24h * 21);
}

TEST(Loop, calls_timers_by_moment_and_then_in_the_order_set) {
  ManualClock clock;
  Loop loop(clock);
  std::string trace;
  const Timer c = loop.call_after(2s, [&] { trace += "c"; });
  const Timer a = loop.call_after(1s, [&] { trace += "a"; });
  const Timer b = loop.call_after(1s, [&] { trace += "b"; });
  loop.run_until(loop.now() + 3s);
  EXPECT_EQ(trace, "abc");
}

TEST(Loop, a_cancelled_or_replaced_timer_is_not_called) {
  ManualClock clock;
  Loop loop(clock);
  std::string trace;
  Timer replaced = loop.call_after(1s, [&] { trace += "replaced "; });
  Timer cancelled = loop.call_after(1s, [&] { trace += "cancelled "; });
  {
    const Timer dropped = loop.call_after(1s, [&] { trace += "dropped "; });
  }
  replaced = loop.call_after(2s, [&] { trace += "kept"; });
  const Timer canceller = loop.call_after(500ms, [&] { cancelled.cancel(); });
  loop.run_until(loop.now() + 3s);
  EXPECT_EQ(trace, "kept");
}

TEST(Loop, simulated_time_stands_still_while_something_is_held) {
  ManualClock clock;
  Loop loop(clock);
  const TimePoint start = loop.now();
  TimePoint seen;
  std::thread outside;
  loop.post([&] {
    outside = std::thread([&loop, &seen, hold = loop.hold()]() mutable {
      loop.post([&loop, &seen, hold = std::move(hold)] { seen = loop.now(); });
    });
  });
  loop.run_until(start + 24h);
  outside.join();
  EXPECT_EQ(seen, start);
}

TEST(Loop, runs_timers_in_real_time) {
  const SystemClock clock;
  Loop loop(clock);
  const TimePoint start = loop.now();
  const Timer stop = loop.call_after(3ms, [&] { loop.stop(); });
  loop.run();
  EXPECT_GE(loop.now() - start, 3ms);
}

TEST(Loop, functions_come_from_other_threads) {
  const SystemClock clock;
  Loop loop(clock);
  int sum = 0;
  std::thread other([&] {
    for (int i = 1; i <= 1000; ++i) {
      loop.post([&sum, i] { sum += i; });
    }
    loop.post([&loop] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(sum, 500500);
}

TEST(Loop, stop_from_another_thread_ends_a_waiting_run) {
  const SystemClock clock;
  Loop loop(clock);
  std::thread other([&] { loop.stop(); });
  loop.run();
  other.join();
}

struct Pipe {
  Pipe() { EXPECT_EQ(pipe(ends.data()), 0); }

  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }

  std::array<int, 2> ends{};
};

TEST(Loop, calls_a_watch_while_its_descriptor_is_readable) {
  ManualClock clock;
  Loop loop(clock);
  const Pipe pipe;
  std::string got;
  const Watch watch = loop.watch_fd(pipe.ends[0], Interest::readable, [&] {
    char c = 0;
    ASSERT_EQ(read(pipe.ends[0], &c, 1), 1);
    got += c;
    if (got.size() == 3) {
      loop.stop();
    }
  });
  ASSERT_EQ(write(pipe.ends[1], "abc", 3), 3);
  loop.run();
  EXPECT_EQ(got, "abc");
}

TEST(Loop, a_watch_may_destroy_itself_and_others_while_called) {
  ManualClock clock;
  Loop loop(clock);
  const Pipe one;
  const Pipe two;
  ASSERT_EQ(write(one.ends[1], "x", 1), 1);
  ASSERT_EQ(write(two.ends[1], "x", 1), 1);
  int calls = 0;
  std::array<Watch, 2> watches;
  const auto called = [&] {
    ++calls;
    watches = {};
  };
  watches[0] = loop.watch_fd(one.ends[0], Interest::readable, called);
  watches[1] = loop.watch_fd(two.ends[0], Interest::readable, called);
  loop.run_until_idle();
  EXPECT_EQ(calls, 1);
}

TEST(Loop, tells_when_a_descriptor_can_be_written) {
  ManualClock clock;
  Loop loop(clock);
  const Pipe pipe;
  const Watch watch = loop.watch_fd(pipe.ends[1], Interest::writable, [&] { loop.stop(); });
  loop.run();
}

TEST(Loop, functions_never_called_are_destroyed_with_what_they_hold) {
  ManualClock clock;
  const auto shared = std::make_shared<int>(1);
  {
    Loop loop(clock);
    loop.post([shared, timer = loop.call_after(1h, [shared] {}), hold = loop.hold()] {});
  }
  EXPECT_EQ(shared.use_count(), 1);
}

}  // namespace
}  // namespace tiphys::async

#include "async/blocking_pool.h"

#include "async/testing/manual_clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

namespace tiphys::async {
namespace {

TEST(BlockingPool, brings_results_back_to_the_loop) {
  testing::ManualClock clock;
  Loop loop(clock);
  BlockingPool pool(loop, {.threads = 3});
  const auto here = std::this_thread::get_id();
  int sum = 0;
  for (int i = 1; i <= 100; ++i) {
    ASSERT_TRUE(pool.run([i, here] { return std::this_thread::get_id() == here ? -1 : i; },
                         [&, here](int value) {
                           EXPECT_EQ(std::this_thread::get_id(), here);
                           sum += value;
                         }));
  }
  loop.run_until_idle();
  EXPECT_EQ(sum, 5050);
}

TEST(BlockingPool, work_may_have_no_result) {
  testing::ManualClock clock;
  Loop loop(clock);
  BlockingPool pool(loop, {});
  bool done = false;
  ASSERT_TRUE(pool.run([] {}, [&] { done = true; }));
  loop.run_until_idle();
  EXPECT_TRUE(done);
}

TEST(BlockingPool, runs_at_most_as_many_at_once_as_it_has_threads) {
  testing::ManualClock clock;
  Loop loop(clock);
  BlockingPool pool(loop, {.threads = 2});
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(pool.run(
        [&] {
          const int now = ++running;
          int seen = most;
          while (seen < now && !most.compare_exchange_weak(seen, now)) {
          }
          std::this_thread::yield();
          --running;
        },
        [] {}));
  }
  loop.run_until_idle();
  EXPECT_LE(most, 2);
}

TEST(BlockingPool, refuses_work_beyond_its_line) {
  testing::ManualClock clock;
  Loop loop(clock);
  BlockingPool pool(loop, {.threads = 1, .waiting = 1});
  std::latch started(1);
  std::latch released(1);
  int done = 0;
  ASSERT_TRUE(pool.run(
      [&] {
        started.count_down();
        released.wait();
      },
      [&] { ++done; }));
  started.wait();
  ASSERT_TRUE(pool.run([] {}, [&] { ++done; }));
  const auto refused = pool.run([] {}, [&] { ++done; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_requests);
  released.count_down();
  loop.run_until_idle();
  EXPECT_EQ(done, 2);
}

TEST(BlockingPool, its_end_waits_for_work_begun_and_drops_the_rest) {
  testing::ManualClock clock;
  Loop loop(clock);
  std::latch started(1);
  std::atomic<bool> finished = false;
  std::atomic<bool> ran_late = false;
  {
    BlockingPool pool(loop, {.threads = 1});
    ASSERT_TRUE(pool.run(
        [&] {
          started.count_down();
          std::this_thread::yield();
          finished = true;
        },
        [] {}));
    started.wait();
    ASSERT_TRUE(pool.run([&] { ran_late = true; }, [] {}));
  }
  EXPECT_TRUE(finished);
  loop.run_until_idle();
}

}  // namespace
}  // namespace tiphys::async

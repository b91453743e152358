#include "async/signals.h"

#include "async/testing/manual_clock.h"

#include <gtest/gtest.h>

#include <optional>
#include <sys/wait.h>
#include <unistd.h>

namespace tiphys::async {
namespace {

TEST(SignalWatch, calls_back_on_the_loop) {
  testing::ManualClock clock;
  Loop loop(clock);
  int calls = 0;
  const SignalWatch watch(loop, SIGUSR1, [&] { ++calls; });
  raise(SIGUSR1);
  EXPECT_EQ(calls, 0);
  loop.run_until_idle();
  EXPECT_EQ(calls, 1);
}

TEST(SignalWatch, may_be_destroyed_while_called_and_set_again) {
  testing::ManualClock clock;
  Loop loop(clock);
  std::optional<SignalWatch> watch;
  int calls = 0;
  watch.emplace(loop, SIGUSR1, [&] {
    ++calls;
    watch.reset();
    watch.emplace(loop, SIGUSR1, [&] { calls += 10; });
  });
  raise(SIGUSR1);
  loop.run_until_idle();
  raise(SIGUSR1);
  loop.run_until_idle();
  EXPECT_EQ(calls, 11);
}

TEST(SignalWatch, a_forked_child_keeps_its_signals_to_itself) {
  testing::ManualClock clock;
  Loop loop(clock);
  int calls = 0;
  const SignalWatch watch(loop, SIGUSR1, [&] { ++calls; });
  const pid_t child = fork();
  if (child == 0) {
    raise(SIGUSR1);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  loop.run_until_idle();
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace tiphys::async

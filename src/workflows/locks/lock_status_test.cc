#include "workflows/locks/lock_status.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <set>

namespace tiphys::workflows {
namespace {

LockName lock(std::string_view text) { return LockName::parse(text).value(); }

TEST(LockStatus, has_upstreams_shape) {
  const std::vector<HeldLock> held{{lock("ns/Mutex/m"), "ns/wf"},
                                   {lock("ns/ConfigMap/c/k"), "ns/wf/wf-1"},
                                   {lock("ns/ConfigMap/c/k"), "ns/wf/wf-2"}};
  const WaitedLocks waited{{lock("ns/Mutex/n"), {"ns/other"}},
                           {lock("ns/Mutex/free"), {}},
                           {lock("ns/ConfigMap/c/l"), {"ns/a", "ns/b"}},
                           {lock("ns/ConfigMap/c/free"), {}}};
  const doc::Value status = lock_status(held, waited);
  EXPECT_EQ(
      doc::to_json(status, {.sort_keys = true}),
      R"({"mutex":{"holding":[{"holder":"ns/wf","mutex":"ns/Mutex/m"}],)"
      R"("waiting":[{"holder":"ns/other","mutex":"ns/Mutex/n"}]},)"
      R"("semaphore":{"holding":[{"holders":["ns/wf/wf-1","ns/wf/wf-2"],"semaphore":"ns/ConfigMap/c/k"}],)"
      R"("waiting":[{"semaphore":"ns/ConfigMap/c/free"},{"holders":["ns/a","ns/b"],"semaphore":"ns/ConfigMap/c/l"}]}})");
  const std::vector<HeldLock> read = held_locks(status);
  EXPECT_EQ(std::set(read.begin(), read.end(),
                     [](const HeldLock& a, const HeldLock& b) {
                       return std::pair(a.lock, a.holder) < std::pair(b.lock, b.holder);
                     })
                .size(),
            3U);
}

TEST(LockStatus, is_null_when_nothing_is_held_or_waited_for) {
  EXPECT_TRUE(lock_status({}, {}).is_null());
}

TEST(LockStatus, skips_what_makes_no_sense) {
  const auto read = held_locks(
      doc::parse_json(
          R"({"mutex":{"holding":[{"mutex":"x","holder":"a/b"},{"mutex":"ns/Mutex/m"},7,{"mutex":"ns/ConfigMap/c/k","holder":"a/b"}]},
          "semaphore":{"holding":[{"semaphore":"ns/ConfigMap/c/k","holders":[1,"a/b","a/b"]},{"semaphore":"ns/ConfigMap/c/l","holders":7}]}})")
          .value());
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].holder, "a/b");
  EXPECT_TRUE(held_locks(doc::Value(7)).empty());
}

TEST(LockStatus, tells_whose_a_holder_is) {
  EXPECT_EQ(node_of_holder("ns/wf", "ns/wf"), "");
  EXPECT_EQ(node_of_holder("ns/wf/wf-1", "ns/wf"), "wf-1");
  EXPECT_EQ(node_of_holder("ns/wf2", "ns/wf"), std::nullopt);
  EXPECT_EQ(node_of_holder("ns/w", "ns/wf"), std::nullopt);
}

}  // namespace
}  // namespace tiphys::workflows

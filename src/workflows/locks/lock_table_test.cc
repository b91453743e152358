#include "workflows/locks/lock_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace tiphys::workflows {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Grant = LockTable::Grant;

LockName lock(std::string_view text) { return LockName::parse(text).value(); }

/// Limits that a test may change.
struct Limits {
  std::map<std::string, std::int64_t> by_lock;

  LockTable::LimitOf of() {
    return [this](const LockName& name) -> std::optional<std::int64_t> {
      const auto found = by_lock.find(name.text());
      return found == by_lock.end() ? std::nullopt : std::optional(found->second);
    };
  }
};

LockRequest request(std::string run, std::string node, std::vector<std::string> locks,
                    std::int64_t priority = 0, std::int64_t created = 0) {
  LockRequest out{
      .run = std::move(run), .node = std::move(node), .priority = priority, .created = created};
  for (const std::string& name : locks) {
    out.locks.push_back(lock(name));
  }
  return out;
}

LockAnswer acquire(LockTable& table, const LockRequest& wanted) {
  auto answer = table.acquire(wanted);
  EXPECT_TRUE(answer) << answer.error().message;
  return answer ? *answer : LockAnswer();
}

TEST(LockTable, a_mutex_goes_to_one_after_the_other) {
  Limits limits;
  LockTable table(limits.of());
  EXPECT_TRUE(acquire(table, request("ns/a", "", {"ns/Mutex/m"})).granted);
  const LockAnswer second = acquire(table, request("ns/b", "b-1", {"ns/Mutex/m"}));
  EXPECT_FALSE(second.granted);
  EXPECT_EQ(second.waiting_for, "ns/Mutex/m");
  EXPECT_EQ(second.message, "Waiting for ns/Mutex/m lock. Lock status: 0/1");
  EXPECT_THAT(table.holders("ns/Mutex/m"), ElementsAre("ns/a"));
  EXPECT_THAT(table.take_granted(), IsEmpty());
  table.release("ns/a", "");
  EXPECT_THAT(table.take_granted(), ElementsAre(Grant{"ns/b", "b-1"}));
  EXPECT_TRUE(acquire(table, request("ns/b", "b-1", {"ns/Mutex/m"})).granted);
  EXPECT_THAT(table.holders("ns/Mutex/m"), ElementsAre("ns/b/b-1"));
  table.release("ns/b", "b-1");
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.describe(), "");
}

TEST(LockTable, priority_goes_before_age_and_age_before_name) {
  Limits limits;
  LockTable table(limits.of());
  acquire(table, request("ns/first", "", {"ns/Mutex/m"}));
  acquire(table, request("ns/c", "", {"ns/Mutex/m"}, 0, 5));
  acquire(table, request("ns/b", "", {"ns/Mutex/m"}, 0, 5));
  acquire(table, request("ns/old", "", {"ns/Mutex/m"}, 0, 1));
  acquire(table, request("ns/important", "", {"ns/Mutex/m"}, 7, 9));
  std::vector<std::string> order;
  for (std::string last = "ns/first";;) {
    table.release(last, "");
    const auto granted = table.take_granted();
    if (granted.empty()) {
      break;
    }
    last = granted.at(0).run;
    order.push_back(last);
  }
  EXPECT_THAT(order, ElementsAre("ns/important", "ns/old", "ns/b", "ns/c"));
}

TEST(LockTable, a_semaphore_lets_in_as_many_as_its_limit_says_now) {
  Limits limits{{{"ns/ConfigMap/c/k", 2}}};
  LockTable table(limits.of());
  const auto ask = [&](const std::string& run) {
    return acquire(table, request(run, "", {"ns/ConfigMap/c/k"}));
  };
  EXPECT_TRUE(ask("ns/a").granted);
  EXPECT_TRUE(ask("ns/b").granted);
  EXPECT_EQ(ask("ns/c").message, "Waiting for ns/ConfigMap/c/k lock. Lock status: 0/2");
  ask("ns/d");
  limits.by_lock["ns/ConfigMap/c/k"] = 3;
  table.limits_changed("ns", "c");
  EXPECT_THAT(table.take_granted(), ElementsAre(Grant{"ns/c", ""}));
  limits.by_lock["ns/ConfigMap/c/k"] = 1;
  table.limits_changed("ns", "c");
  table.release("ns/a", "");
  table.release("ns/b", "");
  EXPECT_THAT(table.take_granted(), IsEmpty());
  EXPECT_EQ(ask("ns/d").message, "Waiting for ns/ConfigMap/c/k lock. Lock status: 0/1");
  limits.by_lock.clear();
  table.limits_changed("ns", "c");
  table.release("ns/c", "");
  EXPECT_THAT(table.take_granted(), ElementsAre(Grant{"ns/d", ""}));
}

TEST(LockTable, a_semaphore_without_a_limit_is_an_error) {
  Limits limits{{{"ns/ConfigMap/c/zero", 0}}};
  LockTable table(limits.of());
  for (const char* name : {"ns/ConfigMap/c/none", "ns/ConfigMap/c/zero"}) {
    const auto answer = table.acquire(request("ns/a", "", {"ns/Mutex/m", name}));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().message,
              "failed to initialize semaphore " + std::string(name) + " with limit");
  }
  EXPECT_TRUE(table.empty());
}

TEST(LockTable, a_limit_set_to_nothing_is_told) {
  Limits limits{{{"ns/ConfigMap/c/k", 1}}};
  LockTable table(limits.of());
  acquire(table, request("ns/a", "", {"ns/ConfigMap/c/k"}));
  limits.by_lock["ns/ConfigMap/c/k"] = 0;
  table.limits_changed("ns", "c");
  EXPECT_EQ(acquire(table, request("ns/b", "", {"ns/ConfigMap/c/k"})).message,
            "Failed to get semaphore limit for ns/ConfigMap/c/k");
}

TEST(LockTable, several_locks_are_taken_together_or_not_at_all) {
  Limits limits;
  LockTable table(limits.of());
  acquire(table, request("ns/a", "", {"ns/Mutex/m"}));
  const auto both = request("ns/b", "", {"ns/Mutex/n", "ns/Mutex/m"});
  EXPECT_EQ(acquire(table, both).message, "Waiting for ns/Mutex/m lock. Lock status: 0/1");
  EXPECT_THAT(table.holders("ns/Mutex/n"), IsEmpty());
  // Who comes later does not pass, even where there is room.
  const LockAnswer later = acquire(table, request("ns/c", "", {"ns/Mutex/n"}));
  EXPECT_EQ(later.message, "Waiting for ns/Mutex/n lock. Lock status: 1/1");
  table.release("ns/a", "");
  EXPECT_THAT(table.take_granted(), ElementsAre(Grant{"ns/b", ""}));
  table.release("ns/b", "");
  EXPECT_THAT(table.take_granted(), ElementsAre(Grant{"ns/c", ""}));
}

TEST(LockTable, nodes_of_one_run_pass_each_other) {
  Limits limits;
  LockTable table(limits.of());
  acquire(table, request("ns/a", "", {"ns/Mutex/m"}));
  auto first = request("ns/b", "b-1", {"ns/Mutex/m", "ns/Mutex/n"});
  EXPECT_FALSE(acquire(table, first).granted);
  auto second = request("ns/b", "b-2", {"ns/Mutex/n"});
  second.order = 1;
  EXPECT_TRUE(acquire(table, second).granted);
}

TEST(LockTable, giving_up_waiting_lets_the_next_in) {
  Limits limits;
  LockTable table(limits.of());
  acquire(table, request("ns/a", "", {"ns/Mutex/m"}));
  acquire(table, request("ns/b", "", {"ns/Mutex/m", "ns/Mutex/n"}));
  acquire(table, request("ns/c", "c-1", {"ns/Mutex/n"}));
  acquire(table, request("ns/c", "c-2", {"ns/Mutex/m"}));
  table.release_run("ns/b");
  EXPECT_THAT(table.take_granted(), ElementsAre(Grant{"ns/c", "c-1"}));
  table.release_run("ns/c");
  table.release_run("ns/a");
  EXPECT_TRUE(table.empty());
}

TEST(LockTable, what_was_stored_is_taken_up_whatever_the_limit) {
  Limits limits{{{"ns/ConfigMap/c/k", 1}}};
  LockTable table(limits.of());
  table.hold("ns/a", "", lock("ns/ConfigMap/c/k"));
  table.hold("ns/b", "b-1", lock("ns/ConfigMap/c/k"));
  table.wait(request("ns/young", "", {"ns/ConfigMap/c/k"}, 0, 9));
  table.wait(request("ns/old", "", {"ns/ConfigMap/c/k"}, 0, 1));
  EXPECT_THAT(table.take_granted(), IsEmpty());
  table.release("ns/a", "");
  EXPECT_THAT(table.take_granted(), IsEmpty());
  table.release("ns/b", "b-1");
  EXPECT_THAT(table.take_granted(), ElementsAre(Grant{"ns/old", ""}));
}

/// Random runs over a handful of locks. What a table must keep whatever happens is checked after
/// every step against a list kept beside it.
class RandomLocks {
 public:
  explicit RandomLocks(unsigned seed) : random_(seed) {
    for (const char* name : {"ns/Mutex/a", "ns/Mutex/b", "ns/ConfigMap/c/x", "ns/ConfigMap/c/y"}) {
      names_.emplace_back(name);
    }
    limits_.by_lock = {{names_[2], 2}, {names_[3], 3}};
  }

  void play(int steps) {
    for (int step = 0; step < steps; ++step) {
      switch (pick(6)) {
        case 0:
        case 1:
        case 2:
          ask();
          break;
        case 3:
          give_back();
          break;
        case 4:
          end_run();
          break;
        default:
          limits_.by_lock[names_[2 + pick(2)]] = 1 + static_cast<std::int64_t>(pick(3));
          table_.limits_changed("ns", "c");
      }
      collect();
      check();
    }
    while (!holding_.empty()) {
      give_back();
      collect();
      check();
    }
    // Nobody holds anything, so nobody may wait: else it would for ever.
    EXPECT_THAT(waiting_, IsEmpty()) << table_.describe();
    EXPECT_TRUE(table_.empty()) << table_.describe();
  }

 private:
  std::size_t pick(std::size_t count) { return random_() % count; }

  void ask() {
    const std::string run = "ns/r" + std::to_string(pick(5));
    const std::string node = pick(3) == 0 ? "" : "n" + std::to_string(pick(6));
    const std::string holder = holder_text(run, node);
    if (holding_.contains(holder) || waiting_.contains(holder)) {
      return;
    }
    std::vector<std::string> wanted;
    std::ranges::sample(names_, std::back_inserter(wanted), static_cast<int>(1 + pick(3)), random_);
    // Priority and age are those of the run.
    auto made = request(run, node, wanted, run.back() % 2, run.back() / 2);
    made.order = order_++;
    (acquire(table_, made).granted ? holding_ : waiting_).emplace(holder, made);
  }

  void give_back() {
    if (holding_.empty()) {
      return;
    }
    const auto who =
        std::next(holding_.begin(), static_cast<std::ptrdiff_t>(pick(holding_.size())));
    table_.release(who->second.run, who->second.node);
    holding_.erase(who);
  }

  void end_run() {
    const std::string run = "ns/r" + std::to_string(pick(5));
    table_.release_run(run);
    const auto of_run = [&](const auto& entry) { return entry.second.run == run; };
    std::erase_if(holding_, of_run);
    std::erase_if(waiting_, of_run);
  }

  void collect() {
    for (const Grant& grant : table_.take_granted()) {
      auto got = waiting_.extract(holder_text(grant.run, grant.node));
      ASSERT_FALSE(got.empty()) << grant.run << "/" << grant.node << " did not wait";
      holding_.insert(std::move(got));
    }
  }

  void check() {
    std::map<std::string, std::set<std::string>> held;
    for (const auto& [holder, made] : holding_) {
      for (const LockName& name : made.locks) {
        held[name.text()].insert(holder);
      }
    }
    for (const std::string& name : names_) {
      const auto holders = table_.holders(name);
      // All or nothing: exactly those hold it that were granted a request with it.
      EXPECT_EQ(std::set<std::string>(holders.begin(), holders.end()), held[name]);
      if (name.contains("Mutex")) {
        EXPECT_LE(holders.size(), 1U);
      } else {
        most_[name] =
            std::max<std::size_t>(holders.size() < most_[name] ? holders.size() : most_[name],
                                  static_cast<std::size_t>(limits_.by_lock[name]));
        EXPECT_LE(holders.size(), most_[name]);
      }
    }
    EXPECT_EQ(restored(), table_.describe());
    EXPECT_EQ(LockTable(table_).describe(), table_.describe());
  }

  /// A table made of what runs would have stored, in another order than it was lived.
  std::string restored() {
    LockTable other(limits_.of());
    for (auto claim = holding_.rbegin(); claim != holding_.rend(); ++claim) {
      for (const LockName& name : claim->second.locks) {
        other.hold(claim->second.run, claim->second.node, name);
      }
    }
    for (auto claim = waiting_.rbegin(); claim != waiting_.rend(); ++claim) {
      other.wait(claim->second);
    }
    EXPECT_THAT(other.take_granted(), IsEmpty());
    return other.describe();
  }

  std::mt19937 random_;
  std::vector<std::string> names_;
  Limits limits_;
  LockTable table_{limits_.of()};
  std::map<std::string, LockRequest> holding_;
  std::map<std::string, LockRequest> waiting_;
  std::map<std::string, std::size_t> most_;
  std::uint64_t order_ = 0;
};

TEST(LockTable, never_exceeds_a_limit_never_deadlocks_and_is_restored_as_it_was_lived) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomLocks(seed).play(200);
    if (HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace tiphys::workflows

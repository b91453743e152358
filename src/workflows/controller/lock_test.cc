// Locks and caches shared by several runs, over the real store: who goes on when, and what is left
// of it after a death at any moment.
#include "async/testing/manual_clock.h"
#include "cluster/store/store.h"
#include "cluster/store/testing/fail_nth.h"
#include "cluster/store/testing/fixture.h"
#include "doc/yaml.h"
#include "workflows/controller/testing/scripted_node.h"
#include "workflows/engine/memo.h"
#include "workflows/engine/status.h"

#include <gmock/gmock.h>

#include <set>

namespace tiphys::workflows {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::node_of;
using testing::Program;
using testing::ScriptedNode;
using ::testing::UnorderedElementsAre;

constexpr std::string_view kMutex = R"(
  entrypoint: main
  synchronization: {mutexes: [{name: m}]}
  templates:
  - {name: main, container: {image: any, command: ["true"]}}
)";

constexpr std::string_view kSemaphore = R"(
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: each, template: work, withSequence: {count: "2"}}
  - name: work
    synchronization: {semaphores: [{configMapKeyRef: {name: limits, key: work}}]}
    container: {image: any, command: ["true"]}
)";

class LockTest : public store::testing::StoreTest {
 protected:
  void submit(const std::string& name, std::string_view spec) {
    store().create(doc::parse_yaml("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: "
                                   "{name: " +
                                   name + ", namespace: default}\nspec:" + std::string(spec))
                       .value()
                       .value,
                   {});
  }

  void limit(std::string_view value) {
    doc::Value map =
        doc::Object{{"apiVersion", "v1"},
                    {"kind", "ConfigMap"},
                    {"metadata", doc::Object{{"name", "limits"}, {"namespace", "default"}}},
                    {"data", doc::Object{{"work", value}}}};
    if (store().get({"ConfigMap", "default", "limits"}) == nullptr) {
      store().create(std::move(map), {});
    } else {
      store().update(std::move(map), {});
    }
    loop().run_until_idle();
  }

  std::unique_ptr<Program> start(ScriptedNode::Script script) {
    auto program = std::make_unique<Program>(loop(), store(), std::move(script));
    program->controller.start();
    loop().run_until_idle();
    return program;
  }

  static ScriptedNode::Script nothing_ends() {
    return [](const std::string&) { return std::nullopt; };
  }

  const doc::Value* status_of(const std::string& name) {
    const kube::ObjectRef workflow = store().get({"Workflow", "default", name});
    return workflow == nullptr ? nullptr : doc::find(workflow->document(), "status");
  }

  std::string status(const std::string& name, std::string_view member) {
    const doc::Value* found = status_of(name);
    return found == nullptr ? "" : std::string(doc::find_string(*found, member));
  }

  std::set<std::string> pods() {
    std::set<std::string> out;
    for (const kube::ObjectRef& pod : store().list("Pod", "", {})) {
      out.insert(node_of(*pod));
    }
    return out;
  }

  void end_pod(const std::string& node) {
    for (const kube::ObjectRef& pod : store().list("Pod", "", {})) {
      if (node_of(*pod) == node) {
        doc::Value document = pod->document();
        document.get_object()["status"] = doc::Object{{"phase", "Succeeded"}};
        store().update(std::move(document), {});
      }
    }
    loop().run_until_idle();
  }
};

TEST_F(LockTest, runs_take_turns_with_a_mutex) {
  open();
  for (const char* name : {"c", "a", "b"}) {
    submit(name, kMutex);
  }
  const auto program = start(nothing_ends());
  EXPECT_THAT(pods(), ElementsAre("a"));
  EXPECT_EQ(status("b", "phase"), "Pending");
  EXPECT_EQ(status("b", "message"), "Waiting for default/Mutex/m lock. Lock status: 0/1");
  EXPECT_EQ(doc::to_json(*doc::find(*status_of("c"), "synchronization")),
            R"({"mutex":{"waiting":[{"holder":"default/a","mutex":"default/Mutex/m"}]}})");
  end_pod("a");
  EXPECT_EQ(status("a", "phase"), "Succeeded");
  EXPECT_EQ(doc::find(*status_of("a"), "synchronization"), nullptr);
  EXPECT_THAT(pods(), ElementsAre("b"));
  EXPECT_EQ(status("b", "phase"), "Running");
  end_pod("b");
  EXPECT_THAT(pods(), ElementsAre("c"));
  end_pod("c");
  EXPECT_EQ(program->controller.active(), 0U);
}

TEST_F(LockTest, the_more_important_run_goes_first) {
  open();
  submit("a", kMutex);
  submit("b", kMutex);
  submit("z", "\n  priority: 5" + std::string(kMutex));
  const auto program = start([](const std::string&) { return 0; });
  EXPECT_THAT(program->node.begun, ElementsAre("a", "z", "b"));
}

TEST_F(LockTest, a_run_that_is_removed_leaves_its_locks) {
  open();
  submit("a", kMutex);
  submit("b", kMutex);
  submit("c", kMutex);
  const auto program = start(nothing_ends());
  store().remove({"Workflow", "default", "b"}, {});
  loop().run_until_idle();
  store().remove({"Workflow", "default", "a"}, {});
  loop().run_until_idle();
  EXPECT_EQ(status("c", "phase"), "Running");
}

TEST_F(LockTest, a_semaphores_limit_may_change_while_runs_wait) {
  open();
  limit("1");
  submit("a", kSemaphore);
  submit("b", kSemaphore);
  const auto program = start(nothing_ends());
  EXPECT_THAT(pods(), ElementsAre("a.each(0:0)"));
  limit("3");
  EXPECT_THAT(pods(), UnorderedElementsAre("a.each(0:0)", "a.each(1:1)", "b.each(0:0)"));
  limit("1");
  end_pod("a.each(0:0)");
  end_pod("a.each(1:1)");
  EXPECT_THAT(pods(), ElementsAre("b.each(0:0)"));
  end_pod("b.each(0:0)");
  EXPECT_THAT(pods(), ElementsAre("b.each(1:1)"));
}

TEST_F(LockTest, holders_and_queues_survive_a_restart) {
  open();
  limit("1");
  submit("a", kSemaphore);
  submit("b", kMutex);
  submit("c", kMutex);
  start(nothing_ends()).reset();
  const std::string held = doc::to_json(*doc::find(*status_of("a"), "synchronization"));
  submit("d", kMutex);
  const auto program = start(nothing_ends());
  EXPECT_EQ(doc::to_json(*doc::find(*status_of("a"), "synchronization")), held);
  EXPECT_THAT(pods(), UnorderedElementsAre("a.each(0:0)", "b"));
  end_pod("b");
  EXPECT_THAT(pods(), UnorderedElementsAre("a.each(0:0)", "c"));
  end_pod("a.each(0:0)");
  EXPECT_THAT(pods(), UnorderedElementsAre("a.each(1:1)", "c"));
}

TEST_F(LockTest, a_run_that_nobody_goes_on_with_keeps_its_locks) {
  open();
  submit("a", kMutex);
  start(nothing_ends()).reset();
  submit("b", kMutex);
  testing::Listener listener;
  ControllerOptions only_b;
  only_b.wanted = [](const kube::Object& workflow) { return workflow.key().name == "b"; };
  Controller controller(loop(), store(), std::move(only_b), {}, nullptr, &listener);
  controller.start();
  loop().run_until_idle();
  EXPECT_EQ(status("b", "phase"), "Pending");
  store().remove({"Workflow", "default", "a"}, {});
  loop().run_until_idle();
  EXPECT_EQ(status("b", "phase"), "Running");
}

/// The program dies with the nth commit, for every n until it gets by; then another one goes on.
TEST_F(LockTest, after_a_death_at_any_commit_all_runs_end_and_never_two_hold_a_mutex) {
  int deaths = 0;
  for (int nth = 1;; ++nth) {
    std::filesystem::remove_all(directory());
    const store::testing::FailNth failing(nth);
    open({.directory = directory(), .before_commit = failing});
    for (const char* name : {"a", "b", "c"}) {
      submit(name, kMutex);
    }
    auto program = start([](const std::string&) { return 0; });
    const bool died = store().failure().has_value();
    program.reset();
    close();
    if (!died) {
      break;
    }
    ++deaths;
    open();
    EXPECT_LE(pods().size(), 1U) << "commit " << nth;
    int left = 0;
    for (const std::string name : {"a", "b", "c"}) {
      const doc::Value* found = status_of(name);
      const doc::Value* locks = found == nullptr ? nullptr : doc::find(*found, "synchronization");
      left += locks != nullptr && doc::to_json(*locks).contains("holding") ? 1 : 0;
    }
    EXPECT_LE(left, 1) << "commit " << nth;
    program = start([](const std::string&) { return 0; });
    for (const std::string name : {"a", "b", "c"}) {
      if (status_of(name) != nullptr) {
        EXPECT_EQ(status(name, "phase"), "Succeeded") << name << " after commit " << nth;
      }
    }
    program.reset();
    close();
  }
  EXPECT_GT(deaths, 3);
}

TEST_F(LockTest, a_second_run_takes_from_the_cache_what_the_first_came_to) {
  constexpr std::string_view kMemoized = R"(
  entrypoint: main
  templates:
  - name: main
    memoize: {key: k, maxAge: 10s, cache: {configMap: {name: cache}}}
    container: {image: any, command: ["true"]}
)";
  open();
  submit("a", kMemoized);
  const auto program = start([](const std::string&) { return 0; });
  EXPECT_EQ(status("a", "phase"), "Succeeded");
  const kube::ObjectRef cache = store().get({"ConfigMap", "default", "cache"});
  ASSERT_NE(cache, nullptr);
  EXPECT_EQ(cache->label("workflows.argoproj.io/configmap-type"), "Cache");
  const auto entry = MemoEntry::parse(doc::find_string(*doc::find(cache->document(), "data"), "k"));
  ASSERT_TRUE(entry) << entry.error().message;
  EXPECT_EQ(entry->node_id, "a");
  submit("b", kMemoized);
  loop().run_until_idle();
  EXPECT_EQ(status("b", "phase"), "Succeeded");
  EXPECT_THAT(program->node.begun, ElementsAre("a"));
  EXPECT_THAT(program->listener.failures, IsEmpty());
}

}  // namespace
}  // namespace tiphys::workflows

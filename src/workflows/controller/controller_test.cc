// The controller over the real store in a folder of its own; pods are carried out by a script.
#include "workflows/controller/controller.h"

#include "async/testing/manual_clock.h"
#include "cluster/store/store.h"
#include "cluster/store/testing/fail_nth.h"
#include "cluster/store/testing/fixture.h"
#include "doc/yaml.h"
#include "workflows/controller/testing/scripted_node.h"
#include "workflows/engine/status.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace tiphys::workflows {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::node_of;
using testing::Program;
using testing::ScriptedNode;
using ::testing::UnorderedElementsAre;

constexpr std::string_view kStudy = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf, namespace: default}
spec:
  entrypoint: main
  onExit: work
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: work}
      - {name: b, template: work, depends: a, withItems: [1, 2, 3]}
      - {name: flaky, template: flaky, depends: a}
      - {name: c, template: work, depends: b && flaky}
  - name: work
    container: {image: any, command: ["true"]}
  - name: flaky
    retryStrategy: {limit: "2"}
    container: {image: any, command: ["true"]}
)";

class ControllerTest : public store::testing::StoreTest {
 protected:
  static inline const kube::ObjectKey kKey{"Workflow", "default", "wf"};

  /// Exit codes as the study is written: the first attempt at `flaky` fails.
  static std::optional<int> play(const std::string& node) { return node == "wf.flaky(0)" ? 1 : 0; }

  void submit(std::string_view text = kStudy) {
    store().create(doc::parse_yaml(text).value().value, {});
  }

  std::unique_ptr<Program> start(ScriptedNode::Script script = play) {
    auto program = std::make_unique<Program>(loop(), store(), std::move(script));
    program->controller.start();
    loop().run_until_idle();
    return program;
  }

  /// What is stored: phases of the nodes by name.
  std::map<std::string, std::string> phases() {
    std::map<std::string, std::string> out;
    const kube::ObjectRef workflow = store().get(kKey);
    std::vector<StoredRow> rows;
    for (const kube::Row& row : store().rows(workflow->uid()).value()) {
      rows.push_back({static_cast<NodeIndex>(row.index), row.bytes});
    }
    const auto document = workflow_with_nodes(workflow->document(), rows).value();
    const doc::Value* status = doc::find(document, "status");
    const doc::Value* nodes = status == nullptr ? nullptr : doc::find(*status, "nodes");
    if (nodes != nullptr && nodes->is_object()) {
      for (const auto& [id, node] : nodes->get_object()) {
        if (doc::find_string(node, "type") == "Pod") {
          out[std::string(doc::find_string(node, "name"))] = doc::find_string(node, "phase");
        }
      }
    }
    return out;
  }

  std::set<std::string> pods() {
    std::set<std::string> out;
    for (const kube::ObjectRef& pod : store().list("Pod", "", {})) {
      out.insert(node_of(*pod));
    }
    return out;
  }

  std::string stored_phase() {
    const kube::ObjectRef workflow = store().get(kKey);
    const doc::Value* status =
        workflow == nullptr ? nullptr : doc::find(workflow->document(), "status");
    return status == nullptr ? "" : std::string(doc::find_string(*status, "phase"));
  }

  /// Another client's change to the stored object.
  void change_spec(std::string_view field, const doc::Value& value) {
    doc::Value document = store().get(kKey)->document();
    document.get_object()["spec"].get_object()[{field.data(), field.size()}] = value;
    store().update(std::move(document), {});
    loop().run_until_idle();
  }
};

const std::set<std::string> kSteps = {"wf.a",        "wf.b(0:1)",   "wf.b(1:2)", "wf.b(2:3)",
                                      "wf.flaky(0)", "wf.flaky(1)", "wf.c",      "wf.onExit"};

TEST_F(ControllerTest, a_run_goes_to_its_end_and_leaves_no_pods) {
  open();
  submit();
  const auto program = start();
  EXPECT_EQ(stored_phase(), "Succeeded");
  EXPECT_EQ(program->listener.phase, "Succeeded");
  EXPECT_EQ(program->controller.active(), 0U);
  EXPECT_THAT(program->listener.failures, IsEmpty());
  EXPECT_EQ(std::set<std::string>(program->node.begun.begin(), program->node.begun.end()), kSteps);
  EXPECT_EQ(program->node.begun.size(), kSteps.size());
  EXPECT_THAT(pods(), IsEmpty());
  EXPECT_EQ(phases().at("wf.flaky(0)"), "Failed");
  EXPECT_EQ(store().get(kKey)->label("workflows.argoproj.io/completed"), "true");
}

TEST_F(ControllerTest, pods_are_made_with_their_rows) {
  open();
  submit();
  const auto program = start(
      [](const std::string& node) { return node == "wf.a" ? std::optional(0) : std::nullopt; });
  EXPECT_THAT(pods(), UnorderedElementsAre("wf.b(0:1)", "wf.b(1:2)", "wf.b(2:3)", "wf.flaky(0)"));
  EXPECT_EQ(phases().at("wf.a"), "Succeeded");
  EXPECT_EQ(phases().at("wf.b(1:2)"), "Pending");
  EXPECT_EQ(program->controller.active(), 1U);
  EXPECT_NE(program->controller.engine_of(kKey), nullptr);
}

/// The program dies with the nth commit, for every n until it gets by; then another one goes on.
TEST_F(ControllerTest,
       after_a_death_at_any_commit_the_end_is_the_same_and_nothing_that_succeeded_runs_again) {
  int deaths = 0;
  for (int nth = 1;; ++nth) {
    std::filesystem::remove_all(directory());
    const store::testing::FailNth failing(nth);
    open({.directory = directory(), .before_commit = failing});
    submit();
    auto program = start();
    const bool died = store().failure().has_value();
    program.reset();
    close();
    open();
    if (!died) {
      EXPECT_EQ(stored_phase(), "Succeeded");
      break;
    }
    ++deaths;
    std::set<std::string> safe;
    if (store().get(kKey) == nullptr) {
      submit();
    } else {
      // A step that has not ended has its pod, and one that has ended has none.
      std::set<std::string> alive;
      for (const auto& [name, phase] : phases()) {
        (phase == "Succeeded" || phase == "Failed" ? safe : alive).insert(name);
      }
      EXPECT_EQ(pods(), alive) << "commit " << nth;
    }
    program = start();
    EXPECT_EQ(stored_phase(), "Succeeded") << "commit " << nth;
    EXPECT_THAT(program->listener.failures, IsEmpty()) << "commit " << nth;
    EXPECT_THAT(pods(), IsEmpty()) << "commit " << nth;
    std::set<std::string> known;
    for (const auto& [name, phase] : phases()) {
      known.insert(name);
      EXPECT_EQ(phase, name == "wf.flaky(0)" ? "Failed" : "Succeeded") << name;
    }
    EXPECT_EQ(known, kSteps) << "commit " << nth;
    for (const std::string& node : program->node.begun) {
      EXPECT_FALSE(safe.contains(node)) << node << " had ended before commit " << nth;
    }
    program.reset();
    close();
  }
  EXPECT_GT(deaths, 3);
}

TEST_F(ControllerTest, a_result_that_was_stored_but_not_told_is_told_after_a_restart) {
  open();
  submit();
  auto program = start([](const std::string&) { return std::nullopt; });
  program.reset();
  // The pod ends while no controller looks.
  const kube::ObjectRef pod = store().list("Pod", "", {}).at(0);
  doc::Value document = pod->document();
  document.get_object()["status"] = doc::Object{{"phase", "Succeeded"}};
  store().update(std::move(document), {});
  loop().run_until_idle();
  program = start();
  EXPECT_EQ(stored_phase(), "Succeeded");
  EXPECT_EQ(std::ranges::count(program->node.begun, "wf.a"), 0);
}

TEST_F(ControllerTest, a_run_that_was_asked_to_suspend_starts_nothing_until_it_is_resumed) {
  open();
  submit();
  bool open_gate = false;
  const auto program =
      start([&](const std::string&) { return open_gate ? std::optional(0) : std::nullopt; });
  EXPECT_THAT(pods(), UnorderedElementsAre("wf.a"));
  change_spec("suspend", true);
  open_gate = true;
  doc::Value document = store().list("Pod", "", {}).at(0)->document();
  document.get_object()["status"] = doc::Object{{"phase", "Succeeded"}};
  store().update(std::move(document), {});
  loop().run_until_idle();
  EXPECT_THAT(pods(), IsEmpty());
  EXPECT_EQ(stored_phase(), "Running");
  change_spec("suspend", false);
  EXPECT_EQ(stored_phase(), "Succeeded");
}

TEST_F(ControllerTest, a_shutdown_written_into_the_object_stops_the_pods) {
  open();
  submit();
  const auto program = start(
      [](const std::string& node) { return node == "wf.a" ? std::nullopt : std::optional(0); });
  change_spec("shutdown", "Terminate");
  EXPECT_EQ(program->stopped, std::vector<std::string>{"wf.a"});
}

TEST_F(ControllerTest, a_workflow_that_cannot_run_fails_and_one_that_is_removed_is_forgotten) {
  open();
  submit(R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow",
    "metadata":{"name":"wf","namespace":"default"},"spec":{"entrypoint":"nothing","templates":[]}})");
  const auto program = start([](const std::string&) { return std::nullopt; });
  EXPECT_TRUE(stored_phase() == "Error" || stored_phase() == "Failed" ||
              !program->listener.failures.empty())
      << stored_phase();
  store().remove(kKey, {});
  loop().run_until_idle();
  submit();
  loop().run_until_idle();
  EXPECT_EQ(program->controller.active(), 1U);
  store().remove(kKey, {});
  loop().run_until_idle();
  EXPECT_EQ(program->controller.active(), 0U);
  EXPECT_EQ(program->controller.control(kKey, Stop{}).error().code, ErrorCode::not_found);
}

constexpr std::string_view kImpatient = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf, namespace: default}
spec:
  entrypoint: main
  templates:
  - name: main
    timeout: 30s
    container: {image: any, command: ["true"]}
)";

TEST_F(ControllerTest, a_pod_that_was_given_up_is_removed_when_it_ends_after_its_run) {
  open();
  submit(kImpatient);
  const auto program = start([](const std::string&) { return std::nullopt; });
  clock().advance_by(std::chrono::minutes(1));
  loop().run_until_idle();
  ASSERT_EQ(stored_phase(), "Failed");
  const auto left = store().list("Pod", "", {});
  ASSERT_EQ(left.size(), 1U);
  doc::Value document = left.at(0)->document();
  document.get_object()["status"] = doc::Object{{"phase", "Failed"}};
  store().update(std::move(document), {});
  loop().run_until_idle();
  EXPECT_THAT(pods(), IsEmpty());
}

TEST_F(ControllerTest, pods_that_a_run_left_behind_are_removed_when_the_program_starts_again) {
  open();
  submit(kImpatient);
  auto program = start([](const std::string&) { return std::nullopt; });
  clock().advance_by(std::chrono::minutes(1));
  loop().run_until_idle();
  ASSERT_EQ(stored_phase(), "Failed");
  ASSERT_EQ(pods().size(), 1U);
  program.reset();
  program = start([](const std::string&) { return std::nullopt; });
  EXPECT_THAT(pods(), IsEmpty());
}

}  // namespace
}  // namespace tiphys::workflows

// Pods of several containers and daemons, each event also applied to a restored engine.

#include "workflows/engine/engine.h"
#include "workflows/engine/observe.h"
#include "workflows/engine/pod.h"
#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <set>

namespace tiphys::workflows {
namespace {

using testing::Checks;
using testing::DocumentReferences;
using testing::Outcome;
using testing::ScriptedRun;

const DocumentReferences kNoReferences;

/// Daemons, whose template is named "d", run until they are stopped.
Outcome script(const Engine& engine, const CreatePod& pod) {
  Outcome out;
  out.stays_pending = engine.nodes().call(pod.node).template_name == "d";
  return out;
}

ScriptedRun run_of(std::string_view spec, testing::Script outcomes = script) {
  auto workflow = doc::parse_json(R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow",
    "metadata":{"name":"wf","namespace":"default","uid":"u","creationTimestamp":"2024-01-02T03:04:05Z"},
    "spec":)" + std::string(spec) +
                                  "}");
  EXPECT_TRUE(workflow);
  auto run =
      ScriptedRun::create(*workflow, kNoReferences, std::move(outcomes), {}, Checks::restore);
  EXPECT_TRUE(run) << run.error().message;
  return std::move(*run);
}

void go_on(ScriptedRun& run) {
  for (;;) {
    const auto happened = run.step();
    ASSERT_TRUE(happened) << happened.error().message;
    if (!*happened) {
      return;
    }
  }
}

void apply(ScriptedRun& run, const Event& event) {
  const auto applied = run.apply(event);
  ASSERT_TRUE(applied) << applied.error().message;
}

const Node& node_of(const ScriptedRun& run, std::string_view name) {
  const auto index = run.engine().nodes().find_name(name);
  EXPECT_TRUE(index) << name;
  return run.engine().nodes()[index.value_or(0)];
}

PodUpdate ready(const ScriptedRun& run, std::string_view name) {
  PodUpdate update;
  update.node = run.engine().nodes().find_name(name).value_or(kNoNode);
  update.phase = PodPhase::running;
  update.ready = true;
  update.ip = "10.0.0.7";
  return update;
}

std::set<std::string> names(const ScriptedRun& run, const std::vector<NodeIndex>& nodes) {
  std::set<std::string> out;
  for (const NodeIndex node : nodes) {
    out.insert(run.engine().nodes()[node].name);
  }
  return out;
}

constexpr std::string_view kSet = R"({"entrypoint":"main","templates":[
  {"name":"main","dag":{"tasks":[{"name":"s","template":"set"},{"name":"t","template":"t","dependencies":["s"]}]}},
  {"name":"set","containerSet":{"retryStrategy":{"retries":"2","duration":"3s"},
    "volumeMounts":[{"name":"v","mountPath":"/v"}],"containers":[
      {"name":"d","image":"x","dependencies":["b","c"]},{"name":"a","image":"x"},
      {"name":"b","image":"x","dependencies":["a"],"volumeMounts":[{"name":"w","mountPath":"/w"}]},
      {"name":"c","image":"x","dependencies":["a"]}]},
    "sidecars":[{"name":"side","image":"y","mirrorVolumeMounts":true}]},
  {"name":"t","container":{"image":"x"}}]})";

TEST(ContainerSet, its_containers_are_nodes_between_the_pod_and_what_follows) {
  auto run = run_of(kSet);
  ASSERT_TRUE(run.start());
  EXPECT_EQ(names(run, node_of(run, "wf.s").children), std::set<std::string>{"wf.s.a"});
  EXPECT_EQ(names(run, node_of(run, "wf.s.a").children),
            (std::set<std::string>{"wf.s.b", "wf.s.c"}));
  EXPECT_EQ(names(run, node_of(run, "wf.s.d").parents),
            (std::set<std::string>{"wf.s.b", "wf.s.c"}));
  EXPECT_EQ(run.engine().progress(), "0/5");
  PodUpdate update;
  update.node = *run.engine().nodes().find_name("wf.s");
  update.phase = PodPhase::running;
  update.containers = {{"a", PodPhase::succeeded, "", kNoTime},
                       {"b", PodPhase::running, "", kNoTime},
                       {"none", PodPhase::failed, "?", kNoTime}};
  apply(run, update);
  EXPECT_EQ(node_of(run, "wf.s.a").phase, NodePhase::succeeded);
  EXPECT_EQ(run.engine().progress(), "1/5");
  go_on(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(names(run, node_of(run, "wf.t").parents), std::set<std::string>{"wf.s.d"});
  EXPECT_EQ(run.engine().progress(), "6/6");
}

TEST(ContainerSet, containers_of_a_pod_that_never_told_of_them_end_with_it) {
  auto run = run_of(kSet, [](const Engine&, const CreatePod&) {
    Outcome out = Outcome::exits(1);
    out.message = "Evicted";
    return out;
  });
  ASSERT_TRUE(run.run());
  EXPECT_EQ(node_of(run, "wf.s.d").phase, NodePhase::failed);
  EXPECT_EQ(node_of(run, "wf.s.d").message, "Evicted");
  auto stopped = run_of(kSet);
  ASSERT_TRUE(stopped.start());
  apply(stopped, Terminate{});
  go_on(stopped);
  EXPECT_EQ(node_of(stopped, "wf.s.a").message, "workflow shutdown with strategy:  Terminate");
}

TEST(ContainerSet, each_attempt_of_its_pod_has_containers_of_its_own) {
  int attempt = 0;
  auto run = run_of(
      R"({"entrypoint":"main","templates":[{"name":"main","retryStrategy":{"limit":2},
      "containerSet":{"containers":[{"name":"main","image":"x"}]}}]})",
      [&](const Engine&, const CreatePod&) { return Outcome::exits(attempt++ == 0 ? 1 : 0); });
  ASSERT_TRUE(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(node_of(run, "wf(0).main").phase, NodePhase::failed);
  EXPECT_EQ(node_of(run, "wf(1).main").phase, NodePhase::succeeded);
  const doc::Value status = run.engine().node_status(*run.engine().nodes().find_name("wf(1).main"));
  EXPECT_EQ(doc::to_json(status.at("nodeFlag")), R"({"retried":true})");
}

TEST(ContainerSet, its_pod_has_all_containers_and_a_plan_of_their_order) {
  auto run = run_of(kSet);
  ASSERT_TRUE(run.start());
  const CreatePod& pod = run.live_pods().begin()->second;
  const doc::Value document = build_pod(run.engine(), pod);
  std::string containers;
  for (const doc::Value& container : document.at("spec").at("containers").as_array()) {
    containers += doc::to_json(container) + "\n";
  }
  EXPECT_EQ(
      containers,
      R"({"name":"d","image":"x","volumeMounts":[{"name":"v","mountPath":"/v"}]})"
      "\n"
      R"({"name":"a","image":"x","volumeMounts":[{"name":"v","mountPath":"/v"}]})"
      "\n"
      R"({"name":"b","image":"x","volumeMounts":[{"name":"w","mountPath":"/w"},{"name":"v","mountPath":"/v"}]})"
      "\n"
      R"({"name":"c","image":"x","volumeMounts":[{"name":"v","mountPath":"/v"}]})"
      "\n"
      R"({"name":"side","image":"y"})"
      "\n");
  EXPECT_EQ(document.at("metadata").at("annotations").at("kubectl.kubernetes.io/default-container"),
            "c");
  const executor::StepPlan plan = step_plan(pod);
  ASSERT_EQ(plan.containers.size(), 4U);
  EXPECT_EQ(plan.containers[0].dependencies, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(plan.containers[0].retries, 2);
  EXPECT_EQ(plan.containers[0].retry_delay, std::chrono::seconds(3));
}

TEST(Daemon, lets_its_dependants_start_and_ends_with_its_boundary) {
  auto run = run_of(R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"in","template":"in"}],[{"name":"after","template":"t","arguments":{"parameters":[{"name":"p","value":"x"}]}}]]},
    {"name":"in","dag":{"tasks":[{"name":"d","template":"d"},
      {"name":"t","template":"t","depends":"d.Daemoned","arguments":{"parameters":[{"name":"p","value":"{{tasks.d.ip}}"}]}}]}},
    {"name":"d","daemon":true,"container":{"image":"x"}},
    {"name":"t","inputs":{"parameters":[{"name":"p"}]},"container":{"image":"x","args":["{{inputs.parameters.p}}"]}}]})");
  ASSERT_TRUE(run.start());
  PodUpdate unready = ready(run, "wf[0].in.d");
  unready.ready = false;
  apply(run, unready);
  EXPECT_EQ(node_of(run, "wf[0].in.d").phase, NodePhase::pending);
  apply(run, ready(run, "wf[0].in.d"));
  EXPECT_TRUE(node_of(run, "wf[0].in.d").daemoned);
  const auto client = run.engine().nodes().find_name("wf[0].in.t");
  ASSERT_TRUE(client);
  EXPECT_TRUE(run.live_pods().at(*client).template_json.contains(R"("args":["10.0.0.7"])"));
  go_on(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(node_of(run, "wf[0].in.d").phase, NodePhase::succeeded);
  EXPECT_FALSE(node_of(run, "wf[0].in.d").daemoned);
  EXPECT_TRUE(run.live_pods().empty());
}

constexpr std::string_view kRetried = R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"d","template":"d"}],[{"name":"t","template":"t"}],[{"name":"u","template":"t"}]]},
    {"name":"d","daemon":true,"retryStrategy":{"limit":3},"container":{"image":"x"}},
    {"name":"t","container":{"image":"x"}}]})";

TEST(Daemon, is_started_again_when_it_dies) {
  auto run = run_of(kRetried);
  ASSERT_TRUE(run.start());
  apply(run, ready(run, "wf[0].d(0)"));
  EXPECT_TRUE(node_of(run, "wf[0].d").daemoned);
  EXPECT_EQ(node_of(run, "wf[1].t").phase, NodePhase::pending);
  PodUpdate died = ready(run, "wf[0].d(0)");
  died.phase = PodPhase::succeeded;
  apply(run, died);
  EXPECT_EQ(node_of(run, "wf[0].d(0)").phase, NodePhase::failed);
  EXPECT_EQ(node_of(run, "wf[0].d(1)").phase, NodePhase::pending);
  apply(run, ready(run, "wf[0].d(1)"));
  go_on(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(node_of(run, "wf[0].d").phase, NodePhase::succeeded);
  EXPECT_EQ(node_of(run, "wf[0].d(1)").phase, NodePhase::succeeded);
}

TEST(Daemon, whose_pod_had_to_be_made_again_is_ready_again) {
  auto run = run_of(kRetried);
  ASSERT_TRUE(run.start());
  apply(run, ready(run, "wf[0].d(0)"));
  PodUpdate pending = ready(run, "wf[0].d(0)");
  pending.phase = PodPhase::pending;
  apply(run, pending);
  apply(run, ready(run, "wf[0].d(0)"));
  EXPECT_EQ(node_of(run, "wf[0].d(0)").phase, NodePhase::running);
  go_on(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
}

TEST(Daemon, an_attempt_that_is_not_ready_yet_is_released_too) {
  auto run = run_of(kRetried);
  ASSERT_TRUE(run.start());
  apply(run, ready(run, "wf[0].d(0)"));
  PodUpdate died = ready(run, "wf[0].d(0)");
  died.phase = PodPhase::failed;
  apply(run, died);
  go_on(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_TRUE(fulfilled(node_of(run, "wf[0].d(1)").phase));
}

TEST(Daemon, every_end_of_a_run_releases_it) {
  constexpr std::string_view kOther = R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"d","template":"d"}],[{"name":"t","template":"t"}]]},
    {"name":"d","daemon":true,"container":{"image":"x"}},
    {"name":"t","container":{"image":"x"}}]})";
  const std::vector<std::optional<Event>> ends{std::nullopt, Event(Stop{}), Event(Terminate{})};
  for (const auto& end : ends) {
    auto run = run_of(kOther, [](const Engine& engine, const CreatePod& pod) {
      Outcome out = Outcome::exits(1);
      out.stays_pending = engine.nodes().call(pod.node).template_name == "d";
      return out;
    });
    ASSERT_TRUE(run.start());
    apply(run, ready(run, "wf[0].d"));
    if (end) {
      apply(run, *end);
    }
    go_on(run);
    EXPECT_EQ(run.engine().phase(), RunPhase::failed);
    EXPECT_EQ(node_of(run, "wf[0].d").phase, NodePhase::succeeded);
  }
  auto alone = run_of(
      R"({"entrypoint":"d","templates":[{"name":"d","daemon":true,"container":{"image":"x"}}]})");
  ASSERT_TRUE(alone.start());
  apply(alone, ready(alone, "wf"));
  EXPECT_EQ(alone.engine().phase(), RunPhase::succeeded);
  EXPECT_EQ(node_of(alone, "wf").phase, NodePhase::succeeded);
}

}  // namespace
}  // namespace tiphys::workflows

// Verbs on a run: stop, terminate, suspend, resume, set, retry; and references to other objects.
#include "workflows/engine/engine.h"
#include "workflows/engine/pod.h"
#include "workflows/engine/status.h"
#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

using testing::Checks;
using testing::DocumentReferences;
using testing::Outcome;
using testing::ScriptedRun;

doc::Value document_of(std::string_view json) { return doc::parse_json(json).value(); }

doc::Value workflow_of(std::string_view spec) {
  return document_of(R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow",
    "metadata":{"name":"wf","namespace":"default","uid":"u","creationTimestamp":"2024-01-02T03:04:05Z"},
    "spec":)" + std::string(spec) +
                     "}");
}

const DocumentReferences kNoReferences;

ScriptedRun started(
    std::string_view spec, const References& references = kNoReferences,
    testing::Script script = [](const Engine&, const CreatePod&) { return Outcome{}; }) {
  auto run =
      ScriptedRun::create(workflow_of(spec), references, std::move(script), {}, Checks::restore);
  EXPECT_TRUE(run) << run.error().message;
  const auto begun = run->start();
  EXPECT_TRUE(begun) << begun.error().message;
  return std::move(*run);
}

void finish(ScriptedRun& run) {
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
  return run.engine().nodes()[run.engine().nodes().find_name(name).value()];
}

constexpr std::string_view kWithExit = R"({"entrypoint":"main","onExit":"t","templates":[
  {"name":"main","steps":[[{"name":"a","template":"t"},{"name":"s","template":"wait"}],[{"name":"b","template":"t"}]]},
  {"name":"wait","suspend":{}},
  {"name":"t","container":{"image":"busybox","command":["x"]}}]})";

TEST(Control, stop_runs_the_exit_handler) {
  auto run = started(kWithExit);
  PodUpdate running;
  running.node = *run.find("a");
  running.phase = PodPhase::running;
  apply(run, running);
  apply(run, Stop{});
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::failed);
  EXPECT_EQ(run.engine().message(), "Stopped with strategy 'Stop'");
  EXPECT_EQ(node_of(run, "wf[0].s").message, "Stopped with strategy 'Stop'");
  EXPECT_EQ(node_of(run, "wf[0].a").message, "workflow shutdown with strategy:  Stop");
  EXPECT_EQ(node_of(run, "wf.onExit").phase, NodePhase::succeeded);
}

TEST(Control, terminate_skips_the_exit_handler) {
  auto run = started(kWithExit);
  apply(run, Terminate{});
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::failed);
  EXPECT_FALSE(run.engine().nodes().find_name("wf.onExit"));
}

TEST(Control, resume_ends_suspend_nodes) {
  auto run = started(kWithExit);
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::running);
  apply(run, Resume{});
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
}

TEST(Control, a_suspended_run_starts_nothing) {
  auto run = started(kWithExit);
  apply(run, Resume{"displayName=s", ""});
  apply(run, Suspend{});
  finish(run);
  EXPECT_EQ(node_of(run, "wf[0].a").phase, NodePhase::succeeded);
  EXPECT_FALSE(run.engine().nodes().find_name("wf[1].b"));
  apply(run, Resume{});
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
}

TEST(Control, suspend_with_a_duration_goes_on_by_itself) {
  auto run = started(R"({"entrypoint":"main","templates":[
    {"name":"main","inputs":{"parameters":[{"name":"d","value":"2m"}]},"suspend":{"duration":"{{inputs.parameters.d}}"}}]})");
  const TimePoint begun = run.now();
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
  EXPECT_EQ(run.now() - begun, std::chrono::minutes(2));
}

TEST(Control, set_supplies_outputs) {
  std::string used;
  auto run = started(
      R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"ask","template":"wait"}],[{"name":"use","template":"t","arguments":{"parameters":[{"name":"p","value":"{{steps.ask.outputs.parameters.v}}"}]}}]]},
    {"name":"wait","suspend":{},"outputs":{"parameters":[{"name":"v","valueFrom":{"supplied":{}}}]}},
    {"name":"t","inputs":{"parameters":[{"name":"p"}]},"container":{"image":"b","command":["x"],"args":["{{inputs.parameters.p}}"]}}]})",
      kNoReferences, [&](const Engine&, const CreatePod& pod) {
        used = pod.template_json;
        return Outcome{};
      });
  EXPECT_FALSE(run.apply(Resume{}));
  apply(run, SetNodes{"displayName=ask", NodePhase::succeeded, "", {{"v", "seven"}}});
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_TRUE(used.contains(R"("args":["seven"])")) << used;
}

TEST(Control, deadlines_fail_what_waits) {
  auto run = started(R"({"entrypoint":"main","activeDeadlineSeconds":30,"templates":[
    {"name":"main","dag":{"tasks":[{"name":"s","template":"wait"},{"name":"a","template":"t"}]}},
    {"name":"wait","suspend":{}},{"name":"t","container":{"image":"b","command":["x"]}}]})",
                     kNoReferences, [](const Engine&, const CreatePod& pod) {
                       EXPECT_EQ(pod.active_deadline_seconds, 30);
                       return Outcome{.duration = std::chrono::hours(1)};
                     });
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::failed);
  EXPECT_EQ(node_of(run, "wf.s").message, "Step exceeded its deadline");
  EXPECT_EQ(node_of(run, "wf.a").message,
            "Pod was active on the node longer than the specified deadline");
}

TEST(Control, recursion_ends) {
  auto run = started(R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"again","template":"main"}]]}]})");
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::failed);
}

TEST(Retry, runs_again_what_failed) {
  bool broken = true;
  const auto script = [&](const Engine& engine, const CreatePod& pod) {
    return Outcome::exits(broken && engine.nodes()[pod.node].name == "wf.B" ? 1 : 0);
  };
  auto run = started(R"({"entrypoint":"main","templates":[
    {"name":"main","dag":{"tasks":[{"name":"A","template":"t"},{"name":"B","template":"t","depends":"A"},{"name":"C","template":"t","depends":"B"},
       {"name":"L","template":"t","withItems":[1,2]}]}},
    {"name":"t","container":{"image":"b","command":["x"]}}]})",
                     kNoReferences, script);
  finish(run);
  ASSERT_EQ(run.engine().phase(), RunPhase::failed);
  auto retried = retry_workflow(run.engine().workflow(Engine::WithNodes::yes), {});
  ASSERT_TRUE(retried) << retried.error().message;
  EXPECT_EQ(retried->pods_to_delete.size(), 1U);
  const TimePoint now = run.now();
  auto engine = Engine::restore(retried->workflow, retried->rows, kNoReferences, {}, now);
  ASSERT_TRUE(engine) << engine.error().message;
  std::vector<std::string> created;
  std::vector<NodeIndex> live;
  const auto take = [&](const Result<Decisions>& decisions) {
    for (const CreatePod& pod : decisions->create_pods) {
      created.push_back(engine->nodes()[pod.node].name);
      live.push_back(pod.node);
    }
  };
  take(engine->apply(Start{}, now));
  while (!live.empty()) {
    PodUpdate update;
    update.node = live.back();
    update.phase = PodPhase::succeeded;
    live.pop_back();
    take(engine->apply(update, now));
  }
  EXPECT_EQ(created, (std::vector<std::string>{"wf.B", "wf.C"}));
  EXPECT_EQ(engine->phase(), RunPhase::succeeded) << engine->message();
}

TEST(Retry, refuses_a_run_that_goes_on) {
  auto run = started(kWithExit);
  EXPECT_FALSE(retry_workflow(run.engine().workflow(Engine::WithNodes::yes), {}));
}

TEST(References, calls_templates_of_other_objects) {
  DocumentReferences references;
  references.add(document_of(
      R"({"apiVersion":"argoproj.io/v1alpha1","kind":"WorkflowTemplate","metadata":{"name":"lib"},
    "spec":{"templates":[{"name":"outer","steps":[[{"name":"in","template":"inner"},{"name":"ln","inline":{"container":{"image":"b","command":["x"]}}}]]},
      {"name":"inner","container":{"image":"b","command":["x"]}}]}})"));
  auto run = started(R"({"entrypoint":"main","templates":[
    {"name":"main","dag":{"tasks":[{"name":"a","templateRef":{"name":"lib","template":"outer"}}]}}]})",
                     references);
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  const doc::Value workflow = run.engine().workflow(Engine::WithNodes::yes);
  const doc::Value& stored = workflow.at("status").at("storedTemplates");
  EXPECT_NE(doc::find(stored, "namespaced/lib/outer"), nullptr);
  EXPECT_NE(doc::find(stored, "namespaced/lib/inner"), nullptr);
  EXPECT_NE(doc::find(stored, "namespaced/lib/inline/ln"), nullptr);
}

TEST(References, runs_a_whole_workflow_template) {
  DocumentReferences references;
  references.add(document_of(
      R"({"apiVersion":"argoproj.io/v1alpha1","kind":"WorkflowTemplate","metadata":{"name":"lib"},
    "spec":{"entrypoint":"main","arguments":{"parameters":[{"name":"p","value":"low"},{"name":"q","value":"{{workflow.name}}"}]},
      "templates":[{"name":"main","container":{"image":"b","command":["x"],"args":["{{workflow.parameters.p}}{{workflow.parameters.q}}"]}}]}})"));
  std::string used;
  auto run = started(
      R"({"workflowTemplateRef":{"name":"lib"},"arguments":{"parameters":[{"name":"p","value":"high"}]}})",
      references, [&](const Engine&, const CreatePod& pod) {
        used = pod.template_json;
        return Outcome{};
      });
  finish(run);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_TRUE(used.contains(R"("args":["highwf"])")) << used;
}

TEST(Pod, has_what_the_template_says) {
  auto run = started(
      R"({"entrypoint":"main","volumes":[{"name":"v","emptyDir":{}},{"name":"unused","emptyDir":{}}],"templates":[
    {"name":"main","inputs":{"artifacts":[{"name":"in","path":"/in","raw":{"data":"x"}}]},
     "outputs":{"artifacts":[{"name":"out","path":"/tmp/out"},{"name":"plain","path":"/tmp/plain.txt","archive":{"none":{}}}],
                "parameters":[{"name":"o","valueFrom":{"path":"/tmp/o","default":"d"}}]},
     "script":{"image":"b","command":["sh"],"source":"echo","volumeMounts":[{"name":"v","mountPath":"/v"}]}}]})");
  const CreatePod& created = run.live_pods().begin()->second;
  const doc::Value pod = build_pod(run.engine(), created);
  EXPECT_EQ(doc::to_json(pod.at("spec").at("volumes")), R"([{"name":"v","emptyDir":{}}])");
  EXPECT_EQ(doc::to_json(pod.at("spec").at("containers").at(0).at("args")),
            R"(["/argo/staging/script"])");
  const executor::StepPlan plan = step_plan(created);
  EXPECT_EQ(plan.script_source, "echo");
  ASSERT_EQ(plan.output_artifacts.size(), 2U);
  EXPECT_EQ(doc::to_json(plan.output_artifacts[0].location), R"({"s3":{"key":"wf/wf/out.tgz"}})");
  EXPECT_EQ(doc::to_json(plan.output_artifacts[1].location), R"({"s3":{"key":"wf/wf/plain.txt"}})");
  EXPECT_EQ(plan.output_parameters.at(0).default_value, "d");
}

}  // namespace
}  // namespace tiphys::workflows

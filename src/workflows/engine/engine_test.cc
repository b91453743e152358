#include "workflows/engine/engine.h"

#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

using testing::Checks;
using testing::DocumentReferences;
using testing::Outcome;
using testing::ScriptedRun;

doc::Value workflow_of(std::string_view spec) {
  return doc::parse_json(R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow",
    "metadata":{"name":"wf","namespace":"default","uid":"u","creationTimestamp":"2024-01-02T03:04:05Z"},
    "spec":)" + std::string(spec) +
                         "}")
      .value();
}

const DocumentReferences kNoReferences;

Outcome succeed(const Engine&, const CreatePod&) { return {}; }

ScriptedRun run_of(std::string_view spec, testing::Script script = succeed) {
  auto run =
      ScriptedRun::create(workflow_of(spec), kNoReferences, std::move(script), {}, Checks::restore);
  EXPECT_TRUE(run) << run.error().message;
  const auto ended = run->run();
  EXPECT_TRUE(ended) << ended.error().message;
  return std::move(*run);
}

NodePhase phase_of(const ScriptedRun& run, std::string_view name) {
  const auto index = run.engine().nodes().find_name(name);
  EXPECT_TRUE(index) << name;
  return index ? run.engine().nodes()[*index].phase : NodePhase::none;
}

TEST(Engine, runs_a_single_container) {
  const auto run = run_of(R"({"entrypoint":"main","templates":[
      {"name":"main","container":{"image":"busybox","command":["x"]}}]})");
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(phase_of(run, "wf"), NodePhase::succeeded);
}

constexpr std::string_view kSteps = R"({"entrypoint":"main","templates":[
  {"name":"main","steps":[[{"name":"a","template":"t","arguments":{"parameters":[{"name":"p","value":"{{workflow.name}}-x"}]}}],
     [{"name":"b","template":"t","arguments":{"parameters":[{"name":"p","value":"{{steps.a.outputs.result}}"}]}},
      {"name":"c","template":"t","when":"{{steps.a.outputs.result}} == no","arguments":{"parameters":[{"name":"p","value":"1"}]}}]]},
  {"name":"t","inputs":{"parameters":[{"name":"p"}]},"container":{"image":"busybox","command":["x"],"args":["{{inputs.parameters.p}}"]}}]})";

TEST(Engine, runs_steps_group_after_group) {
  std::map<std::string, std::string> templates;
  const auto run = run_of(kSteps, [&](const Engine& engine, const CreatePod& pod) {
    templates[engine.nodes()[pod.node].name] = pod.template_json;
    Outcome out;
    if (pod.capture_result) {
      out.result = "yes";
    }
    return out;
  });
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(phase_of(run, "wf[1].c"), NodePhase::skipped);
  EXPECT_TRUE(templates["wf[0].a"].contains(R"("args":["wf-x"])")) << templates["wf[0].a"];
  EXPECT_TRUE(templates["wf[1].b"].contains(R"("args":["yes"])")) << templates["wf[1].b"];
}

TEST(Engine, fails_steps_with_the_failing_child) {
  const auto run =
      run_of(kSteps, [](const Engine&, const CreatePod&) { return Outcome::exits(2); });
  EXPECT_EQ(run.engine().phase(), RunPhase::failed);
  EXPECT_EQ(run.engine().message(), "child 'wf-3986212215' failed");
}

constexpr std::string_view kDiamond = R"({"entrypoint":"main","templates":[
  {"name":"main","dag":{"tasks":[{"name":"A","template":"t"},
    {"name":"B","template":"t","dependencies":["A"]},{"name":"C","template":"t","depends":"A.Succeeded"},
    {"name":"D","template":"t","depends":"B && C"}]}},
  {"name":"t","container":{"image":"busybox","command":["x"]}}]})";

TEST(Engine, runs_a_diamond) {
  const auto run = run_of(kDiamond);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(run.created(), (std::vector<std::string>{"wf.A", "wf.B", "wf.C", "wf.D"}));
}

TEST(Engine, omits_what_depends_on_a_failure) {
  const auto run = run_of(kDiamond, [](const Engine& engine, const CreatePod& pod) {
    return Outcome::exits(engine.nodes()[pod.node].name == "wf.B" ? 1 : 0);
  });
  EXPECT_EQ(run.engine().phase(), RunPhase::failed);
  EXPECT_EQ(run.engine().message(), "");
  EXPECT_EQ(phase_of(run, "wf.D"), NodePhase::omitted);
}

TEST(Engine, loops_in_steps_and_aggregates) {
  std::string last;
  const auto run = run_of(R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"a","template":"t","withItems":[1,2,3],"arguments":{"parameters":[{"name":"p","value":"{{item}}"}]}}],
       [{"name":"b","template":"t","arguments":{"parameters":[{"name":"p","value":"{{steps.a.outputs.result}}"}]}}]]},
    {"name":"t","inputs":{"parameters":[{"name":"p"}]},"container":{"image":"busybox","command":["x"],"args":["{{inputs.parameters.p}}"]}}]})",
                          [&](const Engine&, const CreatePod& pod) {
                            last = pod.template_json;
                            Outcome out;
                            out.result = "7";
                            return out;
                          });
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(phase_of(run, "wf[0].a(1:2)"), NodePhase::succeeded);
  EXPECT_TRUE(last.contains(R"("args":["[7,7,7]"])")) << last;
}

TEST(Engine, retries_until_success) {
  int attempts = 0;
  const auto run = run_of(
      R"({"entrypoint":"main","templates":[
      {"name":"main","retryStrategy":{"limit":"4","backoff":{"duration":"10","factor":"2"}},"container":{"image":"busybox","command":["x"]}}]})",
      [&](const Engine&, const CreatePod&) { return Outcome::exits(++attempts < 3 ? 1 : 0); });
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(phase_of(run, "wf(2)"), NodePhase::succeeded);
  EXPECT_EQ(run.engine().nodes().size(), 4U);
}

TEST(Engine, limits_parallelism) {
  const auto run = run_of(R"({"entrypoint":"main","parallelism":2,"templates":[
    {"name":"main","dag":{"tasks":[{"name":"a","template":"t","withSequence":{"count":"7"}},{"name":"b","template":"t"}]}},
    {"name":"t","container":{"image":"busybox","command":["x"]}}]})");
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(run.most_pods(), 2U);
  EXPECT_EQ(run.created().size(), 8U);
}

TEST(Engine, runs_exit_handlers_and_hooks) {
  std::string exit;
  const auto run =
      run_of(R"({"entrypoint":"main","onExit":"ex","templates":[
    {"name":"main","steps":[[{"name":"a","template":"t","hooks":{"exit":{"template":"t"}}}],[{"name":"b","template":"t"}]]},
    {"name":"ex","container":{"image":"busybox","command":["x"],"args":["{{workflow.status}} {{workflow.failures}}"]}},
    {"name":"t","container":{"image":"busybox","command":["x"]}}]})",
             [&](const Engine& engine, const CreatePod& pod) {
               exit = pod.template_json;
               return Outcome::exits(engine.nodes()[pod.node].name == "wf[1].b" ? 3 : 0);
             });
  EXPECT_EQ(run.engine().phase(), RunPhase::failed);
  EXPECT_EQ(phase_of(run, "wf[0].a.onExit"), NodePhase::succeeded);
  EXPECT_EQ(phase_of(run, "wf.onExit"), NodePhase::succeeded);
  EXPECT_TRUE(exit.contains("Failed ")) << exit;
}

TEST(Engine, starts_large_loops_in_portions) {
  EngineConfig config;
  config.maximum_launches = 10;
  auto run = ScriptedRun::create(workflow_of(R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"a","template":"t","withSequence":{"count":"95"}}]]},
    {"name":"t","container":{"image":"busybox","command":["x"]}}]})"),
                                 kNoReferences, succeed, config, Checks::restore);
  ASSERT_TRUE(run);
  const auto ended = run->run();
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(run->engine().phase(), RunPhase::succeeded);
  EXPECT_EQ(run->most_pods(), 95U);
}

TEST(Engine, an_exit_hook_that_fail_fast_keeps_from_starting_does_not_hold_up_the_run) {
  const auto run =
      run_of(R"({"entrypoint":"main","templates":[
      {"name":"main","failFast":true,"steps":[[{"name":"a","template":"bad","onExit":"good"},
                                               {"name":"b","template":"good"}]]},
      {"name":"bad","steps":[[{"name":"x","template":"fails"}]]},
      {"name":"fails","container":{"image":"busybox","command":["false"]}},
      {"name":"good","container":{"image":"busybox","command":["true"]}}]})",
             [](const Engine& engine, const CreatePod& pod) {
               return Outcome::exits(engine.nodes()[pod.node].name.ends_with(".x") ? 1 : 0);
             });
  EXPECT_EQ(run.engine().phase(), RunPhase::failed) << run.engine().message();
  EXPECT_FALSE(run.engine().nodes().find_name("wf[0].a.onExit"));
}

TEST(Engine, a_pod_that_could_not_be_made_is_remembered_as_any_other) {
  const auto run = run_of(R"({"entrypoint":"main","templates":[
      {"name":"main","steps":[[{"name":"a","template":"bad","continueOn":{"error":true}}],
                              [{"name":"b","template":"good"}]]},
      {"name":"bad","timeout":"soon","container":{"image":"busybox","command":["x"]}},
      {"name":"good","container":{"image":"busybox","command":["true"]}}]})");
  EXPECT_NE(run.engine().phase(), RunPhase::running);
}

TEST(Engine, a_wait_before_an_attempt_that_ends_while_the_run_is_suspended_is_not_forgotten) {
  auto run = ScriptedRun::create(
      workflow_of(R"({"entrypoint":"main","templates":[
        {"name":"main","retryStrategy":{"limit":"1","backoff":{"duration":"5"}},
         "container":{"image":"busybox","command":["x"]}}]})"),
      kNoReferences,
      [](const Engine& engine, const CreatePod& pod) {
        return Outcome::exits(engine.nodes()[pod.node].slot == 0 ? 1 : 0);
      },
      {}, Checks::restore);
  ASSERT_TRUE(run);
  ASSERT_TRUE(run->start());
  ASSERT_TRUE(run->step());
  ASSERT_TRUE(run->apply(Suspend{}));
  ASSERT_TRUE(run->step());
  EXPECT_EQ(run->created().size(), 1U);
  ASSERT_TRUE(run->apply(Resume{}));
  ASSERT_TRUE(run->run());
  EXPECT_EQ(run->engine().phase(), RunPhase::succeeded);
}

TEST(Engine, the_error_of_a_step_whose_exit_hook_runs_outlives_a_restart) {
  const auto run = run_of(R"({"entrypoint":"main","templates":[
      {"name":"main","steps":[[{"name":"a","template":"wants","continueOn":{"error":true},
                                "onExit":"good"}]]},
      {"name":"wants","inputs":{"parameters":[{"name":"p"}]},
       "container":{"image":"busybox","command":["x"]}},
      {"name":"good","container":{"image":"busybox","command":["true"]}}]})");
  EXPECT_EQ(phase_of(run, "wf[0].a.onExit"), NodePhase::succeeded);
  EXPECT_EQ(run.engine().phase(), RunPhase::failed) << run.engine().message();
}

TEST(Engine, the_exit_hook_of_a_retried_step_waits_for_a_slot_like_any_other) {
  const auto run = run_of(R"({"entrypoint":"main","templates":[
      {"name":"main","parallelism":1,"steps":[[{"name":"a","template":"twice","onExit":"good"},
                                               {"name":"b","template":"good"}]]},
      {"name":"twice","retryStrategy":{"limit":"1"},"container":{"image":"busybox","command":["x"]}},
      {"name":"good","container":{"image":"busybox","command":["true"]}}]})");
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(phase_of(run, "wf[0].a.onExit"), NodePhase::succeeded);
}

}  // namespace
}  // namespace tiphys::workflows

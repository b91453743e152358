#include "workflows/engine/engine.h"
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

constexpr std::string_view kLeaves = R"(
  {"name":"t","container":{"image":"i","command":["x"]}},
  {"name":"h","inputs":{"parameters":[{"name":"p","default":"none"}]},
   "container":{"image":"i","command":["h"],"args":["{{inputs.parameters.p}}"]}}]})";

ScriptedRun run_of(std::string_view spec, testing::Script script) {
  const auto workflow = doc::parse_json(
      R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow",
          "metadata":{"name":"wf","namespace":"default","uid":"u"},"spec":)" +
      std::string(spec) + std::string(kLeaves) + "}");
  EXPECT_TRUE(workflow);
  auto run = ScriptedRun::create(*workflow, kNoReferences, std::move(script), {}, Checks::restore);
  EXPECT_TRUE(run) << run.error().message;
  return std::move(*run);
}

Outcome succeed(const Engine&, const CreatePod&) { return {}; }

NodePhase phase_of(const ScriptedRun& run, std::string_view name) {
  const auto index = run.engine().nodes().find_name(name);
  return index ? run.engine().nodes()[*index].phase : NodePhase::none;
}

void report(ScriptedRun& run, std::string_view name, PodPhase phase) {
  const auto index = run.engine().nodes().find_name(name);
  ASSERT_TRUE(index) << name;
  PodUpdate update;
  update.node = *index;
  update.phase = phase;
  const auto applied = run.apply(update);
  ASSERT_TRUE(applied) << applied.error().message;
}

constexpr std::string_view kSteps = R"({"entrypoint":"main","templates":[
  {"name":"main","steps":[[{"name":"a","template":"t","hooks":{
      "running":{"template":"h","expression":"steps.a.status == 'Running'"},
      "failed":{"template":"h","expression":"steps.a.status == 'Failed'"},
      "exit":{"template":"h","arguments":{"parameters":[{"name":"p","value":"{{steps.a.status}}"}]}}}}],
    [{"name":"b","template":"t"}]]},)";

TEST(Hooks, start_when_their_expression_holds_and_are_waited_for) {
  auto run = run_of(kSteps, succeed);
  ASSERT_TRUE(run.start());
  EXPECT_EQ(run.created(), std::vector<std::string>{"wf[0].a"});
  report(run, "wf[0].a", PodPhase::running);
  EXPECT_EQ(phase_of(run, "wf[0].a.hooks.running"), NodePhase::pending);
  report(run, "wf[0].a", PodPhase::succeeded);
  EXPECT_EQ(phase_of(run, "wf[0].a.onExit"), NodePhase::none) << "the hook comes first";
  report(run, "wf[0].a.hooks.running", PodPhase::failed);
  EXPECT_EQ(phase_of(run, "wf[0].a.onExit"), NodePhase::pending);
  EXPECT_EQ(phase_of(run, "wf[1]"), NodePhase::none);
  report(run, "wf[0].a.onExit", PodPhase::succeeded);
  EXPECT_EQ(phase_of(run, "wf[1].b"), NodePhase::pending);
  ASSERT_TRUE(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << "a hook's failure is its own";
  EXPECT_EQ(phase_of(run, "wf[0].a.hooks.failed"), NodePhase::none);
  EXPECT_EQ(
      run.engine().nodes().display_name(*run.engine().nodes().find_name("wf[0].a.hooks.running")),
      "a.hooks.running");
}

TEST(Hooks, of_tasks_hold_back_what_depends_on_the_task) {
  auto run = run_of(R"({"entrypoint":"main","templates":[
    {"name":"main","dag":{"tasks":[
      {"name":"a","template":"t","hooks":{"done":{"template":"h","expression":"tasks.a.status == 'Succeeded'"}}},
      {"name":"b","template":"t","depends":"a"},
      {"name":"never","template":"t","when":"1 == 2","hooks":{"s":{"template":"h","expression":"tasks.never.status == 'Skipped'"}}}]}},)",
                    succeed);
  ASSERT_TRUE(run.start());
  EXPECT_EQ(phase_of(run, "wf.never.hooks.s"), NodePhase::pending);
  report(run, "wf.a", PodPhase::succeeded);
  EXPECT_EQ(phase_of(run, "wf.a.hooks.done"), NodePhase::pending);
  EXPECT_EQ(phase_of(run, "wf.b"), NodePhase::none);
  ASSERT_TRUE(run.run());
  EXPECT_EQ(phase_of(run, "wf.b"), NodePhase::succeeded);
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
}

TEST(Hooks, of_a_loop_of_tasks_belong_to_the_loop_and_its_exit_hook_to_its_elements_too) {
  std::map<std::string, std::string> templates;
  auto run = run_of(R"({"entrypoint":"main","templates":[
    {"name":"main","dag":{"tasks":[{"name":"a","template":"t","withItems":["x","y"],"hooks":{
      "ok":{"template":"h","expression":"tasks.a.status == 'Succeeded'"},
      "exit":{"template":"h","arguments":{"parameters":[{"name":"p","value":"{{item}}"}]}}}}]}},)",
                    [&](const Engine& engine, const CreatePod& pod) {
                      templates[engine.nodes()[pod.node].name] = pod.template_json;
                      return Outcome::exits(engine.nodes()[pod.node].name == "wf.a.hooks.ok");
                    });
  ASSERT_TRUE(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  EXPECT_EQ(phase_of(run, "wf.a.hooks.ok"), NodePhase::failed);
  EXPECT_EQ(phase_of(run, "wf.a.onExit"), NodePhase::succeeded);
  EXPECT_TRUE(templates["wf.a(1:y).onExit"].contains(R"(["y"])")) << templates["wf.a(1:y).onExit"];
}

TEST(Hooks, that_cannot_be_evaluated_end_the_group_or_the_graph_in_an_error) {
  auto steps = run_of(R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"a","template":"t","hooks":{"x":{"template":"h","expression":"steps.a.status"}}},
                             {"name":"b","template":"t"}]]},)",
                      succeed);
  ASSERT_TRUE(steps.run());
  EXPECT_EQ(steps.engine().phase(), RunPhase::failed);
  EXPECT_EQ(phase_of(steps, "wf[0]"), NodePhase::error);
  auto dag = run_of(R"({"entrypoint":"main","templates":[
    {"name":"main","dag":{"tasks":[{"name":"a","template":"t","hooks":{"x":{"template":"missing","expression":"true"}}},
                             {"name":"b","template":"t"}]}},)",
                    succeed);
  const auto ended = dag.run();
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(dag.engine().phase(), RunPhase::error);
  EXPECT_EQ(phase_of(dag, "wf"), NodePhase::error);
}

constexpr std::string_view kWorkflow = R"({"entrypoint":"main","onExit":"h","hooks":{
    "running":{"template":"h","expression":"workflow.status == 'Running'"},
    "failed":{"template":"h","expression":"workflow.status == 'Failed'",
              "arguments":{"parameters":[{"name":"p","value":"{{workflow.failures}}"}]}},
    "late":{"template":"h","expression":"workflow.failures contains 'main: Error'"}},
  "templates":[{"name":"main","steps":[[{"name":"a","template":"t"}]]},)";

TEST(Hooks, of_the_workflow_see_its_status_and_come_before_its_exit_handler) {
  auto run = run_of(kWorkflow, [](const Engine& engine, const CreatePod& pod) {
    return Outcome::exits(engine.nodes()[pod.node].name == "wf[0].a" ? 1 : 0);
  });
  ASSERT_TRUE(run.start());
  EXPECT_EQ(phase_of(run, "wf.hooks.running"), NodePhase::pending);
  EXPECT_EQ(phase_of(run, "wf.hooks.late"), NodePhase::none);
  ASSERT_TRUE(run.step());
  EXPECT_EQ(phase_of(run, "wf.onExit"), NodePhase::none);
  ASSERT_TRUE(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::failed);
  for (const std::string_view name : {"running", "failed", "late"}) {
    EXPECT_EQ(phase_of(run, "wf.hooks." + std::string(name)), NodePhase::succeeded) << name;
  }
  const auto& nodes = run.engine().nodes();
  EXPECT_GT(*nodes.find_name("wf.onExit"), *nodes.find_name("wf.hooks.failed"));
  EXPECT_EQ(nodes[*nodes.find_name("wf.hooks.failed")].parents, std::vector<NodeIndex>{0});
}

TEST(Hooks, that_cannot_be_evaluated_end_the_workflow) {
  auto run = run_of(
      R"({"entrypoint":"t","hooks":{"x":{"template":"h","expression":"1 + 1"}},"templates":[)",
      succeed);
  ASSERT_TRUE(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::error);
}

TEST(Hooks, wait_while_the_workflow_is_suspended) {
  auto run = run_of(kSteps, succeed);
  ASSERT_TRUE(run.start());
  ASSERT_TRUE(run.apply(Suspend{}));
  report(run, "wf[0].a", PodPhase::running);
  EXPECT_EQ(phase_of(run, "wf[0].a.hooks.running"), NodePhase::none);
  ASSERT_TRUE(run.apply(Resume{}));
  EXPECT_EQ(phase_of(run, "wf[0].a.hooks.running"), NodePhase::pending);
  ASSERT_TRUE(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded);
}

TEST(Refusal, fails_the_run_before_it_starts) {
  auto run = run_of(kSteps, succeed);
  ASSERT_TRUE(run.apply(Start{"invalid spec: no"}));
  EXPECT_EQ(run.engine().phase(), RunPhase::failed);
  EXPECT_EQ(run.engine().message(), "invalid spec: no");
  EXPECT_EQ(run.engine().nodes().size(), 0U);
}

TEST(DisplayName, that_is_not_valid_is_an_error_of_the_node) {
  auto run = run_of(R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"a","template":"named","withItems":["ok","not ok"],
      "arguments":{"parameters":[{"name":"n","value":"{{item}}"}]}}]]},
    {"name":"named","inputs":{"parameters":[{"name":"n"}]},
     "annotations":{"workflows.argoproj.io/display-name":"for-{{inputs.parameters.n}}"},
     "container":{"image":"i","command":["x"]}},)",
                    succeed);
  ASSERT_TRUE(run.run());
  const auto& nodes = run.engine().nodes();
  EXPECT_EQ(nodes.display_name(*nodes.find_name("wf[0].a(0:ok)")), "for-ok");
  const Node& wrong = nodes[*nodes.find_name("wf[0].a(1:not ok)")];
  EXPECT_EQ(wrong.phase, NodePhase::error);
  EXPECT_TRUE(wrong.message.starts_with("displayName must match the regex ")) << wrong.message;
  EXPECT_EQ(run.engine().phase(), RunPhase::failed);
}

TEST(Labels, from_expressions_must_be_texts_that_a_label_can_be) {
  const auto message = [](std::string_view expression) {
    auto run = run_of(R"({"entrypoint":"t","workflowMetadata":{"labelsFrom":{"l":{"expression":")" +
                          std::string(expression) + R"("}}},"templates":[)",
                      succeed);
    EXPECT_TRUE(run.run());
    return run.engine().message();
  };
  EXPECT_EQ(message("workflow.name + '-x'"), "");
  EXPECT_EQ(
      message("1 + 1"),
      R"(failed to evaluate label "l" expression "1 + 1" evaluted to int but must be a string)");
  EXPECT_TRUE(
      message("'not ok'")
          .starts_with(
              R"(invalid label value "not ok" for label "l" and expression "'not ok'": a valid label must)"));
}

TEST(Volumes, are_named_by_the_steps_and_inputs_around_a_pod) {
  std::map<std::string, std::string> volumes;
  auto run = run_of(R"({"entrypoint":"main","volumes":[
    {"name":"a","configMap":{"name":"{{steps.make.outputs.result}}-{{workflow.name}}"}},
    {"name":"b","configMap":{"name":"{{inputs.parameters.q}}"}}],"templates":[
    {"name":"main","steps":[[{"name":"make","template":"t"}],[{"name":"inner","template":"inner"}]]},
    {"name":"inner","steps":[[{"name":"use","template":"use","arguments":{"parameters":[{"name":"q","value":"own"}]}}]]},
    {"name":"use","inputs":{"parameters":[{"name":"q"}]},"container":{"image":"i","command":["x"]}},)",
                    [&](const Engine& engine, const CreatePod& pod) {
                      volumes[engine.nodes()[pod.node].name] = pod.volumes_json;
                      Outcome out;
                      out.result = "made";
                      return out;
                    });
  ASSERT_TRUE(run.run());
  EXPECT_EQ(
      volumes["wf[1].inner[0].use"],
      R"([{"name":"a","configMap":{"name":"made-wf"}},{"name":"b","configMap":{"name":"own"}}])");
}

TEST(Randomness, in_expressions_follows_from_the_run_and_its_events) {
  std::set<std::string> drawn;
  const auto draw = [&] {
    auto run = run_of(R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[
      {"name":"a","template":"h","arguments":{"parameters":[{"name":"p","value":"{{=sprig.uuidv4()}}"}]}},
      {"name":"b","template":"h","arguments":{"parameters":[{"name":"p","value":"{{=sprig.uuidv4()}}"}]}}]]},)",
                      [&](const Engine&, const CreatePod& pod) {
                        drawn.insert(pod.template_json.substr(pod.template_json.find("args")));
                        return Outcome{};
                      });
    const auto ended = run.run();
    EXPECT_TRUE(ended) << ended.error().message;
    EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  };
  draw();
  EXPECT_EQ(drawn.size(), 2U);
  draw();
  EXPECT_EQ(drawn.size(), 2U) << "the same run draws the same";
}

TEST(AntiAffinity, keeps_attempts_from_hosts_on_which_others_failed) {
  std::vector<std::string> avoided;
  auto run = run_of(R"({"entrypoint":"main","templates":[
    {"name":"main","retryStrategy":{"limit":"2","affinity":{"nodeAntiAffinity":{}}},
     "container":{"image":"i","command":["x"]}},)",
                    [&](const Engine&, const CreatePod& pod) {
                      avoided.insert(avoided.end(), pod.avoid_hosts.begin(), pod.avoid_hosts.end());
                      return Outcome::exits(avoided.empty() ? 1 : 0);
                    });
  ASSERT_TRUE(run.run());
  EXPECT_EQ(avoided, std::vector<std::string>{"node1"});
}

}  // namespace
}  // namespace tiphys::workflows

// Running again from chosen nodes: retry and resubmit.
#include "workflows/engine/resubmit.h"
#include "workflows/engine/retry_workflow.h"
#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

using testing::DocumentReferences;
using testing::Outcome;
using testing::ScriptedRun;

using Names = std::vector<std::string>;

const DocumentReferences kNoReferences;

constexpr std::string_view kGraph = R"({"entrypoint":"main","onExit":"t",
  "arguments":{"parameters":[{"name":"p","value":"1"},{"name":"q","value":"2"}]},"templates":[
  {"name":"main","dag":{"tasks":[
    {"name":"A","template":"t"},
    {"name":"B","template":"t","depends":"A"},
    {"name":"C","template":"use","depends":"B","arguments":{"parameters":[{"name":"in","value":"{{tasks.B.outputs.result}}"}]}},
    {"name":"L","template":"t","withItems":["x","y"]},
    {"name":"S","template":"steps","depends":"A"}]}},
  {"name":"steps","steps":[[{"name":"one","template":"t"}],[{"name":"two","template":"t"}]]},
  {"name":"use","inputs":{"parameters":[{"name":"in"}]},"container":{"image":"b","command":["x","{{inputs.parameters.in}}"]}},
  {"name":"t","container":{"image":"b","command":["x"]}}]})";

/// The graph run to its end; the node named fails.
doc::Value ended(const std::string& failing = "", std::string_view spec = kGraph) {
  const auto workflow = doc::parse_json(
      R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"name":"wf",
      "generateName":"gen-","namespace":"default","uid":"u","creationTimestamp":"2024-01-02T03:04:05Z",
      "labels":{"team":"red","workflows.argoproj.io/creator":"me"},"annotations":{"note":"n"}},"spec":)" +
      std::string(spec) + "}");
  auto run = ScriptedRun::create(
      *workflow, kNoReferences, [&](const Engine& engine, const CreatePod& pod) {
        Outcome out = Outcome::exits(engine.nodes()[pod.node].name == failing ? 1 : 0);
        out.result = R"(["said by )" + engine.nodes()[pod.node].name + R"("])";
        return out;
      });
  EXPECT_TRUE(run) << run.error().message;
  const auto done = run->run();
  EXPECT_TRUE(done) << done.error().message;
  return run->engine().workflow(Engine::WithNodes::yes);
}

struct Again {
  Names created;  ///< names of nodes whose pods were made
  std::vector<std::string> templates;
  RunPhase phase = RunPhase::none;
  doc::Value workflow;
};

/// Carries the prepared run on to its end; all its pods succeed.
Again go_on(const doc::Value& workflow, const std::vector<StoredRow>& rows) {
  const TimePoint now = TimePoint(std::chrono::hours(24 * 365 * 55));
  auto engine = Engine::restore(workflow, rows, kNoReferences, {}, now);
  EXPECT_TRUE(engine) << engine.error().message;
  Again out;
  std::vector<NodeIndex> live;
  const auto take = [&](const Result<Decisions>& decisions) {
    ASSERT_TRUE(decisions) << decisions.error().message;
    for (const CreatePod& pod : decisions->create_pods) {
      out.created.push_back(engine->nodes()[pod.node].name);
      out.templates.push_back(pod.template_json);
      live.push_back(pod.node);
    }
  };
  take(engine->apply(rows.empty() ? Event(Start{}) : Event(Continue{}), now));
  while (!live.empty()) {
    PodUpdate update;
    update.node = live.back();
    update.phase = PodPhase::succeeded;
    update.result = "said again";
    live.pop_back();
    take(engine->apply(update, now));
  }
  out.phase = engine->phase();
  out.workflow = engine->workflow(Engine::WithNodes::yes);
  return out;
}

Again retried(const doc::Value& document, RetryOptions options) {
  const auto prepared = retry_workflow(document, options);
  EXPECT_TRUE(prepared) << prepared.error().message;
  return prepared ? go_on(prepared->workflow, prepared->rows) : Again{};
}

Again resubmitted(const doc::Value& document, ResubmitOptions options) {
  options.name = "new";
  options.now = TimePoint(std::chrono::hours(24 * 365 * 55));
  const auto prepared = resubmit_workflow(document, options);
  EXPECT_TRUE(prepared) << prepared.error().message;
  return prepared ? go_on(prepared->workflow, prepared->rows) : Again{};
}

const doc::Value* node_of(const doc::Value& workflow, std::string_view name) {
  for (const auto& entry : doc::find(*doc::find(workflow, "status"), "nodes")->get_object()) {
    if (doc::find_string(entry.value(), "name") == name) {
      return &entry.value();
    }
  }
  return nullptr;
}

RetryOptions chosen(std::string selector) {
  RetryOptions options;
  options.restart_successful = true;
  options.node_field_selector = std::move(selector);
  return options;
}

TEST(Rerun, a_chosen_task_takes_what_depends_on_it_with_it) {
  const Again again = retried(ended(), chosen("displayName=B"));
  EXPECT_EQ(again.created, (Names{"wf.B", "wf.C", "wf.onExit"}));
  EXPECT_EQ(again.phase, RunPhase::succeeded);
}

TEST(Rerun, an_item_of_a_loop_runs_alone) {
  const Again again = retried(ended(), chosen("displayName=L(1:y)"));
  EXPECT_EQ(again.created, (Names{"wf.L(1:y)", "wf.onExit"}));
  EXPECT_EQ(again.phase, RunPhase::succeeded);
}

TEST(Rerun, groups_and_calls_can_be_chosen_as_well) {
  EXPECT_EQ(retried(ended(), chosen("displayName=L")).created,
            (Names{"wf.L(0:x)", "wf.L(1:y)", "wf.onExit"}));
  EXPECT_EQ(retried(ended(), chosen("displayName=S")).created,
            (Names{"wf.S[0].one", "wf.S[1].two", "wf.onExit"}));
  EXPECT_EQ(retried(ended(), chosen("name=wf.S[1]")).created, (Names{"wf.S[1].two", "wf.onExit"}));
  EXPECT_EQ(retried(ended(), chosen("name=wf.S[0].one")).created,
            (Names{"wf.S[0].one", "wf.S[1].two", "wf.onExit"}));
}

TEST(Rerun, the_whole_run_can_be_chosen) {
  const Again again = retried(ended(), chosen("name=wf"));
  EXPECT_EQ(again.created.size(), 8U);
  EXPECT_EQ(again.phase, RunPhase::succeeded);
}

TEST(Rerun, tasks_that_were_left_out_can_be_chosen) {
  const doc::Value document = ended("wf.B");
  ASSERT_EQ(doc::find_string(*node_of(document, "wf.C"), "phase"), "Omitted");
  EXPECT_EQ(retried(document, chosen("phase=Omitted")).created,
            (Names{"wf.B", "wf.C", "wf.onExit"}));
}

TEST(Rerun, a_selector_that_matches_nothing_is_an_error) {
  const auto prepared = retry_workflow(ended(), chosen("displayName=nobody"));
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().message, "no nodes match nodeFieldSelector: displayName=nobody");
}

TEST(Rerun, new_parameters_come_first) {
  RetryOptions options = chosen("displayName=C");
  options.parameters = {{"q", "new"}};
  const auto prepared = retry_workflow(ended(), options);
  ASSERT_TRUE(prepared);
  const doc::Value& parameters =
      *doc::find(*doc::find(*doc::find(prepared->workflow, "spec"), "arguments"), "parameters");
  EXPECT_EQ(doc::to_json(parameters), R"([{"name":"q","value":"new"},{"name":"p","value":"1"}])");
}

TEST(Resubmit, makes_a_new_object_of_the_spec) {
  const auto prepared = resubmit_workflow(
      ended(), {.name = "gen-abc", .node_field_selector = "", .parameters = {{"p", "9"}}});
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_TRUE(prepared->rows.empty());
  EXPECT_EQ(
      doc::to_json(*doc::find(prepared->workflow, "metadata"), {.sort_keys = true}),
      R"({"annotations":{"note":"n","workflows.argoproj.io/pod-name-format":"v2"},"generateName":"gen-",)"
      R"("labels":{"team":"red","workflows.argoproj.io/resubmitted-from-workflow":"wf"},)"
      R"("name":"gen-abc","namespace":"default"})");
  EXPECT_EQ(doc::find(prepared->workflow, "status"), nullptr);
  EXPECT_EQ(doc::find(*doc::find(prepared->workflow, "spec"), "shutdown"), nullptr);
}

TEST(Resubmit, memoized_takes_over_what_succeeded) {
  const doc::Value document = ended("wf.B");
  const Again again = resubmitted(
      document, {.name = "", .memoized = true, .node_field_selector = "", .parameters = {}});
  EXPECT_EQ(again.created, (Names{"new.B", "new.C", "new.onExit"}));
  EXPECT_EQ(again.phase, RunPhase::succeeded);
  const doc::Value* taken = node_of(again.workflow, "new.A");
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(doc::find_string(*taken, "type"), "Skipped");
  EXPECT_EQ(doc::find_string(*taken, "phase"), "Skipped");
  EXPECT_EQ(doc::find_string(*taken, "message"),
            "original pod: " + std::string(doc::find_string(*node_of(document, "wf.A"), "id")));
  EXPECT_EQ(doc::find_string(*taken, "templateScope"), "local/new");
}

TEST(Resubmit, memoized_needs_a_failed_run) {
  const auto prepared = resubmit_workflow(
      ended(), {.name = "n", .memoized = true, .node_field_selector = "", .parameters = {}});
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().message, "workflow must be Failed/Error to resubmit in memoized mode");
}

TEST(Resubmit, from_chosen_nodes_uses_the_outputs_that_were_taken_over) {
  const Again again =
      resubmitted(ended(), {.name = "", .node_field_selector = "displayName=C", .parameters = {}});
  ASSERT_EQ(again.created, (Names{"new.C", "new.onExit"}));
  EXPECT_TRUE(again.templates.front().contains("said by wf.B")) << again.templates.front();
  EXPECT_EQ(again.phase, RunPhase::succeeded);
}

TEST(Resubmit, a_loop_that_was_taken_over_keeps_its_results_together) {
  constexpr std::string_view kFan = R"({"entrypoint":"main","templates":[
    {"name":"main","steps":[[{"name":"L","template":"t","withItems":["x","y"]}],
      [{"name":"sum","template":"use","arguments":{"parameters":[{"name":"in","value":"{{steps.L.outputs.result}}"}]}}]]},
    {"name":"use","inputs":{"parameters":[{"name":"in"}]},"container":{"image":"b","command":["x","{{inputs.parameters.in}}"]}},
    {"name":"t","container":{"image":"b","command":["x"]}}]})";
  const Again again =
      resubmitted(ended("wf[1].sum", kFan),
                  {.name = "", .memoized = true, .node_field_selector = "", .parameters = {}});
  ASSERT_EQ(again.created, (Names{"new[1].sum"}))
      << doc::to_json(*doc::find(again.workflow, "status"));
  EXPECT_TRUE(again.templates.front().contains("said by wf[0].L(1:y)")) << again.templates.front();
}

}  // namespace
}  // namespace tiphys::workflows

#include "workflows/plan/plan.h"

#include "workflows/engine/testing/scripted_run.h"
#include "workflows/plan/print.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kLeaf =
    R"({"name":"leaf","inputs":{"parameters":[{"name":"p","default":"d"}]},
        "container":{"image":"img:{{inputs.parameters.p}}","command":["x"]}})";

Result<RunPlan> planned(const std::string& templates, const std::string& more = "") {
  static const testing::DocumentReferences kNone;
  const auto workflow = doc::parse_json(
      R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"name":"wf"},"spec":{"entrypoint":"main",)" +
      more + R"("templates":[)" + templates + "," + std::string(kLeaf) + "]}}");
  EXPECT_TRUE(workflow);
  return make_plan(*workflow, kNone, {});
}

std::vector<std::string> names(const PlannedNode& node) {
  std::vector<std::string> out;
  for (const PlannedNode& child : node.children) {
    out.push_back(child.name + "=" + std::string(name_of(child.certainty)));
  }
  return out;
}

using Names = std::vector<std::string>;

TEST(Plan, knows_what_a_condition_over_parameters_comes_to) {
  const auto plan = planned(R"({"name":"main","steps":[[
      {"name":"a","template":"leaf","when":"{{workflow.parameters.x}} == yes"},
      {"name":"b","template":"leaf","when":"{{workflow.parameters.x}} != yes"}],[
      {"name":"c","template":"leaf","when":"{{steps.a.outputs.result}} == yes"}]]})",
                            R"("arguments":{"parameters":[{"name":"x","value":"yes"}]},)");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(names(plan->entry), (Names{"a=will", "b=never", "c=may"}));
  EXPECT_EQ(plan->entry.children[2].group, 1U);
  EXPECT_EQ(plan->will_run, 1U);
  EXPECT_EQ(plan->may_run, 1U);
}

TEST(Plan, unrolls_loops_over_what_is_known) {
  const auto plan = planned(R"({"name":"main","steps":[[
      {"name":"a","template":"leaf","withItems":["x","y"],"arguments":{"parameters":[{"name":"p","value":"{{item}}"}]}},
      {"name":"b","template":"leaf","withSequence":{"count":"{{workflow.parameters.n}}"}},
      {"name":"c","template":"leaf","withParam":"{{steps.gen.outputs.result}}"}]]})",
                            R"("arguments":{"parameters":[{"name":"n","value":"2"}]},)");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(names(plan->entry),
            (Names{"a(0:x)=will", "a(1:y)=will", "b(0:0)=will", "b(1:1)=will", "c(?)=may"}));
  EXPECT_EQ(plan->entry.children[0].image, "img:x");
  EXPECT_EQ(plan->entry.children[4].loops_over, "{{steps.gen.outputs.result}}");
}

TEST(Plan, judges_depends_by_what_the_tasks_before_can_come_to) {
  const auto plan = planned(R"({"name":"main","dag":{"tasks":[
      {"name":"a","template":"leaf"},
      {"name":"b","template":"leaf","depends":"a.Failed"},
      {"name":"c","template":"leaf","depends":"a.Succeeded || a.Failed"},
      {"name":"d","template":"leaf","depends":"c","when":"{{tasks.a.outputs.result}} == 1"},
      {"name":"e","template":"leaf","depends":"d.Succeeded"},
      {"name":"f","template":"leaf","depends":"d"},
      {"name":"g","template":"leaf","depends":"a.Skipped"}]}})");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(names(plan->entry),
            (Names{"a=will", "b=may", "c=will", "d=may", "e=may", "f=will", "g=never"}));
  EXPECT_EQ(plan->entry.children[3].after, (std::vector<std::uint32_t>{2}));
}

TEST(Plan, shows_only_what_a_target_needs) {
  const auto plan = planned(R"({"name":"main","dag":{"target":"b","tasks":[
      {"name":"a","template":"leaf"},{"name":"b","template":"leaf","dependencies":["a"]},
      {"name":"c","template":"leaf","dependencies":["b"]}]}})");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(names(plan->entry), (Names{"a=will", "b=will"}));
}

TEST(Plan, says_where_a_value_that_is_not_known_comes_from) {
  const auto plan = planned(R"({"name":"main","steps":[[{"name":"gen","template":"leaf"}],[
        {"name":"each","template":"inner","arguments":{"parameters":[{"name":"list","value":"{{steps.gen.outputs.result}}"}]}}]]},
      {"name":"inner","inputs":{"parameters":[{"name":"list"}]},"steps":[[
        {"name":"x","template":"leaf","withParam":"{{inputs.parameters.list}}"}]]})");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->entry.children[1].children[0].loops_over, "{{steps.gen.outputs.result}}");
}

TEST(Plan, follows_recursion_as_far_as_the_values_decide_it) {
  const auto plan = planned(
      R"({"name":"main","inputs":{"parameters":[{"name":"n","value":"2"}]},"steps":[[
        {"name":"again","template":"main","when":"{{inputs.parameters.n}} > 0","arguments":{"parameters":[
          {"name":"n","value":"{{=asInt(inputs.parameters.n) - 1}}"}]}}]]})");
  ASSERT_TRUE(plan) << plan.error().message;
  const PlannedNode& first = plan->entry.children[0];
  EXPECT_EQ(first.certainty, Certainty::will);
  EXPECT_EQ(first.children[0].certainty, Certainty::will);
  EXPECT_EQ(first.children[0].children[0].certainty, Certainty::never);
}

TEST(Plan, does_not_unfold_recursion_that_depends_on_results) {
  const auto plan = planned(R"({"name":"main","steps":[[{"name":"flip","template":"leaf"}],[
      {"name":"again","template":"main","when":"{{steps.flip.outputs.result}} == tails"}]]})");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->entry.children[1].repeats_itself);
  EXPECT_TRUE(plan->entry.children[1].children.empty());
}

TEST(Plan, stops_at_endless_recursion) {
  const auto plan = planned(
      R"({"name":"main","steps":[[{"name":"a","template":"main"},{"name":"b","template":"main"}]]})");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->cut);
}

TEST(Plan, names_what_will_go_wrong) {
  const auto plan = planned(
      R"({"name":"main","steps":[[{"name":"a","templateRef":{"name":"lib","template":"t"}},{"name":"b","template":"leaf","retryStrategy":{}}]]},
         {"name":"retried","retryStrategy":{"limit":2},"container":{"image":"i"}})");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->entry.children[0].problem.contains("lib")) << plan->entry.children[0].problem;
}

TEST(Plan, has_the_exit_handler_and_hooks) {
  const auto plan = planned(
      R"({"name":"main","steps":[[{"name":"a","template":"leaf","hooks":{"exit":{"template":"leaf"},
          "slow":{"expression":"steps['a'].status == 'Running'","template":"leaf"}}}]]})",
      R"("onExit":"leaf",)");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(names(plan->entry), (Names{"a=will", "a.onExit=will", "a.hooks.slow=may"}));
  ASSERT_EQ(plan->hooks.size(), 1U);
  EXPECT_EQ(plan->hooks[0].name, "onExit");
}

TEST(Plan, prints_a_tree) {
  const auto plan = planned(R"({"name":"main","dag":{"tasks":[
      {"name":"a","template":"leaf","withSequence":{"count":"20"}},
      {"name":"b","template":"leaf","depends":"a","when":"{{tasks.a.outputs.result}} != []"}]}})");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan_text(*plan, {.utf8 = false}), R"(wf: 20 steps will run, 1 may
* wf  main (dag)
|-* a(0:0)  leaf
|-* a(1:1)  leaf
|-* a(2:2)  leaf
|-  17 more of a
`-? b  leaf  after a; depends a; when {{tasks.a.outputs.result}} != []
)");
}

TEST(Plan, writes_a_graph_and_json) {
  const auto plan = planned(
      R"({"name":"main","steps":[[{"name":"a","template":"leaf"}],[{"name":"say \"b\"","template":"leaf"}]]})");
  ASSERT_TRUE(plan) << plan.error().message;
  const std::string dot = plan_dot(*plan);
  EXPECT_TRUE(dot.contains(R"(n1 -> n2;)")) << dot;
  EXPECT_TRUE(dot.contains(R"(label="say \"b\" [leaf]")")) << dot;
  const doc::Value json = plan_json(*plan);
  EXPECT_EQ(doc::to_json(*doc::find(json, "willRun")), "2");
}

}  // namespace
}  // namespace tiphys::workflows

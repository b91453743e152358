#include "workflows/engine/excerpt.h"

#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

using testing::DocumentReferences;
using testing::Outcome;
using testing::ScriptedRun;

/// A loop of `count` steps in a template of its own, of which number `failing` fails.
ScriptedRun long_run(int count, int failing) {
  static const DocumentReferences kNone;
  const auto workflow = doc::parse_json(R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow",
    "metadata":{"name":"wf","namespace":"default","uid":"u","creationTimestamp":"2024-01-02T03:04:05Z"},
    "spec":{"entrypoint":"main","templates":[
      {"name":"main","steps":[[{"name":"in","template":"inner"}]]},
      {"name":"inner","steps":[[{"name":"a","template":"t","withSequence":{"count":")" +
                                        std::to_string(count) + R"("}}]]},
      {"name":"t","container":{"image":"busybox","command":["x"]}}]}})");
  const std::string name = "(" + std::to_string(failing) + ":" + std::to_string(failing) + ")";
  auto run = ScriptedRun::create(
      workflow.value(), kNone, [name](const Engine& engine, const CreatePod& pod) {
        return Outcome::exits(engine.nodes()[pod.node].name.ends_with(name) ? 1 : 0);
      });
  EXPECT_TRUE(run && run->run());
  return std::move(*run);
}

doc::Object nodes_of(const doc::Value& workflow) {
  return doc::find(*doc::find(workflow, "status"), "nodes")->get_object();
}

TEST(Excerpt, shows_the_first_the_last_and_the_failed_nodes_with_those_around_them) {
  constexpr int kSteps = 3000;
  const ScriptedRun run = long_run(kSteps, 1500);
  const Engine& engine = run.engine();
  std::size_t reads = 0;
  const auto excerpt = workflow_excerpt(engine.workflow(Engine::WithNodes::no),
                                        engine.nodes().size(), 40, [&](NodeIndex index) {
                                          ++reads;
                                          return Result<std::string>(engine.row(index));
                                        });
  ASSERT_TRUE(excerpt) << excerpt.error().message;
  EXPECT_LT(reads, 60U);
  const doc::Object nodes = nodes_of(*excerpt);
  EXPECT_EQ(nodes.size(), reads);
  const auto phase_of = [&](std::string_view name) {
    const auto index = engine.nodes().find_name(name);
    const doc::Value* node = index ? nodes.if_contains(engine.nodes().id(*index)) : nullptr;
    return node == nullptr ? "" : std::string(doc::find_string(*node, "phase"));
  };
  EXPECT_EQ(phase_of("wf"), "Failed");
  EXPECT_EQ(phase_of("wf[0].in"), "Failed");
  EXPECT_EQ(phase_of("wf[0].in[0].a(1500:1500)"), "Failed");
  EXPECT_EQ(phase_of("wf[0].in[0].a(0:0)"), "Succeeded");
  EXPECT_EQ(phase_of("wf[0].in[0].a(2999:2999)"), "Succeeded");
  EXPECT_EQ(phase_of("wf[0].in[0].a(700:700)"), "");
  const auto root = nodes.if_contains("wf");
  ASSERT_NE(root, nullptr);
  EXPECT_EQ(doc::find(*root, "children")->get_array().size(), 1U);
}

TEST(Excerpt, finds_rows_by_every_name_a_person_may_give) {
  const ScriptedRun run = long_run(20, -1);
  const Engine& engine = run.engine();
  const NodeIndex node = *engine.nodes().find_name("wf[0].in[0].a(12:12)");
  const std::string row = engine.row(node);
  for (const std::string& name :
       {std::string("wf[0].in[0].a(12:12)"), engine.nodes().id(node), engine.nodes().pod_name(node),
        engine.nodes().display_name(node), std::string("a"), std::string("in")}) {
    EXPECT_TRUE(may_be_meant(row, name)) << name;
  }
  EXPECT_FALSE(may_be_meant(row, "b"));
  EXPECT_FALSE(may_be_meant(row, "wf-work-12"));
  const NodeIndex wanted[] = {node};
  const auto around = rows_around(wanted, engine.nodes().size(), [&](NodeIndex index) {
    return Result<std::string>(engine.row(index));
  });
  ASSERT_TRUE(around);
  EXPECT_EQ(around->size(), 5U);
}

TEST(Excerpt, a_run_with_few_nodes_keeps_no_list_of_those_that_failed) {
  const ScriptedRun run = long_run(10, 3);
  EXPECT_FALSE(run.engine().metadata().annotations.contains(std::string(kFailedNodesAnnotation)));
}

}  // namespace
}  // namespace tiphys::workflows

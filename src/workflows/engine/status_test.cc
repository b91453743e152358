#include "workflows/engine/status.h"

#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

using testing::DocumentReferences;
using testing::Outcome;
using testing::ScriptedRun;

constexpr TimePoint kMoment{std::chrono::milliseconds(1'800'000'000'123)};

const DocumentReferences kNoReferences;

ScriptedRun run_of(std::string_view name) {
  const auto document = doc::parse_json(
      R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"name":")" +
      std::string(name) +
      R"(","namespace":"default","uid":"u"},"spec":{"entrypoint":"main","templates":[
      {"name":"main","steps":[[{"name":"say \"it\"","template":"t","withItems":["x","y"]}]]},
      {"name":"t","container":{"image":"busybox","command":["x"]}}]}})");
  auto run = ScriptedRun::create(*document, kNoReferences,
                                 [](const Engine&, const CreatePod&) { return Outcome{}; });
  EXPECT_TRUE(run) << run.error().message;
  EXPECT_TRUE(run->run());
  return std::move(*run);
}

TEST(RowInOtherRun, is_the_row_that_the_other_run_would_have) {
  const ScriptedRun one = run_of("one");
  const ScriptedRun other = run_of("another");
  ASSERT_EQ(one.engine().nodes().size(), 4U);
  for (NodeIndex i = 0; i < one.engine().nodes().size(); ++i) {
    const auto moved = row_in_other_run(one.engine().row(i), "one", "another", kMoment);
    ASSERT_TRUE(moved) << one.engine().row(i);
    auto expected = doc::parse_json(other.engine().row(i)).value();
    expected.as_object()["started"] = kMoment.time_since_epoch().count();
    expected.as_object()["finished"] = kMoment.time_since_epoch().count();
    EXPECT_EQ(doc::to_json(doc::parse_json(*moved).value()), doc::to_json(expected));
  }
}

TEST(RowInOtherRun, keeps_the_scope_of_a_shared_template) {
  const auto moved = row_in_other_run(
      R"({"name":"one","templateScope":"namespaced/one","started":5,"finished":6,"type":"Pod"})",
      "one", "two", kMoment);
  EXPECT_EQ(
      moved.value_or(""),
      R"({"name":"two","templateScope":"namespaced/one","started":1800000000123,"finished":1800000000123,"type":"Pod"})");
}

TEST(RowInOtherRun, is_nothing_for_rows_of_another_shape) {
  for (const std::string_view row :
       {"", "{}", R"({"name":"two","started":5,"finished":6,"type":"Pod"})",
        R"({"name":"one","started":5,"type":"Pod"})", R"({"name":"one","started":5,"finished":6})",
        R"({"name":"one","templateScope":"local/two","started":5,"finished":6,"type":"Pod"})",
        R"({"name":"one\)", R"({"name":"one","templateScope":"local/one)",
        R"({"type":"Pod","name":"one","started":5,"finished":6})"}) {
    EXPECT_FALSE(row_in_other_run(row, "one", "two", kMoment)) << row;
  }
}

TEST(Progress, of_composite_nodes_is_that_of_the_steps_below_them) {
  const ScriptedRun run = run_of("one");
  EXPECT_EQ(doc::find_string(run.engine().node_status(0), "progress"), "2/2");
  EXPECT_EQ(run.engine().progress(), "2/2");
  EXPECT_EQ(parse_progress("3/4"), (Progress{3, 4}));
  EXPECT_EQ(parse_progress("x/4"), (Progress{0, 4}));
  for (const std::string_view wrong : {"", "4", "5/4", "-1/4", "0/0", "1/2/3"}) {
    EXPECT_FALSE(parse_progress(wrong)) << wrong;
  }
}

TEST(Progress, of_what_stays_is_kept_by_a_retry) {
  const auto document = doc::parse_json(
      R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"name":"wf","namespace":"default","uid":"u"},
      "spec":{"entrypoint":"main","templates":[
      {"name":"main","steps":[[{"name":"bad","template":"t"},{"name":"good","template":"says"}]]},
      {"name":"t","container":{"image":"busybox","command":["x"]}},
      {"name":"says","metadata":{"annotations":{"workflows.argoproj.io/progress":"0/7"}},
       "container":{"image":"busybox","command":["x"]}}]}})");
  auto run =
      ScriptedRun::create(*document, kNoReferences, [](const Engine& engine, const CreatePod& pod) {
        return Outcome::exits(engine.nodes()[pod.node].name.ends_with("bad") ? 1 : 0);
      });
  ASSERT_TRUE(run);
  ASSERT_TRUE(run->run());
  EXPECT_EQ(run->engine().progress(), "7/8");
  const auto retried = retry_workflow(run->engine().workflow(Engine::WithNodes::yes), {});
  ASSERT_TRUE(retried) << retried.error().message;
  const auto again = Engine::restore(retried->workflow, retried->rows, kNoReferences, {}, kMoment);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->progress(), "7/7");
}

}  // namespace
}  // namespace tiphys::workflows

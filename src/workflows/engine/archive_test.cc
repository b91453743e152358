// Where a run's artifacts are kept, and for how long, as the engine decides it.
#include "workflows/engine/artifact_gc.h"
#include "workflows/engine/pod.h"
#include "workflows/engine/repository.h"
#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

using testing::Checks;
using testing::DocumentReferences;
using testing::Outcome;
using testing::ScriptedRun;

doc::Value json(std::string_view text) { return doc::parse_json(text).value(); }

doc::Value workflow_of(std::string_view spec) {
  return json(R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow",
    "metadata":{"name":"wf","namespace":"default","uid":"u","creationTimestamp":"2024-01-02T03:04:05Z"},
    "spec":)" +
              std::string(spec) + "}");
}

DocumentReferences references_of(std::string_view data) {
  DocumentReferences out;
  out.add(json(R"({"kind":"ConfigMap","metadata":{"name":"artifact-repositories",
    "annotations":{"workflows.argoproj.io/default-artifact-repository":"main"}},"data":)" +
               std::string(data) + "}"));
  return out;
}

const DocumentReferences kNone;

std::string resolved(const char* reference, const References& references,
                     const EngineConfig& config = {}) {
  const doc::Value document = reference == nullptr ? doc::Value() : json(reference);
  const auto out =
      resolve_repository(reference == nullptr ? nullptr : &document, "default", references, config);
  return out ? doc::to_json(*out, {.sort_keys = true}) : "error: " + out.error().message;
}

TEST(Repository, is_this_machines_when_nothing_is_said) {
  EXPECT_EQ(resolved(nullptr, kNone), R"({"artifactRepository":{"s3":{}},"default":true})");
  EXPECT_EQ(resolved(R"({"configMap":"nowhere","key":"k"})", kNone),
            R"({"artifactRepository":{"s3":{}},"default":true})");
}

TEST(Repository, comes_from_the_config_map_before_the_configuration) {
  EngineConfig config;
  config.artifact_repository = json(R"({"s3":{"bucket":"configured"}})");
  EXPECT_EQ(resolved(nullptr, kNone, config),
            R"({"artifactRepository":{"s3":{"bucket":"configured"}},"default":true})");
  const auto references = references_of(R"({"main":"s3: {bucket: b}","other":"s3: {bucket: o}"})");
  EXPECT_EQ(resolved(nullptr, references, config),
            R"({"artifactRepository":{"s3":{"bucket":"b"}},"configMap":"artifact-repositories",)"
            R"("key":"main","namespace":"default"})");
  EXPECT_EQ(resolved(R"({"key":"other"})", references, config),
            R"({"artifactRepository":{"s3":{"bucket":"o"}},"configMap":"artifact-repositories",)"
            R"("key":"other","namespace":"default"})");
}

TEST(Repository, is_an_error_when_the_config_map_lacks_the_key_or_holds_none) {
  const auto references =
      references_of(R"({"main":"s3: {bucket: b}","list":"[1]","bad":"a: b: c"})");
  EXPECT_EQ(resolved(R"({"key":"none"})", references),
            "error: failed to find any artifact repository for artifact repository ref \"#none\"");
  EXPECT_THAT(resolved(R"({"key":"list"})", references),
              ::testing::HasSubstr("failed to unmarshall config map key \"list\""));
  EXPECT_THAT(resolved(R"({"key":"bad"})", references),
              ::testing::HasSubstr("error getting config map for artifact repository ref "
                                   "\"default/#bad\""));
}

TEST(Repository, becomes_a_location_with_its_key_format_as_key) {
  const auto text = [](std::string_view repository) {
    return doc::to_json(location_of_repository(json(repository)), {.sort_keys = true});
  };
  EXPECT_EQ(text(R"({"s3":{"bucket":"b"}})"),
            R"({"s3":{"bucket":"b","key":"{{workflow.name}}/{{pod.name}}"}})");
  EXPECT_EQ(text(R"({"s3":{"bucket":"b","keyPrefix":"p/"}})"),
            R"({"s3":{"bucket":"b","key":"p/{{workflow.name}}/{{pod.name}}"}})");
  EXPECT_EQ(text(R"({"s3":{"keyFormat":"f","keyPrefix":"p"},"archiveLogs":true})"),
            R"({"s3":{"key":"f"}})");
  EXPECT_EQ(text(R"({"azure":{"container":"c","blobNameFormat":"f"}})"),
            R"({"azure":{"blob":"f","container":"c"}})");
  EXPECT_EQ(text(R"({"artifactory":{"repoURL":"http://x/y"}})"),
            R"({"artifactory":{"url":"http://x/y/{{workflow.name}}/{{pod.name}}"}})");
  EXPECT_EQ(text("{}"), "{}");
}

TEST(Repository, completes_what_a_status_reports) {
  const doc::Value reference =
      json(R"({"artifactRepository":{"s3":{"bucket":"b","endpoint":"e"}}})");
  const auto text = [&](std::string_view artifact) {
    return doc::to_json(stored_location(json(artifact), reference), {.sort_keys = true});
  };
  EXPECT_EQ(text(R"({"name":"a","path":"/a","s3":{"key":"k"},"archive":{"none":{}}})"),
            R"({"s3":{"bucket":"b","endpoint":"e","key":"k"}})");
  EXPECT_EQ(text(R"({"s3":{"key":"k","bucket":"o","endpoint":"e"}})"),
            R"({"s3":{"bucket":"o","endpoint":"e","key":"k"}})");
  EXPECT_EQ(text(R"({"raw":{"data":"x"}})"), R"({"raw":{"data":"x"}})");
  EXPECT_EQ(text(R"({"name":"a"})"), "{}");
}

TEST(Repository, of_logs_is_asked_before_the_template_and_that_before_the_workflow) {
  const auto archives = [](std::string_view repository, std::string_view spec,
                           std::string_view location) {
    const doc::Value own = json(location);
    return archives_logs(json(repository), json(spec), &own);
  };
  EXPECT_TRUE(
      archives(R"({"archiveLogs":true})", R"({"archiveLogs":false})", R"({"archiveLogs":false})"));
  EXPECT_FALSE(
      archives(R"({"archiveLogs":false})", R"({"archiveLogs":true})", R"({"archiveLogs":false})"));
  EXPECT_TRUE(archives("{}", R"({"archiveLogs":false})", R"({"archiveLogs":true})"));
  EXPECT_TRUE(archives("{}", R"({"archiveLogs":true})", "{}"));
  EXPECT_FALSE(archives("{}", "{}", "{}"));
}

constexpr std::string_view kStudy = R"({"entrypoint":"main","archiveLogs":true,
  "artifactGC":{"strategy":"OnWorkflowDeletion"},"templates":[
  {"name":"main","steps":[[{"name":"a","template":"work"}],[{"name":"b","template":"own"}]]},
  {"name":"work","container":{"image":"i","command":["x"]},
   "outputs":{"artifacts":[{"name":"o","path":"/tmp/o/","s3":{"key":"k"}},{"name":"p","path":"/p"}]}},
  {"name":"own","archiveLocation":{"s3":{"endpoint":"e","bucket":"own","key":"x/{{pod.name}}"}},
   "container":{"image":"i","command":["x"]},"outputs":{"artifacts":[{"name":"p","path":"/p"}]}}]})";

TEST(Archive, places_follow_from_the_run_and_survive_a_restore) {
  const auto references = references_of(R"({"main":"s3: {bucket: b, endpoint: e}"})");
  std::map<std::string, executor::StepPlan> plans;
  auto run = ScriptedRun::create(
                 workflow_of(kStudy), references,
                 [&](const Engine& engine, const CreatePod& pod) {
                   plans[engine.nodes().display_name(pod.node)] = step_plan(pod);
                   return Outcome{};
                 },
                 {}, Checks::restore)
                 .value();
  ASSERT_TRUE(run.run());
  EXPECT_EQ(run.engine().phase(), RunPhase::succeeded) << run.engine().message();
  const executor::StepPlan& plan = plans["a"];
  ASSERT_EQ(plan.output_artifacts.size(), 2U);
  EXPECT_EQ(plan.output_artifacts[0].location,
            json(R"({"s3":{"bucket":"b","endpoint":"e","key":"k"}})"));
  EXPECT_EQ(plan.output_artifacts[0].reported, json(R"({"s3":{"key":"k"}})"));
  ASSERT_EQ(plan.logs.size(), 1U);
  EXPECT_EQ(plan.logs[0].name, "main-logs");
  const doc::Value& log = *doc::find(plan.logs[0].reported, "s3");
  EXPECT_TRUE(doc::find_string(log, "key").ends_with("/main.log"));
  EXPECT_EQ(doc::find(log, "bucket"), nullptr);
  // Its own place is complete: the workflow's archiveLogs says nothing there.
  EXPECT_TRUE(plans["b"].logs.empty());
  EXPECT_EQ(plans["b"].output_artifacts[0].reported, plans["b"].output_artifacts[0].location);

  const doc::Value ended = run.engine().workflow(Engine::WithNodes::no);
  EXPECT_TRUE(has_gc_finalizer(ended));
  EXPECT_EQ(doc::to_json(*doc::find(*doc::find(ended, "status"), "artifactGCStatus")), "{}");
}

TEST(Archive, a_repository_is_not_looked_up_again) {
  const auto first = references_of(R"({"main":"s3: {bucket: first}"})");
  const auto engine = Engine::create(workflow_of(kStudy), first, {}).value();
  const auto other = references_of(R"({"main":"s3: {bucket: other}"})");
  const auto again = Engine::restore(engine.workflow(Engine::WithNodes::no),
                                     std::span<const StoredRow>{}, other, {}, TimePoint{})
                         .value();
  EXPECT_EQ(again.artifact_repository_ref(), engine.artifact_repository_ref());
}

TEST(Archive, a_place_with_a_tag_that_means_nothing_is_the_nodes_error) {
  const auto references =
      references_of(R"({"main":"s3: {bucket: b, keyFormat: \"{{workflow.labels.none}}/x\"}"})");
  auto run = ScriptedRun::create(
                 workflow_of(kStudy), references,
                 [](const Engine&, const CreatePod&) { return Outcome{}; }, {}, Checks::restore)
                 .value();
  ASSERT_TRUE(run.run());
  const auto node = run.find("a");
  ASSERT_TRUE(node);
  EXPECT_EQ(run.engine().nodes()[*node].message, "failed to resolve {{workflow.labels.none}}");
}

TEST(ArtifactGc, an_artifacts_own_strategy_comes_before_the_workflows) {
  const doc::Value spec = json(R"({"artifactGC":{"strategy":"OnWorkflowDeletion"}})");
  const auto strategy = [](std::string_view artifact, const doc::Value& of_workflow) {
    return name_of(gc_strategy_of(json(artifact), of_workflow));
  };
  EXPECT_EQ(strategy("{}", spec), "OnWorkflowDeletion");
  EXPECT_EQ(strategy(R"({"artifactGC":{"serviceAccountName":"x"}})", spec), "OnWorkflowDeletion");
  EXPECT_EQ(strategy(R"({"artifactGC":{"strategy":"Never"}})", spec), "Never");
  EXPECT_EQ(strategy(R"({"artifactGC":{"strategy":"OnWorkflowCompletion"}})", spec),
            "OnWorkflowCompletion");
  EXPECT_EQ(strategy("{}", json("{}")), "Never");
}

TEST(ArtifactGc, only_outputs_of_pods_count) {
  const doc::Value workflow = workflow_of(R"({"artifactGC":{"strategy":"OnWorkflowCompletion"}})");
  const doc::Value row =
      json(R"({"type":"Steps","outputs":{"artifacts":[{"name":"a","s3":{"key":"k"}}]}})");
  EXPECT_TRUE(doomed_artifacts(row, workflow, true).empty());
}

}  // namespace
}  // namespace tiphys::workflows

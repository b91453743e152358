#include "kube/types/types.h"
#include "workflows/engine/document_references.h"
#include "workflows/workflow_tests/test_run.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kWorkflow = R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: deploy-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: target, value: staging}]}
  templates:
  - name: main
    steps:
    - - {name: build, template: build}
    - - {name: ask, template: ask, when: "{{workflow.parameters.target}} == production"}
    - - {name: deploy, template: deploy, arguments: {parameters: [{name: version, value: "{{steps.build.outputs.parameters.version}}"}]}}
  - name: build
    retryStrategy: {limit: 2, backoff: {duration: 1h, factor: 2}}
    outputs: {parameters: [{name: version, valueFrom: {path: /version}}]}
    container: {image: b, command: [x]}
  - name: ask
    suspend: {}
    outputs: {parameters: [{name: who, valueFrom: {supplied: {}}, globalName: who}]}
  - name: deploy
    inputs: {parameters: [{name: version}]}
    container: {image: b, command: [x]}
)";

doc::Value yaml(std::string_view text) { return doc::parse_yaml(text).value().value; }

std::string texts(const CaseOutcome& outcome) {
  std::string out;
  for (const CaseFailure& failure : outcome.failures) {
    out += failure.path + ": " + failure.message + "\n";
  }
  return out;
}

/// Outcomes of the only case of a test whose spec is `spec`.
CaseOutcome run(std::string_view spec) {
  static const doc::Schema types(kube::built_in_types());
  static const DocumentReferences references;
  const auto document = doc::parse_yaml(
      "apiVersion: tiphys.dev/v1alpha1\nkind: WorkflowTest\nspec:\n" + std::string(spec));
  EXPECT_TRUE(document) << document.error().message;
  const auto test = read_workflow_test(*document, types);
  EXPECT_TRUE(test) << test.error().message;
  doc::Value workflow = yaml(kWorkflow);
  workflow.as_object()["metadata"].as_object()["name"] = "deploy-x";
  return run_case(*test, 0, workflow, references, {});
}

TEST(WorkflowTests, stubs_stand_for_steps) {
  const auto outcome = run(R"(
  cases:
  - name: staging needs nobody
    stubs: [{template: build, duration: 10m, parameters: {version: 7}}]
    expect:
      duration: 10m1s
      order: [build, deploy]
      never: [ask]
      nodes:
      - {node: deploy, inputs: {version: "7"}, phase: Succeeded}
)");
  EXPECT_EQ(texts(outcome), "");
  EXPECT_EQ(outcome.steps, 2U);
  EXPECT_EQ(outcome.duration, std::chrono::seconds(601));
  EXPECT_TRUE(outcome.templates.contains("build"));
}

TEST(WorkflowTests, suspended_steps_get_their_values) {
  const auto outcome = run(R"(
  stubs: [{node: build, parameters: {version: 7}}]
  cases:
  - name: production asks
    parameters: {target: production}
    stubs: [{node: ask, duration: 2h, parameters: {who: ann}}]
    expect: {outputs: {who: ann}, order: [build, ask, deploy], duration: 2h2s}
)");
  EXPECT_EQ(texts(outcome), "");
}

TEST(WorkflowTests, hours_of_back_off_take_no_time) {
  const auto outcome = run(R"(
  cases:
  - name: the third attempt succeeds
    stubs:
    - template: build
      attempts: [{exitCode: 1}, {exitCode: 1}, {parameters: {version: 1}}]
    expect: {nodes: [{node: build, attempts: 3, phase: Succeeded}], duration: 3h4s}
)");
  EXPECT_EQ(texts(outcome), "");
}

TEST(WorkflowTests, tell_what_is_not_as_expected) {
  const auto outcome = run(R"(
  cases:
  - name: wrong
    stubs: [{template: build, parameters: {version: 7}}]
    expect:
      phase: Failed
      duration: 1h
      order: [deploy, build]
      never: [dep*]
      outputs: {nothing: x}
      nodes:
      - {node: deploy, inputs: {version: 8}, phase: Skipped, attempts: 2, message: nope}
      - {template: build, count: 2, result: x}
      - {node: nobody}
)");
  EXPECT_EQ(texts(outcome), R"(spec.cases[0].expect.phase: phase is Succeeded, expected Failed
spec.cases[0].expect.duration: duration is 2s, expected 1h0m0s
spec.cases[0].expect.outputs.nothing: output nothing is not there, expected "x"
spec.cases[0].expect.order[1]: build started before deploy had ended
spec.cases[0].expect.never[0]: deploy has run
spec.cases[0].expect.nodes[0].phase: phase of deploy is Succeeded, expected Skipped
spec.cases[0].expect.nodes[0].message: message of deploy is "", expected "nope"
spec.cases[0].expect.nodes[0].attempts: number of attempts of deploy is 1, expected 2
spec.cases[0].expect.nodes[0].inputs.version: input of deploy version is "7", expected "8"
spec.cases[0].expect.nodes[1].count: number of steps template build is 1, expected 2
spec.cases[0].expect.nodes[1].result: result of build is "", expected "x"
spec.cases[0].expect.nodes[2]: there is no step nobody
)");
}

TEST(WorkflowTests, an_output_that_nobody_gave_is_an_error_and_a_wait_without_end_is_told) {
  EXPECT_TRUE(texts(run("  cases: [{name: x, expect: {}}]"))
                  .contains("no stub says what output parameter \"version\" is"));
  const auto hanging = run(R"(
  cases:
  - {name: x, parameters: {target: production}, stubs: [{node: build, parameters: {version: 1}}], expect: {}}
)");
  EXPECT_TRUE(texts(hanging).contains("waits for ever at step ask")) << texts(hanging);
}

TEST(WorkflowTests, faults_of_the_document_have_places) {
  const doc::Schema types(kube::built_in_types());
  const auto document = doc::parse_yaml(R"(apiVersion: tiphys.dev/v1alpha1
kind: WorkflowTest
spec:
  cases:
  - name: x
    stub: []
    stubs: [{duration: soon}]
    expect: {}
)");
  ASSERT_TRUE(document);
  const auto unknown = read_workflow_test(*document, types);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "not a WorkflowTest: unknown field \"spec.cases[0].stub\"");
  EXPECT_EQ(unknown.error().causes.front().position.line, 6U);
  doc::LocatedValue fixed = *document;
  fixed.value.as_object()["spec"].as_object()["cases"].as_array()[0].as_object().erase("stub");
  const auto bad = read_workflow_test(fixed, types);
  ASSERT_FALSE(bad);
  ASSERT_EQ(bad.error().causes.size(), 2U);
  EXPECT_TRUE(bad.error().causes[0].message.contains("template or a node"));
  EXPECT_TRUE(bad.error().causes[1].message.contains("expected a duration"));
}

}  // namespace
}  // namespace tiphys::workflows

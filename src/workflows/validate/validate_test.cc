#include "workflows/validate/validate.h"

#include "doc/yaml.h"
#include "kube/types/types.h"

#include <gtest/gtest.h>

#include <chrono>

namespace tiphys::workflows {
namespace {

const doc::Schema& schema() {
  static const doc::Schema types(kube::built_in_types());
  return types;
}

struct Checked {
  std::vector<Finding> findings;

  const Finding& first() const {
    static const Finding kNone;
    return findings.empty() ? kNone : findings.front();
  }

  std::string line() const {
    const Position at = first().position;
    return std::to_string(at.line) + ":" + std::to_string(at.column);
  }
};

Checked check(const std::string& yaml, ValidateOptions options = {}) {
  const auto loaded = doc::parse_manifests(yaml);
  std::vector<Candidate> candidates;
  for (const auto& document : loaded) {
    candidates.push_back({&document->value, &document->positions});
  }
  options.types = &schema();
  return {validate(candidates, options)};
}

/// A workflow whose spec is given; its first line is the third.
std::string workflow(const std::string& spec) {
  return "kind: Workflow\nmetadata: {name: w}\n" + spec;
}

TEST(Validate, an_undefined_template_stands_at_the_name_in_the_step) {
  const Checked checked =
      check(workflow("spec:\n"
                     "  entrypoint: main\n"
                     "  templates:\n"
                     "  - name: main\n"
                     "    steps:\n"
                     "    - - name: a\n"
                     "        template: nope\n"));
  EXPECT_EQ(checked.first().message, "templates.main.steps[0].a template name 'nope' undefined");
  EXPECT_EQ(checked.first().path, "spec.templates[0].steps[0][0].template");
  EXPECT_EQ(checked.line(), "9:19");
}

TEST(Validate, an_unresolvable_tag_stands_at_the_text_that_holds_it) {
  const Checked checked =
      check(workflow("spec:\n"
                     "  entrypoint: main\n"
                     "  templates:\n"
                     "  - name: main\n"
                     "    container:\n"
                     "      image: x\n"
                     "      env:\n"
                     "      - {name: a, value: fine}\n"
                     "      - {name: b, value: 'say \"{{inputs.parameters.x}}\"'}\n"));
  EXPECT_EQ(checked.first().path, "spec.templates[0].container.env[1].value");
  EXPECT_EQ(checked.line(), "11:26");
}

TEST(Validate, a_missing_argument_stands_at_the_arguments_or_the_call) {
  const std::string head =
      "spec:\n"
      "  entrypoint: main\n"
      "  templates:\n"
      "  - {name: t, inputs: {parameters: [{name: p}]}, container: {image: x}}\n"
      "  - name: main\n"
      "    steps:\n";
  const Checked bare = check(workflow(head + "    - - {name: a, template: t}\n"));
  EXPECT_EQ(bare.first().message,
            "templates.main.steps[0].a templates.t inputs.parameters.p was not supplied");
  EXPECT_EQ(bare.line(), "9:9");
  const Checked other = check(workflow(
      head + "    - - {name: a, template: t, arguments: {parameters: [{name: q, value: 1}]}}\n"));
  EXPECT_EQ(other.line(), "9:43");
}

TEST(Validate, faults_in_other_manifests_stand_at_the_reference) {
  const Checked checked =
      check(workflow("spec:\n"
                     "  entrypoint: main\n"
                     "  templates:\n"
                     "  - name: main\n"
                     "    steps:\n"
                     "    - - name: a\n"
                     "        templateRef: {name: lib, template: t}\n") +
            "---\n"
            "kind: WorkflowTemplate\n"
            "metadata: {name: lib}\n"
            "spec:\n"
            "  templates:\n"
            "  - {name: t, container: {image: x, args: ['{{inputs.parameters.nope}}']}}\n");
  ASSERT_EQ(checked.findings.size(), 2U);
  EXPECT_EQ(checked.first().candidate, 0U);
  EXPECT_EQ(checked.first().path, "spec.templates[0].steps[0][0].templateRef");
  EXPECT_EQ(checked.findings[1].candidate, 1U);
  EXPECT_EQ(checked.findings[1].path, "spec.templates[0].container.args[0]");
}

TEST(Validate, unknown_fields_are_one_error_and_misspelt_ones_have_hints) {
  const std::string yaml = workflow(
      "spec:\n"
      "  entryPoint: main\n"
      "  zzzzzzzz: 1\n"
      "  entrypoint: main\n"
      "  templates: [{name: main, suspend: {}}]\n");
  const Checked checked = check(yaml);
  EXPECT_EQ(checked.first().message,
            "strict decoding error: unknown field \"spec.entryPoint\", unknown field "
            "\"spec.zzzzzzzz\"");
  EXPECT_EQ(checked.line(), "4:3");
  ASSERT_EQ(checked.findings.size(), 2U);
  EXPECT_EQ(checked.findings[1].severity, Severity::warning);
  EXPECT_TRUE(check(yaml, {.strict = false}).findings.empty());
}

TEST(Validate, wrong_types_say_what_stands_there_and_what_go_says) {
  const Checked checked =
      check(workflow("spec:\n"
                     "  entrypoint: main\n"
                     "  templates: [{name: main, container: {image: x, args: run}}]\n"));
  EXPECT_EQ(checked.first().message,
            "spec.templates[0].container.args: expected a list of strings, found a string (json: "
            "cannot unmarshal string into Go struct field Container.spec.templates.container.args "
            "of type []string)");
  EXPECT_EQ(checked.line(), "5:56");
}

TEST(Validate, schedules_and_zones_are_checked_as_far_as_zones_are_known) {
  const std::string head = "kind: CronWorkflow\nmetadata: {name: c}\nspec:\n";
  const std::string tail =
      "  workflowSpec: {entrypoint: main, templates: [{name: main, suspend: {}}]}\n";
  EXPECT_EQ(check(head + "  schedules: ['* * * *']\n" + tail).line(), "4:15");
  EXPECT_TRUE(
      check(head + "  schedules: ['@daily']\n  timezone: Asia/Tokyo\n" + tail).findings.empty());
  EXPECT_EQ(check(head + "  schedules: ['@daily']\n  workflowSpec: {entrypoint: x}\n").first().path,
            "spec.workflowSpec.entrypoint");
}

TEST(Validate, one_candidate_can_be_checked_against_the_others) {
  const std::string yaml =
      "kind: WorkflowTemplate\nmetadata: {name: lib}\nspec: {nonsense: 1, entrypoint: a, "
      "templates: [{name: a, suspend: {}}]}\n---\n" +
      workflow("spec: {workflowTemplateRef: {name: lib}}\n");
  const auto loaded = doc::parse_manifests(yaml);
  std::vector<Candidate> candidates;
  for (const auto& document : loaded) {
    candidates.push_back({&document->value, &document->positions});
  }
  const ValidateOptions options{.submitting = true, .types = &schema()};
  EXPECT_TRUE(validate_one(candidates, 1, options).empty());
  EXPECT_FALSE(validate(candidates, options).empty());
}

TEST(Validate, a_status_is_seen_by_those_who_wait_for_the_task) {
  const std::string head = workflow(
      "spec:\n"
      "  entrypoint: main\n"
      "  templates:\n"
      "  - {name: t, container: {image: x}}\n"
      "  - name: main\n"
      "    dag:\n"
      "      tasks:\n"
      "      - {name: a, template: t}\n"
      "      - {name: b, template: t, dependencies: [a]}\n");
  EXPECT_TRUE(check(head + "      - {name: c, template: t, dependencies: [b], when: "
                           "'{{tasks.a.status}} == Succeeded'}\n")
                  .findings.empty());
  EXPECT_EQ(check(head + "      - {name: c, template: t, when: '{{tasks.a.status}} == x'}\n")
                .first()
                .message,
            "templates.main.tasks.c failed to resolve {{tasks.a.status}}");
}

TEST(Validate, templates_that_call_each_other_too_deep_are_refused) {
  std::string yaml = workflow("spec:\n  entrypoint: t0\n  templates:\n");
  constexpr int kTemplates = 2000;
  for (int i = 0; i < kTemplates; ++i) {
    yaml += "  - {name: t" + std::to_string(i) + ", steps: [[{name: a, template: t" +
            std::to_string((i + 1) % kTemplates) + "}]]}\n";
  }
  EXPECT_NE(check(yaml).first().message.find("levels deep"), std::string::npos);
}

TEST(Validate, templates_may_call_themselves) {
  EXPECT_TRUE(check(workflow("spec:\n  entrypoint: t\n  templates:\n"
                             "  - {name: t, steps: [[{name: a, template: t}]]}\n"))
                  .findings.empty());
}

/// 20,000 tasks; each but the first waits for two, and reads the status of a task far above.
TEST(Validate, a_dag_of_twenty_thousand_tasks_takes_no_quadratic_time) {
  constexpr int kTasks = 20'000;
  std::string yaml = workflow(
      "spec:\n  entrypoint: main\n  templates:\n"
      "  - {name: t, inputs: {parameters: [{name: p}]}, container: {image: x}}\n"
      "  - name: main\n    dag:\n      tasks:\n");
  for (int i = 0; i < kTasks; ++i) {
    const std::string far = std::to_string(i / 2);
    yaml += "      - {name: n" + std::to_string(i) +
            ", template: t, arguments: {parameters: [{name: p, value: '";
    yaml += i < 2 ? "x'}]}" : "x{{tasks.n" + far + ".status}}'}]}";
    if (i > 0) {
      yaml += ", dependencies: [n" + std::to_string(i - 1) + ", n" + std::to_string(i / 3) + "]";
    }
    yaml += "}\n";
  }
  yaml +=
      "      - {name: last, template: t, arguments: {parameters: [{name: p, value: "
      "'{{tasks.n7.status}}'}]}}\n";
  const auto loaded = doc::parse_manifests(yaml);
  const Candidate candidate{&loaded.front()->value, &loaded.front()->positions};
  const auto start = std::chrono::steady_clock::now();
  const auto findings = validate({&candidate, 1}, {.types = &schema()});
  const auto took = std::chrono::steady_clock::now() - start;
  RecordProperty(
      "milliseconds",
      static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].message, "templates.main.tasks.last failed to resolve {{tasks.n7.status}}");
  EXPECT_LT(took, std::chrono::seconds(60));
}

}  // namespace
}  // namespace tiphys::workflows

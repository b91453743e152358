#include "cli/text/workflow_text.h"

#include "base/fnv.h"

#include <gtest/gtest.h>

namespace tiphys::cli {
namespace {

doc::Value json(std::string_view text) { return doc::parse_json(text).value(); }

constexpr std::string_view kSteps = R"json({
  "metadata": {"name": "wf", "namespace": "argo", "creationTimestamp": "2026-11-22T10:00:00Z"},
  "spec": {"arguments": {"parameters": [{"name": "p", "value": "v"}]}},
  "status": {"phase": "Succeeded", "startedAt": "2026-11-22T10:00:00Z", "finishedAt": "2026-11-22T10:00:05Z", "progress": "3/3",
    "resourcesDuration": {"cpu": 2, "memory": 7},
    "conditions": [{"type": "Completed", "status": "True"}],
    "nodes": {
      "wf": {"id": "wf", "name": "wf", "displayName": "wf", "type": "Steps", "templateName": "main", "phase": "Succeeded", "children": ["g0"], "startedAt": "2026-11-22T10:00:00Z"},
      "g0": {"id": "g0", "name": "wf[0]", "displayName": "[0]", "type": "StepGroup", "phase": "Succeeded", "boundaryID": "wf", "children": ["a"], "startedAt": "2026-11-22T10:00:00Z"},
      "g1": {"id": "g1", "name": "wf[1]", "displayName": "[1]", "type": "StepGroup", "phase": "Succeeded", "boundaryID": "wf", "children": ["b10", "b2"], "startedAt": "2026-11-22T10:00:02Z"},
      "a": {"id": "a", "name": "wf[0].a", "displayName": "a", "type": "Pod", "templateName": "t", "phase": "Succeeded", "boundaryID": "wf", "startedAt": "2026-11-22T10:00:00Z", "finishedAt": "2026-11-22T10:00:02Z"},
      "b10": {"id": "b10", "name": "wf[1].b(10:x)", "displayName": "b(10:x)", "type": "Pod", "templateName": "t", "phase": "Failed", "message": "exit code 1", "boundaryID": "wf", "startedAt": "2026-11-22T10:00:02Z", "finishedAt": "2026-11-22T10:00:05Z"},
      "b2": {"id": "b2", "name": "wf[1].b(2:y)", "displayName": "b(2:y)", "type": "Skipped", "templateName": "t", "phase": "Skipped", "boundaryID": "wf", "startedAt": "2026-11-22T10:00:02Z", "finishedAt": "2026-11-22T10:00:02Z"}
    }}})json";

DescribeOptions options() {
  DescribeOptions out;
  out.now = parse_moment("2026-11-22T10:01:00Z").value();
  return out;
}

TEST(WorkflowText, a_tree_hides_step_groups_and_orders_loops_by_index) {
  const std::string text = workflow_tree(json(kSteps), options());
  const std::string pod = "wf-t-" + std::to_string(fnv1a_32("wf[0].a"));
  EXPECT_NE(text.find("STEP"), std::string::npos);
  const std::size_t a = text.find(" ├───✔ a ");
  const std::size_t b2 = text.find(" └─┬─○ b(2:y)");
  const std::size_t b10 = text.find("   └─✖ b(10:x)");
  EXPECT_NE(a, std::string::npos) << text;
  EXPECT_NE(b2, std::string::npos) << text;
  EXPECT_NE(b10, std::string::npos) << text;
  EXPECT_LT(a, b2);
  EXPECT_LT(b2, b10);
  EXPECT_NE(text.find(pod), std::string::npos) << text;
}

TEST(WorkflowText, the_sheet_has_the_labels_of_the_argo_command) {
  const std::string text = describe_workflow(json(kSteps), options());
  EXPECT_TRUE(text.starts_with("Name:                wf\nNamespace:           argo\n")) << text;
  EXPECT_NE(text.find("Status:              Succeeded\n"), std::string::npos);
  EXPECT_NE(text.find("Conditions:          \n Completed           True\n"), std::string::npos);
  EXPECT_NE(text.find("Duration:            5 seconds\n"), std::string::npos);
  EXPECT_NE(text.find("ResourcesDuration:   2s*(1 cpu),7s*(100Mi memory)\n"), std::string::npos);
  EXPECT_NE(text.find("Parameters:          \n  p:                 v\n"), std::string::npos);
}

TEST(WorkflowText, complaints_have_a_sign_and_running_workflows_an_estimate) {
  const doc::Value workflow = json(R"({
    "metadata": {"name": "wf", "namespace": "argo", "creationTimestamp": "2026-11-22T10:00:00Z"},
    "spec": {"workflowTemplateRef": {"name": "t"}},
    "status": {"phase": "Running", "startedAt": "2026-11-22T10:00:00Z", "progress": "0/1", "estimatedDuration": 65,
      "conditions": [{"type": "SpecWarning", "status": "True", "message": "old field"}, {"type": "MetricsError", "status": "True"}]}})");
  const std::string text = describe_workflow(workflow, options());
  EXPECT_NE(text.find("ServiceAccount:      unset\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n⚠ SpecWarning        old field\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n✖ MetricsError       True\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nEstimatedDuration:   1 minute 5 seconds\n"), std::string::npos) << text;
}

TEST(WorkflowText, the_list_has_a_line_per_workflow) {
  ListOptions list;
  list.now = parse_moment("2026-11-22T10:01:00Z").value();
  list.wide = true;
  EXPECT_EQ(workflow_table({json(kSteps)}, list),
            "NAME   STATUS      AGE   DURATION   PRIORITY   MESSAGE   P/R/C   PARAMETERS\n"
            "wf     Succeeded   1m    5s         0                    0/0/2   p=v\n");
  EXPECT_EQ(workflow_table({}, list), "No workflows found\n");
}

TEST(WorkflowText, a_running_workflow_with_an_open_suspend_node_says_so) {
  EXPECT_EQ(
      workflow_status(json(
          R"({"status":{"phase":"Running","nodes":{"a":{"type":"Suspend","phase":"Running"}}}})")),
      "Running (Suspended)");
  EXPECT_EQ(workflow_status(json(R"({"spec":{"shutdown":"Stop"},"status":{"phase":"Failed"}})")),
            "Failed (Terminated)");
  EXPECT_EQ(workflow_status(json("{}")), "Pending");
}

}  // namespace
}  // namespace tiphys::cli

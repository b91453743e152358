#pragma once
/// Carries out the cases of a WorkflowTest: the real engine under virtual time, with stubs in place
/// of containers. An hour's back-off takes no time. Pure: the same case gives the same outcome.
///
/// A step without a stub succeeds after a second with an empty result, its declared output
/// artifacts and those output parameters that have a default; one that declares others ends in
/// Error, because nobody said what they are. A suspended step waits for the duration of its stub
/// and then has the stub's parameters as supplied values; without stub and duration it is what the
/// run hangs at, and the case fails.

#include "workflows/engine/engine.h"
#include "workflows/workflow_tests/workflow_test_file.h"

#include <chrono>
#include <set>

namespace tiphys::workflows {

struct CaseFailure {
  /// In the WorkflowTest's document, "spec.cases[0].expect.nodes[1]".
  std::string path;
  std::string message;
};

struct CaseOutcome {
  std::vector<CaseFailure> failures;  ///< none: passed
  std::size_t steps = 0;              ///< pods that were started
  std::chrono::milliseconds duration{0};
  /// Names of templates that were called, for telling what no case reached.
  std::set<std::string> templates;
};

/// Runs case `number` of `test` on `workflow`, a Workflow as submitted.
CaseOutcome run_case(const WorkflowTest& test, std::size_t number, const doc::Value& workflow,
                     const References& references, const EngineConfig& config);

/// Whether `pattern` names a node: its display name, or its name without the Workflow's in front;
/// "*" stands for anything.
bool names_node(std::string_view pattern, std::string_view name, std::string_view display_name,
                std::string_view workflow);

}  // namespace tiphys::workflows

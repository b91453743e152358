#pragma once
/// Compares what a case expects with a run that has come to its end. Private to the module.

#include "workflows/workflow_tests/test_run.h"

namespace tiphys::workflows {

/// `path` is that of `expect` in the WorkflowTest's document.
std::vector<CaseFailure> check_expectation(const Expectation& expect, const std::string& path,
                                           const Engine& engine,
                                           std::chrono::milliseconds duration);

}  // namespace tiphys::workflows

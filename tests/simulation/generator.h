#pragma once
/// Workflows generated from the grammar of templates. A generated workflow always ends: templates
/// call only templates made before them, recursion is guarded by a condition on a counter, and the
/// number of pods is bounded. Its steps say in their arguments what the simulated node is to do
/// with them (step_script.h), so that a manifest alone tells the whole run.

#include "choices.h"
#include "doc/json.h"

#include <vector>

namespace tiphys::simulation {

struct GeneratedWorkflow {
  doc::Value workflow;
  /// WorkflowTemplates and ClusterWorkflowTemplates it refers to.
  std::vector<doc::Value> templates;
  /// Which steps run, or their messages, may depend on what ends first (failFast, timeouts): only
  /// the run's phase can be compared with that of another run.
  bool depends_on_timing = false;
  /// Steps wait for each other's places: when a group ends in an error, which of its other steps
  /// had started is a matter of time.
  bool has_parallelism = false;
};

GeneratedWorkflow generate_workflow(Choices& choices);

}  // namespace tiphys::simulation

#pragma once
/// Where a value came from, as a person would say it: an input parameter of a step is followed
/// through the templates as they were written to the workflow's parameters and to the steps that
/// produced it.

#include "workflows/controller/run_view.h"

#include <string>
#include <vector>

namespace tiphys::workflows {

struct Origin {
  /// `the output parameter "intervals" of step plan`; empty when it cannot be told.
  std::string text;
  /// The nodes that produced it.
  std::vector<const SeenNode*> producers;
};

Origin origin_of_parameter(const RunView& run, const SeenNode& node, const std::string& parameter);

}  // namespace tiphys::workflows

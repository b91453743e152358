#pragma once
/// A plan as text for people, as JSON for programs, and as a graph for Graphviz.

#include "doc/json.h"
#include "workflows/plan/plan.h"

namespace tiphys::workflows {

struct PlanTextOptions {
  bool utf8 = true;
  bool color = false;
  /// Of a loop with more elements than this only the first few are shown; 0 = all.
  std::size_t elements = 10;
};

/// A line of totals, then a tree with one line a node: its mark, name, template and what is worth
/// knowing.
std::string plan_text(const RunPlan& plan, const PlanTextOptions& options);

doc::Value plan_json(const RunPlan& plan);

/// A digraph: boxes for leaves, clusters for steps and DAG templates, dashed for what may run.
std::string plan_dot(const RunPlan& plan);

}  // namespace tiphys::workflows

#pragma once
/// What a Workflow will do, told before it does anything. Three nouns: a `PlannedNode`, a step,
/// task or template call that will, may or will never run; a `RunPlan`, the tree of them with the
/// exit handlers; `Certainty`, how much is known.
///
/// Everything that follows from the manifest alone is worked out with the rules the engine runs by:
/// parameters and items are filled in, loops over known lists are unrolled, conditions whose tags
/// are all known are decided. What depends on an output of a step that has not run stays a question
/// and is shown with the text that asks it. "Will" means: unless something before it fails.
///
/// Pure. A plan holds kMaximumPlanned nodes at most and says when it was cut.

#include "workflows/engine/engine.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tiphys::workflows {

inline constexpr std::size_t kMaximumPlanned = 200'000;

enum class Certainty : std::uint8_t { will, may, never };

std::string_view name_of(Certainty certainty);

struct PlannedNode {
  /// As the node will be displayed: "a", "a(0:x)"; "a(?)" stands for the elements of a loop over
  /// something that is not known yet.
  std::string name;
  std::string template_name;  ///< empty for inline templates
  /// The object the template stands in when it is not the Workflow: "namespaced/x", "cluster/x".
  std::string template_scope;
  /// The template's member that gives it its type, such as "container" or "dag"; empty when the
  /// template could not be found.
  std::string type;
  std::string image;  ///< of container and script templates, as far as it is known
  Certainty certainty = Certainty::will;
  /// The condition as far as it is known; of a hook its expression.
  std::string when;
  /// What a loop whose elements are not known goes over.
  std::string loops_over;
  std::string depends;                 ///< DAG tasks: the formula
  std::vector<std::uint32_t> after;    ///< DAG tasks: places of the siblings it waits for
  std::optional<std::uint32_t> group;  ///< steps: groups run one after the other
  std::string attempts;                ///< the most there can be, "" = one
  bool is_hook = false;                ///< runs beside or after its sibling before it
  bool repeats_itself = false;         ///< a template around it, not unfolded again
  std::string problem;                 ///< what will end it in Error
  std::vector<std::pair<std::string, std::string>> parameters;  ///< inputs, as far as known
  std::vector<PlannedNode> children;

  /// Becomes a pod, or waits for a person: not a steps or DAG template.
  bool is_leaf() const { return type != "steps" && type != "dag"; }
};

struct RunPlan {
  std::string workflow;
  PlannedNode entry;
  std::vector<PlannedNode> hooks;  ///< of the Workflow; its exit handler is named "onExit"
  /// Leaves only. A loop over something unknown counts as one that may run.
  std::size_t will_run = 0;
  std::size_t may_run = 0;
  bool cut = false;  ///< there is more than kMaximumPlanned
};

/// Plans a Workflow as submitted. Errors: what keeps the run from starting at all.
Result<RunPlan> make_plan(const doc::Value& workflow, const References& references,
                          const EngineConfig& config);

}  // namespace tiphys::workflows

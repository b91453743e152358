#pragma once
/// What `retry` and `resubmit` share: which nodes of a run that has ended run again, and what
/// becomes of the others. Two nouns: a `Rerun`, the plan; the nodes kept by it, as rows.
///
/// A node runs again together with all that came after it; what is around it goes on.
///
/// Rules: upstream workflow/util FormulateRetryWorkflow; reference, workflows 2.16.

#include "workflows/engine/status.h"

#include <set>

namespace tiphys::workflows {

using NodeSet = std::set<NodeIndex>;

struct Rerun {
  NodeSet deleted;   ///< will be made again
  NodeSet set_back;  ///< composites around them that go on
};

/// What runs again: what failed without anything having succeeded after it, and with
/// `restart_successful` the nodes that the selector matches, whatever their type and phase; never
/// the exit handler, which is made anew. With new parameters groups are expanded anew.
/// Errors: bad_request, the selector is none or matches nothing.
Result<Rerun> plan_rerun(const NodeTable& nodes, const RetryOptions& options);

/// The nodes that stay, with new indices, as rows. `change` may alter each before it is added.
std::vector<StoredRow> kept_rows(const NodeTable& nodes, const Rerun& plan,
                                 const std::string& workflow_name, TimePoint now,
                                 const std::function<void(NodeIndex, Node&, NodeCall&)>& change);

/// New values of arguments, those first as upstream orders them.
void override_parameters(doc::Value& spec,
                         const std::vector<std::pair<std::string, std::string>>& parameters);

/// What ended a run early is taken out of its spec.
void clear_shutdown(doc::Value& spec);

}  // namespace tiphys::workflows

#pragma once
/// The stored and the shown form of a run's nodes. A row is what is stored of one node: its status
/// in upstream's shape where there is one, but with parents instead of children and with our own
/// figures (owner, exact times), so that a row never grows. A status document is what clients see
/// (reference, workflows 4).

#include "workflows/engine/engine.h"
#include "workflows/engine/retry_workflow.h"

namespace tiphys::workflows {

/// What rows hold beside the nodes themselves.
struct StoredNodes {
  NodeTable nodes;
  /// Until when Retry nodes wait before their next attempt.
  std::unordered_map<NodeIndex, TimePoint> wakes;
  /// Pods that were told to stop, with the message their nodes will get.
  std::unordered_map<NodeIndex, std::string> stopping;
  /// Nodes whose error, their message, ends the group or workflow around them; not settled yet.
  std::unordered_map<NodeIndex, std::string> bubbling;
};

/// What a row holds of a node beside the node itself.
struct RowExtras {
  std::optional<TimePoint> wake;
  bool stopping = false;
  bool bubbling = false;
};

/// The slot of a node whose owner's template is not known yet.
inline constexpr std::uint32_t kNoSlot = 0xFFFFFFFFU;

/// Whether a Workflow's pods are named by node ids alone.
bool names_pods_v1(const std::map<std::string, std::string>& annotations);

/// Reads rows; any order, none missing. Error invalid.
Result<StoredNodes> read_rows(const std::string& workflow_name, bool pod_names_v1,
                              std::span<const StoredRow> rows);
/// Reads status.nodes as upstream writes it; slots stay unknown. Error invalid.
Result<StoredNodes> read_statuses(const std::string& workflow_name, bool pod_names_v1,
                                  const doc::Value& nodes);
std::string write_row(const StoredNodes& stored, NodeIndex index);
std::string write_row(const NodeTable& nodes, NodeIndex index, const RowExtras& extras);

/// The row of a node that has ended as the same node's row in another run that came to the same
/// end at `now`; run-dependent are the run's name at the head of the node's name and of its scope,
/// and the times. Nothing for a row in which they do not stand where write_row puts them.
std::optional<std::string> row_in_other_run(std::string_view row, std::string_view run,
                                            std::string_view other, TimePoint now);

Progress progress_of(const NodeTable& nodes);
/// Fills in what composite nodes and the whole run have used, from their finished pods. Composite
/// nodes must not have resources yet.
ResourceSeconds sum_resources(NodeTable& nodes);

/// Where a node's resources are added: what a hook used counts for the group around the node it
/// belongs to.
NodeIndex resource_owner(const NodeTable& nodes, NodeIndex index);

/// A node's status. `overall` is the run's progress.
doc::Value node_status(const NodeTable& nodes, NodeIndex index, const Progress& overall);
doc::Value node_statuses(const NodeTable& nodes);
doc::Value encode_resources(const ResourceSeconds& resources);
/// The conditions of a run (PodRunning, Completed); empty = none yet.
doc::Array conditions_of(bool pods_seen, bool pod_running, bool completed);

/// The Workflow's document with what its rows say: nodes, progress, resources, conditions.
Result<doc::Value> workflow_with_nodes(const doc::Value& document, std::span<const StoredRow> rows);

struct PodOfNode {
  std::string node_id;
  std::string node_name;
  std::string display_name;
  std::string pod_name;
  bool ended = false;
};

/// The pods a run has made, in order of creation.
Result<std::vector<PodOfNode>> pods_of(const doc::Value& document, std::span<const StoredRow> rows);

/// What a field selector can name of a node: displayName, templateName, templateRef.*, phase, name,
/// id and inputs.parameters.<name>.value (reference, workflows L04).
std::map<std::string, std::string> selectable_fields(const NodeTable& nodes, NodeIndex index);

}  // namespace tiphys::workflows

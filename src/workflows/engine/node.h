#pragma once
/// The nodes of a run: what upstream keeps in `status.nodes`, here a dense table. A `Node` is one
/// row; its index is the order of its creation and never changes; ids and pod names follow from its
/// name by upstream's rules (reference, workflows 2.8). Edges are kept in both directions: a row
/// that is stored carries only its parents, so that a group of a million children is not rewritten
/// whenever it gets one more.

#include "base/error.h"
#include "doc/json.h"
#include "workflows/model/model.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tiphys::workflows {

using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;
using NodeIndex = std::uint32_t;
inline constexpr NodeIndex kNoNode = 0xFFFFFFFFU;
inline constexpr TimePoint kNoTime{};

enum class NodeType : std::uint8_t {
  pod,
  container,
  steps,
  step_group,
  dag,
  task_group,
  retry,
  suspend,
  http,
  plugin,
  skipped,
};

enum class NodePhase : std::uint8_t {
  none,
  pending,
  running,
  succeeded,
  skipped,
  failed,
  error,
  omitted,
};

/// "Pod", "StepGroup" ...; "Pending", "Succeeded" ..., "" for none.
std::string_view name_of(NodeType type);
std::string_view name_of(NodePhase phase);
std::optional<NodeType> node_type_of(std::string_view name);
std::optional<NodePhase> node_phase_of(std::string_view name);

constexpr bool failed_or_error(NodePhase phase) {
  return phase == NodePhase::failed || phase == NodePhase::error;
}

/// Ran to an end; skipped and omitted nodes did not.
constexpr bool completed(NodePhase phase) {
  return failed_or_error(phase) || phase == NodePhase::succeeded;
}

/// Nothing will change any more.
constexpr bool fulfilled(NodePhase phase) {
  return completed(phase) || phase == NodePhase::skipped || phase == NodePhase::omitted;
}

/// Requested resources times run time, in seconds (upstream's resourcesDuration).
struct ResourceSeconds {
  std::int64_t cpu = 0;
  std::int64_t memory = 0;
  bool known = false;
  /// Further resources (ephemeral-storage, nvidia.com/gpu); null = none.
  std::shared_ptr<const std::map<std::string, std::int64_t>> others;

  void add(const ResourceSeconds& other);
  bool operator==(const ResourceSeconds& other) const;
};

/// Which template a node calls and from where; shared by all nodes of one call.
struct NodeCall {
  std::string template_name;
  std::optional<TemplateRef> template_ref;
  std::string template_scope;  ///< "local/<workflow>", "namespaced/<name>" or "cluster/<name>"

  /// The name of the template behind the call, "" for an inline one.
  const std::string& target() const {
    return template_ref ? template_ref->template_name : template_name;
  }
};

/// How far a step is: so many parts done of so many.
struct Progress {
  std::int64_t done = 0;
  std::int64_t total = 0;

  std::string text() const { return std::to_string(done) + "/" + std::to_string(total); }

  bool operator==(const Progress&) const = default;
};

/// "N/M" with 0 <= N <= M and M > 0; nothing for other texts.
std::optional<Progress> parse_progress(std::string_view text);

using SharedText = std::shared_ptr<const std::string>;

/// Whether a node took its outputs from a cache (status.memoizationStatus).
struct Memoization {
  bool hit = false;
  std::string key;
  std::string cache;  ///< the ConfigMap
};

/// What only few nodes have.
struct NodeExtras {
  /// The lock that the node waits for before it starts; empty = none.
  std::string waiting_for;
  /// It has its locks and waits for a free slot of the workflow.
  bool waits_for_slot = false;
  std::optional<Memoization> memoization;
};

struct Node {
  std::string name;
  std::string message;
  /// Only where it differs from what the name says (template annotation display-name).
  std::string display_name_override;
  SharedText inputs;                         ///< JSON of the inputs, null = none
  SharedText outputs;                        ///< JSON of the outputs, null = none
  std::shared_ptr<const NodeExtras> extras;  ///< null = none
  std::vector<NodeIndex> children;
  std::vector<NodeIndex> parents;
  std::vector<NodeIndex> outbound;
  TimePoint started = kNoTime;
  TimePoint finished = kNoTime;
  ResourceSeconds resources;
  std::uint32_t id_hash = 0;
  /// Counts nodes whose names hash alike: the id of every one but the first gets this as a suffix.
  std::uint32_t id_suffix = 0;
  NodeIndex boundary = kNoNode;
  /// Whose completion waits for this node: a step group, DAG, task group, Retry or a hooked node.
  NodeIndex owner = kNoNode;
  /// Its place among the owner's children: number of the task, loop index or attempt.
  std::uint32_t slot = 0;
  std::uint32_t call = 0;
  std::uint32_t host = 0;
  std::uint32_t ip = 0;  ///< of a daemon's pod, interned with the hosts
  NodeType type = NodeType::skipped;
  NodePhase phase = NodePhase::none;
  bool has_flag = false;
  bool hooked = false;
  bool retried = false;
  bool in_exit_handler = false;
  /// A pod whose template is a daemon.
  bool daemon = false;
  /// A daemon that is ready, or its Retry node: it runs on, but nobody waits for it any more.
  bool daemoned = false;
  /// Fulfilled, and so are its hooks; its owner knows.
  bool done = false;

  bool waits_for_lock() const { return extras && !extras->waiting_for.empty(); }

  /// There, but not started.
  bool is_held_up() const { return extras && (extras->waits_for_slot || waits_for_lock()); }

  /// Its outputs came from a cache, so that nothing ran below it.
  bool is_cache_hit() const { return extras && extras->memoization && extras->memoization->hit; }
};

/// How messages of nodes begin that a resubmitted run took over from the run before it.
inline constexpr std::string_view kTakenOver = "original pod: ";

/// What a node counts as for those that depend on it: one that was taken over has succeeded, though
/// its phase says that it was skipped.
inline NodePhase outcome_of(const Node& node) {
  const bool taken_over = node.type == NodeType::skipped && node.message.starts_with(kTakenOver);
  return taken_over ? NodePhase::succeeded : node.phase;
}

class NodeTable {
 public:
  explicit NodeTable(std::string workflow_name) : workflow_(std::move(workflow_name)) {}

  /// Appends; the name must be new.
  NodeIndex add(Node node);

  Node& operator[](NodeIndex index) { return nodes_[index]; }

  const Node& operator[](NodeIndex index) const { return nodes_[index]; }

  NodeIndex size() const { return static_cast<NodeIndex>(nodes_.size()); }

  std::optional<NodeIndex> find_name(std::string_view name) const;
  std::optional<NodeIndex> find_id(std::string_view id) const;
  std::string id(NodeIndex index) const;
  std::string display_name(NodeIndex index) const;
  std::string pod_name(NodeIndex index) const;
  /// Makes `child` a child of `parent`, which it must not be yet.
  void connect(NodeIndex parent, NodeIndex child);

  /// Node ids by which a group of calls or hosts is named, stored once.
  std::uint32_t intern_call(const NodeCall& call);

  const NodeCall& call(NodeIndex index) const { return calls_[nodes_[index].call]; }

  std::uint32_t intern_host(std::string_view host);

  const std::string& host(NodeIndex index) const { return hosts_[nodes_[index].host]; }

  /// What the step itself has said of its progress.
  std::optional<Progress> said_progress(NodeIndex index) const {
    const auto found = progress_.find(index);
    return found == progress_.end() ? std::nullopt : std::optional(found->second);
  }

  void say_progress(NodeIndex index, Progress progress) { progress_[index] = progress; }

  const std::string& ip(NodeIndex index) const { return hosts_[nodes_[index].ip]; }

  const std::string& workflow_name() const { return workflow_; }

  /// "v1" names pods by their node's id, "v2" (the default) by template and hash.
  void set_pod_names_v1(bool v1) { pod_names_v1_ = v1; }

 private:
  std::string workflow_;
  bool pod_names_v1_ = false;
  std::vector<Node> nodes_;
  std::unordered_multimap<std::uint32_t, NodeIndex> by_hash_;
  std::vector<NodeCall> calls_{NodeCall{}};
  std::map<std::string, std::uint32_t> call_keys_;
  std::vector<std::string> hosts_{std::string()};
  std::unordered_map<NodeIndex, Progress> progress_;
};

/// Whether a node's own progress counts; that of others is the sum of these.
bool has_own_progress(NodeType type);
/// The progress of a node by itself: what its step has said, else 0/1; complete once it succeeded.
/// Nothing done of nothing for nodes without progress of their own.
Progress own_progress(const NodeTable& nodes, NodeIndex index);

/// The nodes of a pod's containers; none for pods with one main container.
std::vector<NodeIndex> containers_of(const NodeTable& nodes, NodeIndex pod);
/// The names of the main containers of a node's pod: those that have nodes, or else "main".
std::vector<std::string> main_containers(const NodeTable& nodes, NodeIndex pod);
/// The pod name of a node by its names alone (see NodeTable::pod_name).
std::string pod_name_of(std::string_view workflow, std::string_view node_name,
                        std::string_view template_name);
/// The display name: the name without its boundary's name and the step group's index.
std::string display_name_of(std::string_view name, std::string_view boundary_name);

}  // namespace tiphys::workflows

#pragma once
/// The engine of Argo Workflows: decides, from what happened to one run, what happens next. Three
/// nouns: `Event`, something that happened; `Decisions`, what the shell has to do about it, as
/// values; `Engine`, the state between the two.
///
/// The engine is pure: no clock, randomness, file or thread. An event costs what it touches: a node
/// that ends informs the one node that waits for it. Everything an Engine knows follows from the
/// Workflow's document and the rows of its nodes, so restoring one from what was stored gives an
/// Engine that decides alike.
///
/// Who owns what: the shell owns pods and stored rows; it stores the rows named in a Decisions and
/// creates the pods in one durable write, then hands in the next event.
///
/// Rules: upstream v4.1.2 workflow/controller; the reference, workflows sections 2 and 4.

#include "workflows/engine/node.h"
#include "workflows/locks/locks.h"

#include <functional>
#include <memory>
#include <span>
#include <variant>

namespace tiphys::lang {
class Scope;
}

namespace tiphys::workflows {

class Catalog;

/// What a run refers to outside its own document. Everything is in memory; pointers stay valid
/// while the Engine works.
class References {
 public:
  virtual ~References() = default;
  /// The document of a WorkflowTemplate of the run's namespace, or null.
  virtual const doc::Value* workflow_template(std::string_view name) const = 0;
  virtual const doc::Value* cluster_workflow_template(std::string_view name) const = 0;
  /// The document of a ConfigMap of the run's namespace, or null.
  virtual const doc::Value* config_map(std::string_view name) const = 0;

  /// The same of any namespace: the controller's own holds repositories for all.
  virtual const doc::Value* config_map_of(std::string_view namespace_name,
                                          std::string_view name) const {
    (void)namespace_name;
    (void)name;
    return nullptr;
  }

  /// The same as it stands now, where config_map may keep what it once said; valid until the next
  /// call. Caches are read through it.
  virtual const doc::Value* current_config_map(std::string_view name) const {
    return config_map(name);
  }
};

struct EngineConfig {
  /// Nested template calls allowed.
  int maximum_depth = 100;
  /// Calls of steps and DAG templates from inside themselves, directly or through others, in the
  /// whole run; each call refused for its depth counts as a hundred. The depth alone does not end
  /// a template that calls itself twice.
  std::size_t maximum_recursive_calls = 100'000;
  /// Nodes started by one event at most; what is left is asked for by Decisions::more, so that one
  /// event never makes a million pods at once.
  std::size_t maximum_launches = 4096;
  /// A Workflow whose metadata and spec stand below every run's own (workflowDefaults); null =
  /// none.
  doc::Value workflow_defaults;
  /// RE2 pattern of messages that count as transient beside the built-in ones; empty = none.
  std::string transient_pattern;
  /// The controller's artifactRepository; null = this machine's store.
  doc::Value artifact_repository;
  /// The controller's own namespace.
  std::string namespace_ = "argo";
  /// The locks that all runs share; must outlive the Engine. Null = there are none, and a run that
  /// wants one fails.
  Locks* locks = nullptr;
};

enum class PodPhase : std::uint8_t { pending, running, succeeded, failed, error };

/// A file or folder a step produced.
struct OutputArtifact {
  std::string name;
  doc::Value location;
  std::string digest = {};  ///< SHA-256 of its bytes in hex, where it is known
};

/// What became of one container of a pod that has a node for each of them.
struct ContainerUpdate {
  std::string name;
  PodPhase phase = PodPhase::pending;
  std::string message;
  TimePoint finished = kNoTime;  ///< unset = now
};

/// What became of a node's pod. `failed` and `error` are told apart by assess_pod (observe.h).
struct PodUpdate {
  NodeIndex node = kNoNode;
  PodPhase phase = PodPhase::pending;
  std::string message;
  std::optional<std::string> exit_code;
  std::optional<std::string> result;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<OutputArtifact> artifacts;
  std::string host;
  std::string ip;
  /// How far the step says it is, "N/M"; anything else is nothing said.
  std::string progress = {};
  /// All containers are ready: a daemon's dependants may start.
  bool ready = false;
  /// When the last container ended; unset = now.
  TimePoint finished = kNoTime;
  ResourceSeconds resources;
  std::vector<ContainerUpdate> containers;
};

struct Start {
  /// Why the run cannot be made ("invalid spec: ..."): it fails with this message at once. Empty =
  /// it can.
  std::string refusal = {};
  /// How long the run will take, as far as earlier ones tell; 0 = unknown.
  std::int64_t estimated_seconds = 0;
};

/// Nothing happened but time, or Decisions::more asked for the next part.
struct Continue {};

/// spec.shutdown, or with a selector the failing of suspend nodes.
struct Stop {
  std::string message;
  std::string node_field_selector;
};

struct Terminate {};

struct Suspend {};

struct Resume {
  std::string node_field_selector;
  std::string message;
};

/// `argo node set` on suspend nodes.
struct SetNodes {
  std::string node_field_selector;
  std::optional<NodePhase> phase;
  std::string message;
  std::vector<std::pair<std::string, std::string>> output_parameters;
};

/// A wait for locks may have ended: of a node, or with kNoNode of the run itself.
struct LocksFree {
  NodeIndex node = kNoNode;
};

using Event =
    std::variant<Start, Continue, PodUpdate, Stop, Terminate, Suspend, Resume, SetNodes, LocksFree>;

/// A pod to create. Everything in it is resolved.
struct CreatePod {
  NodeIndex node = kNoNode;
  std::string pod_name;
  /// The template as JSON, inputs filled in and tags substituted.
  std::string template_json;
  /// The steps or DAG template around it (scheduling fields are inherited from it); null = none.
  const Template* boundary = nullptr;
  bool capture_result = false;
  bool on_exit = false;
  /// The pod's activeDeadlineSeconds, the workflow's and the template's limits taken together.
  std::optional<std::int64_t> active_deadline_seconds;
  /// Hosts to keep away from (retryStrategy.affinity).
  std::vector<std::string> avoid_hosts;
  /// spec.volumes as JSON where steps around the pod decide on them; empty = as the spec has them.
  std::string volumes_json;
  /// Where artifacts without a place of their own are kept: a location whose key is the folder that
  /// takes them. Null when the step needs none.
  doc::Value archive_location;
  /// The location is the template's own, not that of the run's repository.
  bool own_archive_location = false;
  /// The output of its containers is kept as artifacts.
  bool archive_logs = false;
};

/// A pod that is not wanted any more: signal it, kill it after its grace period; delete it when it
/// has not started.
struct StopPod {
  NodeIndex node = kNoNode;
  std::string pod_name;
};

/// What a template's cache is to hold under a key from now on: see memo.h.
struct CacheEntry {
  std::string config_map;
  std::string key;
  std::string json;
  bool operator==(const CacheEntry&) const = default;
};

struct Decisions {
  std::vector<CreatePod> create_pods;
  std::vector<StopPod> stop_pods;
  /// To be stored together with the rows.
  std::vector<CacheEntry> cache_entries;
  /// Rows to store, without duplicates, in order of index.
  std::vector<NodeIndex> changed;
  /// The run's own status, labels or annotations changed.
  bool workflow_changed = false;
  /// Apply Continue again at once.
  bool more = false;
};

enum class RunPhase : std::uint8_t { none, pending, running, succeeded, failed, error };

std::string_view name_of(RunPhase phase);

/// One stored row, see Engine::row.
struct StoredRow {
  NodeIndex index = kNoNode;
  std::string json;
};

class Engine {
 public:
  /// A run that has not started. `workflow` is the object as submitted; `references` must outlive
  /// the Engine. Errors: invalid, when the document is no Workflow.
  static Result<Engine> create(const doc::Value& workflow, const References& references,
                               EngineConfig config);
  /// The Engine as it was when `workflow` (with its status, nodes left out) and `rows` were stored.
  static Result<Engine> restore(const doc::Value& workflow, std::span<const StoredRow> rows,
                                const References& references, EngineConfig config, TimePoint now);
  /// The same from a document that holds its nodes in status.nodes, as upstream writes it.
  static Result<Engine> restore(const doc::Value& workflow, const References& references,
                                EngineConfig config, TimePoint now);

  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  /// Errors (bad_request, not_found) only for control events that cannot be carried out; nothing
  /// has changed then.
  Result<Decisions> apply(const Event& event, TimePoint now);

  RunPhase phase() const;
  const std::string& message() const;
  bool finished() const;
  /// When to apply Continue even if nothing happens; nothing = never.
  std::optional<TimePoint> next_wake() const;

  const NodeTable& nodes() const;
  /// The row of a node to store.
  std::string row(NodeIndex index) const;
  /// A node's status in upstream's shape.
  doc::Value node_status(NodeIndex index) const;
  enum class WithNodes { no, yes };
  /// The run's document: metadata, spec and status as they stand.
  doc::Value workflow(WithNodes nodes) const;
  /// "N/M" over all steps known so far.
  std::string progress() const;
  /// The decision to create the pod of a node that has not ended, made again: its pod was lost.
  /// Error: bad_request when the node has no pod to wait for.
  Result<CreatePod> pod_of(NodeIndex index, TimePoint now) const;

  /// The template of a node as its pod got it, JSON; of nodes that have ended too.
  Result<std::string> template_of(NodeIndex index) const;
  /// JSON text with the tags filled that a node's template sees: workflow.*, inputs.*, pod.name.
  Result<std::string> substitute(NodeIndex index, std::string json) const;

  /// The spec the run executes, without its templates: defaults and referenced template merged in,
  /// global variables substituted.
  const WorkflowSpec& spec() const;
  const Metadata& metadata() const;
  /// Status.artifactRepositoryRef: the repository of the run, as it was when it started.
  const doc::Value& artifact_repository_ref() const;

  /// What every template sees of the run: workflow.*.
  const lang::Scope& variables() const;
  /// The templates the run can call. Resolving one compiles it and changes no decision.
  Catalog& catalog() const;
  /// Why the run cannot start; empty when it can.
  const std::string& start_error() const;

  class Machine;

 private:
  explicit Engine(std::unique_ptr<Machine> machine);

  std::unique_ptr<Machine> machine_;
};

}  // namespace tiphys::workflows

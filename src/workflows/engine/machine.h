#pragma once
/// The engine's inside. Every unfinished composite node has a frame: what it still waits for and
/// what it may still start. A node that is fulfilled goes on a list; settle() takes one after the
/// other, runs its exit hook, and tells its owner's frame. Nothing here walks the tree.
///
/// The members are spread over files by what they are about: launch.cc starts nodes, steps.cc,
/// dag.cc and retry.cc drive frames, lifecycle.cc hooks, hooks.cc the end of nodes and of the run,
/// pods.cc what pods report, containers.cc the nodes of a pod's containers, daemons.cc pods that
/// nobody waits for, gate.cc locks and caches, control.cc the verbs, variables.cc scopes,
/// outputs.cc outputs, restore.cc and status.cc the stored form.

#include "workflows/engine/frames.h"
#include "workflows/engine/memo.h"
#include "workflows/locks/lock_status.h"

namespace tiphys::workflows {

class Engine::Machine {
 public:
  Machine(const References& references, EngineConfig config)
      : references_(references), config_(std::move(config)), catalog_(references) {}

  Result<> load(const doc::Value& workflow);
  /// Both want a loaded document and leave a machine that decides as the one that stored it.
  Result<> load_rows(std::span<const StoredRow> rows, TimePoint now);
  Result<> load_nodes(const doc::Value& nodes, TimePoint now);

  Result<Decisions> apply(const Event& event, TimePoint now);
  std::optional<TimePoint> next_wake() const;
  std::string row(NodeIndex index) const;
  doc::Value node_status(NodeIndex index) const;
  doc::Value workflow(Engine::WithNodes nodes) const;
  std::string progress() const;
  Result<CreatePod> pod_of(NodeIndex index, TimePoint now);
  Result<std::string> template_of(NodeIndex index) const;
  Result<std::string> substitute_for(NodeIndex index, std::string json) const;

  bool is_finished() const;

  RunPhase phase() const { return phase_; }

  const std::string& message() const { return message_; }

  const NodeTable& nodes() const { return *nodes_; }

  const WorkflowSpec& spec() const { return spec_; }

  const Metadata& metadata() const { return metadata_; }

  const Scope& globals() const { return globals_; }

  Catalog& catalog() const { return catalog_; }

  const std::string& start_error() const { return start_error_; }

  const doc::Value& artifact_repository_ref() const { return repository_ref_; }

 private:
  struct Limits {
    std::optional<TimePoint> timeout;
    std::optional<TimePoint> pending_timeout;
    std::optional<std::int64_t> active_deadline_seconds;
  };

  /// One element of a loop.
  struct LoopCall {
    std::string name;
    std::string when;
    Arguments arguments;
    std::optional<TemplateRef> template_ref;
  };

  // load.cc: the document and its spec.
  void fail_start(RunPhase phase, std::string message);
  Result<> load_spec(const doc::Value& document);
  Result<> substitute_globals(doc::Value& spec);
  Result<> merge_referenced_spec(const doc::Value& document, doc::Value& spec);
  Result<> update_metadata(doc::Value& spec);
  void load_status(const doc::Value& status);

  // archive.cc: where artifacts are kept, and for how long.
  Result<> take_repository(const doc::Value& status);
  Result<> set_archive_location(NodeIndex index, const CompiledTemplate& compiled,
                                CreatePod& pod) const;
  bool has_artifact_gc() const;
  void add_artifact_status(doc::Object& status) const;
  void add_finalizer(doc::Value& workflow) const;

  // apply.cc: events, the run's phase.
  std::uint64_t seed_at(TimePoint now) const;
  Result<> handle(const Event& event);
  void start();
  void launch_entry();
  void set_run_phase(RunPhase phase, std::string message);
  void finish_run(RunPhase phase, std::string message);
  void note_failed_nodes();
  std::optional<TimePoint> workflow_deadline() const;
  void run_due_timers();
  void on_timer(NodeIndex node);
  void settle();
  void resume_waiting();
  NodeIndex boundary_of_owner(NodeIndex owner) const;
  void resume_owner(NodeIndex owner);
  void wake_waiting(BoundaryFrame& frame);
  void wake_all(BoundaryFrame& frame);

  // nodes.cc: creating and changing nodes.
  NodeIndex create_node(const Launch& launch, NodeType type, NodePhase phase);
  void mark(NodeIndex index);
  void count(NodeIndex index, int sign);
  void set_phase(NodeIndex index, NodePhase phase);
  void set_phase(NodeIndex index, NodePhase phase, std::string message);
  void fail_with(NodeIndex index, std::string error);
  BoundaryFrame* boundary_frame(NodeIndex index) const;
  bool parallelism_reached(const Launch& launch);
  void wait_for_slot(NodeIndex owner, NodeIndex boundary, bool whole_workflow);

  // launch.cc: starting nodes.
  Launched launch(const Launch& launch);
  NodeIndex error_node(const Launch& launch, std::string error, bool bubbles);
  NodeIndex skipped_node(const Launch& launch, NodePhase phase, std::string message);
  void start_template(NodeIndex index, const CompiledTemplate& compiled, int depth);
  Result<std::string> input_text(const Inputs& inputs, NodeIndex index) const;
  Result<> set_display_name(NodeIndex index, const CompiledTemplate& compiled);
  Result<Inputs> fill_inputs(const CompiledTemplate& compiled, const Arguments& arguments) const;
  Result<> fill_parameter(Parameter& parameter, const Arguments& arguments) const;
  Result<> fill_from_config_map(Parameter& parameter) const;
  void open_boundary(BoundaryFrame& frame, NodeIndex index, const CompiledTemplate& compiled,
                     int depth);
  const CompiledCall* call_of(NodeIndex index) const;
  const CompiledCall* call_in(NodeIndex index, const CompiledTemplate& around) const;
  Result<const CompiledTemplate*> compiled_of(NodeIndex index) const;
  Result<const CompiledTemplate*> compiled_by_names(NodeIndex index) const;
  Result<const CompiledTemplate*> compiled_around(NodeIndex index,
                                                  const CompiledTemplate* around) const;

  // recursion.cc: templates that call themselves.
  bool is_recursive(NodeIndex index) const;
  bool refuse_depth(const Launch& launch);
  bool refuse_recursion(NodeIndex index);
  std::string failure_message(NodeIndex entry) const;
  void rebuild_recursion();

  // progress.cc: what steps say of how far they are.
  void set_progress(NodeIndex index, std::string_view text);
  void set_first_progress(NodeIndex index, std::string_view template_json);

  // plans.cc: resolving the references of steps and tasks.
  Result<Plan> make_plan(BoundaryFrame& frame, std::uint32_t number);
  Result<bool> plan_condition(const Scope& scope, const BoundaryFrame& frame, Plan& plan) const;
  Result<> plan_arguments(const Scope& scope, BoundaryFrame& frame, Plan& plan);
  static bool mark_absent(Arguments& arguments, const Scope& scope);
  Result<TagText> resolved_arguments(const Scope& scope, const BoundaryFrame& frame,
                                     const CompiledCall& call) const;
  Result<std::string> substitute(const Scope& scope, const BoundaryFrame& frame,
                                 const TagText& text, Strictness strictness) const;
  Result<Arguments> resolve_artifacts(Arguments arguments, const Scope& scope) const;
  Result<Artifact> resolve_artifact(const Artifact& artifact, const Scope& scope) const;
  const Scope& results_for(BoundaryFrame& frame, Plan& plan, Scope& own);
  Result<> expand_plan(BoundaryFrame& frame, Plan& plan);
  Result<LoopCall> loop_call(const Scope& scope, const Plan& plan, std::size_t index) const;
  bool skip_existing(BoundaryFrame& frame, Plan& plan, std::string_view prefix);
  Result<Launched> launch_next(BoundaryFrame& frame, Plan& plan, Launch skeleton,
                               std::string_view prefix);

  // steps.cc
  void start_steps(NodeIndex index, const CompiledTemplate& compiled, int depth);
  void start_group(StepsFrame& frame);
  void plan_group(StepsFrame& frame);
  void fail_group(StepsFrame& frame, std::string error);
  Launch step_launch(const StepsFrame& frame, const Plan& plan) const;
  void continue_group(StepsFrame& frame);
  void group_child_done(StepsFrame& frame, NodeIndex child);
  void finish_group(StepsFrame& frame);
  Result<> collect_group(StepsFrame& frame);
  void leave_group(StepsFrame& frame);
  void set_steps_outbound(const StepsFrame& frame);
  void finish_steps(StepsFrame& frame);

  // dag.cc
  void start_dag(NodeIndex index, const CompiledTemplate& compiled, int depth);
  DagFrame& open_dag(NodeIndex index, const CompiledTemplate& compiled, int depth);
  Result<> choose_targets(DagFrame& frame);
  void visit_target(DagFrame& frame, std::uint32_t number, std::uint32_t& rank);
  void continue_dag(DagFrame& frame);
  Launch element_launch(const DagFrame& frame, std::uint32_t number) const;
  Launch task_launch(const DagFrame& frame, std::uint32_t number) const;
  Result<bool> depends_hold(const DagFrame& frame, std::uint32_t number) const;
  bool start_task(DagFrame& frame, std::uint32_t number);
  void continue_loop(NodeIndex group);
  void finish_loop(NodeIndex group);
  void loop_child_done(NodeIndex group);
  void task_done(DagFrame& frame, std::uint32_t number);
  void assess_dag(DagFrame& frame);
  NodePhase target_phase(const DagFrame& frame, std::uint32_t number) const;
  void finish_dag(DagFrame& frame, NodePhase phase);
  void append_outbound(NodeIndex index, std::vector<NodeIndex>& out) const;

  // retry.cc
  bool has_retry(const CompiledTemplate& compiled) const;
  Result<RetryStrategy> strategy_of(NodeIndex index) const;
  std::vector<NodeIndex> attempts_of(NodeIndex index) const;
  void set_retry_variables(Scope& scope, NodeIndex index, std::uint32_t attempt) const;
  Launched start_attempt(NodeIndex index);
  void end_retry(NodeIndex index, NodePhase phase, std::string message);
  bool is_transient(std::string_view message) const;
  bool policy_allows(const RetryStrategy& strategy, const Node& last) const;
  std::optional<TimePoint> attempts_deadline(NodeIndex index) const;
  std::vector<std::string> hosts_to_avoid(NodeIndex index) const;
  Result<bool> wait_for_backoff(NodeIndex index, const RetryStrategy& strategy,
                                const std::vector<NodeIndex>& attempts);
  Result<std::optional<std::string>> reason_to_stop(const RetryStrategy& strategy,
                                                    const std::vector<NodeIndex>& attempts) const;
  void attempt_done(NodeIndex index);

  // lifecycle.cc: hooks.
  const CompiledCall* hooked_call(NodeIndex index) const;
  const Hook* exit_hook_of(NodeIndex index) const;
  void note_phase_for_hooks(NodeIndex index);
  void end_node(NodeIndex index);
  bool run_hooks(NodeIndex index);
  void fail_hooked(NodeIndex index, BoundaryFrame& frame, std::string error);
  bool start_exit_hook(NodeIndex index);
  void add_item(Scope& scope, const BoundaryFrame& frame, NodeIndex index) const;
  Result<Arguments> hook_arguments(const Hook& hook, const Scope& scope,
                                   const Scope& artifacts) const;
  Result<Launched> launch_hook(NodeIndex index, const Hook& hook, BoundaryFrame& frame,
                               const std::string& suffix);
  void hook_done(NodeIndex index);
  bool run_workflow_hooks();
  bool launch_workflow_hook(NodeIndex entry, const Hook& hook, const std::string& name);
  void watch_workflow_hooks();
  void after_entry();
  void fail_workflow_hook(std::string error);

  // hooks.cc: the end of nodes and of the run.
  StepsFrame* steps_frame_of_child(NodeIndex index) const;
  void node_done(NodeIndex index);
  void close_frame(NodeIndex index);
  void tell_owner(NodeIndex index);
  void note_task_error(NodeIndex index);
  void add_resources(NodeIndex index);
  void entry_done(NodeIndex index);
  void start_exit_handler();
  void set_outcome_variables(NodeIndex entry);
  std::string failures_text() const;
  void exit_handler_done(NodeIndex index);
  void finish_from_nodes(NodeIndex entry, NodeIndex exit_handler);

  // pods.cc
  bool include_result(NodeIndex index) const;
  Result<Limits> limits_of(NodeIndex index, const CompiledTemplate& compiled) const;
  Result<std::string> template_text(NodeIndex index, const CompiledTemplate& compiled) const;
  Result<std::string> volumes_of(NodeIndex index, const CompiledTemplate& compiled);
  Result<CreatePod> make_pod(NodeIndex index, const CompiledTemplate& compiled);
  void start_pod(NodeIndex index, const CompiledTemplate& compiled);
  void set_pending_timers(NodeIndex index, const CompiledTemplate& compiled);
  void check_pending_timeout(NodeIndex index);
  void store_outputs(NodeIndex index, const PodUpdate& update);
  Outputs declared_outputs(NodeIndex index);
  void on_pod(const PodUpdate& update);
  void on_pod_end(const PodUpdate& update);

  // containers.cc
  void create_containers(NodeIndex pod, std::string_view template_json);
  void set_container(NodeIndex index, const ContainerUpdate& update);
  void on_containers(const PodUpdate& update);
  void end_containers(NodeIndex pod);

  // daemons.cc
  void become_daemon(NodeIndex index);
  void on_daemon(const PodUpdate& update);
  void stop_daemons(NodeIndex boundary);
  void stop_daemon(NodeIndex index);
  void rebuild_daemons();

  // gate.cc: locks and caches, which a node passes before it starts.
  Result<LockRequest> lock_request(NodeIndex node, const doc::Value& synchronization) const;
  bool held_around(NodeIndex node, const LockAnswer& answer) const;
  Result<bool> ask_locks(NodeIndex node, const LockRequest& request);
  bool pass_run_locks();
  bool pass_gate(NodeIndex index, const CompiledTemplate& compiled);
  Result<bool> pass_locks(NodeIndex index, const doc::Value& gate);
  Result<bool> pass_cache(NodeIndex index, const doc::Value& gate);
  Result<doc::Value> gate_of(NodeIndex index, const CompiledTemplate& compiled) const;
  void wait_for_locks(NodeIndex index, const LockAnswer& answer);
  void stop_waiting(NodeIndex index);
  void note_held(NodeIndex node, const LockRequest& request);
  void note_wait(NodeIndex node, const LockRequest& request);
  void forget_wait(NodeIndex node);
  void set_extras(NodeIndex index, NodeExtras extras);
  void refuse(NodeIndex index, std::string error);
  void pass_gate_again(NodeIndex index);
  void on_locks_free(NodeIndex node);
  void ask_again(NodeIndex index);
  Result<std::optional<MemoEntry>> cache_entry(const Memoization& memoization) const;
  void give_up_locks(NodeIndex index);
  void give_up_all_locks();
  void give_up_run_wait();
  void pause_waits();
  void resume_waits();
  void remember_outputs(NodeIndex index);
  std::string run_key() const;
  std::string lock_node(NodeIndex node) const;
  doc::Value synchronization_status() const;

  // lock_restore.cc
  void rebuild_locks();
  void rebuild_wait(NodeIndex index);
  bool lacks_locks(NodeIndex index) const;
  NodeIndex reentering_around(NodeIndex owner) const;
  void park(NodeIndex owner, NodeIndex reentering);
  void reenter(NodeIndex index);

  // control.cc
  bool shutting_down_for(bool in_exit_handler) const;
  std::vector<NodeIndex> suspended_nodes() const;
  Result<std::vector<NodeIndex>> matching_suspended(std::string_view selector) const;
  Result<> on_stop(const Stop& stop);
  void shut_down(std::string_view strategy);
  void give_up_waiting();
  void stop_pod(NodeIndex index, std::string message);
  void exceed_deadline();
  Result<> on_resume(const Resume& resume);
  void complete_suspend(NodeIndex index, Outputs outputs, std::string message);
  Result<> on_set(const SetNodes& set);
  void start_suspend(NodeIndex index, const CompiledTemplate& compiled);
  Result<std::optional<TimePoint>> suspend_deadline(NodeIndex index,
                                                    const CompiledTemplate& compiled) const;
  void check_suspend_duration(NodeIndex index);

  // outputs.cc
  Outputs outputs_of(NodeIndex index) const;
  void set_outputs(NodeIndex index, const Outputs& outputs);
  Result<std::optional<Outputs>> outputs_from_scope(BoundaryFrame& frame);
  void export_globals(const Outputs& outputs);
  std::vector<NodeIndex> succeeded_elements(const BoundaryFrame& frame, std::uint32_t number) const;
  Result<> compute_aggregate(BoundaryFrame& frame, std::uint32_t number);
  void add_aggregates(Scope& scope, BoundaryFrame& frame, std::uint32_t number,
                      const std::string& prefix);

  // variables.cc
  static std::string call_prefix(const BoundaryFrame& frame);
  std::string call_name_of(NodeIndex index) const;
  void set_locals(Scope& scope, NodeIndex index) const;
  void set_inputs(Scope& scope, const CompiledTemplate& compiled, const SharedText& inputs) const;
  void fill_scope(NodeScope& scope, const CompiledTemplate& compiled, NodeIndex index) const;
  NodeIndex speaker_of(NodeIndex index) const;
  void add_node_variables(Scope& scope, const std::string& prefix, NodeIndex index) const;
  void add_skipped_outputs(Scope& scope, const BoundaryFrame& frame, std::uint32_t number,
                           const std::string& prefix);
  void add_skipped_artifacts(Scope& scope, const BoundaryFrame& frame, std::uint32_t number,
                             const std::string& prefix) const;
  void add_call_variables(Scope& scope, BoundaryFrame& frame, const Mentions* mentions);
  void add_artifacts(Scope& scope, const BoundaryFrame& frame, const Mentions* mentions) const;

  // run_status.cc
  doc::Value status(Engine::WithNodes nodes) const;

  // restore.cc
  Result<> take_nodes(StoredNodes stored, TimePoint now);

  // rebuild.cc: frames from nodes.
  void assign_slots();
  void assign_slot(NodeIndex index, const CompiledTemplate& around);
  void rebuild();
  void rebuild_boundaries();
  void rebuild_steps(NodeIndex index, const CompiledTemplate& compiled);
  void rebuild_dag(NodeIndex index, const CompiledTemplate& compiled);
  void rebuild_groups();
  void rebuild_group(StepsFrame& frame);
  void rebuild_loop(NodeIndex index);
  void rebuild_timers();
  int depth_of(NodeIndex index) const;

  const References& references_;
  EngineConfig config_;
  /// Compiling is remembering: what a template is does not change by being asked for.
  mutable Catalog catalog_;
  Scope globals_;
  std::unique_ptr<NodeTable> nodes_;
  Metadata metadata_;
  WorkflowSpec spec_;
  doc::Value document_;
  doc::Value stored_spec_;  ///< null without a workflowTemplateRef
  doc::Value repository_ref_;
  TagText repository_location_;  ///< the repository's place for a pod's artifacts, tags and all
  bool own_templates_have_gc_ = false;
  doc::Array stored_conditions_;  ///< those that follow from no node

  RunPhase phase_ = RunPhase::none;
  std::string message_;
  TimePoint started_ = kNoTime;
  TimePoint finished_ = kNoTime;
  std::int64_t estimated_seconds_ = 0;
  Outputs global_outputs_;
  std::string shutdown_;
  bool suspended_ = false;
  bool pods_seen_ = false;

  std::unordered_map<NodeIndex, std::unique_ptr<StepsFrame>> steps_;
  std::unordered_map<NodeIndex, std::unique_ptr<DagFrame>> dags_;
  std::unordered_map<NodeIndex, LoopFrame> loops_;
  std::unordered_map<NodeIndex, RetryFrame> retries_;
  /// What a pod that was told to stop gets as its node's message.
  std::unordered_map<NodeIndex, std::string> stop_messages_;
  /// Daemons that are ready, by the boundary that ends them.
  std::map<NodeIndex, std::vector<NodeIndex>> daemons_;
  /// Until when Retry nodes wait before their next attempt.
  std::unordered_map<NodeIndex, TimePoint> wakes_;
  std::map<std::string, SharedText> common_outputs_;
  /// Errors of nodes that end the group or workflow around them, by node, until they settle.
  std::unordered_map<NodeIndex, std::string> bubbling_;
  std::deque<NodeIndex> fulfilled_;
  /// Nodes with hooks whose phase has changed.
  std::deque<NodeIndex> hook_checks_;
  bool has_workflow_hooks_ = false;
  bool reads_failures_ = false;
  bool failures_changed_ = true;
  std::string failures_;
  TagText volumes_;  ///< spec.volumes
  /// Owners that may start more once the workflow's limit or this event's budget allows.
  std::set<NodeIndex> waiting_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::size_t budget_ = 0;
  std::size_t recursive_calls_ = 0;
  bool recursion_refused_ = false;
  std::int64_t active_pods_ = 0;
  std::int64_t running_pods_ = 0;
  std::int64_t progress_done_ = 0;
  std::int64_t progress_total_ = 0;
  ResourceSeconds resources_;
  bool reads_duration_ = false;

  /// What the run and its nodes hold, in the order of getting it.
  std::vector<HeldLock> held_locks_;
  std::set<NodeIndex> lock_holders_;
  /// What waits for locks; kNoNode = the run.
  std::map<NodeIndex, LockRequest> lock_waits_;
  /// Restored composite nodes that have to get their locks before anything below them goes on, and
  /// the owners below that would.
  std::set<NodeIndex> reentering_;
  std::map<NodeIndex, std::set<NodeIndex>> parked_;
  /// How many wait for each lock.
  std::map<LockName, std::size_t> waited_locks_;
  /// Why the run cannot start.
  std::string start_error_;
  RunPhase start_error_phase_ = RunPhase::error;

  TimePoint now_ = kNoTime;
  Decisions decisions_;
  std::vector<char> marked_;
};

}  // namespace tiphys::workflows

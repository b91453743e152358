#include "base/fnv.h"
#include "workflows/engine/excerpt.h"
#include "workflows/engine/globals.h"
#include "workflows/engine/machine.h"

#include <algorithm>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kPhaseLabel = "workflows.argoproj.io/phase";
constexpr std::string_view kCompletedLabel = "workflows.argoproj.io/completed";
constexpr std::string_view kPodNamesAnnotation = "workflows.argoproj.io/pod-name-format";

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace

Result<Decisions> Engine::Machine::apply(const Event& event, TimePoint now) {
  const Present present(now, seed_at(now));
  now_ = now;
  decisions_ = {};
  budget_ = config_.maximum_launches;
  if (reads_duration_ && started_ != kNoTime) {
    globals_.set("workflow.duration", duration_text(started_, now_));
  }
  if (!is_finished()) {
    TRY_VOID(handle(event));
  }
  // A run that waits for its own locks does nothing else.
  if (!is_finished() && phase_ != RunPhase::pending) {
    run_due_timers();
    settle();
    resume_waiting();
    watch_workflow_hooks();
  }
  for (const NodeIndex index : decisions_.changed) {
    marked_[index] = 0;
  }
  std::ranges::sort(decisions_.changed);
  if (catalog_.take_stored_changed()) {
    decisions_.workflow_changed = true;
  }
  return std::move(decisions_);
}

/// Differs from run to run and from event to event.
std::uint64_t Engine::Machine::seed_at(TimePoint now) const {
  const auto half = [&](std::string_view salt) {
    return static_cast<std::uint64_t>(fnv1a_32(
        metadata_.uid + std::string(salt) + std::to_string(now.time_since_epoch().count()) + "/" +
        std::to_string(nodes_->size()) + "/" + std::to_string(progress_done_) + "/" +
        std::to_string(active_pods_)));
  };
  return half("/a/") << 32U | half("/b/");
}

Result<> Engine::Machine::handle(const Event& event) {
  return std::visit(Overloaded{
                        [&](const Start& begin) -> Result<> {
                          if (!begin.refusal.empty()) {
                            fail_start(RunPhase::failed, begin.refusal);
                          }
                          estimated_seconds_ = begin.estimated_seconds;
                          start();
                          return {};
                        },
                        [&](const Continue&) -> Result<> { return {}; },
                        [&](const PodUpdate& update) -> Result<> {
                          on_pod(update);
                          return {};
                        },
                        [&](const Stop& stop) { return on_stop(stop); },
                        [&](const Terminate&) -> Result<> {
                          shut_down("Terminate");
                          return {};
                        },
                        [&](const Suspend&) -> Result<> {
                          suspended_ = true;
                          decisions_.workflow_changed = true;
                          pause_waits();
                          return {};
                        },
                        [&](const Resume& resume) { return on_resume(resume); },
                        [&](const SetNodes& set) { return on_set(set); },
                        [&](const LocksFree& free) -> Result<> {
                          on_locks_free(free.node);
                          return {};
                        },
                    },
                    event);
}

void Engine::Machine::start() {
  if (phase_ != RunPhase::none && phase_ != RunPhase::pending) {
    return;
  }
  if (!start_error_.empty()) {
    finish_run(start_error_phase_, start_error_);
    return;
  }
  if (!pass_run_locks()) {
    return;
  }
  if (nodes_->size() == 0) {
    metadata_.annotations[std::string(kPodNamesAnnotation)] = "v2";
  }
  set_run_phase(RunPhase::running, "");
  started_ = now_;
  globals_.set("workflow.status", "Running");
  if (const auto deadline = workflow_deadline()) {
    timers_.push({*deadline, kNoNode});
  }
  launch_entry();
}

/// Starts the entry template, or, once its node is done, what comes after it.
void Engine::Machine::launch_entry() {
  if (const auto entry = nodes_->find_name(nodes_->workflow_name())) {
    if ((*nodes_)[*entry].done) {
      after_entry();
    }
    return;
  }
  Call call;
  call.template_name = spec_.entrypoint;
  Launch launch_root;
  launch_root.name = nodes_->workflow_name();
  launch_root.call = &call;
  launch_root.base = catalog_.local();
  launch_root.arguments = &spec_.arguments;
  launch(launch_root);
}

void Engine::Machine::set_run_phase(RunPhase phase, std::string message) {
  decisions_.workflow_changed = true;
  phase_ = phase;
  message_ = std::move(message);
  metadata_.labels[std::string(kPhaseLabel)] = name_of(phase);
  metadata_.labels.emplace(kCompletedLabel, "false");
}

void Engine::Machine::finish_run(RunPhase phase, std::string message) {
  if (is_finished()) {
    return;
  }
  if (started_ == kNoTime) {
    started_ = now_;
  }
  set_run_phase(phase, std::move(message));
  while (!daemons_.empty()) {
    stop_daemons(daemons_.begin()->first);
  }
  finished_ = now_;
  metadata_.labels[std::string(kCompletedLabel)] = "true";
  note_failed_nodes();
  if (phase == RunPhase::error) {
    const auto entry = nodes_->find_name(nodes_->workflow_name());
    if (entry && (*nodes_)[*entry].phase == NodePhase::running) {
      set_phase(*entry, NodePhase::error, "Workflow operation error");
    }
  }
  give_up_all_locks();
  waiting_.clear();
  fulfilled_.clear();
  timers_ = {};
}

/// For looks at runs with very many nodes (excerpt.h).
void Engine::Machine::note_failed_nodes() {
  metadata_.annotations.erase(std::string(kFailedNodesAnnotation));
  constexpr int kMost = 20;
  std::string out;
  int found = 0;
  for (NodeIndex i = 0; i < nodes_->size() && nodes_->size() > kManyNodes && found < kMost; ++i) {
    const Node& node = (*nodes_)[i];
    if (node.type == NodeType::pod && failed_or_error(node.phase)) {
      out += (found == 0 ? "" : ",") + std::to_string(i);
      ++found;
    }
  }
  if (found != 0) {
    metadata_.annotations[std::string(kFailedNodesAnnotation)] = std::move(out);
  }
}

bool Engine::Machine::is_finished() const {
  return phase_ == RunPhase::succeeded || phase_ == RunPhase::failed || phase_ == RunPhase::error;
}

std::optional<TimePoint> Engine::Machine::workflow_deadline() const {
  if (!spec_.active_deadline_seconds || started_ == kNoTime) {
    return std::nullopt;
  }
  return std::chrono::floor<std::chrono::seconds>(started_) +
         std::chrono::seconds(*spec_.active_deadline_seconds);
}

std::optional<TimePoint> Engine::Machine::next_wake() const {
  if (timers_.empty() || is_finished()) {
    return std::nullopt;
  }
  return timers_.top().at;
}

void Engine::Machine::run_due_timers() {
  while (!timers_.empty() && timers_.top().at <= now_) {
    const NodeIndex node = timers_.top().node;
    timers_.pop();
    if (node == kNoNode) {
      exceed_deadline();
    } else if (!fulfilled((*nodes_)[node].phase)) {
      on_timer(node);
    }
  }
}

void Engine::Machine::on_timer(NodeIndex node) {
  if ((*nodes_)[node].is_held_up()) {
    check_pending_timeout(node);
    return;
  }
  switch ((*nodes_)[node].type) {
    case NodeType::retry:
      if (suspended_) {
        waiting_.insert(node);
      } else {
        attempt_done(node);
      }
      return;
    case NodeType::suspend:
      check_suspend_duration(node);
      return;
    default:
      check_pending_timeout(node);
  }
}

/// Takes one fulfilled node after the other until nothing follows from any of them.
void Engine::Machine::settle() {
  while (!suspended_ && !is_finished()) {
    if (!hook_checks_.empty()) {
      const NodeIndex index = hook_checks_.front();
      hook_checks_.pop_front();
      if (!fulfilled((*nodes_)[index].phase)) {
        run_hooks(index);
      }
    } else if (!fulfilled_.empty()) {
      const NodeIndex index = fulfilled_.front();
      fulfilled_.pop_front();
      end_node(index);
    } else {
      return;
    }
  }
}

/// Owners that waited for a slot start what they may.
void Engine::Machine::resume_waiting() {
  while (!waiting_.empty() && !suspended_ && !is_finished()) {
    if (budget_ == 0) {
      decisions_.more = true;
      return;
    }
    if (spec_.parallelism && active_pods_ >= *spec_.parallelism) {
      return;
    }
    const NodeIndex owner = *waiting_.begin();
    waiting_.erase(waiting_.begin());
    const NodeIndex boundary = owner == kNoNode ? kNoNode : boundary_of_owner(owner);
    resume_owner(owner);
    settle();
    BoundaryFrame* frame = boundary_frame(boundary);
    const auto limit = frame == nullptr ? std::nullopt : frame->compiled->definition.parallelism;
    if (limit && frame->active < *limit) {
      wake_waiting(*frame);
    }
  }
}

NodeIndex Engine::Machine::boundary_of_owner(NodeIndex owner) const {
  return (*nodes_)[owner].type == NodeType::dag ? owner : (*nodes_)[owner].boundary;
}

void Engine::Machine::resume_owner(NodeIndex owner) {
  if (owner == kNoNode) {
    launch_entry();
    return;
  }
  if (const NodeIndex reentering = reentering_around(owner); reentering != kNoNode) {
    park(owner, reentering);
    return;
  }
  if ((*nodes_)[owner].is_held_up()) {
    pass_gate_again(owner);
    return;
  }
  // A hook of the node may have had no slot too.
  if (fulfilled((*nodes_)[owner].phase)) {
    end_node(owner);
    return;
  }
  run_hooks(owner);
  const Node& node = (*nodes_)[owner];
  if (fulfilled(node.phase)) {
    return;
  }
  switch (node.type) {
    case NodeType::steps:
      start_group(*steps_.at(owner));
      return;
    case NodeType::step_group:
      continue_group(*steps_.at(node.boundary));
      return;
    case NodeType::dag:
      continue_dag(*dags_.at(owner));
      return;
    case NodeType::task_group:
      continue_loop(owner);
      return;
    case NodeType::retry:
      attempt_done(owner);
      return;
    default:
      return;
  }
}

/// A child of the boundary has ended: one owner that waits for its place may go on.
void Engine::Machine::wake_waiting(BoundaryFrame& frame) {
  if (!frame.waiting.empty()) {
    waiting_.insert(*frame.waiting.begin());
    frame.waiting.erase(frame.waiting.begin());
  }
}

void Engine::Machine::wake_all(BoundaryFrame& frame) {
  waiting_.insert(frame.waiting.begin(), frame.waiting.end());
  frame.waiting.clear();
}

}  // namespace tiphys::workflows

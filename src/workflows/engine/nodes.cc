#include "workflows/engine/machine.h"

#include <algorithm>

namespace tiphys::workflows {
namespace {

bool is_active(NodePhase phase) {
  return phase == NodePhase::pending || phase == NodePhase::running;
}

/// Types that a template's parallelism and failFast count.
bool counts_as_child(NodeType type) {
  return type == NodeType::pod || type == NodeType::steps || type == NodeType::dag;
}

}  // namespace

NodeIndex Engine::Machine::create_node(const Launch& launch, NodeType type, NodePhase phase) {
  Node node;
  node.name = launch.name;
  node.type = type;
  node.phase = phase;
  node.boundary = launch.boundary;
  node.owner = launch.owner;
  node.slot = launch.slot;
  node.hooked = launch.hooked;
  node.has_flag = launch.hooked || type == NodeType::step_group || type == NodeType::task_group;
  node.in_exit_handler = launch.in_exit_handler;
  node.started = now_;
  if (fulfilled(phase)) {
    node.finished = now_;
  }
  NodeCall call{.template_name = {}, .template_ref = {}, .template_scope = launch.base->scope};
  if (launch.call != nullptr) {
    call.template_name = launch.call->template_name;
    call.template_ref = launch.call->template_ref;
  }
  node.call = nodes_->intern_call(call);
  const NodeIndex index = nodes_->add(std::move(node));
  for (const NodeIndex parent : launch.parents) {
    nodes_->connect(parent, index);
  }
  count(index, +1);
  mark(index);
  note_phase_for_hooks(index);
  if (fulfilled(phase)) {
    fulfilled_.push_back(index);
  }
  return index;
}

void Engine::Machine::mark(NodeIndex index) {
  if (marked_.size() <= index) {
    marked_.resize(std::max<std::size_t>(nodes_->size(), index + 1), 0);
  }
  if (marked_[index] == 0) {
    marked_[index] = 1;
    decisions_.changed.push_back(index);
  }
}

void Engine::Machine::count(NodeIndex index, int sign) {
  const Node& node = (*nodes_)[index];
  const Progress own = own_progress(*nodes_, index);
  progress_total_ += sign * own.total;
  progress_done_ += sign * own.done;
  if (!is_active(node.phase)) {
    return;
  }
  if (node.type == NodeType::pod && !node.is_held_up()) {
    active_pods_ += sign;
    running_pods_ += node.phase == NodePhase::running ? sign : 0;
  }
  if (counts_as_child(node.type) && node.boundary != kNoNode) {
    if (BoundaryFrame* frame = boundary_frame(node.boundary)) {
      frame->active += sign;
    }
  }
}

void Engine::Machine::set_phase(NodeIndex index, NodePhase phase) {
  Node& node = (*nodes_)[index];
  if (node.phase == phase) {
    return;
  }
  count(index, -1);
  node.phase = phase;
  // Also a pod that came to nothing counts, or a restored engine would not know.
  pods_seen_ = pods_seen_ || (node.type == NodeType::pod && phase != NodePhase::pending);
  count(index, +1);
  mark(index);
  note_phase_for_hooks(index);
  pods_seen_ = pods_seen_ || (node.type == NodeType::pod && phase != NodePhase::pending);
  if (!fulfilled(phase)) {
    return;
  }
  give_up_locks(index);
  if (phase == NodePhase::succeeded && node.extras) {
    remember_outputs(index);
  }
  if (node.finished == kNoTime) {
    node.finished = now_;
  }
  fulfilled_.push_back(index);
  if (node.type == NodeType::pod && !node.children.empty()) {
    end_containers(index);
  } else if (!daemons_.empty() && (node.type == NodeType::steps || node.type == NodeType::dag)) {
    stop_daemons(index);
  }
  if (failed_or_error(phase) && counts_as_child(node.type) && !node.retried &&
      node.boundary != kNoNode) {
    BoundaryFrame* frame = boundary_frame(node.boundary);
    if (frame != nullptr && frame->compiled->definition.fail_fast.value_or(false)) {
      frame->fail_fast_hit = true;
    }
  }
}

void Engine::Machine::set_phase(NodeIndex index, NodePhase phase, std::string message) {
  Node& node = (*nodes_)[index];
  if (node.message != message) {
    node.message = std::move(message);
    mark(index);
  }
  set_phase(index, phase);
}

void Engine::Machine::fail_with(NodeIndex index, std::string error) {
  bubbling_[index] = error;
  set_phase(index, NodePhase::error, std::move(error));
}

BoundaryFrame* Engine::Machine::boundary_frame(NodeIndex index) const {
  if (index == kNoNode) {
    return nullptr;
  }
  if ((*nodes_)[index].type == NodeType::steps) {
    const auto found = steps_.find(index);
    return found == steps_.end() ? nullptr : found->second.get();
  }
  const auto found = dags_.find(index);
  return found == dags_.end() ? nullptr : found->second.get();
}

void Engine::Machine::wait_for_slot(NodeIndex owner, NodeIndex boundary, bool whole_workflow) {
  if (whole_workflow) {
    waiting_.insert(owner);
  } else {
    boundary_frame(boundary)->waiting.insert(owner);
  }
}

bool Engine::Machine::parallelism_reached(const Launch& launch) {
  if (suspended_) {
    wait_for_slot(launch.owner, kNoNode, true);
    return true;
  }
  if (budget_ == 0) {
    decisions_.more = true;
    wait_for_slot(launch.owner, kNoNode, true);
    return true;
  }
  if (spec_.parallelism && active_pods_ >= *spec_.parallelism) {
    wait_for_slot(launch.owner, kNoNode, true);
    return true;
  }
  const bool is_attempt =
      launch.owner != kNoNode && (*nodes_)[launch.owner].type == NodeType::retry && !launch.hooked;
  BoundaryFrame* frame = boundary_frame(launch.boundary);
  if (frame == nullptr || is_attempt) {
    return false;
  }
  if (frame->fail_fast_hit) {
    return true;
  }
  const auto& limit = frame->compiled->definition.parallelism;
  if (limit && frame->active >= *limit) {
    wait_for_slot(launch.owner, launch.boundary, false);
    return true;
  }
  return false;
}

}  // namespace tiphys::workflows

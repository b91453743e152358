#include "workflows/engine/machine.h"

#include <algorithm>

namespace tiphys::workflows {

/// Frames, sums and timers from the nodes, as if the run had come here by events.
void Engine::Machine::rebuild() {
  assign_slots();
  rebuild_boundaries();
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    count(i, +1);
    const Node& node = (*nodes_)[i];
    pods_seen_ = pods_seen_ || (node.type == NodeType::pod && node.phase != NodePhase::pending);
  }
  rebuild_recursion();
  rebuild_groups();
  resources_ = sum_resources(*nodes_);
  rebuild_daemons();
  rebuild_timers();
  rebuild_locks();
  decisions_ = {};
  marked_.clear();
}

int Engine::Machine::depth_of(NodeIndex index) const {
  int depth = 0;
  for (NodeIndex i = (*nodes_)[index].boundary; i != kNoNode; i = (*nodes_)[i].boundary) {
    ++depth;
  }
  return depth;
}

void Engine::Machine::rebuild_boundaries() {
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    const Node& node = (*nodes_)[i];
    const bool is_boundary = node.type == NodeType::steps || node.type == NodeType::dag;
    const bool not_begun = node.is_held_up() && node.children.empty();
    if (fulfilled(node.phase) || not_begun || (!is_boundary && node.type != NodeType::retry)) {
      continue;
    }
    const auto compiled = compiled_of(i);
    if (!compiled) {
      set_phase(i, NodePhase::error, compiled.error().message);
    } else if (node.type == NodeType::retry) {
      retries_.emplace(i, RetryFrame{.compiled = *compiled, .depth = depth_of(i)});
    } else if (node.type == NodeType::steps) {
      rebuild_steps(i, **compiled);
    } else {
      rebuild_dag(i, **compiled);
    }
  }
}

/// The place of a node in the template of the boundary around it, when its row does not say it.
void Engine::Machine::assign_slot(NodeIndex index, const CompiledTemplate& around) {
  Node& node = (*nodes_)[index];
  const std::string_view name = node.name;
  if (node.retried || node.type == NodeType::step_group ||
      (*nodes_)[node.owner].type == NodeType::task_group) {
    // "...(2)", "...[2]" and "...task(2:item)": the number behind the last bracket of its kind.
    const std::size_t open = node.type == NodeType::step_group ? name.rfind('[')
                             : node.retried                    ? name.rfind('(')
                                            : name.find('(', (*nodes_)[node.owner].name.size());
    node.slot = 0;
    for (std::size_t i = open + 1; i < name.size() && name[i] >= '0' && name[i] <= '9'; ++i) {
      node.slot = node.slot * 10 + static_cast<std::uint32_t>(name[i] - '0');
    }
    return;
  }
  std::string call = call_name_of(index);
  const auto exact = around.numbers.find(call);
  const auto found =
      exact != around.numbers.end() ? exact : around.numbers.find(call.substr(0, call.find('(')));
  node.slot = found == around.numbers.end() ? 0 : found->second;
}

void Engine::Machine::assign_slots() {
  std::unordered_map<NodeIndex, const CompiledTemplate*> compiled;
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    Node& node = (*nodes_)[i];
    if (node.slot != kNoSlot) {
      continue;
    }
    const auto around = compiled.find(node.boundary);
    if (node.hooked || node.owner == kNoNode) {
      node.slot = 0;
    } else if (around != compiled.end() || node.retried) {
      static const CompiledTemplate kNone;
      assign_slot(i, around == compiled.end() ? kNone : *around->second);
    }
    if (node.type == NodeType::steps || node.type == NodeType::dag) {
      if (auto own = compiled_around(i, around == compiled.end() ? nullptr : around->second)) {
        compiled.emplace(i, *own);
      }
    }
  }
}

void Engine::Machine::rebuild_steps(NodeIndex index, const CompiledTemplate& compiled) {
  auto frame = std::make_unique<StepsFrame>(&globals_);
  open_boundary(*frame, index, compiled, depth_of(index));
  steps_.emplace(index, std::move(frame));
}

void Engine::Machine::rebuild_dag(NodeIndex index, const CompiledTemplate& compiled) {
  DagFrame& frame = open_dag(index, compiled, depth_of(index));
  frame.error = (*nodes_)[index].message;
  if (auto chosen = choose_targets(frame); !chosen) {
    fail_with(index, chosen.error().message);
  }
}

/// What each frame's children have come to. Owners come before what they own.
void Engine::Machine::rebuild_groups() {
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    const Node& node = (*nodes_)[i];
    BoundaryFrame* boundary = boundary_frame(node.boundary);
    if (boundary != nullptr && failed_or_error(node.phase) && !node.retried &&
        (node.type == NodeType::pod || node.type == NodeType::steps ||
         node.type == NodeType::dag) &&
        boundary->compiled->definition.fail_fast.value_or(false)) {
      boundary->fail_fast_hit = true;
    }
    if (node.type == NodeType::step_group && boundary != nullptr) {
      auto& frame = *static_cast<StepsFrame*>(boundary);
      if (frame.group_node != kNoNode) {
        static_cast<void>(collect_group(frame));
      }
      frame.group = node.slot;
      frame.group_node = i;
    } else if (node.owner != kNoNode && !node.hooked) {
      if (const auto dag = dags_.find(node.owner); dag != dags_.end()) {
        dag->second->results[node.slot] = i;
      }
    }
    if (fulfilled(node.phase) && !node.done) {
      fulfilled_.push_back(i);
    } else if (suspended_) {
      note_phase_for_hooks(i);
    }
  }
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    if (const auto steps = steps_.find(i); steps != steps_.end()) {
      rebuild_group(*steps->second);
    } else if (const auto dag = dags_.find(i); dag != dags_.end()) {
      DagFrame& frame = *dag->second;
      for (std::uint32_t number = 0; number < frame.results.size(); ++number) {
        const NodeIndex task = frame.results[number];
        if (task != kNoNode && !(*nodes_)[task].done) {
          ++frame.open;
        } else if (task != kNoNode) {
          for (const std::uint32_t dependant : frame.compiled->calls[number].dependants) {
            --frame.missing[dependant];
          }
        }
      }
      for (std::uint32_t number = 0; number < frame.results.size(); ++number) {
        if (frame.wanted[number] != 0 && frame.missing[number] == 0 &&
            frame.results[number] == kNoNode) {
          frame.ready.emplace(frame.rank[number], number);
        }
      }
      waiting_.insert(i);
    } else if ((*nodes_)[i].type == NodeType::task_group && !fulfilled((*nodes_)[i].phase)) {
      rebuild_loop(i);
    } else if ((*nodes_)[i].type == NodeType::retry && retries_.contains(i) &&
               !wakes_.contains(i)) {
      waiting_.insert(i);
    }
  }
}

void Engine::Machine::rebuild_group(StepsFrame& frame) {
  if (frame.group_node == kNoNode) {
    waiting_.insert(frame.node);
    return;
  }
  const Node& group = (*nodes_)[frame.group_node];
  if (fulfilled(group.phase)) {
    return;
  }
  const std::string error = group.message;
  plan_group(frame);
  if (!error.empty()) {
    frame.has_group_error = true;
    frame.group_error = error;
  }
  for (Plan& plan : frame.plans) {
    plan.skips_existing = true;
  }
  frame.open = 0;
  for (const NodeIndex child : (*nodes_)[frame.group_node].children) {
    frame.open += (*nodes_)[child].done ? 0 : 1;
  }
  waiting_.insert(frame.group_node);
}

void Engine::Machine::rebuild_loop(NodeIndex index) {
  const Node& group = (*nodes_)[index];
  const auto dag = dags_.find(group.owner);
  if (dag == dags_.end()) {
    return;
  }
  auto plan = make_plan(*dag->second, group.slot);
  auto expanded = plan ? expand_plan(*dag->second, *plan) : Result<>(std::unexpected(plan.error()));
  if (!expanded) {
    set_phase(index, NodePhase::error, expanded.error().message);
    return;
  }
  plan->skips_existing = true;
  LoopFrame frame{.dag = group.owner, .plan = std::move(*plan), .open = 0};
  for (const NodeIndex child : group.children) {
    frame.open += (*nodes_)[child].done || (*nodes_)[child].hooked ? 0 : 1;
  }
  loops_.emplace(index, std::move(frame));
  waiting_.insert(index);
}

void Engine::Machine::rebuild_timers() {
  if (is_finished()) {
    return;
  }
  if (const auto deadline = workflow_deadline()) {
    timers_.push({*deadline, kNoNode});
  }
  for (const auto& [index, wake] : wakes_) {
    timers_.push({wake, index});
  }
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    const Node& node = (*nodes_)[i];
    const bool is_suspended = node.type == NodeType::suspend && node.phase == NodePhase::running;
    const bool is_pending =
        node.phase == NodePhase::pending && (node.type == NodeType::pod || node.is_held_up());
    if (!is_suspended && !is_pending) {
      continue;
    }
    const auto compiled = compiled_of(i);
    if (!compiled) {
      continue;
    }
    if (is_pending) {
      set_pending_timers(i, **compiled);
      continue;
    }
    const auto until = suspend_deadline(i, **compiled);
    if (until && *until) {
      timers_.push({**until, i});
    }
  }
}

}  // namespace tiphys::workflows

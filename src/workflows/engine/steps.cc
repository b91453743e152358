#include "workflows/engine/machine.h"

namespace tiphys::workflows {
namespace {

constexpr std::string_view kFailFast =
    "template has failed or errored children and failFast enabled";

bool continues_on(const Call& call, NodePhase phase) {
  if (!call.continue_on) {
    return false;
  }
  return phase == NodePhase::error ? call.continue_on->error : call.continue_on->failed;
}

}  // namespace

void Engine::Machine::start_steps(NodeIndex index, const CompiledTemplate& compiled, int depth) {
  auto frame = std::make_unique<StepsFrame>(&globals_);
  StepsFrame& opened = *frame;
  steps_.emplace(index, std::move(frame));
  open_boundary(opened, index, compiled, depth);
  if (compiled.groups.empty()) {
    finish_steps(opened);
    return;
  }
  start_group(opened);
}

void Engine::Machine::start_group(StepsFrame& frame) {
  Launch launch;
  launch.name = (*nodes_)[frame.node].name + "[" + std::to_string(frame.group) + "]";
  launch.base = frame.compiled->base;
  launch.boundary = frame.node;
  launch.owner = frame.node;
  launch.slot = frame.group;
  launch.in_exit_handler = (*nodes_)[frame.node].in_exit_handler;
  if (frame.group == 0) {
    launch.parents = {frame.node};
  } else {
    const auto& previous = (*nodes_)[frame.group_node].children;
    for (const NodeIndex child : previous) {
      append_outbound(child, launch.parents);
    }
    if (previous.empty()) {
      launch.parents = {frame.group_node};
    }
  }
  frame.group_node = create_node(launch, NodeType::step_group, NodePhase::running);
  frame.open = 0;
  frame.has_group_error = false;
  frame.group_error.clear();
  plan_group(frame);
  continue_group(frame);
}

void Engine::Machine::fail_group(StepsFrame& frame, std::string error) {
  if (!frame.has_group_error) {
    frame.has_group_error = true;
    // In the row at once: the group's end may be far away.
    (*nodes_)[frame.group_node].message = error;
    mark(frame.group_node);
    frame.group_error = std::move(error);
  }
}

/// Resolves all steps of the group before the first of them starts.
void Engine::Machine::plan_group(StepsFrame& frame) {
  frame.plans.clear();
  frame.plan = 0;
  const auto [first, end] = frame.compiled->groups[frame.group];
  for (std::uint32_t number = first; number < end; ++number) {
    auto plan = make_plan(frame, number);
    if (!plan) {
      fail_group(frame, "failed to resolve references: " + plan.error().message);
      return;
    }
    frame.plans.push_back(std::move(*plan));
  }
  for (Plan& plan : frame.plans) {
    if (auto expanded = expand_plan(frame, plan); !expanded) {
      fail_group(frame, expanded.error().message);
      return;
    }
  }
}

Launch Engine::Machine::step_launch(const StepsFrame& frame, const Plan& plan) const {
  Launch launch;
  launch.base = frame.compiled->base;
  launch.boundary = frame.node;
  launch.owner = frame.group_node;
  launch.slot = plan.number;
  launch.parents = {frame.group_node};
  launch.in_exit_handler = (*nodes_)[frame.node].in_exit_handler;
  launch.depth = frame.depth + 1;
  return launch;
}

void Engine::Machine::continue_group(StepsFrame& frame) {
  const std::string prefix = (*nodes_)[frame.group_node].name + ".";
  while (frame.plan < frame.plans.size() && !frame.has_group_error) {
    Plan& plan = frame.plans[frame.plan];
    if (plan.count == 0 && !nodes_->find_name(prefix + plan.target.name)) {
      Launch launch = step_launch(frame, plan);
      launch.name = prefix + plan.target.name;
      launch.call = &plan.target;
      skipped_node(launch, NodePhase::skipped, "Skipped, empty params");
      ++frame.open;
      ++frame.plan;
      continue;
    }
    if (plan.exhausted()) {
      ++frame.plan;
      continue;
    }
    // Counted first: what is started may be over before this returns.
    ++frame.open;
    const auto launched = launch_next(frame, plan, step_launch(frame, plan), prefix);
    if (!launched) {
      fail_group(frame, launched.error().message);
    } else if (*launched == Launched::nothing) {
      --frame.open;
    } else if (*launched == Launched::blocked) {
      --frame.open;
      if (frame.fail_fast_hit) {
        frame.plan = frame.plans.size();
      }
      break;
    }
  }
  if (frame.open == 0 && (frame.plan >= frame.plans.size() || frame.has_group_error)) {
    finish_group(frame);
  }
}

void Engine::Machine::group_child_done(StepsFrame& frame, NodeIndex child) {
  if (const auto error = bubbling_.find(child); error != bubbling_.end()) {
    fail_group(frame, "step group deemed errored due to child " + (*nodes_)[child].name +
                          " error: " + error->second);
    bubbling_.erase(error);
  }
  --frame.open;
  if (frame.fail_fast_hit) {
    frame.plan = frame.plans.size();
  }
  if (frame.open == 0 && (frame.plan >= frame.plans.size() || frame.has_group_error)) {
    finish_group(frame);
  }
}

void Engine::Machine::finish_group(StepsFrame& frame) {
  if (fulfilled((*nodes_)[frame.group_node].phase)) {
    return;
  }
  if (frame.has_group_error) {
    set_phase(frame.group_node, NodePhase::error, frame.group_error);
    return;
  }
  if (frame.fail_fast_hit) {
    set_phase(frame.group_node, NodePhase::failed, std::string(kFailFast));
    return;
  }
  for (const NodeIndex child : (*nodes_)[frame.group_node].children) {
    const Node& node = (*nodes_)[child];
    if (failed_or_error(node.phase) &&
        !continues_on(*frame.compiled->calls[node.slot].call, node.phase)) {
      set_phase(frame.group_node, NodePhase::failed, "child '" + nodes_->id(child) + "' failed");
      return;
    }
  }
  set_phase(frame.group_node, NodePhase::succeeded);
}

/// Makes the results of the current group's steps visible to later groups.
Result<> Engine::Machine::collect_group(StepsFrame& frame) {
  for (const NodeIndex child : (*nodes_)[frame.group_node].children) {
    const std::uint32_t number = (*nodes_)[child].slot;
    const CompiledCall& call = frame.compiled->calls[number];
    const bool is_element =
        (*nodes_)[child].name != (*nodes_)[frame.group_node].name + "." + call.call->name;
    frame.results[number] = is_element ? frame.group_node : child;
  }
  const auto [first, end] = frame.compiled->groups[frame.group];
  for (std::uint32_t number = first; number < end; ++number) {
    if (frame.results[number] == frame.group_node &&
        frame.compiled->result_names.contains(frame.compiled->calls[number].call->name)) {
      TRY_VOID(compute_aggregate(frame, number));
    }
  }
  return {};
}

/// The group's node is done: go on to the next group or end the Steps node.
void Engine::Machine::leave_group(StepsFrame& frame) {
  const Node& group = (*nodes_)[frame.group_node];
  if (failed_or_error(group.phase)) {
    set_steps_outbound(frame);
    set_phase(frame.node, NodePhase::failed, group.message);
    return;
  }
  if (auto collected = collect_group(frame); !collected) {
    fail_with(frame.node, collected.error().message);
    return;
  }
  if (++frame.group < frame.compiled->groups.size()) {
    start_group(frame);
    return;
  }
  finish_steps(frame);
}

void Engine::Machine::set_steps_outbound(const StepsFrame& frame) {
  if (frame.group_node == kNoNode) {
    return;
  }
  std::vector<NodeIndex> outbound;
  for (const NodeIndex child : (*nodes_)[frame.group_node].children) {
    append_outbound(child, outbound);
  }
  (*nodes_)[frame.node].outbound = std::move(outbound);
}

void Engine::Machine::finish_steps(StepsFrame& frame) {
  set_steps_outbound(frame);
  auto outputs = outputs_from_scope(frame);
  if (!outputs) {
    fail_with(frame.node, outputs.error().message);
    return;
  }
  if (*outputs) {
    set_outputs(frame.node, **outputs);
    export_globals(**outputs);
  }
  set_phase(frame.node, NodePhase::succeeded);
}

}  // namespace tiphys::workflows

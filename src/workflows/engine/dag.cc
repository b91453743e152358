#include "workflows/engine/machine.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kFailFast =
    "template has failed or errored children and failFast enabled";

}  // namespace

void Engine::Machine::start_dag(NodeIndex index, const CompiledTemplate& compiled, int depth) {
  DagFrame& frame = open_dag(index, compiled, depth);
  if (auto chosen = choose_targets(frame); !chosen) {
    fail_with(index, chosen.error().message);
    return;
  }
  for (std::uint32_t number = 0; number < compiled.calls.size(); ++number) {
    if (frame.wanted[number] != 0 && frame.missing[number] == 0) {
      frame.ready.emplace(frame.rank[number], number);
    }
  }
  continue_dag(frame);
}

DagFrame& Engine::Machine::open_dag(NodeIndex index, const CompiledTemplate& compiled, int depth) {
  auto frame = std::make_unique<DagFrame>(&globals_);
  DagFrame& opened = *frame;
  dags_.emplace(index, std::move(frame));
  open_boundary(opened, index, compiled, depth);
  const std::size_t count = compiled.calls.size();
  opened.missing.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    opened.missing[i] = static_cast<std::uint32_t>(compiled.calls[i].dependencies.size());
  }
  opened.wanted.assign(count, 0);
  opened.rank.assign(count, 0);
  return opened;
}

/// The tasks dag.target names, or all on which nothing depends, alphabetically; and what they need.
Result<> Engine::Machine::choose_targets(DagFrame& frame) {
  const CompiledTemplate& compiled = *frame.compiled;
  TRY(auto json, replace_in_passes(compiled.target, frame.locals, frame.inputs));
  TRY(auto value, doc::parse_json(json));
  const std::string target(doc::text_of(value.as_string()));
  if (target.empty()) {
    for (std::uint32_t number = 0; number < compiled.calls.size(); ++number) {
      if (compiled.calls[number].dependants.empty()) {
        frame.targets.push_back(number);
      }
    }
    std::ranges::sort(frame.targets, {}, [&](std::uint32_t n) {
      return std::string_view(compiled.calls[n].call->name);
    });
  } else {
    for (std::size_t begin = 0; begin <= target.size();) {
      const std::size_t end = std::min(target.find(' ', begin), target.size());
      const std::string name = target.substr(begin, end - begin);
      const auto found = compiled.numbers.find(name);
      if (found == compiled.numbers.end()) {
        return fail(ErrorCode::bad_request, "target " + name + " does not exist");
      }
      frame.targets.push_back(found->second);
      begin = end + 1;
    }
  }
  std::uint32_t rank = 0;
  for (const std::uint32_t number : frame.targets) {
    visit_target(frame, number, rank);
  }
  return {};
}

/// Ranks a task after everything it depends on, in the order upstream's recursion reaches them.
void Engine::Machine::visit_target(DagFrame& frame, std::uint32_t number, std::uint32_t& rank) {
  std::vector<std::pair<std::uint32_t, std::size_t>> path;
  if (frame.wanted[number] != 0) {
    return;
  }
  frame.wanted[number] = 1;
  path.emplace_back(number, 0);
  while (!path.empty()) {
    auto& [task, next] = path.back();
    const auto& dependencies = frame.compiled->calls[task].dependencies;
    if (next == dependencies.size()) {
      frame.rank[task] = rank++;
      path.pop_back();
      continue;
    }
    const std::uint32_t dependency = dependencies[next++];
    if (frame.wanted[dependency] == 0) {
      frame.wanted[dependency] = 1;
      path.emplace_back(dependency, 0);
    }
  }
}

void Engine::Machine::continue_dag(DagFrame& frame) {
  while (!frame.ready.empty() && !frame.fail_fast_hit) {
    const auto [rank, number] = *frame.ready.begin();
    if (!start_task(frame, number)) {
      return;
    }
    frame.ready.erase({rank, number});
  }
  if (frame.open == 0) {
    assess_dag(frame);
  }
}

/// All but the parents, of which there may be as many as the task before has elements.
Launch Engine::Machine::element_launch(const DagFrame& frame, std::uint32_t number) const {
  const Call& call = *frame.compiled->calls[number].call;
  Launch launch;
  launch.name = (*nodes_)[frame.node].name + "." + call.name;
  launch.call = &call;
  launch.base = frame.compiled->base;
  launch.is_task = true;
  launch.boundary = frame.node;
  launch.owner = frame.node;
  launch.slot = number;
  launch.in_exit_handler = (*nodes_)[frame.node].in_exit_handler;
  launch.depth = frame.depth + 1;
  return launch;
}

Launch Engine::Machine::task_launch(const DagFrame& frame, std::uint32_t number) const {
  Launch launch = element_launch(frame, number);
  for (const std::uint32_t dependency : frame.compiled->calls[number].dependencies) {
    append_outbound(frame.results[dependency], launch.parents);
  }
  if (frame.compiled->calls[number].dependencies.empty()) {
    launch.parents = {frame.node};
  }
  return launch;
}

Result<bool> Engine::Machine::depends_hold(const DagFrame& frame, std::uint32_t number) const {
  const CompiledTemplate& compiled = *frame.compiled;
  if (compiled.calls[number].dependencies.empty()) {
    return true;
  }
  return compiled.calls[number].depends.evaluate([&](std::string_view name) {
    const Node& node = (*nodes_)[frame.results[compiled.numbers.at(std::string(name))]];
    lang::TaskOutcome out;
    out.succeeded = outcome_of(node) == NodePhase::succeeded;
    out.failed = node.phase == NodePhase::failed;
    out.errored = node.phase == NodePhase::error;
    out.skipped = node.phase == NodePhase::skipped;
    out.omitted = node.phase == NodePhase::omitted;
    out.daemoned = node.daemoned && node.phase != NodePhase::pending;
    if (node.type == NodeType::task_group) {
      out.all_failed = !node.children.empty();
      for (const NodeIndex child : node.children) {
        const NodePhase phase = outcome_of((*nodes_)[child]);
        out.any_succeeded = out.any_succeeded || phase == NodePhase::succeeded;
        out.all_failed = out.all_failed && phase == NodePhase::failed;
      }
    }
    return out;
  });
}

/// False when the task has to wait for a free slot.
bool Engine::Machine::start_task(DagFrame& frame, std::uint32_t number) {
  Launch launch = task_launch(frame, number);
  const auto note = [&](NodeIndex node) {
    frame.results[number] = node;
    ++frame.open;
  };
  const auto holds = depends_hold(frame, number);
  if (!holds) {
    note(error_node(launch, holds.error().message, false));
    return true;
  }
  if (!*holds) {
    note(skipped_node(launch, NodePhase::omitted, "omitted: depends condition not met"));
    return true;
  }
  if (parallelism_reached(launch)) {
    return false;
  }
  auto plan = make_plan(frame, number);
  auto expanded = plan ? expand_plan(frame, *plan) : Result<>(std::unexpected(plan.error()));
  if (!expanded) {
    note(error_node(launch, expanded.error().message, false));
    return true;
  }
  if (plan->count == 0) {
    note(skipped_node(launch, NodePhase::skipped, "Skipped, empty params"));
    return true;
  }
  if (plan->items) {
    const NodeIndex group = create_node(launch, NodeType::task_group, NodePhase::running);
    note(group);
    loops_.emplace(group, LoopFrame{.dag = frame.node, .plan = std::move(*plan), .open = 0});
    continue_loop(group);
    return true;
  }
  ++frame.open;
  launch.name.clear();
  const auto launched =
      launch_next(frame, *plan, std::move(launch), (*nodes_)[frame.node].name + ".");
  if (launched && *launched == Launched::blocked) {
    --frame.open;
    return false;
  }
  frame.results[number] = *nodes_->find_name((*nodes_)[frame.node].name + "." + plan->target.name);
  return true;
}

void Engine::Machine::continue_loop(NodeIndex group) {
  LoopFrame& loop = loops_.at(group);
  DagFrame& frame = *dags_.at(loop.dag);
  while (!loop.plan.exhausted()) {
    if (frame.fail_fast_hit) {
      loop.plan.next = loop.plan.count;
      break;
    }
    Launch launch = element_launch(frame, loop.plan.number);
    launch.owner = group;
    launch.slot = static_cast<std::uint32_t>(loop.plan.next);
    launch.parents = {group};
    ++loop.open;
    const auto launched =
        launch_next(frame, loop.plan, std::move(launch), (*nodes_)[frame.node].name + ".");
    if (launched && *launched != Launched::started) {
      --loop.open;
      if (*launched == Launched::blocked && !frame.fail_fast_hit) {
        return;
      }
    }
  }
  finish_loop(group);
}

void Engine::Machine::finish_loop(NodeIndex group) {
  const LoopFrame& loop = loops_.at(group);
  if (loop.open != 0 || !loop.plan.exhausted() || fulfilled((*nodes_)[group].phase)) {
    return;
  }
  NodePhase phase = NodePhase::succeeded;
  for (const NodeIndex child : (*nodes_)[group].children) {
    if (failed_or_error((*nodes_)[child].phase) && !(*nodes_)[child].hooked) {
      phase = (*nodes_)[child].phase;
    }
  }
  set_phase(group, phase);
}

void Engine::Machine::loop_child_done(NodeIndex group) {
  LoopFrame& loop = loops_.at(group);
  --loop.open;
  if (dags_.at(loop.dag)->fail_fast_hit) {
    loop.plan.next = loop.plan.count;
  }
  finish_loop(group);
}

void Engine::Machine::task_done(DagFrame& frame, std::uint32_t number) {
  --frame.open;
  for (const std::uint32_t dependant : frame.compiled->calls[number].dependants) {
    if (--frame.missing[dependant] == 0 && frame.wanted[dependant] != 0) {
      frame.ready.emplace(frame.rank[dependant], dependant);
    }
  }
  continue_dag(frame);
}

/// The phase with which a target counts: its own once it has run, else what reaches it from its
/// parents, a failure before success. Attempts stand for their Retry node.
NodePhase Engine::Machine::target_phase(const DagFrame& frame, std::uint32_t number) const {
  NodePhase out = NodePhase::none;
  if (frame.results[number] == kNoNode) {
    return out;
  }
  std::set<NodeIndex> seen;
  std::vector<NodeIndex> pending{frame.results[number]};
  while (!pending.empty()) {
    NodeIndex current = pending.back();
    pending.pop_back();
    if (!seen.insert(current).second) {
      continue;
    }
    if ((*nodes_)[current].retried) {
      current = (*nodes_)[current].owner;
    }
    const Node& node = (*nodes_)[current];
    const bool is_boundary = current == frame.node;
    if (is_boundary || completed(node.phase)) {
      if (!failed_or_error(out)) {
        out = is_boundary ? NodePhase::succeeded : node.phase;
      }
      continue;
    }
    pending.insert(pending.end(), node.parents.rbegin(), node.parents.rend());
  }
  return out;
}

/// Nothing below the DAG runs or can start: its phase follows from its targets.
void Engine::Machine::assess_dag(DagFrame& frame) {
  if (fulfilled((*nodes_)[frame.node].phase)) {
    return;
  }
  if (!frame.error.empty()) {
    fail_with(frame.node, frame.error);
    return;
  }
  if (frame.fail_fast_hit) {
    (*nodes_)[frame.node].message = kFailFast;
    finish_dag(frame, NodePhase::failed);
    return;
  }
  if (!shutdown_.empty() && shutting_down_for((*nodes_)[frame.node].in_exit_handler)) {
    finish_dag(frame, NodePhase::failed);
    return;
  }
  const bool fail_fast = frame.compiled->definition.dag->fail_fast;
  NodePhase result = NodePhase::succeeded;
  for (const std::uint32_t number : frame.targets) {
    const NodePhase phase = target_phase(frame, number);
    const auto& continue_on = frame.compiled->calls[number].call->continue_on;
    const bool tolerated =
        continue_on && (phase == NodePhase::error ? continue_on->error : continue_on->failed);
    if (failed_or_error(phase) && !tolerated) {
      result = phase;
      if (fail_fast) {
        break;
      }
    }
  }
  finish_dag(frame, result);
}

void Engine::Machine::finish_dag(DagFrame& frame, NodePhase phase) {
  std::vector<NodeIndex> outbound;
  for (const std::uint32_t number : frame.targets) {
    if (frame.results[number] != kNoNode) {
      append_outbound(frame.results[number], outbound);
    }
  }
  if (phase == NodePhase::succeeded) {
    auto outputs = outputs_from_scope(frame);
    if (!outputs) {
      fail_with(frame.node, outputs.error().message);
      return;
    }
    if (*outputs) {
      set_outputs(frame.node, **outputs);
    }
  }
  (*nodes_)[frame.node].outbound = std::move(outbound);
  mark(frame.node);
  set_phase(frame.node, phase);
}

void Engine::Machine::append_outbound(NodeIndex index, std::vector<NodeIndex>& out) const {
  if (index == kNoNode) {
    return;
  }
  const Node& node = (*nodes_)[index];
  if (node.is_cache_hit()) {
    out.push_back(index);
    return;
  }
  switch (node.type) {
    case NodeType::pod:
    case NodeType::container: {
      // A pod of several containers is left through those that no other one depends on.
      const NodeIndex pod = node.type == NodeType::pod ? index : node.boundary;
      bool leaf = true;
      for (const NodeIndex child : node.children) {
        const Node& below = (*nodes_)[child];
        if (below.type == NodeType::container && below.boundary == pod) {
          append_outbound(child, out);
          leaf = false;
        }
      }
      if (leaf && std::ranges::find(out, index) == out.end()) {
        out.push_back(index);
      }
      return;
    }
    case NodeType::task_group:
      if (node.children.empty()) {
        out.push_back(index);
      }
      for (const NodeIndex child : node.children) {
        append_outbound(child, out);
      }
      return;
    case NodeType::retry:
      if (!node.children.empty()) {
        out.push_back(node.children.back());
      }
      return;
    case NodeType::steps:
    case NodeType::dag:
      // What a boundary recorded are leaves already, but for attempts that are boundaries.
      for (const NodeIndex child : node.outbound) {
        append_outbound(child, out);
      }
      return;
    case NodeType::step_group:
      return;
    default:
      out.push_back(index);
  }
}

}  // namespace tiphys::workflows

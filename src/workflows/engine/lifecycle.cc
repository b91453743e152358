// Hooks: of steps and tasks, and of the workflow. One starts when its expression holds, looked at
// whenever the node it belongs to changes its phase, and the node is not done before what has
// started is. The exit hook comes last. Upstream: workflow/controller/hooks.go, exit_handler.go.
#include "lang/names/names.h"
#include "workflows/engine/machine.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kExit = "exit";

std::string_view run_status_of(NodePhase phase) {
  switch (phase) {
    case NodePhase::pending:
      return "Pending";
    case NodePhase::running:
      return "Running";
    case NodePhase::failed:
      return "Failed";
    case NodePhase::error:
      return "Error";
    default:
      return "Succeeded";
  }
}

Result<std::string> with_item(const std::string& text, const Scope& item) {
  if (!text.contains("item")) {
    return text;
  }
  std::string json;
  doc::append_json_string(json, text);
  TRY(auto replaced, replace_tags(std::move(json), item, Strictness::lenient));
  TRY(auto value, doc::parse_json(replaced));
  return std::string(doc::text_of(value.as_string()));
}

}  // namespace

/// The call whose hooks a node has, or null. Attempts, groups of steps and elements of a DAG's loop
/// have none, nor has a step that is skipped.
const CompiledCall* Engine::Machine::hooked_call(NodeIndex index) const {
  const Node& node = (*nodes_)[index];
  if (node.hooked || node.retried || node.owner == kNoNode || node.type == NodeType::step_group) {
    return nullptr;
  }
  const NodeType owner = (*nodes_)[node.owner].type;
  if (owner == NodeType::task_group ||
      (owner == NodeType::step_group && node.type == NodeType::skipped)) {
    return nullptr;
  }
  const CompiledCall* call = call_of(index);
  return call != nullptr && call->has_hooks ? call : nullptr;
}

/// The exit hook that the call behind a node asks for, or null. In a DAG both a loop and each of
/// its elements run it.
const Hook* Engine::Machine::exit_hook_of(NodeIndex index) const {
  const Node& node = (*nodes_)[index];
  if (node.hooked || node.retried || node.type == NodeType::step_group) {
    return nullptr;
  }
  const CompiledCall* call = call_of(index);
  return call != nullptr && call->exit_hook ? &*call->exit_hook : nullptr;
}

/// A node's phase has changed: its hooks are looked at when this event's nodes have settled.
void Engine::Machine::note_phase_for_hooks(NodeIndex index) {
  failures_changed_ = failures_changed_ || failed_or_error((*nodes_)[index].phase);
  const BoundaryFrame* frame = boundary_frame((*nodes_)[index].boundary);
  if (frame != nullptr && frame->compiled->has_hooks && hooked_call(index) != nullptr) {
    hook_checks_.push_back(index);
  }
}

/// A fulfilled node: its hooks, then its exit hook, then it is done.
void Engine::Machine::end_node(NodeIndex index) {
  if (!(*nodes_)[index].done && !run_hooks(index) && !start_exit_hook(index)) {
    node_done(index);
  }
}

/// Starts those hooks of a node whose expressions hold. True while one that has started is not
/// done.
bool Engine::Machine::run_hooks(NodeIndex index) {
  const CompiledCall* call = hooked_call(index);
  if (call == nullptr) {
    return false;
  }
  BoundaryFrame& frame = *boundary_frame((*nodes_)[index].boundary);
  bool open = false;
  for (const auto& [name, hook] : call->call->hooks) {
    if (name == kExit) {
      continue;
    }
    const std::string suffix = ".hooks." + name;
    if (const auto known = nodes_->find_name((*nodes_)[index].name + suffix)) {
      open = open || !(*nodes_)[*known].done;
      continue;
    }
    auto launched = hook.expression.empty()
                        ? fail(ErrorCode::bad_request,
                               "Expression required for hook " + (*nodes_)[index].name + suffix)
                        : launch_hook(index, hook, frame, suffix);
    if (!launched) {
      fail_hooked(index, frame, std::move(launched).error().message);
      return false;
    }
    open = open || *launched == Launched::started ||
           (*launched == Launched::blocked && !frame.fail_fast_hit);
  }
  return open;
}

/// A hook could not be started: the group around the step ends in an error, or the task does.
void Engine::Machine::fail_hooked(NodeIndex index, BoundaryFrame& frame, std::string error) {
  if (StepsFrame* steps = steps_frame_of_child(index)) {
    fail_group(*steps, std::move(error));
    return;
  }
  auto& dag = static_cast<DagFrame&>(frame);
  const std::uint32_t number = (*nodes_)[index].slot;
  if (dag.error.empty() && std::ranges::find(dag.targets, number) != dag.targets.end()) {
    dag.error = error;
    (*nodes_)[dag.node].message = error;
    mark(dag.node);
  }
  if ((*nodes_)[index].type == NodeType::pod && !fulfilled((*nodes_)[index].phase)) {
    decisions_.stop_pods.push_back({index, nodes_->pod_name(index)});
  }
  set_phase(index, NodePhase::error, std::move(error));
}

/// Runs the exit hook of a node that has just been fulfilled. True while the node has to wait for
/// it.
bool Engine::Machine::start_exit_hook(NodeIndex index) {
  const Node& node = (*nodes_)[index];
  if (!completed(node.phase) || node.owner == kNoNode) {
    return false;
  }
  const Hook* hook = exit_hook_of(index);
  if (hook == nullptr) {
    return false;
  }
  const std::string name = lang::on_exit_name(node.name);
  if (const auto known = nodes_->find_name(name)) {
    return !(*nodes_)[*known].done;
  }
  if (shutdown_ == "Terminate") {
    return false;
  }
  BoundaryFrame& frame = *boundary_frame(node.boundary);
  auto launched = launch_hook(index, *hook, frame, name.substr(node.name.size()));
  if (launched) {
    return *launched != Launched::nothing;
  }
  if (StepsFrame* steps = steps_frame_of_child(index)) {
    fail_group(*steps, std::move(launched).error().message);
  } else {
    (*nodes_)[index].message = std::move(launched).error().message;
    mark(index);
  }
  return false;
}

/// The element that a node of a loop was made for.
void Engine::Machine::add_item(Scope& scope, const BoundaryFrame& frame, NodeIndex index) const {
  const Node& node = (*nodes_)[index];
  const Plan* plan = nullptr;
  std::size_t number = node.slot;
  if (const auto loop = loops_.find(node.owner); loop != loops_.end()) {
    plan = &loop->second.plan;
  } else if ((*nodes_)[node.owner].type == NodeType::step_group) {
    const auto& plans = static_cast<const StepsFrame&>(frame).plans;
    const auto found = std::ranges::find(plans, node.slot, &Plan::number);
    const auto place = lang::loop_index_of(call_name_of(index));
    plan = found == plans.end() ? nullptr : &*found;
    number = place && *place >= 0 ? static_cast<std::size_t>(*place) : 0;
  }
  if (plan != nullptr && plan->items && number < plan->items->size()) {
    static_cast<void>(plan->items->item(plan->target.name, number, scope));
  }
}

/// The arguments of a hook, seen from the step or task it belongs to.
Result<Arguments> Engine::Machine::hook_arguments(const Hook& hook, const Scope& scope,
                                                  const Scope& artifacts) const {
  if (hook.arguments.parameters.empty() && hook.arguments.artifacts.empty()) {
    return Arguments{};
  }
  Arguments marked = hook.arguments;
  mark_absent(marked, scope);
  TRY(auto text, TagText::parse(doc::to_json(encode_inputs(marked), {.escape_html = false})));
  TRY(auto replaced, text.replace(scope, Strictness::lenient));
  TRY(auto value, doc::parse_json(replaced));
  TRY(auto arguments, decode_arguments(value, "arguments"));
  auto resolved = resolve_artifacts(std::move(arguments), artifacts);
  if (!resolved) {
    return std::unexpected(
        std::move(resolved).error().with_context("unable to resolve references"));
  }
  return resolved;
}

/// Starts a node's hook when its expression holds; `nothing` when it does not.
Result<Launched> Engine::Machine::launch_hook(NodeIndex index, const Hook& hook,
                                              BoundaryFrame& frame, const std::string& suffix) {
  // Under failFast nothing starts any more once a child has failed, hooks included.
  if (frame.fail_fast_hit) {
    return Launched::nothing;
  }
  const CompiledCall& called = *call_of(index);
  const bool is_task = frame.compiled->definition.dag.has_value();
  const std::string self = call_prefix(frame) + (is_task ? called.call->name : call_name_of(index));
  Scope results(&frame.inputs);
  add_call_variables(results, frame, &called.mentions);
  Scope scope(&results);
  add_node_variables(scope, self, index);
  if (!is_task && !(*nodes_)[index].display_name_override.empty()) {
    add_node_variables(scope, call_prefix(frame) + nodes_->display_name(index), index);
  }
  if (called.call->is_loop()) {
    add_item(scope, frame, index);
  }
  Scope artifacts(&scope);
  if (!hook.arguments.artifacts.empty()) {
    add_artifacts(artifacts, frame, &called.mentions);
    for (const Artifact& artifact : outputs_of(speaker_of(index)).artifacts) {
      artifacts.set_value(self + ".outputs.artifacts." + artifact.name, variable_of(artifact));
    }
  }
  if (!hook.expression.empty()) {
    TRY(const std::string expression, with_item(hook.expression, scope));
    TRY(const bool wanted, evaluate_bool(expression, scope));
    if (!wanted) {
      return Launched::nothing;
    }
  }
  TRY(const auto arguments, hook_arguments(hook, scope, artifacts));
  Call call;
  TRY(call.template_name, with_item(hook.template_name, scope));
  call.template_ref = hook.template_ref;
  const Node& node = (*nodes_)[index];
  Launch begin;
  begin.name = node.name + suffix;
  begin.call = &call;
  begin.base = frame.compiled->base;
  begin.arguments = &arguments;
  begin.boundary = node.boundary;
  begin.owner = index;
  begin.parents = {index};
  begin.hooked = true;
  begin.in_exit_handler = suffix == ".onExit";
  begin.depth = frame.depth + 1;
  return launch(begin);
}

/// A hook is done: so may be what it belongs to.
void Engine::Machine::hook_done(NodeIndex index) {
  const NodeIndex hooked = (*nodes_)[index].owner;
  std::string error;
  if (const auto found = bubbling_.find(index); found != bubbling_.end()) {
    error = std::exchange(found->second, {});
    bubbling_.erase(found);
  }
  BoundaryFrame* frame = boundary_frame((*nodes_)[hooked].boundary);
  if ((*nodes_)[hooked].boundary == kNoNode) {
    if (!error.empty()) {
      fail_workflow_hook(std::move(error));
    } else if ((*nodes_)[hooked].done) {
      after_entry();
    }
    return;
  }
  if (frame == nullptr) {
    return;
  }
  if (!error.empty()) {
    if (StepsFrame* steps = steps_frame_of_child(hooked)) {
      fail_group(*steps, std::move(error));
    } else if (!(*nodes_)[index].in_exit_handler) {
      fail_hooked(hooked, *frame, std::move(error));
    }
  }
  if (fulfilled((*nodes_)[hooked].phase)) {
    end_node(hooked);
  }
}

/// Starts those hooks of the workflow whose expressions hold. True while one that has started is
/// not done.
bool Engine::Machine::run_workflow_hooks() {
  const auto entry =
      has_workflow_hooks_ ? nodes_->find_name(nodes_->workflow_name()) : std::nullopt;
  if (!entry || is_finished()) {
    return false;
  }
  Scope scope(&globals_);
  scope.set("workflow.status", std::string(run_status_of((*nodes_)[*entry].phase)));
  if (reads_failures_) {
    if (failures_changed_) {
      failures_ = failures_text();
      failures_changed_ = false;
    }
    std::string quoted;
    doc::append_json_string(quoted, failures_, false);
    scope.set("workflow.failures", std::move(quoted));
  }
  bool open = false;
  for (const auto& [name, hook] : spec_.hooks) {
    const std::string node_name = nodes_->workflow_name() + ".hooks." + name;
    if (name == kExit) {
      continue;
    }
    if (const auto known = nodes_->find_name(node_name)) {
      open = open || !(*nodes_)[*known].done;
      continue;
    }
    const auto wanted = hook.expression.empty()
                            ? Result<bool>(fail(ErrorCode::bad_request,
                                                "Expression required for hook " + node_name))
                            : evaluate_bool(hook.expression, scope);
    if (!wanted) {
      fail_workflow_hook(wanted.error().message);
      return true;
    }
    open = open || (*wanted && launch_workflow_hook(*entry, hook, node_name));
  }
  return open;
}

/// False when the hook was not started and never will be.
bool Engine::Machine::launch_workflow_hook(NodeIndex entry, const Hook& hook,
                                           const std::string& name) {
  Call call;
  call.template_name = hook.template_name;
  call.template_ref = hook.template_ref;
  Launch begin;
  begin.name = name;
  begin.call = &call;
  begin.base = catalog_.local();
  begin.arguments = &hook.arguments;
  begin.owner = entry;
  begin.parents = {entry};
  begin.hooked = true;
  return launch(begin) != Launched::nothing;
}

/// After every event: the hooks of the workflow see what it has changed.
void Engine::Machine::watch_workflow_hooks() {
  if (!has_workflow_hooks_ || suspended_ || is_finished()) {
    return;
  }
  run_workflow_hooks();
  settle();
}

void Engine::Machine::after_entry() {
  if (!run_workflow_hooks()) {
    start_exit_handler();
  }
}

/// A hook of the workflow could not be started: the run ends.
void Engine::Machine::fail_workflow_hook(std::string error) {
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    if ((*nodes_)[i].type == NodeType::pod && !fulfilled((*nodes_)[i].phase)) {
      decisions_.stop_pods.push_back({i, nodes_->pod_name(i)});
    }
  }
  const NodeIndex entry = *nodes_->find_name(nodes_->workflow_name());
  set_phase(entry, NodePhase::error, error);
  finish_run(RunPhase::error, std::move(error));
}

}  // namespace tiphys::workflows

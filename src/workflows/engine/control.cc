#include "workflows/engine/field_selector.h"
#include "workflows/engine/machine.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

/// Supplied outputs that nobody set take their defaults. Error: one has none.
Result<> fill_supplied(Outputs& outputs) {
  for (Parameter& parameter : outputs.parameters) {
    if (!parameter.value_from || !parameter.value_from->supplied) {
      continue;
    }
    if (!parameter.value_from->default_value) {
      return fail(ErrorCode::bad_request, "raw output parameter '" + parameter.name +
                                              "' has not been set and does not have a default "
                                              "value");
    }
    parameter.value = parameter.value_from->default_value;
    parameter.value_from.reset();
  }
  return {};
}

Result<> supply(Outputs& outputs, std::string_view name, const std::string& value) {
  const auto found = std::ranges::find(outputs.parameters, name, &Parameter::name);
  if (found == outputs.parameters.end()) {
    return fail(ErrorCode::bad_request,
                "node is not expecting output parameter '" + std::string(name) + "'");
  }
  if (!found->value_from || !found->value_from->supplied) {
    return fail(ErrorCode::bad_request,
                "cannot set output parameter '" + std::string(name) +
                    "' because it does not use valueFrom.raw or it was already set");
  }
  found->value = value;
  found->value_from.reset();
  return {};
}

}  // namespace

bool Engine::Machine::shutting_down_for(bool in_exit_handler) const {
  if (shutdown_.empty()) {
    return false;
  }
  return shutdown_ == "Terminate" || !in_exit_handler;
}

/// Suspend nodes that wait to be resumed.
std::vector<NodeIndex> Engine::Machine::suspended_nodes() const {
  std::vector<NodeIndex> out;
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    const Node& node = (*nodes_)[i];
    if (node.type == NodeType::suspend && node.phase == NodePhase::running) {
      out.push_back(i);
    }
  }
  return out;
}

Result<std::vector<NodeIndex>> Engine::Machine::matching_suspended(
    std::string_view selector) const {
  TRY(const FieldSelector parsed, FieldSelector::parse(selector));
  std::vector<NodeIndex> out;
  for (const NodeIndex index : suspended_nodes()) {
    if (parsed.matches(selectable_fields(*nodes_, index))) {
      out.push_back(index);
    }
  }
  if (out.empty()) {
    return fail(ErrorCode::bad_request,
                "currently, set only targets suspend nodes: no suspend nodes matching "
                "nodeFieldSelector: " +
                    std::string(selector));
  }
  return out;
}

Result<> Engine::Machine::on_stop(const Stop& stop) {
  if (stop.node_field_selector.empty()) {
    shut_down("Stop");
    return {};
  }
  TRY(const auto chosen, matching_suspended(stop.node_field_selector));
  for (const NodeIndex index : chosen) {
    set_phase(index, NodePhase::failed, stop.message);
  }
  return {};
}

/// Ends what runs: pods are signalled and their nodes fail when they have ended; what has no pod
/// fails at once. Under Stop, exit handlers go on.
void Engine::Machine::shut_down(std::string_view strategy) {
  shutdown_ = strategy;
  suspended_ = false;
  decisions_.workflow_changed = true;
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    const Node& node = (*nodes_)[i];
    // A daemon goes with what is around it.
    if (fulfilled(node.phase) || node.daemoned || !shutting_down_for(node.in_exit_handler)) {
      continue;
    }
    if (node.type == NodeType::suspend || node.is_held_up()) {
      set_phase(i, NodePhase::failed, "Stopped with strategy '" + shutdown_ + "'");
    } else if (node.type == NodeType::pod) {
      stop_pod(i, "workflow shutdown with strategy:  " + shutdown_);
    }
  }
  if (phase_ == RunPhase::pending && nodes_->size() == 0) {
    finish_run(RunPhase::failed, "Stopped with strategy '" + shutdown_ + "'");
  } else if (phase_ == RunPhase::pending) {
    // A retried run: what it was about to go on with ends as usual.
    give_up_run_wait();
  }
  give_up_waiting();
}

/// Nothing that waits for a slot will start any more, but owners have to notice that.
void Engine::Machine::give_up_waiting() {
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    const Node& node = (*nodes_)[i];
    if (fulfilled(node.phase)) {
      continue;
    }
    if (node.type == NodeType::retry) {
      waiting_.insert(i);
    }
  }
}

void Engine::Machine::stop_pod(NodeIndex index, std::string message) {
  const bool started = (*nodes_)[index].phase == NodePhase::running;
  decisions_.stop_pods.push_back({index, nodes_->pod_name(index)});
  if (started) {
    // Its node ends when the pod has; until then the message is kept here and in the row.
    (*nodes_)[index].message = message;
    mark(index);
    stop_messages_[index] = std::move(message);
    return;
  }
  set_phase(index, NodePhase::failed, std::move(message));
}

void Engine::Machine::exceed_deadline() {
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    const Node& node = (*nodes_)[i];
    if (fulfilled(node.phase) || node.in_exit_handler) {
      continue;
    }
    if (node.type == NodeType::suspend || node.is_held_up()) {
      set_phase(i, NodePhase::failed, "Step exceeded its deadline");
    } else if (node.type == NodeType::pod && node.phase == NodePhase::pending) {
      stop_pod(i, "Step exceeded its deadline");
    }
    // A running pod carries the deadline itself.
  }
}

Result<> Engine::Machine::on_resume(const Resume& resume) {
  std::vector<NodeIndex> chosen;
  if (resume.node_field_selector.empty()) {
    chosen = suspended_nodes();
  } else {
    TRY(chosen, matching_suspended(resume.node_field_selector));
  }
  std::vector<Outputs> filled;
  for (const NodeIndex index : chosen) {
    TRY_VOID(fill_supplied(filled.emplace_back(outputs_of(index))));
  }
  if (resume.node_field_selector.empty() && suspended_) {
    suspended_ = false;
    decisions_.workflow_changed = true;
    resume_waits();
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    complete_suspend(chosen[i], std::move(filled[i]), resume.message);
  }
  return {};
}

void Engine::Machine::complete_suspend(NodeIndex index, Outputs outputs, std::string message) {
  Node& node = (*nodes_)[index];
  if (node.outputs) {
    set_outputs(index, outputs);
    export_globals(outputs);
  }
  if (!node.message.empty() && !message.empty()) {
    message = node.message + "; " + message;
  }
  set_phase(index, NodePhase::succeeded, message.empty() ? node.message : std::move(message));
}

Result<> Engine::Machine::on_set(const SetNodes& set) {
  TRY(const auto chosen, matching_suspended(set.node_field_selector));
  std::vector<Outputs> changed;
  for (const NodeIndex index : chosen) {
    Outputs& outputs = changed.emplace_back(outputs_of(index));
    if (!set.output_parameters.empty() && !(*nodes_)[index].outputs) {
      return fail(ErrorCode::bad_request,
                  "cannot set output parameters because node is not expecting any raw parameters");
    }
    for (const auto& [name, value] : set.output_parameters) {
      TRY_VOID(supply(outputs, name, value));
    }
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (!set.output_parameters.empty()) {
      set_outputs(chosen[i], changed[i]);
      export_globals(changed[i]);
    }
    if (!set.message.empty()) {
      (*nodes_)[chosen[i]].message = set.message;
      mark(chosen[i]);
    }
    if (set.phase) {
      set_phase(chosen[i], *set.phase);
    }
  }
  return {};
}

void Engine::Machine::start_suspend(NodeIndex index, const CompiledTemplate& compiled) {
  if (shutting_down_for((*nodes_)[index].in_exit_handler)) {
    set_phase(index, NodePhase::failed, "Stopped with strategy '" + shutdown_ + "'");
    return;
  }
  Outputs raw;
  for (Parameter parameter : compiled.definition.outputs.parameters) {
    if (!parameter.value_from || !parameter.value_from->supplied) {
      continue;
    }
    if (!parameter.value_from->default_value) {
      const auto& inputs = compiled.definition.inputs.parameters;
      const auto same = std::ranges::find(inputs, parameter.name, &Parameter::name);
      if (same != inputs.end()) {
        parameter.value_from->default_value = same->default_value;
      }
    }
    raw.parameters.push_back(std::move(parameter));
  }
  if (!raw.parameters.empty()) {
    set_outputs(index, raw);
  }
  auto until = suspend_deadline(index, compiled);
  if (!until) {
    fail_with(index, until.error().message);
    return;
  }
  if (*until) {
    timers_.push({**until, index});
  }
}

/// When a suspend node goes on by itself; nothing = never.
Result<std::optional<TimePoint>> Engine::Machine::suspend_deadline(
    NodeIndex index, const CompiledTemplate& compiled) const {
  NodeScope scope(&globals_);
  fill_scope(scope, compiled, index);
  TRY(auto text, replace_in_passes(compiled.suspend, scope.locals, scope.inputs));
  TRY(auto value, doc::parse_json(text));
  const doc::Value* duration = doc::find(value, "duration");
  if (duration == nullptr || any_string(*duration).empty()) {
    return std::nullopt;
  }
  TRY(const auto length, parse_timeout(any_string(*duration)));
  return (*nodes_)[index].started + length;
}

void Engine::Machine::check_suspend_duration(NodeIndex index) {
  Outputs outputs = outputs_of(index);
  if (auto filled = fill_supplied(outputs); !filled) {
    fail_with(index, filled.error().message);
    return;
  }
  complete_suspend(index, std::move(outputs), "");
}

}  // namespace tiphys::workflows

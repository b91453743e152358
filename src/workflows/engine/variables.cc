#include "workflows/engine/machine.h"

#include <boost/json.hpp>

namespace tiphys::workflows {

std::string Engine::Machine::call_prefix(const BoundaryFrame& frame) {
  return frame.compiled->definition.dag ? "tasks." : "steps.";
}

/// The name by which a node was called: its own without that of the node around it.
std::string Engine::Machine::call_name_of(NodeIndex index) const {
  const Node& node = (*nodes_)[index];
  if (node.retried) {
    return call_name_of(node.owner);
  }
  if (node.owner == kNoNode || node.hooked) {
    return {};
  }
  const Node& owner = (*nodes_)[node.owner];
  const std::string& around =
      owner.type == NodeType::step_group ? owner.name : (*nodes_)[node.boundary].name;
  return node.name.substr(around.size() + 1);
}

/// node.name, and steps.name or tasks.name, of a node's template.
void Engine::Machine::set_locals(Scope& scope, NodeIndex index) const {
  const Node& node = (*nodes_)[index];
  scope.set("node.name", node.retried ? (*nodes_)[node.owner].name : node.name);
  const bool is_task =
      node.boundary != kNoNode && (*nodes_)[node.boundary].type == NodeType::dag && !node.hooked;
  scope.set(is_task ? "tasks.name" : "steps.name", call_name_of(index));
}

/// inputs.* of a node, and the paths its template declares.
void Engine::Machine::set_inputs(Scope& scope, const CompiledTemplate& compiled,
                                 const SharedText& inputs) const {
  const Template& definition = compiled.definition;
  if (inputs) {
    const auto value = doc::parse_json(*inputs);
    const auto decoded =
        value ? decode_arguments(*value, "inputs") : Result<Arguments>(Arguments{});
    if (decoded) {
      doc::Array list;
      for (const Parameter& parameter : decoded->parameters) {
        if (parameter.value) {
          scope.set("inputs.parameters." + parameter.name, *parameter.value);
        }
      }
      if (compiled.reads_input_list) {
        const doc::Value* all = doc::find(*value, "parameters");
        scope.set("inputs.parameters",
                  all == nullptr ? "[]" : doc::to_json(*all, {.escape_html = true}));
      }
    }
  }
  for (const Artifact& artifact : definition.inputs.artifacts) {
    if (!artifact.path.empty()) {
      scope.set("inputs.artifacts." + artifact.name + ".path", artifact.path);
    }
  }
  for (const Artifact& artifact : definition.outputs.artifacts) {
    if (!artifact.path.empty()) {
      scope.set("outputs.artifacts." + artifact.name + ".path", artifact.path);
    }
  }
  for (const Parameter& parameter : definition.outputs.parameters) {
    if (parameter.value_from && parameter.value_from->path) {
      scope.set("outputs.parameters." + parameter.name + ".path", *parameter.value_from->path);
    }
  }
}

void Engine::Machine::fill_scope(NodeScope& scope, const CompiledTemplate& compiled,
                                 NodeIndex index) const {
  set_locals(scope.locals, index);
  set_inputs(scope.inputs, compiled, (*nodes_)[index].inputs);
}

/// A Retry node speaks through its last attempt.
NodeIndex Engine::Machine::speaker_of(NodeIndex index) const {
  const Node& node = (*nodes_)[index];
  if (node.type != NodeType::retry) {
    return index;
  }
  for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) {
    if (!(*nodes_)[*child].hooked) {
      return *child;
    }
  }
  return index;
}

/// Sets <prefix>.status, <prefix>.outputs.result and so on from a node.
void Engine::Machine::add_node_variables(Scope& scope, const std::string& prefix,
                                         NodeIndex index) const {
  const NodeIndex speaker = speaker_of(index);
  const Node& node = (*nodes_)[speaker];
  scope.set(prefix + ".id", nodes_->id(speaker));
  if (node.started != kNoTime) {
    scope.set(prefix + ".startedAt", time_text(node.started));
  }
  if (node.finished != kNoTime) {
    scope.set(prefix + ".finishedAt", time_text(node.finished));
  }
  scope.set(prefix + ".status", std::string(name_of(outcome_of(node))));
  if (!nodes_->ip(speaker).empty()) {
    scope.set(prefix + ".ip", nodes_->ip(speaker));
  }
  if (!nodes_->host(speaker).empty()) {
    scope.set(prefix + ".hostNodeName", nodes_->host(speaker));
  }
  const Outputs outputs = outputs_of(speaker);
  if (outputs.result) {
    scope.set(prefix + ".outputs.result", *outputs.result);
  }
  if (outputs.exit_code) {
    scope.set(prefix + ".exitCode", *outputs.exit_code);
  }
  for (const Parameter& parameter : outputs.parameters) {
    if (parameter.value) {
      scope.set(prefix + ".outputs.parameters." + parameter.name, *parameter.value);
    }
  }
}

/// What a skipped or omitted step's template declares as outputs: defaults, or absent optionals.
void Engine::Machine::add_skipped_outputs(Scope& scope, const BoundaryFrame& frame,
                                          std::uint32_t number, const std::string& prefix) {
  const Node& node = (*nodes_)[frame.results[number]];
  if (node.outputs || (node.phase != NodePhase::skipped && node.phase != NodePhase::omitted)) {
    return;
  }
  const auto compiled =
      catalog_.resolve(*frame.compiled->base, *frame.compiled->calls[number].call);
  if (!compiled) {
    return;
  }
  const Outputs& declared = (*compiled)->definition.outputs;
  for (const Parameter& parameter : declared.parameters) {
    const std::string key = prefix + ".outputs.parameters." + parameter.name;
    if (parameter.value_from && parameter.value_from->default_value) {
      scope.set(key, *parameter.value_from->default_value);
    } else {
      scope.set_absent(key);
    }
  }
  if (declared.result) {
    scope.set_absent(prefix + ".outputs.result");
  }
}

/// A skipped step's artifacts can be named, but are nowhere; a skipped task's cannot.
void Engine::Machine::add_skipped_artifacts(Scope& scope, const BoundaryFrame& frame,
                                            std::uint32_t number, const std::string& prefix) const {
  const Node& node = (*nodes_)[frame.results[number]];
  if (frame.compiled->definition.dag || node.outputs || node.phase != NodePhase::skipped) {
    return;
  }
  const auto compiled =
      catalog_.resolve(*frame.compiled->base, *frame.compiled->calls[number].call);
  if (!compiled) {
    return;
  }
  for (const Artifact& artifact : (*compiled)->definition.outputs.artifacts) {
    scope.set_value(prefix + artifact.name, variable_of(Artifact{}));
  }
}

/// The outputs of the steps or tasks a text names; of all when `mentions` is null.
void Engine::Machine::add_call_variables(Scope& scope, BoundaryFrame& frame,
                                         const Mentions* mentions) {
  const std::string prefix = call_prefix(frame);
  const auto add = [&](std::uint32_t number) {
    const NodeIndex node = frame.results[number];
    if (node == kNoNode || !(*nodes_)[node].done) {
      return;
    }
    const std::string name = prefix + frame.compiled->calls[number].call->name;
    add_node_variables(scope, name, node);
    const NodeType type = (*nodes_)[node].type;
    if (type == NodeType::step_group || type == NodeType::task_group) {
      add_aggregates(scope, frame, number, name);
    }
    add_skipped_outputs(scope, frame, number, name);
  };
  if (mentions != nullptr && !mentions->all) {
    for (const std::uint32_t number : mentions->numbers) {
      add(number);
    }
    return;
  }
  for (std::uint32_t number = 0; number < frame.results.size(); ++number) {
    add(number);
  }
}

/// Artifacts that `from` and fromExpression can name: inputs, outputs of steps, global ones.
void Engine::Machine::add_artifacts(Scope& scope, const BoundaryFrame& frame,
                                    const Mentions* mentions) const {
  const SharedText& text = (*nodes_)[frame.node].inputs;
  if (text && !frame.compiled->definition.inputs.artifacts.empty()) {
    const auto value = doc::parse_json(*text);
    const auto inputs = value ? decode_arguments(*value) : Result<Arguments>(Arguments{});
    for (const Artifact& artifact : inputs ? inputs->artifacts : std::vector<Artifact>{}) {
      scope.set_value("inputs.artifacts." + artifact.name, variable_of(artifact));
    }
  }
  const std::string prefix = call_prefix(frame);
  const auto add = [&](std::uint32_t number) {
    const NodeIndex node = frame.results[number];
    if (node == kNoNode || !(*nodes_)[node].done) {
      return;
    }
    const std::string name =
        prefix + frame.compiled->calls[number].call->name + ".outputs.artifacts.";
    for (const Artifact& artifact : outputs_of(speaker_of(node)).artifacts) {
      scope.set_value(name + artifact.name, variable_of(artifact));
    }
    add_skipped_artifacts(scope, frame, number, name);
  };
  if (mentions != nullptr && !mentions->all) {
    for (const std::uint32_t number : mentions->numbers) {
      add(number);
    }
  } else {
    for (std::uint32_t number = 0; number < frame.results.size(); ++number) {
      add(number);
    }
  }
  for (const Artifact& artifact : global_outputs_.artifacts) {
    scope.set_value("workflow.outputs.artifacts." + artifact.name, variable_of(artifact));
  }
}

/// The step's or task's name in a node's name, without loop index and attempt: "a.fanout(0:1)(0)"
/// gives "fanout".
std::string plain_call_name(std::string_view name) {
  while (!name.empty() && (name.back() == ')' || name.back() == ']')) {
    const std::size_t open = name.find_last_of(name.back() == ')' ? '(' : '[');
    if (open == std::string_view::npos) {
      break;
    }
    name = name.substr(0, open);
  }
  const std::size_t dot = name.find_last_of('.');
  return std::string(dot == std::string_view::npos ? name : name.substr(dot + 1));
}

}  // namespace tiphys::workflows

#include "lang/names/names.h"
#include "workflows/engine/machine.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

/// What stands for an argument that refers to an output which does not exist because its step was
/// skipped: the callee treats it as not supplied (upstream's word for it, users see it in no
/// place).
constexpr std::string_view kAbsentArgument = "__argo-internal.absent-optional-output__";

const Parameter* find_parameter(const Arguments& arguments, std::string_view name) {
  const auto found = std::find_if(arguments.parameters.begin(), arguments.parameters.end(),
                                  [&](const Parameter& p) { return p.name == name; });
  return found == arguments.parameters.end() ? nullptr : &*found;
}

const Artifact* find_artifact(const Arguments& arguments, std::string_view name) {
  const auto found = std::find_if(arguments.artifacts.begin(), arguments.artifacts.end(),
                                  [&](const Artifact& a) { return a.name == name; });
  return found == arguments.artifacts.end() ? nullptr : &*found;
}

bool is_boundary(TemplateType type) {
  return type == TemplateType::steps || type == TemplateType::dag;
}

bool has_location(const Artifact& artifact) {
  return artifact.location.is_object() && !artifact.location.get_object().empty();
}

Result<> fill_artifacts(Inputs& inputs, const Arguments& arguments) {
  for (Artifact& declared : inputs.artifacts) {
    const Artifact* argument = find_artifact(arguments, declared.name);
    if (!declared.optional && !has_location(declared)) {
      if (argument == nullptr) {
        return fail(ErrorCode::bad_request,
                    "inputs.artifacts." + declared.name + " was not supplied");
      }
      if (!has_location(*argument)) {
        return fail(ErrorCode::bad_request,
                    "inputs.artifacts." + declared.name + " missing location information");
      }
    }
    if (argument != nullptr) {
      Artifact filled = *argument;
      filled.path = declared.path;
      filled.mode = declared.mode;
      filled.recurse_mode = declared.recurse_mode;
      declared = std::move(filled);
    }
  }
  return {};
}

}  // namespace

NodeType node_type_for(TemplateType type) {
  switch (type) {
    case TemplateType::steps:
      return NodeType::steps;
    case TemplateType::dag:
      return NodeType::dag;
    case TemplateType::suspend:
      return NodeType::suspend;
    case TemplateType::http:
      return NodeType::http;
    case TemplateType::plugin:
      return NodeType::plugin;
    default:
      return NodeType::pod;
  }
}

NodePhase first_phase_of(NodeType type) {
  switch (type) {
    case NodeType::steps:
    case NodeType::dag:
    case NodeType::retry:
    case NodeType::suspend:
      return NodePhase::running;
    default:
      return NodePhase::pending;
  }
}

Result<> Engine::Machine::fill_from_config_map(Parameter& parameter) const {
  const auto substituted = [&](std::string_view text) -> Result<std::string> {
    std::string json;
    doc::append_json_string(json, text);
    auto replaced = replace_tags(std::move(json), globals_, Strictness::all);
    if (!replaced) {
      return std::unexpected(
          std::move(replaced).error().with_context("failed to substitute configMapKeyRef"));
    }
    TRY(auto value, doc::parse_json(*replaced));
    return std::string(doc::text_of(value.as_string()));
  };
  const ConfigMapKey& source = *parameter.value_from->config_map_key;
  TRY(auto name, substituted(source.name));
  TRY(auto key, substituted(source.key));
  auto value = config_map_value(references_, name, key);
  if (value) {
    parameter.value = std::move(*value);
    return {};
  }
  if (!parameter.value_from->default_value || value.error().code != ErrorCode::not_found) {
    return fail(ErrorCode::bad_request, "unable to retrieve inputs.parameters." + parameter.name +
                                            " from ConfigMap: " + value.error().message);
  }
  parameter.value = parameter.value_from->default_value;
  return {};
}

Result<> Engine::Machine::fill_parameter(Parameter& parameter, const Arguments& arguments) const {
  if (!parameter.value && parameter.default_value) {
    parameter.value = parameter.default_value;
  }
  const Parameter* argument = find_parameter(arguments, parameter.name);
  if (argument != nullptr && argument->value && *argument->value == kAbsentArgument) {
    if (!parameter.value && !parameter.value_from) {
      return fail(ErrorCode::bad_request,
                  "inputs.parameters." + parameter.name +
                      ": argument references an absent optional (skipped/omitted node output with "
                      "no default)");
    }
  } else if (argument != nullptr) {
    parameter.value = argument->value;
    if (argument->value) {
      parameter.value_from.reset();
    } else {
      parameter.value_from = argument->value_from;
    }
  }
  if (parameter.value_from && parameter.value_from->config_map_key) {
    return fill_from_config_map(parameter);
  }
  if (!parameter.value) {
    return fail(ErrorCode::bad_request,
                "inputs.parameters." + parameter.name + " was not supplied");
  }
  return {};
}

Result<Inputs> Engine::Machine::fill_inputs(const CompiledTemplate& compiled,
                                            const Arguments& arguments) const {
  Inputs inputs = compiled.definition.inputs;
  for (Parameter& parameter : inputs.parameters) {
    TRY_VOID(fill_parameter(parameter, arguments));
  }
  TRY_VOID(fill_artifacts(inputs, arguments));
  return inputs;
}

NodeIndex Engine::Machine::error_node(const Launch& launch, std::string error, bool bubbles) {
  const NodeIndex index = create_node(launch, NodeType::skipped, NodePhase::error);
  (*nodes_)[index].message = error;
  if (bubbles) {
    bubbling_[index] = std::move(error);
  }
  return index;
}

NodeIndex Engine::Machine::skipped_node(const Launch& launch, NodePhase phase,
                                        std::string message) {
  const NodeIndex index = create_node(launch, NodeType::skipped, phase);
  (*nodes_)[index].message = std::move(message);
  (*nodes_)[index].has_flag = true;
  return index;
}

Launched Engine::Machine::launch(const Launch& launch) {
  if (refuse_depth(launch)) {
    return Launched::started;
  }
  if (parallelism_reached(launch)) {
    return Launched::blocked;
  }
  --budget_;
  const auto compiled = catalog_.resolve(*launch.base, *launch.call);
  if (!compiled) {
    error_node(launch, compiled.error().message, true);
    return Launched::started;
  }
  auto inputs = fill_inputs(**compiled, *launch.arguments);
  if (!inputs) {
    error_node(launch, inputs.error().message, true);
    return Launched::started;
  }
  const bool retried = has_retry(**compiled);
  const NodeType type = retried ? NodeType::retry : node_type_for((*compiled)->definition.type);
  const bool gated = !(*compiled)->gate.text().empty();
  const NodeIndex index =
      create_node(launch, type, gated ? NodePhase::pending : first_phase_of(type));
  if (is_boundary((*compiled)->definition.type) && refuse_recursion(index)) {
    return Launched::started;
  }
  if (!inputs->parameters.empty() || !inputs->artifacts.empty()) {
    auto text = input_text(*inputs, index);
    if (!text) {
      fail_with(index, text.error().message);
      return Launched::started;
    }
    (*nodes_)[index].inputs = std::make_shared<const std::string>(std::move(*text));
  }
  if (auto named = set_display_name(index, **compiled); !named) {
    fail_with(index, named.error().message);
    return Launched::started;
  }
  if (gated && !pass_gate(index, **compiled)) {
    return Launched::started;
  }
  start_template(index, **compiled, launch.depth);
  return Launched::started;
}

Result<std::string> Engine::Machine::input_text(const Inputs& inputs, NodeIndex index) const {
  std::string text = doc::to_json(encode_inputs(inputs), {.escape_html = false});
  if (!text.contains("{{")) {
    return text;
  }
  Scope locals(&globals_);
  set_locals(locals, index);
  return replace_tags(std::move(text), locals, Strictness::lenient);
}

Result<> Engine::Machine::set_display_name(NodeIndex index, const CompiledTemplate& compiled) {
  if (compiled.display_name.text().empty()) {
    return {};
  }
  NodeScope scope(&globals_);
  fill_scope(scope, compiled, index);
  const auto text = replace_in_passes(compiled.display_name, scope.locals, scope.inputs);
  const auto name = text ? doc::parse_json(*text) : Result<doc::Value>(doc::Value());
  if (name && name->is_string() && !name->get_string().empty()) {
    const std::string_view shown = doc::text_of(name->get_string());
    TRY_VOID(lang::check_display_name(shown));
    (*nodes_)[index].display_name_override = shown;
  }
  return {};
}

void Engine::Machine::start_template(NodeIndex index, const CompiledTemplate& compiled, int depth) {
  if ((*nodes_)[index].type == NodeType::retry) {
    retries_.emplace(index, RetryFrame{.compiled = &compiled, .depth = depth});
    start_attempt(index);
    return;
  }
  switch (compiled.definition.type) {
    case TemplateType::container:
    case TemplateType::container_set:
    case TemplateType::script:
      start_pod(index, compiled);
      return;
    case TemplateType::steps:
      start_steps(index, compiled, depth);
      return;
    case TemplateType::dag:
      start_dag(index, compiled, depth);
      return;
    case TemplateType::suspend:
      start_suspend(index, compiled);
      return;
    default:
      fail_with(index, "template '" + compiled.definition.name + "' is of type " +
                           std::string(name_of(compiled.definition.type)) +
                           ", which cannot be run here; container, containerSet, script, steps, "
                           "dag and suspend can");
  }
}

void Engine::Machine::open_boundary(BoundaryFrame& frame, NodeIndex index,
                                    const CompiledTemplate& compiled, int depth) {
  frame.node = index;
  frame.compiled = &compiled;
  frame.depth = depth;
  frame.results.assign(compiled.calls.size(), kNoNode);
  fill_scope(frame, compiled, index);
  if (const Node& node = (*nodes_)[index]; node.retried) {
    set_retry_variables(frame.locals, node.owner, node.slot);
  }
}

const CompiledCall* Engine::Machine::call_of(NodeIndex index) const {
  const BoundaryFrame* frame = boundary_frame((*nodes_)[index].boundary);
  return frame == nullptr ? nullptr : call_in(index, *frame->compiled);
}

/// The step or task of the template `around` that a node was made for, or null.
const CompiledCall* Engine::Machine::call_in(NodeIndex index,
                                             const CompiledTemplate& around) const {
  const Node& node = (*nodes_)[index];
  if (node.hooked || node.owner == kNoNode || node.type == NodeType::step_group) {
    return nullptr;
  }
  const Node& owner = (*nodes_)[node.owner];
  if (owner.type == NodeType::retry) {
    return call_in(node.owner, around);
  }
  const std::uint32_t number = owner.type == NodeType::task_group ? owner.slot : node.slot;
  return number < around.calls.size() ? &around.calls[number] : nullptr;
}

Result<const CompiledTemplate*> Engine::Machine::compiled_of(NodeIndex index) const {
  const BoundaryFrame* frame = boundary_frame((*nodes_)[index].boundary);
  return compiled_around(index, frame == nullptr ? nullptr : frame->compiled);
}

/// The same without frames, which nodes that have ended do not have any more.
Result<const CompiledTemplate*> Engine::Machine::compiled_by_names(NodeIndex index) const {
  const NodeIndex boundary = (*nodes_)[index].boundary;
  if (boundary == kNoNode || !nodes_->call(index).target().empty()) {
    return compiled_around(index, nullptr);
  }
  TRY(const CompiledTemplate* around, compiled_by_names(boundary));
  return compiled_around(index, around);
}

/// The template behind a node; `around` is that of its boundary, which knows inline templates.
Result<const CompiledTemplate*> Engine::Machine::compiled_around(
    NodeIndex index, const CompiledTemplate* around) const {
  const NodeCall& named = nodes_->call(index);
  TRY(const TemplateBase* base, catalog_.base_of(named.template_scope));
  Call call;
  call.template_name = named.template_name;
  call.template_ref = named.template_ref;
  if (call.template_name.empty() && !call.template_ref) {
    const CompiledCall* compiled = around == nullptr ? nullptr : call_in(index, *around);
    if (compiled == nullptr || !compiled->call->inline_template) {
      return fail(ErrorCode::internal, "failed to get a template");
    }
    call.name = compiled->call->name;
    call.inline_template = compiled->call->inline_template;
  }
  return catalog_.resolve(*base, call);
}

}  // namespace tiphys::workflows

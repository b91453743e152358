#include "lang/tags/tag_text.h"
#include "workflows/engine/machine.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

/// The variable behind `parameter: "{{steps.a.outputs.parameters.b}}"`.
Result<std::optional<std::string>> referred_value(std::string_view reference, const Scope& scope) {
  TRY(auto resolved, lang::resolve_tag(reference, scope));
  if (resolved.value.is_nil()) {
    return std::nullopt;
  }
  return resolved.value.kind() == lang::ExprKind::string ? std::string(resolved.value.as_string())
                                                         : resolved.value.text();
}

Result<Parameter> output_parameter(const Parameter& declared, const Scope& scope) {
  if (!declared.value_from) {
    return fail(ErrorCode::bad_request, "output parameters must have a valueFrom specified");
  }
  const ValueFrom& source = *declared.value_from;
  Parameter out = declared;
  out.value_from.reset();
  Result<std::optional<std::string>> value = std::optional<std::string>("");
  if (source.expression) {
    auto text = evaluate_text(*source.expression, scope);
    value = text ? Result<std::optional<std::string>>(std::move(*text))
                 : std::unexpected(std::move(text).error());
  } else if (source.parameter) {
    value = referred_value(*source.parameter, scope);
  }
  if ((!value || !*value) && source.default_value) {
    out.value = source.default_value;
    return out;
  }
  if (!value) {
    return std::unexpected(std::move(value).error());
  }
  if (!*value) {
    std::string what;
    doc::append_json_string(what, source.parameter.value_or(""), false);
    return fail(ErrorCode::bad_request,
                "output parameter \"" + declared.name + "\": " + what +
                    " is an absent optional (skipped/omitted node output with no default)");
  }
  out.value = std::move(*value);
  return out;
}

}  // namespace

Outputs Engine::Machine::outputs_of(NodeIndex index) const {
  const SharedText& text = (*nodes_)[index].outputs;
  if (!text) {
    return {};
  }
  const auto value = doc::parse_json(*text);
  auto outputs = value ? decode_outputs(*value) : Result<Outputs>(Outputs{});
  return outputs ? std::move(*outputs) : Outputs{};
}

void Engine::Machine::set_outputs(NodeIndex index, const Outputs& outputs) {
  std::string text = doc::to_json(encode_outputs(outputs), {.escape_html = false});
  // Most outputs are an exit code and nothing else: they share one text.
  const bool common = outputs.parameters.empty() && outputs.artifacts.empty() && !outputs.result;
  if (common) {
    SharedText& shared = common_outputs_[text];
    if (!shared) {
      shared = std::make_shared<const std::string>(text);
    }
    (*nodes_)[index].outputs = shared;
  } else {
    (*nodes_)[index].outputs = std::make_shared<const std::string>(std::move(text));
  }
  mark(index);
}

/// What a steps or DAG template's outputs are, once everything in it has ended; nothing when it
/// declares none.
Result<std::optional<Outputs>> Engine::Machine::outputs_from_scope(BoundaryFrame& frame) {
  const CompiledTemplate& compiled = *frame.compiled;
  if (compiled.definition.outputs.parameters.empty() &&
      compiled.definition.outputs.artifacts.empty()) {
    return std::nullopt;
  }
  Outputs declared = compiled.definition.outputs;
  if (compiled.outputs.has_tags()) {
    TRY(auto text, replace_in_passes(compiled.outputs, frame.locals, frame.inputs));
    TRY(auto value, doc::parse_json(text));
    TRY(declared, decode_outputs(value));
  }
  Scope results(&frame.inputs);
  add_call_variables(results, frame, &compiled.output_mentions);
  Scope scope(&results);
  add_artifacts(scope, frame, &compiled.output_mentions);
  Outputs out;
  for (const Parameter& parameter : declared.parameters) {
    TRY(out.parameters.emplace_back(), output_parameter(parameter, scope));
  }
  for (const Artifact& artifact : declared.artifacts) {
    if (artifact.from.empty() && artifact.from_expression.empty()) {
      continue;
    }
    auto resolved = resolve_artifact(artifact, scope);
    if (!resolved) {
      if (artifact.optional && resolved.error().message.contains("Unable to resolve")) {
        continue;
      }
      return std::unexpected(
          std::move(resolved).error().with_context("unable to resolve outputs from scope"));
    }
    resolved->name = artifact.name;
    resolved->global_name = artifact.global_name;
    out.artifacts.push_back(std::move(*resolved));
  }
  return out;
}

void Engine::Machine::export_globals(const Outputs& outputs) {
  for (const Parameter& parameter : outputs.parameters) {
    if (parameter.global_name.empty() || !parameter.value) {
      continue;
    }
    globals_.set("workflow.outputs.parameters." + parameter.global_name, *parameter.value);
    auto& known = global_outputs_.parameters;
    auto found = std::ranges::find(known, parameter.global_name, &Parameter::name);
    if (found == known.end()) {
      found = known.insert(known.end(), Parameter{.name = parameter.global_name});
    }
    found->value = parameter.value;
    decisions_.workflow_changed = true;
  }
  for (const Artifact& artifact : outputs.artifacts) {
    if (artifact.global_name.empty()) {
      continue;
    }
    Artifact exported = artifact;
    exported.name = std::exchange(exported.global_name, "");
    exported.path.clear();
    auto& known = global_outputs_.artifacts;
    const auto found = std::ranges::find(known, exported.name, &Artifact::name);
    if (found == known.end()) {
      known.push_back(std::move(exported));
    } else {
      *found = std::move(exported);
    }
    decisions_.workflow_changed = true;
  }
}

/// The elements of a loop in order, as far as they succeeded.
std::vector<NodeIndex> Engine::Machine::succeeded_elements(const BoundaryFrame& frame,
                                                           std::uint32_t number) const {
  std::vector<NodeIndex> out;
  const NodeIndex group = frame.results[number];
  const bool is_task_group = (*nodes_)[group].type == NodeType::task_group;
  for (const NodeIndex child : (*nodes_)[group].children) {
    const Node& node = (*nodes_)[child];
    if (!node.hooked && (is_task_group || node.slot == number) &&
        outcome_of(node) == NodePhase::succeeded) {
      out.push_back(child);
    }
  }
  return out;
}

/// outputs.result, outputs.parameters and outputs.parameters.<name> of a whole loop, computed once.
Result<> Engine::Machine::compute_aggregate(BoundaryFrame& frame, std::uint32_t number) {
  if (frame.aggregates.contains(number)) {
    return {};
  }
  std::vector<std::string> results;
  std::map<std::string, std::vector<std::string>> values;
  doc::Array list;
  for (const NodeIndex element : succeeded_elements(frame, number)) {
    const Outputs outputs = outputs_of(element);
    if (outputs.result) {
      results.push_back(*outputs.result);
    }
    if (outputs.parameters.empty()) {
      continue;
    }
    doc::Object entry;
    for (const Parameter& parameter : outputs.parameters) {
      entry[parameter.name] = parameter.value.value_or("");
      values[parameter.name].push_back(parameter.value.value_or(""));
    }
    list.push_back(std::move(entry));
  }
  Aggregate aggregate;
  TRY(auto all_results, aggregate_results(results));
  aggregate.emplace_back(".outputs.result", std::move(all_results));
  aggregate.emplace_back(".outputs.parameters", doc::to_json(list, {.sort_keys = true}));
  for (const auto& [name, texts] : values) {
    aggregate.emplace_back(".outputs.parameters." + name, aggregate_values(texts));
  }
  frame.aggregates.emplace(number, std::move(aggregate));
  return {};
}

void Engine::Machine::add_aggregates(Scope& scope, BoundaryFrame& frame, std::uint32_t number,
                                     const std::string& prefix) {
  if (!compute_aggregate(frame, number)) {
    return;
  }
  for (const auto& [suffix, text] : frame.aggregates.at(number)) {
    scope.set(prefix + suffix, text);
  }
}

}  // namespace tiphys::workflows

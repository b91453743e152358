#include "workflows/validate/names.h"
#include "workflows/validate/workflow_check.h"

#include <boost/json.hpp>

namespace tiphys::workflows {

std::string_view items_suffix(const Call& call) {
  return call.with_sequence ? ".withSequence" : ".withParam";
}

bool is_aggregate(const Call& call) {
  const bool has_items =
      call.has_with_items && call.with_items.is_array() && !call.with_items.get_array().empty();
  return has_items || !call.with_param.value_or("").empty();
}

bool has_exit_hook(const Call& call) {
  return !call.on_exit.empty() || call.hooks.contains("exit");
}

Result<> add_items(const Call& call, TagNames& names) {
  const doc::Array* items = call.has_with_items ? call.with_items.if_array() : nullptr;
  const bool has_items = items != nullptr && !items->empty();
  const bool has_parameter = !call.with_param.value_or("").empty();
  if (int{has_items} + int{has_parameter} + int{call.with_sequence.has_value()} > 1) {
    return fail(ErrorCode::invalid,
                "only one of withItems, withParam, withSequence can be specified");
  }
  if (call.with_sequence && call.with_sequence->count && call.with_sequence->end) {
    return fail(ErrorCode::invalid, "only one of count or end can be defined in withSequence");
  }
  if (has_parameter || call.with_sequence) {
    names.add("item");
  }
  if (has_parameter) {
    names.add(std::string(kAnyItem));
  }
  if (!has_items) {
    return {};
  }
  for (const doc::Value& item : *items) {
    if (const auto* list = item.if_array()) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        names.add("item.[" + std::to_string(i) + "]");
      }
    } else if (const auto* map = item.if_object()) {
      for (const auto& [key, value] : *map) {
        names.add("item." + std::string(key.data(), key.size()));
      }
    } else {
      names.add("item");
    }
  }
  return {};
}

void WorkflowCheck::add_global(std::string_view prefix, std::string_view any,
                               const std::string& name, TagNames& names) {
  if (name.empty()) {
    return;
  }
  if (holds_parameter_tag(name)) {
    names.add(std::string(any));
    return;
  }
  const std::string global = std::string(prefix) + name;
  names.add(global);
  globals_.set(global, next_placeholder());
}

void WorkflowCheck::add_outputs(const Template* called, std::string_view kind,
                                const std::string& name, TagNames& names, bool aggregate) {
  const std::string node = std::string(kind) + "." + name + ".";
  for (const std::string_view field : {"id", "startedAt", "finishedAt", "hostNodeName"}) {
    names.add(node + std::string(field));
  }
  if (called == nullptr) {
    return;
  }
  if (called->daemon) {
    names.add(node + "ip");
  }
  const bool has_aggregated_result =
      called->type == TemplateType::script || called->type == TemplateType::container_set;
  if (has_result(*called) || (aggregate && has_aggregated_result)) {
    names.add(node + "outputs.result");
    names.add(node + "exitCode");
  }
  for (const Parameter& parameter : called->outputs.parameters) {
    names.add(node + "outputs.parameters." + parameter.name);
    add_global("workflow.outputs.parameters.", kAnyGlobalParameter, parameter.global_name, names);
  }
  for (const Artifact& artifact : called->outputs.artifacts) {
    names.add(node + "outputs.artifacts." + artifact.name);
    add_global("workflow.outputs.artifacts.", kAnyGlobalArtifact, artifact.global_name, names);
  }
  if (aggregate) {
    names.add(node + "outputs.parameters");
  }
}

Result<> WorkflowCheck::check_step_tags(const Frame& frame, const Call& step, const Place& place) {
  TagNames names(&frame.names);
  if (step.inline_template != nullptr) {
    for (const Parameter& parameter : step.inline_template->inputs.parameters) {
      names.add("inputs.parameters." + parameter.name);
    }
  }
  return check_tags_of(names, step.document, place);
}

Result<> WorkflowCheck::check_step(const Frame& frame, std::size_t group, std::size_t index,
                                   std::unordered_set<std::string_view>& seen) {
  const Call& step = frame.filled.steps[group][index];
  const std::string list =
      "templates." + frame.filled.name + ".steps[" + std::to_string(group) + "]";
  const Place place = frame.place.element(".steps", group).element("", index);
  if (step.name.empty()) {
    return fail_at(place, ".name", list + ".name is required");
  }
  if (!seen.insert(step.name).second) {
    return fail_at(place, ".name", list + ".name '" + step.name + "' is not unique");
  }
  if (const std::string problem = step_name_problem(step.name); !problem.empty()) {
    return fail_at(place, ".name", list + ".name '" + step.name + "' is invalid: " + problem);
  }
  const std::string prefix = list + "." + step.name;
  frame.names.add("steps." + step.name + ".status");
  if (auto items = add_items(step, frame.names); !items) {
    return fail_at(place, items_suffix(step), prefix + " " + items.error().message);
  }
  const Place arguments = place.below(".arguments");
  TRY_VOID(check_arguments(prefix + ".arguments.", step.arguments, arguments, false));
  const Caller caller = Caller::of(step, place);
  auto resolved = check_call(caller, {}, frame.base);
  if (!resolved) {
    return behind(prefix + " ", std::move(resolved).error());
  }
  if (has_exit_hook(step)) {
    add_outputs(resolved->called, "steps", step.name, frame.names, false);
  }
  TRY_VOID(check_hooks(step.hooks, prefix, place.below(".hooks")));
  if (auto tags = check_step_tags(frame, step, place); !tags) {
    return behind("templates." + frame.filled.name + ".steps ", std::move(tags).error());
  }
  add_outputs(resolved->called, "steps", step.name, frame.names, is_aggregate(step));
  // A second time, with the step's own arguments: what it does not supply.
  resolved = check_call(caller, {&step.arguments, find_in(step.document, "arguments"), arguments},
                        frame.base);
  if (!resolved) {
    return behind(prefix + " ", std::move(resolved).error());
  }
  return {};
}

Result<> WorkflowCheck::check_steps(const Frame& frame) {
  if (frame.filled.active_deadline_seconds) {
    return fail_at(frame.place, ".activeDeadlineSeconds",
                   "templates." + frame.filled.name +
                       ".activeDeadlineSeconds is only valid for leaf templates");
  }
  std::unordered_set<std::string_view> seen;
  for (std::size_t group = 0; group < frame.filled.steps.size(); ++group) {
    for (std::size_t index = 0; index < frame.filled.steps[group].size(); ++index) {
      TRY_VOID(check_step(frame, group, index, seen));
    }
  }
  return {};
}

}  // namespace tiphys::workflows

#include "workflows/validate/names.h"
#include "workflows/validate/workflow_check.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tiphys::workflows {
namespace {

/// Calls within calls. Upstream stops a run at 100, so nothing that can run is refused; its lint
/// has no limit.
constexpr std::size_t kDeepestCalls = 128;

constexpr std::string_view kTypeChoice =
    " choose one of: container, containerSet, steps, script, resource, dag, suspend, template, "
    "template ref";

Result<> check_retry_policy(const Template& called, const Place& place) {
  static constexpr std::array<std::string_view, 5> kPolicies = {"", "Always", "OnError",
                                                                "OnFailure", "OnTransientError"};
  if (!called.retry_strategy ||
      std::ranges::find(kPolicies, called.retry_strategy->retry_policy) != kPolicies.end()) {
    return {};
  }
  return fail_at(place, ".retryStrategy.retryPolicy",
                 called.retry_strategy->retry_policy + " is not a valid RetryPolicy");
}

Result<> check_init_containers(const Template& called, const Place& place) {
  const doc::Value* containers = find_in(called.document, "initContainers");
  if (containers == nullptr || !containers->is_array()) {
    return {};
  }
  for (std::size_t i = 0; i < containers->get_array().size(); ++i) {
    if (doc::find_string(containers->get_array()[i], "name").empty()) {
      return fail_at(place.element(".initContainers", i), ".name",
                     "initContainers must all have container name");
    }
  }
  return {};
}

Result<> check_own_pod_resources(const Template& called, const Place& place) {
  const doc::Value* resources = find_in(called.document, "podResources");
  if (resources == nullptr) {
    return {};
  }
  const std::string prefix = "templates." + called.name + ".podResources";
  const Place at = place.below(".podResources");
  if (called.type == TemplateType::http || called.type == TemplateType::plugin) {
    return fail_at(
        at, "",
        prefix + " is not supported for " + std::string(type_text(called.type)) + " templates");
  }
  return check_pod_resources(resources, prefix, at);
}

Result<> check_input_artifact(const Template& called, const Artifact& artifact,
                              const Place& place) {
  const std::string prefix = "templates." + called.name + ".inputs.artifacts." + artifact.name;
  if (is_leaf(called)) {
    if (std::string problem = artifact_path_problem(artifact); !problem.empty()) {
      return fail_at(place, ".path", "error in " + prefix + ": " + problem);
    }
  } else if (!artifact.path.empty()) {
    return fail_at(place, ".path", prefix + ".path only valid in container/script templates");
  }
  if (!artifact.from.empty()) {
    return fail_at(place, ".from", prefix + ".from not valid in inputs");
  }
  return check_artifact_location(prefix, artifact.location, place);
}

}  // namespace

std::string_view type_text(TemplateType type) {
  static constexpr std::array<std::string_view, 11> kTexts = {
      "Unknown", "Container", "ContainerSet", "Script", "Resource", "Steps",
      "DAG",     "Suspend",   "HTTP",         "Data",   "Plugin"};
  return kTexts.at(static_cast<std::size_t>(type));
}

bool is_leaf(const Template& checked) {
  return checked.is_pod() || checked.type == TemplateType::http ||
         checked.type == TemplateType::plugin;
}

bool has_result(const Template& checked) {
  switch (checked.type) {
    case TemplateType::container:
    case TemplateType::script:
    case TemplateType::data:
    case TemplateType::http:
    case TemplateType::plugin:
      return true;
    case TemplateType::container_set: {
      const doc::Value* containers = find_in(checked.body, "containers");
      return containers != nullptr && containers->is_array() &&
             std::ranges::any_of(containers->get_array(), [](const doc::Value& container) {
               return doc::find_string(container, "name") == "main";
             });
    }
    default:
      return false;
  }
}

WorkflowCheck::Caller WorkflowCheck::Caller::of(const Call& call, const Place& place) {
  return {.name = call.template_name,
          .ref = call.template_ref ? &*call.template_ref : nullptr,
          .inline_template = call.inline_template.get(),
          .place = place};
}

Result<WorkflowCheck::Resolved> WorkflowCheck::resolve_ref(const Caller& caller) {
  const TemplateRef& ref = *caller.ref;
  const Place place = caller.place.below(caller.ref_suffix);
  if (!caller.name.empty()) {
    return fail_at(caller.place, caller.name_suffix,
                   "template name cannot be specified with templateRef");
  }
  if (ref.name.empty()) {
    return fail_at(place, ".name", "resource name is required");
  }
  if (ref.template_name.empty()) {
    return fail_at(place, ".template", "template name is required");
  }
  if (ref.name.find("{{") != std::string::npos ||
      ref.template_name.find("{{") != std::string::npos) {
    return Resolved{};
  }
  auto found = library_.find(ref.name, ref.cluster_scope, subject_.name_space);
  const bool is_missing = !found && found.error().code == ErrorCode::not_found;
  if (!found && !is_missing) {
    return moved_to(place, ".name", std::move(found).error());
  }
  const TemplateBase* base = found ? *found : nullptr;
  const Template* called = base == nullptr ? nullptr : base->find(ref.template_name);
  if (called == nullptr) {
    if (holds_placeholder(ref.template_name)) {
      return Resolved{};
    }
    return fail_at(place, base == nullptr ? ".name" : ".template",
                   "template reference " + ref.name + "." + ref.template_name + " not found");
  }
  return Resolved{called, base, Place::fixed(place.path())};
}

Result<WorkflowCheck::Resolved> WorkflowCheck::resolve(const Caller& caller,
                                                       const TemplateBase& base) {
  if (caller.inline_template != nullptr && caller.ref == nullptr && caller.name.empty()) {
    return Resolved{caller.inline_template, &base, caller.place.below(".inline")};
  }
  if (caller.ref != nullptr) {
    TRY(Resolved resolved, resolve_ref(caller));
    if (resolved.called != nullptr && caller.inline_template != nullptr) {
      resolved.called = caller.inline_template;
      resolved.place = caller.place.below(".inline");
    }
    return resolved;
  }
  if (caller.name.empty()) {
    return fail_at(caller.place, "", "failed to get a template");
  }
  const auto index = base.by_name.find(std::string(caller.name));
  if (index == base.by_name.end()) {
    return fail_at(caller.place, caller.name_suffix,
                   "template name '" + std::string(caller.name) + "' undefined");
  }
  if (caller.inline_template != nullptr) {
    return Resolved{caller.inline_template, &base, caller.place.below(".inline")};
  }
  const Place place = base.is_local ? subject_.place.element(".templates", index->second)
                                    : Place::fixed(caller.place.path());
  return Resolved{&base.spec.templates[index->second], &base, place};
}

Result<WorkflowCheck::Resolved> WorkflowCheck::check_call(const Caller& caller,
                                                          const Supply& supply,
                                                          const TemplateBase& base) {
  TRY(Resolved resolved, resolve(caller, base));
  if (resolved.called == nullptr) {
    return resolved;
  }
  const Template& called = *resolved.called;
  if (called.type == TemplateType::unknown) {
    return fail_at(resolved.place, "", "template '" + called.name + "' type is unknown");
  }
  if (checked_whole_.contains(&called)) {
    TRY_VOID(check_again(called, supply, resolved.place));
    return resolved;
  }
  TRY_VOID(check_retry_policy(called, resolved.place));
  if (++depth_ > kDeepestCalls) {
    return fail_at(
        caller.place, "",
        "templates call each other more than " + std::to_string(kDeepestCalls) + " levels deep");
  }
  TRY_VOID(check_template(resolved, supply));
  --depth_;
  return resolved;
}

Result<TagNames> WorkflowCheck::names_of_inputs(const Template& called, const Place& place) const {
  const std::string prefix = "templates." + called.name + ".inputs.";
  const Place at = place.below(".inputs");
  TRY_VOID(check_names(called.inputs.parameters, NameRule::parameter, prefix + "parameters",
                       at.below(".parameters")));
  TRY_VOID(check_names(called.inputs.artifacts, NameRule::parameter, prefix + "artifacts",
                       at.below(".artifacts")));
  TagNames names;
  for (const Parameter& parameter : called.inputs.parameters) {
    names.add("inputs.parameters." + parameter.name);
  }
  if (!called.inputs.parameters.empty()) {
    names.add("inputs.parameters");
  }
  for (std::size_t i = 0; i < called.inputs.artifacts.size(); ++i) {
    const Artifact& artifact = called.inputs.artifacts[i];
    names.add("inputs.artifacts." + artifact.name);
    if (is_leaf(called)) {
      names.add("inputs.artifacts." + artifact.name + ".path");
    }
    TRY_VOID(check_input_artifact(called, artifact, at.element(".artifacts", i)));
  }
  return names;
}

Result<> WorkflowCheck::check_template(const Resolved& resolved, const Supply& supply) {
  const Template& called = *resolved.called;
  const Place& place = resolved.place;
  const std::string name = "templates." + called.name;
  if (called.types.size() > 1) {
    return fail_at(place, "",
                   name + " multiple template types specified." + std::string(kTypeChoice));
  }
  TRY_VOID(check_own_pod_resources(called, place));
  TRY(TagNames names, names_of_inputs(called, place));
  TRY_VOID(check_init_containers(called, place));
  if (called.is_pod()) {
    names.add("pod.name");
  }
  if (called.retry_strategy) {
    for (const std::string_view late : {"retries", "lastRetry.exitCode", "lastRetry.status",
                                        "lastRetry.duration", "lastRetry.message"}) {
      names.add(std::string(late));
    }
  }
  if (is_leaf(called)) {
    for (const Artifact& artifact : called.outputs.artifacts) {
      if (!artifact.path.empty()) {
        names.add("outputs.artifacts." + artifact.name + ".path");
      }
    }
    for (const Parameter& parameter : called.outputs.parameters) {
      if (parameter.value_from && !parameter.value_from->path.value_or("").empty()) {
        names.add("outputs.parameters." + parameter.name + ".path");
      }
    }
  }
  auto filled = fill(called, supply, place);
  if (!filled) {
    return behind(name + " ", std::move(filled).error());
  }
  if (find_in(called.document, "resourceClaims") != nullptr && !filled->is_pod()) {
    return fail_at(place, ".resourceClaims",
                   name + ".resourceClaims is not supported for " +
                       std::string(type_text(filled->type)) +
                       " templates, which do not create a pod");
  }
  TRY_VOID(check_timeouts(called, *filled, place));
  // Upstream tells templates apart by name: of all inline ones, which have none, it checks the
  // first.
  if (resolved.base->find(called.name) == &called) {
    checked_whole_.insert(&called);
  }
  if (!checked_.insert(resolved.base->scope + "/" + called.name).second) {
    return {};
  }
  return check_body({*filled, *resolved.base, place, names});
}

Result<> WorkflowCheck::check_body(const Frame& frame) {
  const Template& filled = frame.filled;
  if (filled.type == TemplateType::steps) {
    TRY_VOID(check_steps(frame));
  } else if (filled.type == TemplateType::dag) {
    TRY_VOID(check_dag(frame));
  } else {
    TRY_VOID(check_leaf(frame));
  }
  TRY_VOID(check_outputs(frame));
  if (const doc::Value* location = find_in(filled.document, "archiveLocation")) {
    TRY_VOID(check_artifact_location("templates." + filled.name + ".archiveLocation", *location,
                                     frame.place.below(".archiveLocation")));
  }
  return check_metrics(frame);
}

Result<> WorkflowCheck::check_tags_of(const TagNames& names, const doc::Value& document,
                                      const Place& place,
                                      std::function<bool(std::string_view)> more) {
  return check_tags(document, place, {names, globals_, subject_.is_template, std::move(more)},
                    expressions_);
}

}  // namespace tiphys::workflows

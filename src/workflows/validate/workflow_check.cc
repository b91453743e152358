#include "workflows/validate/workflow_check.h"

#include "lang/gotext/gotext.h"
#include "workflows/validate/names.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tiphys::workflows {
namespace {

/// Kubernetes' limit on labels, which carry the workflow's name.
constexpr std::size_t kLongestName = 63;

/// Elements of `more` whose names `list` does not have yet.
template <class T>
void merge_by_name(std::vector<T>& list, const std::vector<T>& more) {
  std::unordered_set<std::string_view> names;
  std::vector<T> merged;
  for (const std::vector<T>* part : std::array<const std::vector<T>*, 2>{&list, &more}) {
    for (const T& element : *part) {
      if (names.insert(element.name).second) {
        merged.push_back(element);
      }
    }
  }
  list = std::move(merged);
}

bool has_parametrized_global_artifact(const WorkflowSpec& spec) {
  return std::ranges::any_of(spec.templates, [](const Template& one) {
    return std::ranges::any_of(one.outputs.artifacts, [](const Artifact& artifact) {
      return holds_parameter_tag(artifact.global_name);
    });
  });
}

std::string executor_plugin_problem(const doc::Value& plugin) {
  if (const doc::Value* name = find_in(plugin, "metadata.name");
      name == nullptr || !name->is_string() || name->get_string().empty()) {
    return "executor plugin metadata name is mandatory";
  }
  const auto lacks = [&](std::string_view path) {
    return find_in(plugin, "spec.sidecar.container." + std::string(path)) == nullptr;
  };
  const doc::Value* ports = find_in(plugin, "spec.sidecar.container.ports");
  if (ports == nullptr || !ports->is_array() || ports->get_array().empty()) {
    return "at least one port is mandatory";
  }
  if (lacks("resources.requests")) {
    return "resources requests are mandatory";
  }
  if (lacks("resources.limits")) {
    return "resources limits are mandatory";
  }
  return lacks("securityContext") ? "security context is mandatory" : "";
}

}  // namespace

const doc::Value* find_in(const doc::Value& object, std::string_view path) {
  const doc::Value* value = &object;
  while (value != nullptr && !path.empty()) {
    const std::size_t dot = path.find('.');
    value = doc::find(*value, path.substr(0, dot));
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<> WorkflowCheck::run() {
  if (subject_.name.size() > kLongestName) {
    return fail_at(Place("metadata"), ".name",
                   "workflow name " + lang::quote(subject_.name) +
                       " must not be more than 63 characters long (currently " +
                       std::to_string(subject_.name.size()) + ")");
  }
  auto local = read_base("local/" + subject_.name, *subject_.spec);
  if (!local) {
    return moved_to(subject_.place, "", std::move(local).error());
  }
  local_ = std::move(*local);
  return check_workflow();
}

Result<> WorkflowCheck::load_reference() {
  const auto& ref = local_->spec.workflow_template_ref;
  if (!ref) {
    return {};
  }
  if (!local_->spec.templates.empty()) {
    return fail_at(subject_.place, ".templates",
                   "Templates is invalid field in spec if workflow referred WorkflowTemplate "
                   "reference");
  }
  auto found = library_.find(ref->name, ref->cluster_scope, subject_.name_space);
  if (!found) {
    return moved_to(subject_.place, ".workflowTemplateRef.name", std::move(found).error());
  }
  referenced_ = *found;
  return {};
}

WorkflowCheck::Caller WorkflowCheck::call_by_reference(std::string_view suffix, TemplateRef& ref,
                                                       const std::string& name) const {
  Caller caller{.name = name, .place = subject_.place, .name_suffix = suffix};
  if (referenced_ != nullptr) {
    const WorkflowTemplateRef& target = *local_->spec.workflow_template_ref;
    ref = {target.name, name, target.cluster_scope};
    caller.name = {};
    caller.ref = &ref;
    caller.ref_suffix = ".workflowTemplateRef";
  }
  return caller;
}

Result<> WorkflowCheck::check_workflow() {
  const WorkflowSpec& spec = local_->spec;
  TRY_VOID(load_reference());
  TRY_VOID(check_names(spec.templates, NameRule::field, "spec.templates",
                       subject_.place.below(".templates")));
  TRY_VOID(check_executor_plugins());
  TRY_VOID(check_arguments_of_workflow());
  set_globals();
  std::string entrypoint = spec.entrypoint;
  if (entrypoint.empty() && referenced_ != nullptr) {
    entrypoint = referenced_->spec.entrypoint;
  }
  if (!subject_.is_template || !spec.entrypoint.empty()) {
    if (entrypoint.empty()) {
      return fail_at(subject_.place, "", "spec.entrypoint is required");
    }
    TemplateRef ref;
    const Caller caller = call_by_reference(".entrypoint", ref, entrypoint);
    Supply supply;
    if (!subject_.is_template) {
      supply = {&arguments_, find_in(*subject_.spec, "arguments"),
                subject_.place.below(".arguments"), true};
    }
    TRY_VOID(check_call(caller, supply, *local_));
  }
  TRY_VOID(check_exit_handler(spec.arguments));
  TRY_VOID(check_hooks(spec.hooks, "hooks", subject_.place.below(".hooks")));
  TRY_VOID(check_settings());
  return check_all_templates();
}

Result<> WorkflowCheck::check_executor_plugins() {
  const doc::Value* plugins = find_in(*subject_.spec, "executorPlugins");
  if (plugins == nullptr || !plugins->is_array()) {
    return {};
  }
  for (std::size_t i = 0; i < plugins->get_array().size(); ++i) {
    if (std::string problem = executor_plugin_problem(plugins->get_array()[i]); !problem.empty()) {
      return fail_at(subject_.place.element(".executorPlugins", i), "",
                     "spec.executorPlugins: " + problem);
    }
  }
  return {};
}

Result<> WorkflowCheck::check_arguments_of_workflow() {
  arguments_ = local_->spec.arguments;
  if (referenced_ != nullptr) {
    merge_by_name(arguments_.parameters, referenced_->spec.arguments.parameters);
    merge_by_name(arguments_.artifacts, referenced_->spec.arguments.artifacts);
  }
  return check_arguments("spec.arguments.", arguments_, subject_.place.below(".arguments"),
                         subject_.allow_empty_values);
}

void WorkflowCheck::set_metadata_globals(const WorkflowSpec& spec) {
  for (const auto& [key, value] : spec.workflow_metadata.annotations) {
    globals_.set("workflow.annotations." + key, next_placeholder());
  }
  for (const auto& [key, value] : spec.workflow_metadata.labels) {
    globals_.set("workflow.labels." + key, next_placeholder());
  }
  for (const auto& [key, value] : spec.labels_from) {
    globals_.set("workflow.labels." + key, next_placeholder());
  }
}

void WorkflowCheck::set_globals() {
  static constexpr std::array<std::string_view, 10> kAlways = {"workflow.name",
                                                               "workflow.namespace",
                                                               "workflow.mainEntrypoint",
                                                               "workflow.serviceAccountName",
                                                               "workflow.uid",
                                                               "workflow.status",
                                                               "workflow.annotations",
                                                               "workflow.annotations.json",
                                                               "workflow.labels",
                                                               "workflow.labels.json"};
  for (const std::string_view name : kAlways) {
    globals_.set(std::string(name), next_placeholder());
  }
  if (!arguments_.parameters.empty()) {
    globals_.set("workflow.parameters", next_placeholder());
    globals_.set("workflow.parameters.json", next_placeholder());
  }
  for (const Parameter& parameter : arguments_.parameters) {
    globals_.set("workflow.parameters." + parameter.name,
                 parameter.value ? *parameter.value : next_placeholder());
  }
  for (const std::string& key : subject_.annotations) {
    globals_.set("workflow.annotations." + key, next_placeholder());
  }
  for (const std::string& key : subject_.labels) {
    globals_.set("workflow.labels." + key, next_placeholder());
  }
  set_metadata_globals(local_->spec);
  if (referenced_ != nullptr) {
    set_metadata_globals(referenced_->spec);
  }
  if (const auto priority = local_->spec.priority) {
    globals_.set("workflow.priority", std::to_string(*priority));
  }
}

bool WorkflowCheck::has_parametrized_global_artifacts() const {
  return has_parametrized_global_artifact(local_->spec) ||
         (referenced_ != nullptr && has_parametrized_global_artifact(referenced_->spec));
}

Result<> WorkflowCheck::check_exit_handler(const Arguments& arguments) {
  std::string handler = local_->spec.on_exit;
  const bool is_own = !handler.empty();
  if (!is_own && referenced_ != nullptr) {
    handler = referenced_->spec.on_exit;
  }
  if (handler.empty()) {
    return {};
  }
  globals_.set("workflow.failures", next_placeholder());
  if (has_parametrized_global_artifacts()) {
    globals_.set(std::string(kAnyGlobalArtifact), "true");
  }
  TemplateRef ref;
  Caller caller = call_by_reference(".onExit", ref, handler);
  if (is_own) {
    caller.ref_suffix = ".onExit";
  }
  const Supply supply{&arguments, find_in(*subject_.spec, "arguments"),
                      subject_.place.below(".arguments"), true};
  TRY_VOID(check_call(caller, supply, *local_));
  return {};
}

Result<> WorkflowCheck::check_settings() {
  static constexpr std::array<std::string_view, 5> kPodGc = {
      "", "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess"};
  if (const doc::Value* gc = find_in(*subject_.spec, "podGC")) {
    const std::string_view strategy = doc::find_string(*gc, "strategy");
    if (std::ranges::find(kPodGc, strategy) == kPodGc.end()) {
      return fail_at(subject_.place, ".podGC.strategy",
                     "podGC.strategy unknown strategy '" + std::string(strategy) + "'");
    }
    if (const doc::Value* selector = find_in(*gc, "labelSelector")) {
      if (std::string problem = label_selector_problem(*selector); !problem.empty()) {
        return fail_at(subject_.place, ".podGC.labelSelector",
                       "podGC.labelSelector invalid: " + problem);
      }
    }
  }
  return check_pod_resources(find_in(*subject_.spec, "podResources"), "spec.podResources",
                             subject_.place.below(".podResources"));
}

Result<> WorkflowCheck::check_all_templates() {
  const TemplateBase& base = referenced_ == nullptr ? *local_ : *referenced_;
  for (std::size_t i = 0; i < base.spec.templates.size(); ++i) {
    const std::string& name = base.spec.templates[i].name;
    TemplateRef ref;
    Caller caller = call_by_reference("", ref, name);
    if (referenced_ == nullptr) {
      caller.place = subject_.place.element(".templates", i);
    }
    if (auto checked = check_call(caller, {}, *local_); !checked) {
      return behind("templates." + name + " ", std::move(checked).error());
    }
  }
  return {};
}

}  // namespace tiphys::workflows

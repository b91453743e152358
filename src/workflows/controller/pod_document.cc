#include "workflows/controller/pod_document.h"

#include "artifacts/location.h"
#include "doc/yaml.h"
#include "kube/merge/strategic_merge.h"
#include "workflows/engine/globals.h"
#include "workflows/engine/tag_text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <span>

namespace tiphys::workflows {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

constexpr std::string_view kKeyFormat = "{{workflow.name}}/{{pod.name}}";
constexpr std::string_view kPrefix = "workflows.argoproj.io/";

/// Calls `visit` for each element of the list at `key`.
template <class Visit>
void each(const Value& value, std::string_view key, Visit visit) {
  if (const Value* list = doc::find(value, key); list != nullptr && list->is_array()) {
    for (const Value& element : list->get_array()) {
      visit(element);
    }
  }
}

std::string label(std::string_view name) { return std::string(kPrefix) + std::string(name); }

executor::Archive archive_of(const Artifact& artifact, executor::Archive when_absent, int& level) {
  if (doc::find(artifact.archive, "none") != nullptr) {
    return executor::Archive::none;
  }
  if (doc::find(artifact.archive, "zip") != nullptr) {
    return executor::Archive::zip;
  }
  if (const Value* tar = doc::find(artifact.archive, "tar")) {
    if (const Value* compression = doc::find(*tar, "compressionLevel");
        compression != nullptr && compression->is_int64()) {
      level = static_cast<int>(compression->get_int64());
    }
    return executor::Archive::tar;
  }
  return when_absent;
}

/// The default key's folder, its tags replaced by what is known of the workflow and the pod.
Result<std::string> archive_key(const Engine& engine, const CreatePod& step, const Inputs& inputs,
                                const References& references, const PodSettings& settings) {
  const Metadata& metadata = engine.metadata();
  if (settings.key_format.empty() || settings.key_format == kKeyFormat) {
    return metadata.name + "/" + step.pod_name;
  }
  Scope globals;
  TRY_VOID(set_globals(globals, metadata, engine.spec(), references));
  Scope own(&globals);
  own.set("pod.name", step.pod_name);
  own.set("node.name", engine.nodes()[step.node].name);
  for (const Parameter& parameter : inputs.parameters) {
    own.set("inputs.parameters." + parameter.name, parameter.value.value_or(""));
  }
  std::string text;
  doc::append_json_string(text, settings.key_format);
  TRY(const std::string replaced, replace_tags(std::move(text), own, Strictness::all));
  TRY(const Value value, doc::parse_json(replaced));
  return std::string(doc::text_of(value.get_string()));
}

Result<> plan_inputs(const Inputs& inputs, const artifacts::Repository& repository,
                     executor::StepPlan& plan) {
  for (const Artifact& artifact : inputs.artifacts) {
    if (artifact.path.empty()) {
      continue;
    }
    executor::InputArtifact out;
    out.name = artifact.name;
    out.path = artifact.path;
    out.location = artifact.location;
    // An input is where its argument says; the default repository only fills in which store that
    // is.
    if (artifacts::has_location_or_key(artifact.location) &&
        !artifacts::is_complete(artifact.location)) {
      TRY(out.location, artifacts::complete(artifact.location, repository, artifact.name));
    }
    int level = -1;
    out.archive = archive_of(artifact, executor::Archive::sniff, level);
    out.mode = artifact.mode;
    out.recurse_mode = artifact.recurse_mode;
    out.optional = artifact.optional;
    plan.input_artifacts.push_back(std::move(out));
  }
  return {};
}

Result<> plan_outputs(const Outputs& outputs, const artifacts::Repository& repository,
                      executor::StepPlan& plan) {
  for (const Parameter& parameter : outputs.parameters) {
    if (parameter.value_from && parameter.value_from->path) {
      plan.output_parameters.push_back(
          {parameter.name, *parameter.value_from->path, parameter.value_from->default_value});
    }
  }
  for (const Artifact& artifact : outputs.artifacts) {
    if (artifact.path.empty()) {
      continue;
    }
    executor::OutputArtifact out;
    out.name = artifact.name;
    out.path = artifact.path;
    out.archive = archive_of(artifact, executor::Archive::tar, out.compression_level);
    out.optional = artifact.optional;
    const std::string file = artifacts::file_name(artifact.name, artifact.path, out.archive);
    auto location = artifacts::complete(artifact.location, repository, file);
    if (!location) {
      return std::unexpected(
          std::move(location).error().with_context("output artifact " + artifact.name));
    }
    out.location = std::move(*location);
    plan.output_artifacts.push_back(std::move(out));
  }
  return {};
}

/// Labels and annotations of the pod, the more particular over the more general.
Object pod_metadata(const Engine& engine, const CreatePod& step, const Template& definition,
                    const std::string& plan) {
  const Metadata& metadata = engine.metadata();
  Object labels;
  Object annotations;
  labels[label("workflow")] = metadata.name;
  labels[label("completed")] = "false";
  if (step.on_exit) {
    labels[label("on-exit")] = "true";
  }
  annotations[label("node-name")] = engine.nodes()[step.node].name;
  annotations[label("node-id")] = engine.nodes().id(step.node);
  annotations["kubectl.kubernetes.io/default-container"] = "main";
  for (const PodMetadata* own : {&engine.spec().pod_metadata, &definition.metadata}) {
    for (const auto& [name, value] : own->labels) {
      labels[name] = value;
    }
    for (const auto& [name, value] : own->annotations) {
      annotations[name] = value;
    }
  }
  annotations[{executor::kPlanAnnotation.data(), executor::kPlanAnnotation.size()}] = plan;
  Object out;
  out["name"] = step.pod_name;
  out["namespace"] = metadata.namespace_;
  out["labels"] = std::move(labels);
  out["annotations"] = std::move(annotations);
  out["ownerReferences"] = Array{Object{{"apiVersion", "argoproj.io/v1alpha1"},
                                        {"kind", "Workflow"},
                                        {"name", metadata.name},
                                        {"uid", metadata.uid},
                                        {"controller", true},
                                        {"blockOwnerDeletion", true}}};
  return out;
}

Value main_container(const Value& document, const Template& definition) {
  Value container = *doc::find(document, name_of(definition.type));
  Object& members = container.get_object();
  members["name"] = "main";
  if (definition.type == TemplateType::script) {
    members.erase("source");
    Value& arguments = members["args"];
    if (!arguments.is_array()) {
      arguments.emplace_array();
    }
    arguments.get_array().emplace_back(
        boost::json::string_view(executor::kScriptPath.data(), executor::kScriptPath.size()));
  }
  return container;
}

/// The volumes that a container mounts, of those the template, the workflow and its claims declare.
Array used_volumes(const Engine& engine, const Value& document, std::span<const Value> containers) {
  std::set<std::string, std::less<>> mounted;
  for (const Value& container : containers) {
    each(container, "volumeMounts",
         [&](const Value& mount) { mounted.emplace(doc::find_string(mount, "name")); });
  }
  Array out;
  const auto take = [&](const Value& volume) {
    const auto name = mounted.find(doc::find_string(volume, "name"));
    if (name != mounted.end()) {
      out.push_back(volume);
      mounted.erase(name);
    }
  };
  each(document, "volumes", take);
  each(engine.spec().document, "volumes", take);
  each(engine.spec().document, "volumeClaimTemplates", [&](const Value& claim) {
    const Value* metadata = doc::find(claim, "metadata");
    const std::string name(metadata == nullptr ? std::string_view()
                                               : doc::find_string(*metadata, "name"));
    take(Object{
        {"name", name},
        {"persistentVolumeClaim", Object{{"claimName", engine.metadata().name + "-" + name}}}});
  });
  return out;
}

/// Members that go to the pod as they are: the template's own, else those of the template around
/// it, else the workflow's.
void carry_over(const Engine& engine, const CreatePod& step, const Value& document, Object& spec) {
  static constexpr std::array<std::string_view, 14> kCarried = {"nodeSelector",
                                                                "affinity",
                                                                "tolerations",
                                                                "schedulerName",
                                                                "priorityClassName",
                                                                "serviceAccountName",
                                                                "hostAliases",
                                                                "securityContext",
                                                                "hostNetwork",
                                                                "dnsPolicy",
                                                                "dnsConfig",
                                                                "imagePullSecrets",
                                                                "automountServiceAccountToken",
                                                                "terminationGracePeriodSeconds"};
  for (const std::string_view key : kCarried) {
    const Value* value = doc::find(document, key);
    if (value == nullptr && step.boundary != nullptr) {
      value = doc::find(step.boundary->document, key);
    }
    if (value == nullptr) {
      value = doc::find(engine.spec().document, key);
    }
    if (value != nullptr) {
      spec[{key.data(), key.size()}] = *value;
    }
  }
}

/// podSpecPatch of the workflow, then of the template: strategic merges in JSON or YAML.
Result<> apply_patches(const Engine& engine, const Value& document, const doc::Schema* types,
                       Value& spec) {
  for (const Value* owner : {&engine.spec().document, &document}) {
    const std::string_view text = doc::find_string(*owner, "podSpecPatch");
    if (text.empty()) {
      continue;
    }
    auto patch = doc::parse_yaml(text);
    if (!patch) {
      return std::unexpected(std::move(patch).error().with_context("podSpecPatch"));
    }
    const doc::Type* type = types == nullptr ? nullptr : types->find("core/v1.PodSpec");
    CHECK(type != nullptr, "the type of pods is known");
    TRY(spec, kube::strategic_merge(*type, std::move(spec), std::move(patch->value)));
  }
  return {};
}

}  // namespace

Result<ResolvedStep> resolve_step(const Engine& engine, const CreatePod& step,
                                  const References& references, const PodSettings& settings) {
  ResolvedStep out;
  TRY(out.document, doc::parse_json(step.template_json));
  TRY(const Template definition, decode_template(out.document, "template"));
  if (definition.type != TemplateType::container && definition.type != TemplateType::script) {
    return fail(ErrorCode::bad_request,
                "template " + definition.name + " is of type " +
                    std::string(name_of(definition.type)) +
                    ", which cannot run here yet: container, script, steps, dag and suspend can");
  }
  artifacts::Repository repository;
  repository.location = settings.repository;
  TRY(repository.archive_key, archive_key(engine, step, definition.inputs, references, settings));
  if (definition.type == TemplateType::script) {
    out.plan.script_source = std::string(doc::find_string(definition.body, "source"));
  }
  out.plan.capture_result = step.capture_result;
  TRY_VOID(plan_inputs(definition.inputs, repository, out.plan));
  TRY_VOID(plan_outputs(definition.outputs, repository, out.plan));
  return out;
}

Result<Value> build_pod(const Engine& engine, const CreatePod& step, const ResolvedStep& resolved,
                        const PodSettings& settings) {
  TRY(const Template definition, decode_template(resolved.document, "template"));
  std::vector<Value> containers{main_container(resolved.document, definition)};
  each(resolved.document, "sidecars", [&](const Value& sidecar) { containers.push_back(sidecar); });
  const std::size_t main_containers = containers.size();
  each(resolved.document, "initContainers",
       [&](const Value& container) { containers.push_back(container); });
  Value spec = Object{};
  Object& members = spec.get_object();
  carry_over(engine, step, resolved.document, members);
  if (Array volumes = used_volumes(engine, resolved.document, containers); !volumes.empty()) {
    members["volumes"] = std::move(volumes);
  }
  const auto split = containers.begin() + static_cast<std::ptrdiff_t>(main_containers);
  if (split != containers.end()) {
    members["initContainers"] = Array(split, containers.end());
  }
  members["containers"] = Array(containers.begin(), split);
  members["restartPolicy"] = "Never";
  if (step.active_deadline_seconds) {
    members["activeDeadlineSeconds"] = *step.active_deadline_seconds;
  }
  TRY_VOID(apply_patches(engine, resolved.document, settings.types, spec));
  Object pod;
  pod["apiVersion"] = "v1";
  pod["kind"] = "Pod";
  pod["metadata"] = pod_metadata(engine, step, definition, resolved.plan.to_json());
  pod["spec"] = std::move(spec);
  pod["status"] = Object{{"phase", "Pending"}};
  return pod;
}

}  // namespace tiphys::workflows

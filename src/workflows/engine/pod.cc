#include "workflows/engine/pod.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace tiphys::workflows {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

constexpr std::string_view kPrefix = "workflows.argoproj.io/";

std::string key(std::string_view name) { return std::string(kPrefix) + std::string(name); }

const Value* member(const Value& object, std::string_view name) {
  const Value* found = doc::find(object, name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

/// The first of `sources` that has the member, put into the pod's spec.
void inherit(Object& spec, std::string_view name, std::initializer_list<const Value*> sources) {
  for (const Value* source : sources) {
    const Value* found = source == nullptr ? nullptr : member(*source, name);
    if (found != nullptr) {
      spec[{name.data(), name.size()}] = *found;
      return;
    }
  }
}

void append_list(Object& spec, std::string_view name, const Value& source) {
  const Value* list = member(source, name);
  if (list == nullptr || !list->is_array()) {
    return;
  }
  Value& target = spec[{name.data(), name.size()}];
  if (!target.is_array()) {
    target.emplace_array();
  }
  for (const Value& element : list->get_array()) {
    target.get_array().push_back(element);
  }
}

Value main_container(const Value& definition) {
  Object out;
  const Value* script = member(definition, "script");
  const Value* body = script != nullptr ? script : member(definition, "container");
  if (body != nullptr && body->is_object()) {
    out = body->get_object();
  }
  out["name"] = "main";
  if (script != nullptr) {
    const bool has_source = !doc::find_string(*script, "source").empty();
    out.erase("source");
    if (has_source) {
      Value& args = out["args"];
      if (!args.is_array()) {
        args.emplace_array();
      }
      args.get_array().emplace_back(executor::kScriptPath);
    }
  }
  return out;
}

/// The main containers, "main" alone but for a containerSet, whose containers all get the set's
/// volume mounts.
Array main_containers(const Value& definition) {
  const Value* set = member(definition, "containerSet");
  if (set == nullptr) {
    return Array{main_container(definition)};
  }
  Array out;
  const Value* list = member(*set, "containers");
  if (list != nullptr && list->is_array()) {
    for (const Value& declared : list->get_array()) {
      Object container = declared.is_object() ? declared.get_object() : Object{};
      container.erase("dependencies");
      append_list(container, "volumeMounts", *set);
      out.push_back(std::move(container));
    }
  }
  return out;
}

/// The container named "main", or an empty one.
Value named_main(const Array& containers) {
  const auto found = std::ranges::find_if(containers, [](const Value& container) {
    return doc::find_string(container, "name") == "main";
  });
  return found == containers.end() ? Value(Object{}) : *found;
}

/// What kubectl shows of a pod when it is not told which container: "main", or the last main one.
std::string default_container(const Array& containers) {
  if (containers.empty() || !named_main(containers).get_object().empty()) {
    return "main";
  }
  return std::string(doc::find_string(containers.back(), "name"));
}

/// A sidecar or init container; mirrorVolumeMounts gives it the main container's mounts.
Value helper_container(const Value& declared, const Value& main) {
  Object out = declared.is_object() ? declared.get_object() : Object{};
  const Value* mirror = out.if_contains("mirrorVolumeMounts");
  const bool mirrors = mirror != nullptr && mirror->is_bool() && mirror->get_bool();
  out.erase("mirrorVolumeMounts");
  if (mirrors) {
    append_list(out, "volumeMounts", main);
  }
  return out;
}

void collect_mounts(const Value& containers, std::set<std::string>& names) {
  if (!containers.is_array()) {
    return;
  }
  for (const Value& container : containers.get_array()) {
    for (const std::string_view list : {"volumeMounts", "volumeDevices"}) {
      const Value* mounts = member(container, list);
      if (mounts == nullptr || !mounts->is_array()) {
        continue;
      }
      for (const Value& mount : mounts->get_array()) {
        names.emplace(doc::find_string(mount, "name"));
      }
    }
  }
}

/// The volumes that containers mount: the template's before the workflow's of the same name.
Array mounted_volumes(const Object& spec, const Value& definition, const Value& workflow) {
  std::set<std::string> wanted;
  for (const std::string_view list : {"containers", "initContainers"}) {
    if (const Value* containers = spec.if_contains({list.data(), list.size()})) {
      collect_mounts(*containers, wanted);
    }
  }
  Array out;
  for (const Value* source : {&definition, &workflow}) {
    const Value* volumes = member(*source, "volumes");
    if (volumes == nullptr || !volumes->is_array()) {
      continue;
    }
    for (const Value& volume : volumes->get_array()) {
      if (wanted.erase(std::string(doc::find_string(volume, "name"))) != 0) {
        out.push_back(volume);
      }
    }
  }
  return out;
}

Value containers_of(const Value& definition, std::string_view list, const Value& main) {
  Array out;
  const Value* declared = member(definition, list);
  if (declared != nullptr && declared->is_array()) {
    for (const Value& container : declared->get_array()) {
      out.push_back(helper_container(container, main));
    }
  }
  return out;
}

/// NotIn terms that keep the pod away from hosts on which earlier attempts failed.
void avoid_hosts(Object& spec, const std::vector<std::string>& hosts) {
  if (hosts.empty()) {
    return;
  }
  Array values;
  for (const std::string& host : hosts) {
    values.emplace_back(host);
  }
  const Value term = Object{
      {"key", "kubernetes.io/hostname"}, {"operator", "NotIn"}, {"values", std::move(values)}};
  Value& affinity = spec["affinity"];
  if (!affinity.is_object()) {
    affinity.emplace_object();
  }
  Value& node = affinity.get_object()["nodeAffinity"];
  if (!node.is_object()) {
    node.emplace_object();
  }
  Value& required = node.get_object()["requiredDuringSchedulingIgnoredDuringExecution"];
  if (!required.is_object()) {
    required.emplace_object();
  }
  Value& terms = required.get_object()["nodeSelectorTerms"];
  if (!terms.is_array()) {
    terms = Array{Object{}};
  }
  for (Value& one : terms.get_array()) {
    append_list(one.as_object(), "matchExpressions", Object{{"matchExpressions", Array{term}}});
  }
}

Object fixed_labels(const Engine& engine, NodeIndex node) {
  Object labels;
  labels[key("workflow")] = engine.metadata().name;
  labels[key("completed")] = "false";
  if (engine.nodes()[node].in_exit_handler) {
    labels[key("on-exit")] = "true";
  }
  return labels;
}

/// The labels or annotations that the workflow's podMetadata and the template ask for.
void add_metadata(const Engine& engine, const Value& definition, std::string_view list,
                  Object& target) {
  for (const Value* source :
       {member(engine.spec().document, "podMetadata"), member(definition, "metadata")}) {
    const Value* entries = source == nullptr ? nullptr : member(*source, list);
    if (entries != nullptr && entries->is_object()) {
      for (const auto& [name, value] : entries->get_object()) {
        target[name] = value;
      }
    }
  }
}

Value metadata_of(const Engine& engine, const CreatePod& pod, const Value& definition,
                  const Array& containers) {
  const Metadata& run = engine.metadata();
  Object labels = fixed_labels(engine, pod.node);
  Object annotations;
  annotations[key("node-id")] = engine.nodes().id(pod.node);
  annotations[key("node-name")] = engine.nodes()[pod.node].name;
  annotations["kubectl.kubernetes.io/default-container"] = default_container(containers);
  annotations[std::string(executor::kPlanAnnotation)] = step_plan(pod).to_json();
  add_metadata(engine, definition, "labels", labels);
  add_metadata(engine, definition, "annotations", annotations);
  const Value owner = Object{{"apiVersion", "argoproj.io/v1alpha1"},
                             {"kind", "Workflow"},
                             {"name", run.name},
                             {"uid", run.uid},
                             {"controller", true},
                             {"blockOwnerDeletion", true}};
  return Object{{"name", pod.pod_name},
                {"namespace", run.namespace_},
                {"labels", std::move(labels)},
                {"annotations", std::move(annotations)},
                {"ownerReferences", Array{owner}}};
}

}  // namespace

std::map<std::string, std::string> pod_labels(const Engine& engine, NodeIndex node) {
  Object labels = fixed_labels(engine, node);
  const auto text = engine.template_of(node);
  const auto definition = text ? doc::parse_json(*text) : Result<Value>(Value(Object{}));
  if (definition) {
    add_metadata(engine, *definition, "labels", labels);
  }
  if (fulfilled(engine.nodes()[node].phase)) {
    labels[key("completed")] = "true";
  }
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : labels) {
    out[std::string(name)] = any_string(value);
  }
  return out;
}

Value build_pod(const Engine& engine, const CreatePod& pod) {
  const auto parsed = doc::parse_json(pod.template_json);
  const Value definition = parsed ? *parsed : Value(Object{});
  const Value& workflow = engine.spec().document;
  const Value* boundary = pod.boundary == nullptr ? nullptr : &pod.boundary->document;
  Object spec;
  spec["restartPolicy"] = "Never";
  const Array mains = main_containers(definition);
  const Value main = named_main(mains);
  Array containers = mains;
  for (Value& sidecar : containers_of(definition, "sidecars", main).as_array()) {
    containers.push_back(std::move(sidecar));
  }
  spec["containers"] = std::move(containers);
  if (Value inits = containers_of(definition, "initContainers", main); !inits.get_array().empty()) {
    spec["initContainers"] = std::move(inits);
  }
  Value decided;
  if (!pod.volumes_json.empty()) {
    auto volumes = doc::parse_json(pod.volumes_json);
    decided = Object{{"volumes", volumes ? std::move(*volumes) : Value()}};
  }
  if (Array volumes = mounted_volumes(spec, definition, decided.is_null() ? workflow : decided);
      !volumes.empty()) {
    spec["volumes"] = std::move(volumes);
  }
  if (pod.active_deadline_seconds) {
    spec["activeDeadlineSeconds"] = *pod.active_deadline_seconds;
  }
  for (const std::string_view name : {"nodeSelector", "affinity", "tolerations"}) {
    inherit(spec, name, {&definition, boundary, &workflow});
  }
  for (const std::string_view name : {"schedulerName", "priorityClassName", "securityContext",
                                      "serviceAccountName", "automountServiceAccountToken"}) {
    inherit(spec, name, {&definition, &workflow});
  }
  // Only what takes the token away is said.
  if (const Value* mounted = spec.if_contains("automountServiceAccountToken");
      mounted != nullptr && *mounted == true) {
    spec.erase("automountServiceAccountToken");
  }
  for (const std::string_view name :
       {"hostNetwork", "dnsPolicy", "dnsConfig", "imagePullSecrets"}) {
    inherit(spec, name, {&workflow});
  }
  append_list(spec, "hostAliases", workflow);
  append_list(spec, "hostAliases", definition);
  avoid_hosts(spec, pod.avoid_hosts);
  return Object{{"apiVersion", "v1"},
                {"kind", "Pod"},
                {"metadata", metadata_of(engine, pod, definition, mains)},
                {"spec", std::move(spec)}};
}

}  // namespace tiphys::workflows

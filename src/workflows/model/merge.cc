#include "workflows/model/merge.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tiphys::workflows {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

/// Lists whose elements are merged by a key (patchMergeKey of the Go types); others are replaced.
constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kMergeKeys = {{
    {"templates", "name"},
    {"parameters", "name"},
    {"artifacts", "name"},
    {"tasks", "name"},
    {"volumes", "name"},
    {"volumeMounts", "mountPath"},
    {"volumeDevices", "devicePath"},
    {"env", "name"},
    {"ports", "containerPort"},
    {"imagePullSecrets", "name"},
    {"hostAliases", "ip"},
    {"tolerations", "key"},
    {"sidecars", "name"},
    {"initContainers", "name"},
    {"containers", "name"},
    {"ownerReferences", "uid"},
    {"volumeClaimTemplates", "name"},
    {"resourceClaims", "name"},
}};

std::string_view merge_key_of(std::string_view list) {
  const auto* found = std::ranges::find(kMergeKeys, list, &decltype(kMergeKeys)::value_type::first);
  return found == kMergeKeys.end() ? std::string_view() : found->second;
}

void merge_into(Value& target, const Value& patch, std::string_view name);

void merge_lists(Array& target, const Array& patch, std::string_view key) {
  for (const Value& element : patch) {
    const Value* id = doc::find(element, key);
    const auto same = std::ranges::find_if(target, [&](const Value& other) {
      const Value* other_id = doc::find(other, key);
      return id != nullptr && other_id != nullptr && *id == *other_id;
    });
    if (same == target.end()) {
      target.push_back(element);
    } else {
      merge_into(*same, element, "");
    }
  }
}

void merge_into(Value& target, const Value& patch, std::string_view name) {
  if (target.is_object() && patch.is_object()) {
    for (const auto& [key, value] : patch.get_object()) {
      if (value.is_null()) {
        continue;
      }
      merge_into(target.get_object()[key], value, {key.data(), key.size()});
    }
    return;
  }
  const std::string_view key = merge_key_of(name);
  if (target.is_array() && patch.is_array() && !key.empty()) {
    merge_lists(target.get_array(), patch.get_array(), key);
    return;
  }
  target = patch;
}

/// Entries of these maps are never merged with each other: the upper layer's counts as it is.
void unite(Object& merged, const Object& upper, std::string_view key) {
  const Value* own = upper.if_contains({key.data(), key.size()});
  Value* both = merged.if_contains({key.data(), key.size()});
  if (own == nullptr || both == nullptr || !own->is_object() || !both->is_object()) {
    return;
  }
  for (const auto& [name, entry] : own->get_object()) {
    both->get_object()[name] = entry;
  }
}

/// The list `spec.arguments.<name>`, or null.
const Array* arguments_of(const Object& spec, std::string_view name) {
  const Value* arguments = spec.if_contains("arguments");
  const Value* list = arguments == nullptr ? nullptr : doc::find(*arguments, name);
  return list == nullptr ? nullptr : list->if_array();
}

bool has_value(const Value& parameter) {
  return std::ranges::any_of(std::array{"value", "default", "valueFrom"}, [&](const char* key) {
    const Value* found = doc::find(parameter, key);
    return found != nullptr && !found->is_null();
  });
}

/// A parameter with a value in the upper layer is that layer's as a whole.
Value chosen_parameter(const Value& merged, const Value& upper) {
  return has_value(upper) ? upper : merged;
}

/// An artifact is the upper layer's as a whole too, but for what the lower one says of the same
/// kind of store.
Value chosen_artifact(const Value& merged, const Value& upper) {
  static constexpr std::array<std::string_view, 11> kStores = {
      "s3",  "git", "http",  "artifactory", "hdfs",    "raw",
      "oss", "gcs", "azure", "plugin",      "artifact"};
  Value out = upper;
  std::string_view only;
  for (const std::string_view store : kStores) {
    if (doc::find(merged, store) != nullptr) {
      if (!only.empty()) {
        return out;
      }
      only = store;
    }
  }
  if (!only.empty() && doc::find(upper, only) != nullptr) {
    out.as_object()[{only.data(), only.size()}] = *doc::find(merged, only);
  }
  return out;
}

/// Arguments that both layers name.
void take_arguments(Object& merged, const Object& upper, std::string_view name,
                    Value (*choose)(const Value& merged, const Value& upper)) {
  const Array* own = arguments_of(upper, name);
  if (own == nullptr || arguments_of(merged, name) == nullptr) {
    return;
  }
  for (Value& argument : merged["arguments"].as_object()[{name.data(), name.size()}].as_array()) {
    for (const Value& wanted : *own) {
      if (doc::find_string(wanted, "name") == doc::find_string(argument, "name")) {
        argument = choose(argument, wanted);
      }
    }
  }
}

Value layered(const Value& lower, const Value& upper) {
  if (!lower.is_object()) {
    return upper.is_object() ? upper : Value(Object{});
  }
  if (!upper.is_object()) {
    return lower;
  }
  Value merged = lower;
  merge_into(merged, upper, "");
  unite(merged.get_object(), upper.get_object(), "hooks");
  const Value* own_metadata = upper.get_object().if_contains("workflowMetadata");
  Value* metadata = merged.get_object().if_contains("workflowMetadata");
  if (own_metadata != nullptr && own_metadata->is_object() && metadata->is_object()) {
    unite(metadata->get_object(), own_metadata->get_object(), "labelsFrom");
  }
  take_arguments(merged.get_object(), upper.get_object(), "parameters", chosen_parameter);
  take_arguments(merged.get_object(), upper.get_object(), "artifacts", chosen_artifact);
  return merged;
}

}  // namespace

Result<Value> merge_template_defaults(const Value& document, const Value& defaults,
                                      TemplateType type) {
  Value base = defaults;
  if (!base.is_object() || !document.is_object()) {
    return document;
  }
  for (const TemplateType other :
       {TemplateType::container, TemplateType::container_set, TemplateType::script,
        TemplateType::resource, TemplateType::steps, TemplateType::dag, TemplateType::suspend,
        TemplateType::http, TemplateType::data, TemplateType::plugin}) {
    if (other != type) {
      const std::string_view name = name_of(other);
      base.get_object().erase({name.data(), name.size()});
    }
  }
  merge_into(base, document, "");
  return base;
}

Result<Value> merge_specs(const Value& own, const Value& referenced, const Value& defaults) {
  Value merged = layered(layered(defaults, referenced), own);
  Object& spec = merged.as_object();
  spec.erase("suspend");
  if (const Value* suspend = doc::find(own, "suspend")) {
    spec["suspend"] = *suspend;
  }
  return merged;
}

Value with_workflow_defaults(Value workflow, const Value& defaults) {
  if (!workflow.is_object() || !defaults.is_object()) {
    return workflow;
  }
  Object& object = workflow.get_object();
  if (const Value* below = doc::find(defaults, "metadata")) {
    Value& metadata = object["metadata"];
    for (const std::string_view map : {"labels", "annotations"}) {
      const Value* entries = doc::find(*below, map);
      if (entries == nullptr || !entries->is_object() || !metadata.is_object()) {
        continue;
      }
      const Value own = std::exchange(metadata.get_object()[{map.data(), map.size()}], *entries);
      if (own.is_object()) {
        merge_into(metadata.get_object()[{map.data(), map.size()}], own, "");
      }
    }
  }
  const Value* below = doc::find(defaults, "spec");
  const Value* own = doc::find(workflow, "spec");
  if (below != nullptr && own != nullptr && doc::find(*own, "workflowTemplateRef") == nullptr) {
    if (auto merged = merge_specs(*own, Value(), *below)) {
      object["spec"] = std::move(*merged);
    }
  }
  return workflow;
}

}  // namespace tiphys::workflows

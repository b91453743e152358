#include "workflows/engine/merge.h"

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

/// A parameter named in both layers is the upper one's as a whole.
void take_parameters(Object& merged, const Object& upper) {
  const Value* own_arguments = upper.if_contains("arguments");
  const Value* own = own_arguments == nullptr ? nullptr : doc::find(*own_arguments, "parameters");
  Value* arguments = merged.if_contains("arguments");
  if (own == nullptr || !own->is_array() || arguments == nullptr || !arguments->is_object()) {
    return;
  }
  Value* list = arguments->get_object().if_contains("parameters");
  if (list == nullptr || !list->is_array()) {
    return;
  }
  for (Value& parameter : list->get_array()) {
    for (const Value& wanted : own->get_array()) {
      if (doc::find_string(wanted, "name") == doc::find_string(parameter, "name")) {
        parameter = wanted;
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
  take_parameters(merged.get_object(), upper.get_object());
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

}  // namespace tiphys::workflows

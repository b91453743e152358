#include "doc/yaml.h"
#include "workflows/validate/names.h"
#include "workflows/validate/workflow_check.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tiphys::workflows {
namespace {

/// The list at `path`, or an empty one.
const doc::Array& list_at(const doc::Value& object, std::string_view path) {
  static const doc::Array kEmpty;
  const doc::Value* value = find_in(object, path);
  return value == nullptr || !value->is_array() ? kEmpty : value->get_array();
}

std::string text_in(const doc::Value& object, std::string_view member) {
  return std::string(doc::find_string(object, member));
}

/// No two volumes, nor a volume and an artifact, in the same place.
Result<> check_mounts(const Template& leaf, const Place& place) {
  std::unordered_map<std::string, std::string> taken;
  const std::string prefix = "templates." + leaf.name + ".";
  const doc::Array& mounts = list_at(leaf.body, "volumeMounts");
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const std::string path = text_in(mounts[i], "mountPath");
    const auto [other, is_new] =
        taken.emplace(path, "container.volumeMounts." + text_in(mounts[i], "name"));
    if (!is_new) {
      return fail_at(place.element(".container.volumeMounts", i), ".mountPath",
                     prefix + "container.volumeMounts[" + std::to_string(i) + "].mountPath '" +
                         path + "' already mounted in " + other->second);
    }
  }
  for (std::size_t i = 0; i < leaf.inputs.artifacts.size(); ++i) {
    const Artifact& artifact = leaf.inputs.artifacts[i];
    const auto [other, is_new] = taken.emplace(artifact.path, "inputs.artifacts." + artifact.name);
    if (!is_new) {
      return fail_at(place.element(".inputs.artifacts", i), ".path",
                     prefix + "inputs.artifacts[" + std::to_string(i) + "].path '" + artifact.path +
                         "' already mounted in " + other->second);
    }
  }
  return {};
}

/// container and script.
Result<> check_image(const Template& leaf, const TemplateBase& base, const Place& place) {
  const std::string member(name_of(leaf.type));
  const auto& defaults = base.spec.template_defaults;
  const doc::Value* standard =
      defaults && base.has_defaults ? find_in(defaults->document, member) : nullptr;
  const bool is_given = !doc::find_string(leaf.body, "image").empty() ||
                        (standard != nullptr && !doc::find_string(*standard, "image").empty());
  if (is_given) {
    return {};
  }
  return fail_at(place, "." + member + ".image",
                 "templates." + leaf.name + "." + member + ".image may not be empty");
}

Result<> check_sidecars(const Template& leaf, const Place& place) {
  const doc::Array& sidecars = list_at(leaf.document, "sidecars");
  for (std::size_t i = 0; i < sidecars.size(); ++i) {
    const std::string name = text_in(sidecars[i], "name");
    if (is_reserved_container(name)) {
      return fail_at(place.element(".sidecars", i), ".name",
                     "templates." + leaf.name + ".sidecars: \"" + name +
                         "\" is a reserved Argo container name");
    }
  }
  return {};
}

/// The manifest with each expression tag replaced by a word.
std::string without_expressions(std::string_view manifest) {
  std::string out;
  while (true) {
    const std::size_t begin = manifest.find("{{");
    out += manifest.substr(0, begin);
    if (begin == std::string_view::npos) {
      return out;
    }
    const std::size_t first = manifest.find_first_not_of(" \t\n\f\r", begin + 2);
    const std::size_t end = manifest.find("}}", begin);
    const bool is_expression =
        end != std::string_view::npos && first < end && manifest[first] == '=';
    if (is_expression) {
      out += kPlaceholderPrefix;
      manifest.remove_prefix(end + 2);
    } else {
      out += "{{";
      manifest.remove_prefix(begin + 2);
    }
  }
}

Result<> check_resource_manifest(const Template& leaf, const Place& place) {
  const std::string prefix = "templates." + leaf.name + ".resource.";
  const std::string manifest = text_in(leaf.body, "manifest");
  const doc::Value* from = find_in(leaf.body, "manifestFrom");
  if (manifest.empty() && from == nullptr) {
    return fail_at(place, ".resource",
                   "either " + prefix + "manifest or " + prefix + "manifestFrom must be specified");
  }
  if (!manifest.empty() && from != nullptr) {
    return fail_at(place, ".resource.manifestFrom",
                   "shouldn't have both `manifest` and `manifestFrom` specified in `Manifest` for "
                   "resource template");
  }
  if (const doc::Value* artifact = from == nullptr ? nullptr : find_in(*from, "artifact")) {
    const std::string name = text_in(*artifact, "name");
    if (std::ranges::find(leaf.inputs.artifacts, name, &Artifact::name) ==
        leaf.inputs.artifacts.end()) {
      return fail_at(place, ".resource.manifestFrom.artifact.name",
                     "artifact " + name + " in `manifestFrom` refer to a non-exist artifact");
    }
  }
  if (!manifest.empty() && !is_placeholder(manifest) &&
      !doc::parse_yaml(without_expressions(manifest))) {
    return fail_at(place, ".resource.manifest", prefix + "manifest must be a valid yaml");
  }
  return {};
}

Result<> check_resource(const Template& leaf, const Place& place) {
  static constexpr std::array<std::string_view, 6> kActions = {"get",    "create",  "apply",
                                                               "delete", "replace", "patch"};
  const std::string action = text_in(leaf.body, "action");
  if (!is_placeholder(action) && std::ranges::find(kActions, action) == kActions.end()) {
    return fail_at(place, ".resource.action",
                   "templates." + leaf.name +
                       ".resource.action must be one of: get, create, apply, delete, replace, "
                       "patch");
  }
  return action == "delete" || action == "get" ? Result<>() : check_resource_manifest(leaf, place);
}

Result<> check_deadline(const Template& leaf, const Place& place) {
  if (!leaf.active_deadline_seconds) {
    return {};
  }
  const std::string& seconds = *leaf.active_deadline_seconds;
  const bool is_tag = seconds.starts_with("{{") && seconds.ends_with("}}");
  const bool is_number = is_integer_text(seconds);
  if ((is_number && seconds.starts_with('-')) ||
      (!is_number && !is_tag && !is_placeholder(seconds))) {
    return fail_at(place, ".activeDeadlineSeconds",
                   "templates." + leaf.name +
                       ".activeDeadlineSeconds must be a positive integer > 0 or an argo variable");
  }
  return {};
}

}  // namespace

Result<> WorkflowCheck::check_leaf(const Frame& frame) {
  const Template& leaf = frame.filled;
  if (auto tags = check_tags_of(frame.names, leaf.document, frame.place); !tags) {
    return behind("templates." + leaf.name + ": ", std::move(tags).error());
  }
  if (leaf.type == TemplateType::container) {
    TRY_VOID(check_mounts(leaf, frame.place));
    TRY_VOID(check_image(leaf, frame.base, frame.place));
  }
  if (leaf.type == TemplateType::container_set) {
    TRY_VOID(check_container_set(leaf, frame.place));
  }
  TRY_VOID(check_sidecars(leaf, frame.place));
  if (leaf.type == TemplateType::resource) {
    TRY_VOID(check_resource(leaf, frame.place));
  }
  if (leaf.type == TemplateType::script) {
    TRY_VOID(check_image(leaf, frame.base, frame.place));
  }
  TRY_VOID(check_deadline(leaf, frame.place));
  if (leaf.parallelism) {
    return fail_at(
        frame.place, ".parallelism",
        "templates." + leaf.name + ".parallelism is only valid for steps and dag templates");
  }
  return {};
}

}  // namespace tiphys::workflows

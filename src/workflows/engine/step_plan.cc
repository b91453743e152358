#include "executor/step_plan.h"

#include "workflows/engine/globals.h"
#include "workflows/engine/pod.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace tiphys::workflows {
namespace {

using doc::Value;
using executor::Archive;

bool has_own_key(const Value& location) {
  if (!location.is_object()) {
    return false;
  }
  for (const auto& [store, fields] : location.get_object()) {
    for (const std::string_view name : {"key", "path", "blob", "url", "repo", "data"}) {
      if (!doc::find_string(fields, name).empty()) {
        return true;
      }
    }
  }
  return false;
}

Archive archive_of(const Value& strategy, Archive otherwise) {
  if (doc::find(strategy, "none") != nullptr) {
    return Archive::none;
  }
  if (doc::find(strategy, "tar") != nullptr) {
    return Archive::tar;
  }
  return doc::find(strategy, "zip") != nullptr ? Archive::zip : otherwise;
}

int compression_of(const Value& strategy) {
  const Value* tar = doc::find(strategy, "tar");
  const Value* level = tar == nullptr ? nullptr : doc::find(*tar, "compressionLevel");
  return level != nullptr && level->is_int64() ? static_cast<int>(level->get_int64()) : -1;
}

/// The name under which an artifact is stored below its pod's key.
std::string file_name_of(const Artifact& artifact, Archive archive) {
  if (archive == Archive::tar) {
    return artifact.name + ".tgz";
  }
  if (archive == Archive::zip) {
    return artifact.name + ".zip";
  }
  std::string_view path = artifact.path;
  while (path.size() > 1 && path.ends_with('/')) {
    path.remove_suffix(1);
  }
  return std::string(path.substr(path.rfind('/') + 1));
}

/// The folder under which the step's artifacts are stored, tags substituted.
std::string key_folder(const Engine& engine, const CreatePod& pod, const Value& definition,
                       const PodSettings& settings) {
  std::string format = settings.artifact_key_format;
  if (const Value* location = doc::find(definition, "archiveLocation")) {
    const Value* s3 = doc::find(*location, "s3");
    const std::string_view own = s3 == nullptr ? "" : doc::find_string(*s3, "key");
    if (!own.empty()) {
      format = own;
    }
  }
  std::string json;
  doc::append_json_string(json, format);
  const auto filled = engine.substitute(pod.node, std::move(json));
  const auto value = filled ? doc::parse_json(*filled) : Result<Value>(Value(format));
  return std::string(doc::text_of(value->as_string()));
}

/// A store's further fields (bucket, endpoint) of the template's archiveLocation.
Value location_at(const Value& definition, const std::string& key) {
  doc::Object s3;
  if (const Value* location = doc::find(definition, "archiveLocation")) {
    if (const Value* own = doc::find(*location, "s3"); own != nullptr && own->is_object()) {
      s3 = own->get_object();
    }
  }
  s3["key"] = key;
  doc::Object out;
  out["s3"] = std::move(s3);
  return out;
}

void plan_inputs(const Template& definition, executor::StepPlan& plan) {
  for (const Artifact& artifact : definition.inputs.artifacts) {
    if (artifact.path.empty()) {
      continue;
    }
    executor::InputArtifact input;
    input.name = artifact.name;
    input.path = artifact.path;
    input.location = artifact.location;
    input.archive = archive_of(artifact.archive, Archive::sniff);
    input.mode = artifact.mode;
    input.recurse_mode = artifact.recurse_mode;
    input.optional = artifact.optional;
    plan.input_artifacts.push_back(std::move(input));
  }
}

/// The containers of a containerSet, each with as many attempts as its documentation promises: the
/// first one and `retries` more (upstream's code makes one less).
void plan_containers(const Value& set, executor::StepPlan& plan) {
  const Value* list = doc::find(set, "containers");
  if (list == nullptr || !list->is_array()) {
    return;
  }
  executor::ContainerRule common;
  if (const Value* strategy = doc::find(set, "retryStrategy")) {
    const Value* retries = doc::find(*strategy, "retries");
    const std::string text = retries == nullptr ? "" : any_string(*retries);
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), common.retries);
    if (error != std::errc() || end != text.data() + text.size() || common.retries < 0) {
      common.retries = 0;
    }
    const auto delay = parse_timeout(doc::find_string(*strategy, "duration"));
    common.retry_delay = std::max(delay.value_or(common.retry_delay), common.retry_delay);
  }
  for (const Value& container : list->get_array()) {
    executor::ContainerRule& rule = plan.containers.emplace_back(common);
    rule.name = doc::find_string(container, "name");
    const Value* names = doc::find(container, "dependencies");
    if (names == nullptr || !names->is_array()) {
      continue;
    }
    for (const Value& name : names->get_array()) {
      if (name.is_string()) {
        rule.dependencies.emplace_back(doc::text_of(name.get_string()));
      }
    }
  }
}

}  // namespace

executor::StepPlan step_plan(const Engine& engine, const CreatePod& pod,
                             const PodSettings& settings) {
  executor::StepPlan plan;
  plan.capture_result = pod.capture_result;
  const auto document = doc::parse_json(pod.template_json);
  const auto definition = document ? decode_template(*document) : Result<Template>(Template{});
  if (!document || !definition) {
    return plan;
  }
  if (definition->type == TemplateType::script) {
    const std::string_view source = doc::find_string(definition->body, "source");
    if (!source.empty()) {
      plan.script_source = std::string(source);
    }
  }
  if (definition->type == TemplateType::container_set) {
    plan_containers(definition->body, plan);
  }
  plan_inputs(*definition, plan);
  for (const Parameter& parameter : definition->outputs.parameters) {
    if (parameter.value_from && parameter.value_from->path) {
      plan.output_parameters.push_back(
          {parameter.name, *parameter.value_from->path, parameter.value_from->default_value});
    }
  }
  for (const Artifact& artifact : definition->outputs.artifacts) {
    if (artifact.path.empty()) {
      continue;
    }
    executor::OutputArtifact output;
    output.name = artifact.name;
    output.path = artifact.path;
    output.archive = archive_of(artifact.archive, Archive::tar);
    output.compression_level = compression_of(artifact.archive);
    output.optional = artifact.optional;
    output.location =
        has_own_key(artifact.location)
            ? artifact.location
            : location_at(*document, key_folder(engine, pod, *document, settings) + "/" +
                                         file_name_of(artifact, output.archive));
    plan.output_artifacts.push_back(std::move(output));
  }
  return plan;
}

Result<> append_to_key(Value& location, std::string_view sub_path) {
  if (location.is_object()) {
    for (auto& [store, fields] : location.get_object()) {
      for (const std::string_view name : {"key", "path", "blob"}) {
        Value* key = fields.is_object()
                         ? fields.get_object().if_contains({name.data(), name.size()})
                         : nullptr;
        if (key == nullptr || !key->is_string()) {
          continue;
        }
        std::string joined(doc::text_of(key->get_string()));
        if (!joined.empty() && !joined.ends_with('/')) {
          joined += '/';
        }
        joined += sub_path.starts_with('/') ? sub_path.substr(1) : sub_path;
        *key = joined;
        return {};
      }
    }
  }
  return fail(ErrorCode::invalid, "key not found");
}

}  // namespace tiphys::workflows

#include "executor/step_plan.h"

#include "artifacts/location.h"
#include "workflows/engine/globals.h"
#include "workflows/engine/pod.h"
#include "workflows/engine/repository.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace tiphys::workflows {
namespace {

using doc::Value;
using executor::Archive;

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

/// The names of the containers that count as the step's own.
std::vector<std::string> main_containers(const Value& definition) {
  const Value* set = doc::find(definition, "containerSet");
  const Value* list = set == nullptr ? nullptr : doc::find(*set, "containers");
  std::vector<std::string> out;
  if (list != nullptr && list->is_array()) {
    for (const Value& container : list->get_array()) {
      out.emplace_back(doc::find_string(container, "name"));
    }
  } else {
    out.emplace_back("main");
  }
  return out;
}

/// What the outputs say of an artifact that is kept at `place`: where `declared` as it was written,
/// else the key alone. A template's own location is told completely, so that who reads it from the
/// outputs finds it.
Value reported(const CreatePod& pod, const Value& declared, const Value& place) {
  if (pod.own_archive_location) {
    return place;
  }
  return artifacts::has_location_or_key(declared) ? declared
                                                  : artifacts::without_store_details(place);
}

void plan_inputs(const CreatePod& pod, const Template& definition, executor::StepPlan& plan) {
  for (const Artifact& artifact : definition.inputs.artifacts) {
    if (artifact.path.empty()) {
      continue;
    }
    executor::InputArtifact input;
    input.name = artifact.name;
    input.path = artifact.path;
    input.location = artifacts::has_location_or_key(artifact.location)
                         ? location_in(pod.archive_location, artifact.location, "")
                         : artifact.location;
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

void plan_outputs(const CreatePod& pod, const Template& definition, executor::StepPlan& plan) {
  for (const Artifact& artifact : definition.outputs.artifacts) {
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
        location_in(pod.archive_location, artifact.location,
                    artifacts::file_name(artifact.name, artifact.path, output.archive));
    output.reported = reported(pod, artifact.location, output.location);
    plan.output_artifacts.push_back(std::move(output));
  }
}

void plan_logs(const CreatePod& pod, const Value& definition, executor::StepPlan& plan) {
  for (std::string& container : main_containers(definition)) {
    executor::LogArtifact log;
    log.name = container + "-logs";
    log.location = location_in(pod.archive_location, Value(), container + ".log");
    log.reported = reported(pod, Value(), log.location);
    log.container = std::move(container);
    plan.logs.push_back(std::move(log));
  }
}

}  // namespace

executor::StepPlan step_plan(const CreatePod& pod) {
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
  plan_inputs(pod, *definition, plan);
  for (const Parameter& parameter : definition->outputs.parameters) {
    if (parameter.value_from && parameter.value_from->path) {
      plan.output_parameters.push_back(
          {parameter.name, *parameter.value_from->path, parameter.value_from->default_value});
    }
  }
  plan_outputs(pod, *definition, plan);
  if (pod.archive_logs) {
    plan_logs(pod, *document, plan);
  }
  return plan;
}

namespace {

/// A URL with a path appended to its own.
std::string append_to_url(std::string_view url, std::string_view sub_path) {
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t path = std::min(url.find('/', host), url.size());
  const std::size_t end = std::min(url.find_first_of("?#", path), url.size());
  const std::string joined = artifacts::default_key(url.substr(path, end - path), sub_path);
  return std::string(url.substr(0, path)) + (joined.starts_with('/') ? "" : "/") + joined +
         std::string(url.substr(end));
}

std::string_view why_without_key(std::string_view type) {
  if (type == "git") {
    return "key unsupported: git artifact does not have a key";
  }
  if (type == "raw") {
    return "key unsupported: raw artifat does not have key";
  }
  return "artifact storage is not configured; see the docs for setup instructions: "
         "https://argo-workflows.readthedocs.io/en/latest/configure-artifact-repository/";
}

}  // namespace

Result<> append_to_key(Value& location, std::string_view sub_path) {
  const std::string type(artifacts::type_of(location));
  if (type.empty() || type == "git" || type == "raw") {
    return fail(ErrorCode::invalid, std::string(why_without_key(type)));
  }
  doc::Object& fields = location.as_object()[type].as_object();
  const bool is_url = type == "http" || type == "artifactory";
  Value& key = fields[is_url ? "url" : type == "azure" ? "blob" : type == "hdfs" ? "path" : "key"];
  const std::string before(key.is_string() ? doc::text_of(key.get_string()) : "");
  key = is_url ? append_to_url(before, sub_path) : artifacts::default_key(before, sub_path);
  return {};
}

}  // namespace tiphys::workflows

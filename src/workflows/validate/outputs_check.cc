#include "workflows/validate/names.h"
#include "workflows/validate/workflow_check.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tiphys::workflows {
namespace {

bool is_set(const std::optional<std::string>& text) { return text && !text->empty(); }

/// Go's filepath.Clean of a path with slashes.
std::string clean_path(std::string_view path) {
  const bool is_rooted = path.starts_with('/');
  std::vector<std::string_view> kept;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), part.size() + 1));
    if (part == ".." && !kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (part == ".." ? !is_rooted : !part.empty() && part != ".") {
      kept.push_back(part);
    }
  }
  std::string out = is_rooted ? "/" : "";
  for (const std::string_view part : kept) {
    out += out.empty() || out == "/" ? "" : "/";
    out += part;
  }
  return out.empty() ? "." : out;
}

/// One source, or a value instead.
Result<> check_one_source(const std::string& name, const Parameter& parameter, const Place& place) {
  if (parameter.value && parameter.value_from) {
    return fail_at(place, ".valueFrom",
                   name + " has both valueFrom and value specified, choose one");
  }
  if (parameter.value) {
    return {};
  }
  if (!parameter.value_from) {
    return fail_at(place, "", name + " does not have valueFrom or value specified");
  }
  const ValueFrom& from = *parameter.value_from;
  int sources = int{from.supplied};
  for (const auto* source :
       {&from.path, &from.jq_filter, &from.json_path, &from.parameter, &from.expression}) {
    sources += int{is_set(*source)};
  }
  if (sources == 0) {
    return fail_at(place, ".valueFrom",
                   "valueFrom type unspecified. choose one of: path, jqFilter, jsonPath, "
                   "parameter, raw, expression");
  }
  if (sources > 1) {
    return fail_at(place, ".valueFrom",
                   "multiple valueFrom types specified. choose one of: path, jqFilter, jsonPath, "
                   "parameter, raw");
  }
  return {};
}

/// The source that templates of this type can read.
Result<> check_source_of_type(const std::string& name, const ValueFrom& from, TemplateType type,
                              const Place& place) {
  const std::string templates =
      " must be specified for " + std::string(type_text(type)) + " templates";
  switch (type) {
    case TemplateType::container:
    case TemplateType::container_set:
    case TemplateType::script:
      return is_set(from.path) ? Result<>()
                               : fail_at(place, ".valueFrom", name + ".path" + templates);
    case TemplateType::resource:
      return is_set(from.jq_filter) || is_set(from.json_path)
                 ? Result<>()
                 : fail_at(place, ".valueFrom", name + " .jqFilter or jsonPath" + templates);
    case TemplateType::dag:
    case TemplateType::steps:
      return is_set(from.parameter) || is_set(from.expression)
                 ? Result<>()
                 : fail_at(place, ".valueFrom", name + ".parameter or expression" + templates);
    default:
      return {};
  }
}

Result<> check_global_name(const std::string& name, const std::string& global_name,
                           const Place& place) {
  if (global_name.empty() || holds_parameter_tag(global_name)) {
    return {};
  }
  const std::string problem = parameter_name_problem(global_name);
  return problem.empty() ? Result<>()
                         : fail_at(place, ".globalName", name + ".globalName: " + problem);
}

Result<> check_output_artifact(const Template& checked, const Artifact& artifact,
                               const Place& place) {
  const std::string name = "templates." + checked.name + ".outputs.artifacts." + artifact.name;
  if (is_leaf(checked)) {
    if (const std::string problem = artifact_path_problem(artifact); !problem.empty()) {
      return fail_at(place, ".path", "error in " + name + ": " + problem);
    }
  } else if (!artifact.path.empty()) {
    return fail_at(place, ".path", name + ".path only valid in container/script templates");
  }
  return check_global_name(name, artifact.global_name, place);
}

Result<> check_output_parameter(const Template& checked, const Parameter& parameter,
                                const Place& place) {
  const std::string name = "templates." + checked.name + ".outputs.parameters." + parameter.name;
  TRY_VOID(check_one_source(name, parameter, place));
  if (parameter.value_from) {
    TRY_VOID(check_source_of_type(name, *parameter.value_from, checked.type, place));
  }
  return check_global_name(name, parameter.global_name, place);
}

std::string metric_value_problem(const doc::Value& metric) {
  for (const std::string_view kind : {"gauge", "counter", "histogram"}) {
    const doc::Value* value = find_in(metric, kind);
    if (value == nullptr) {
      continue;
    }
    const std::string_view text = doc::find_string(*value, "value");
    if (text.empty()) {
      return "missing " + std::string(kind) + ".value";
    }
    const doc::Value* realtime = find_in(*value, "realtime");
    if (kind == "gauge" && realtime != nullptr && realtime->is_bool() && realtime->get_bool() &&
        text.find("resourcesDuration.") != std::string_view::npos) {
      return "'resourcesDuration.*' metrics cannot be used in real-time";
    }
  }
  return "";
}

Result<> check_metric_labels(const doc::Value& metric, const Place& place) {
  const doc::Value* labels = find_in(metric, "labels");
  if (labels == nullptr || !labels->is_array()) {
    return {};
  }
  for (std::size_t i = 0; i < labels->get_array().size(); ++i) {
    const std::string key(doc::find_string(labels->get_array()[i], "key"));
    if (!is_metric_name(key)) {
      return fail_at(place.element(".labels", i), ".key",
                     "metric label '" + key +
                         "' is invalid: keys may only contain alphanumeric characters or '_'");
    }
  }
  return {};
}

Result<> check_metric(const std::string& prefix, const doc::Value& metric, const Place& place) {
  const std::string name(doc::find_string(metric, "name"));
  if (!is_metric_name(name)) {
    return fail_at(place, ".name",
                   prefix + "metric name '" + name +
                       "' is invalid. Metric names must contain alphanumeric characters or '_'");
  }
  TRY_VOID(check_metric_labels(metric, place));
  if (doc::find_string(metric, "help").empty()) {
    return fail_at(
        place, ".help",
        prefix + "metric '" + name + "' must contain a help string under 'help: ' field");
  }
  if (const std::string problem = metric_value_problem(metric); !problem.empty()) {
    return fail_at(place, "", prefix + "metric '" + name + "' error: " + problem);
  }
  return {};
}

}  // namespace

std::string artifact_path_problem(const Artifact& artifact) {
  const std::string_view path = artifact.path;
  const std::string shown = "Artifact '" + artifact.name + "' ";
  if (path.empty()) {
    return shown + "did not specify a path";
  }
  // What stands before the first ".." must not be left.
  std::size_t end = path.find("/../");
  // Upstream takes any two characters behind the last slash for dots.
  if (end == std::string_view::npos && path.size() >= 3 && path[path.size() - 3] == '/') {
    end = path.size() - 3;
  }
  if (end == std::string_view::npos || end == 0) {
    return "";
  }
  const std::string safe = std::string(path.substr(0, end)) + "/";
  const std::string clean = clean_path(path);
  return clean.starts_with(safe) && clean.size() > safe.size()
             ? ""
             : shown +
                   "attempted to use a path containing '..'. Directory traversal is not "
                   "permitted";
}

Result<> WorkflowCheck::check_outputs(const Frame& frame) {
  const Template& checked = frame.filled;
  const std::string prefix = "templates." + checked.name + ".outputs";
  const Place place = frame.place.below(".outputs");
  TRY_VOID(check_names(checked.outputs.parameters, NameRule::parameter, prefix + ".parameters ",
                       place.below(".parameters")));
  TRY_VOID(check_names(checked.outputs.artifacts, NameRule::parameter, prefix + ".artifacts ",
                       place.below(".artifacts")));
  if (const doc::Value* document = find_in(checked.document, "outputs")) {
    if (auto tags = check_tags_of(frame.names, *document, place); !tags) {
      return behind(prefix + " ", std::move(tags).error());
    }
  }
  for (std::size_t i = 0; i < checked.outputs.artifacts.size(); ++i) {
    TRY_VOID(check_output_artifact(checked, checked.outputs.artifacts[i],
                                   place.element(".artifacts", i)));
  }
  for (std::size_t i = 0; i < checked.outputs.parameters.size(); ++i) {
    TRY_VOID(check_output_parameter(checked, checked.outputs.parameters[i],
                                    place.element(".parameters", i)));
  }
  return {};
}

Result<> WorkflowCheck::check_metrics(const Frame& frame) {
  const doc::Value* metrics = find_in(frame.filled.document, "metrics.prometheus");
  if (metrics == nullptr || !metrics->is_array()) {
    return {};
  }
  const std::string prefix = "templates." + frame.filled.name + " ";
  for (std::size_t i = 0; i < metrics->get_array().size(); ++i) {
    TRY_VOID(check_metric(prefix, metrics->get_array()[i],
                          frame.place.element(".metrics.prometheus", i)));
  }
  return {};
}

}  // namespace tiphys::workflows

#include "workflows/engine/globals.h"

#include "lang/gotext/gotext.h"
#include "lang/gotime/gotime.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kConfigMapLabel = "workflows.argoproj.io/configmap-type";
constexpr std::string_view kScheduledTime = "workflows.argoproj.io/scheduled-time";

/// strftime letters and the Go layouts behind them.
constexpr std::array<std::pair<char, std::string_view>, 15> kTimeLetters = {{
    {'B', "January"},
    {'b', "Jan"},
    {'m', "01"},
    {'A', "Monday"},
    {'a', "Mon"},
    {'d', "02"},
    {'H', "15"},
    {'I', "03"},
    {'M', "04"},
    {'S', "05"},
    {'Y', "2006"},
    {'y', "06"},
    {'p', "PM"},
    {'Z', "MST"},
    {'z', "-0700"},
}};

constexpr std::size_t kLongestLabel = 63;
constexpr std::string_view kLabelRule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// Go's %T of a value.
std::string go_type_of(const lang::ExprValue& value) {
  switch (value.kind()) {
    case lang::ExprKind::nil:
      return "<nil>";
    case lang::ExprKind::boolean:
      return "bool";
    case lang::ExprKind::float64:
      return "float64";
    case lang::ExprKind::list:
      return "[]interface {}";
    case lang::ExprKind::map:
      return "map[string]interface {}";
    default:
      return value.type_name();
  }
}

std::string json_of(const std::map<std::string, std::string>& entries) {
  doc::Object object;
  for (const auto& [key, value] : entries) {
    object[key] = value;
  }
  return doc::to_json(object);
}

void set_times(Scope& scope, std::string_view creation) {
  lang::Instant instant = lang::Instant::zero();
  if (const auto parsed = lang::parse_time(lang::kRfc3339, creation)) {
    instant = *parsed;
  }
  const std::string text = instant.format(lang::kRfc3339);
  scope.set("workflow.creationTimestamp", text);
  scope.set("workflow.creationTimestamp.RFC3339", text);
  scope.set("workflow.creationTimestamp.s", std::to_string(instant.unix_seconds));
  for (const auto& [letter, layout] : kTimeLetters) {
    scope.set(std::string("workflow.creationTimestamp.") + letter, instant.format(layout));
  }
  scope.set("workflow.creationTimestamp.L", fmt::format(".{:03}", instant.nanosecond / 1'000'000));
}

void set_metadata(Scope& scope, std::string_view kind,
                  const std::map<std::string, std::string>& entries) {
  const std::string prefix = "workflow." + std::string(kind);
  const std::string json = json_of(entries);
  scope.set(prefix, json);
  scope.set(prefix + ".json", json);
}

}  // namespace

Result<std::string> config_map_value(const References& references, std::string_view name,
                                     std::string_view key) {
  const std::string quoted = "ConfigMap '" + std::string(name) + "'";
  const std::string label = std::string(kConfigMapLabel) + ": Parameter";
  const doc::Value* document = references.config_map(name);
  if (document == nullptr) {
    return fail(ErrorCode::not_found, quoted +
                                          " does not exist. Please make sure it has the label " +
                                          label + " to be detectable by the controller");
  }
  const doc::Value* metadata = doc::find(*document, "metadata");
  const doc::Value* labels = metadata == nullptr ? nullptr : doc::find(*metadata, "labels");
  if (labels == nullptr || doc::find_string(*labels, kConfigMapLabel) != "Parameter") {
    return fail(ErrorCode::bad_request,
                quoted + " needs to have the label " + label + " to load parameters");
  }
  const doc::Value* data = doc::find(*document, "data");
  const doc::Value* value = data == nullptr ? nullptr : doc::find(*data, key);
  if (value == nullptr || !value->is_string()) {
    return fail(ErrorCode::not_found, quoted + " does not have the key '" + std::string(key) + "'");
  }
  return std::string(doc::text_of(value->get_string()));
}

Result<> set_global_parameters(Scope& scope, const Arguments& arguments,
                               const References& references) {
  doc::Array list;
  for (const Parameter& parameter : arguments.parameters) {
    list.push_back(encode_parameter(parameter));
    const std::string key = "workflow.parameters." + parameter.name;
    if (parameter.value) {
      scope.set(key, *parameter.value);
      continue;
    }
    if (!parameter.value_from || !parameter.value_from->config_map_key) {
      return fail(ErrorCode::invalid,
                  "either value or valueFrom must be specified in order to set global parameter " +
                      parameter.name);
    }
    const ConfigMapKey& source = *parameter.value_from->config_map_key;
    auto value = config_map_value(references, source.name, source.key);
    if (value) {
      scope.set(key, std::move(*value));
    } else if (parameter.value_from->default_value) {
      scope.set(key, *parameter.value_from->default_value);
    } else {
      return fail(ErrorCode::invalid, "failed to set global parameter " + parameter.name +
                                          " from configmap with name " + source.name + " and key " +
                                          source.key + ": " + value.error().message);
    }
  }
  const std::string json = doc::to_json(list);
  scope.set("workflow.parameters", json);
  scope.set("workflow.parameters.json", json);
  return {};
}

Result<> set_globals(Scope& scope, const Metadata& metadata, const WorkflowSpec& executed,
                     const References& references) {
  scope.set("workflow.name", metadata.name);
  scope.set("workflow.namespace", metadata.namespace_);
  scope.set("workflow.uid", metadata.uid);
  scope.set("workflow.mainEntrypoint", executed.entrypoint);
  scope.set("workflow.serviceAccountName", executed.service_account_name);
  if (executed.priority) {
    scope.set("workflow.priority", std::to_string(*executed.priority));
  }
  set_times(scope, metadata.creation_timestamp);
  const auto scheduled = metadata.annotations.find(std::string(kScheduledTime));
  if (scheduled != metadata.annotations.end()) {
    scope.set("workflow.scheduledTime", scheduled->second);
  }
  set_metadata(scope, "annotations", metadata.annotations);
  set_metadata(scope, "labels", metadata.labels);
  for (const auto& [key, value] : metadata.annotations) {
    scope.set("workflow.annotations." + key, value);
  }
  for (const auto& [key, value] : metadata.labels) {
    if (!executed.labels_from.contains(key)) {
      scope.set("workflow.labels." + key, value);
    }
  }
  for (const auto& [key, value] : executed.workflow_metadata.annotations) {
    scope.set("workflow.annotations." + key, value);
  }
  for (const auto& [key, value] : executed.workflow_metadata.labels) {
    if (!executed.labels_from.contains(key)) {
      scope.set("workflow.labels." + key, value);
    }
  }
  return set_global_parameters(scope, executed.arguments, references);
}

Result<std::string> evaluate_label(std::string_view label, std::string_view expression,
                                   const Scope& scope) {
  const std::string what =
      "failed to evaluate label " + lang::quote(label) + " expression " + lang::quote(expression);
  const auto value = evaluate(expression, scope);
  if (!value) {
    return fail(ErrorCode::invalid, what + ": " + value.error().message);
  }
  if (value->kind() != lang::ExprKind::string) {
    return fail(ErrorCode::invalid,
                what + " evaluted to " + go_type_of(*value) + " but must be a string");
  }
  return std::string(value->as_string());
}

Result<> check_label(std::string_view value, std::string_view label, std::string_view expression) {
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  std::string problem;
  if (value.size() > kLongestLabel) {
    problem = "must be no more than 63 bytes";
  }
  const bool is_spelt_well =
      value.empty() || (is_alphanumeric(value.front()) && is_alphanumeric(value.back()) &&
                        std::ranges::all_of(value, [&](char c) {
                          return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
                        }));
  if (!is_spelt_well) {
    problem += std::string(problem.empty() ? "" : ";") + std::string(kLabelRule);
  }
  if (problem.empty()) {
    return {};
  }
  const std::string source = expression.empty() ? "" : " and expression " + lang::quote(expression);
  return fail(ErrorCode::invalid, "invalid label value " + lang::quote(value) + " for label " +
                                      lang::quote(label) + source + ": " + problem);
}

std::string duration_text(TimePoint from, TimePoint to) {
  return fmt::format("{:.6f}", static_cast<double>((to - from).count()) / 1000.0);
}

std::string time_text(TimePoint time) {
  lang::Instant instant;
  instant.unix_seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  return instant.format(lang::kRfc3339);
}

TimePoint time_of(std::string_view text) {
  const auto parsed = lang::parse_time(lang::kRfc3339, text);
  if (!parsed) {
    return kNoTime;
  }
  return TimePoint(std::chrono::seconds(parsed->unix_seconds)) +
         std::chrono::milliseconds(parsed->nanosecond / 1'000'000);
}

}  // namespace tiphys::workflows

#include "workflows/validate/names.h"
#include "workflows/validate/workflow_check.h"

#include <boost/json.hpp>

#include <array>

namespace tiphys::workflows {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

constexpr std::array<std::string_view, 5> kAttemptNames = {
    "retries", "lastRetry.exitCode", "lastRetry.status", "lastRetry.duration", "lastRetry.message"};

/// Elements of a list by their names; the first of those with the same name counts.
template <class T>
std::unordered_map<std::string_view, std::size_t> by_name(const std::vector<T>& list) {
  std::unordered_map<std::string_view, std::size_t> indices;
  indices.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    indices.emplace(list[i].name, i);
  }
  return indices;
}

/// What an input has once a call filled it.
struct Given {
  std::optional<std::string> value;
  /// The value comes from a source that is not read here.
  bool has_source = false;
  /// The call says so, not the declaration.
  bool is_from_call = false;
};

Given given_to(const Parameter& input, const Parameter* argument) {
  const auto reads_config_map = [](const std::optional<ValueFrom>& from) {
    return from && from->config_map_key;
  };
  if (argument == nullptr) {
    return {input.value ? input.value : input.default_value, reads_config_map(input.value_from)};
  }
  return {argument->value, !argument->value && reads_config_map(argument->value_from), true};
}

void set_member(Object& object, std::string_view key, Value value) {
  object.insert_or_assign({key.data(), key.size()}, std::move(value));
}

/// The declared artifact as the call fills it: the call's own, at the declared path.
Value filled_artifact(const Value& declared, const Value& given) {
  Object out;
  if (const Object* members = given.if_object()) {
    out = *members;
  }
  for (const std::string_view kept : {"path", "mode", "recurseMode"}) {
    out.erase({kept.data(), kept.size()});
    if (const Value* value = doc::find(declared, kept)) {
      set_member(out, kept, *value);
    }
  }
  return out;
}

Array* list_in(Value& inputs, std::string_view key) {
  Object* lists = inputs.if_object();
  Value* list = lists == nullptr ? nullptr : lists->if_contains({key.data(), key.size()});
  return list == nullptr ? nullptr : list->if_array();
}

/// A template's text with other inputs. Its body may be large, so it is not copied first.
std::string text_with_inputs(const Object& document, const Value& inputs) {
  std::string text = "{";
  for (const auto& [key, value] : document) {
    text += text.size() > 1 ? "," : "";
    doc::append_json_string(text, {key.data(), key.size()});
    text += ":";
    doc::append_json(text, key == "inputs" ? inputs : value);
  }
  return text += "}";
}

/// What templates see of their own inputs and outputs.
void add_own_values(const Template& called, const std::vector<Parameter>& parameters,
                    const doc::Value* parameters_document, lang::Scope& scope) {
  for (const Parameter& parameter : parameters) {
    if (parameter.value) {
      scope.set("inputs.parameters." + parameter.name, *parameter.value);
    }
  }
  scope.set("inputs.parameters",
            parameters_document == nullptr ? "null" : doc::to_json(*parameters_document));
  for (const Artifact& artifact : called.inputs.artifacts) {
    if (!artifact.path.empty()) {
      scope.set("inputs.artifacts." + artifact.name + ".path", artifact.path);
    }
  }
  for (const Artifact& artifact : called.outputs.artifacts) {
    if (!artifact.path.empty()) {
      scope.set("outputs.artifacts." + artifact.name + ".path", artifact.path);
    }
  }
  for (const Parameter& parameter : called.outputs.parameters) {
    if (parameter.value_from && !parameter.value_from->path.value_or("").empty()) {
      scope.set("outputs.parameters." + parameter.name + ".path", *parameter.value_from->path);
    }
  }
}

}  // namespace

std::string WorkflowCheck::next_placeholder() {
  return std::string(kPlaceholderPrefix) + std::to_string(placeholders_++);
}

Result<> WorkflowCheck::check_supplied(const Template& called, const Supply& supply,
                                       const Place& place) const {
  if (supply.is_unknown()) {
    return {};
  }
  const auto missing = [&](std::string_view list, const std::string& name, std::size_t index) {
    const std::string message = "inputs." + std::string(list) + "." + name + " was not supplied";
    const Place declared = place.element(".inputs." + std::string(list), index);
    return fail_at(supply.is_workflow ? declared : supply.place, "", message);
  };
  const auto parameters = by_name(supply.arguments->parameters);
  for (std::size_t i = 0; i < called.inputs.parameters.size(); ++i) {
    const Parameter& input = called.inputs.parameters[i];
    const auto argument = parameters.find(input.name);
    const bool is_named = argument != parameters.end();
    const Given given =
        given_to(input, is_named ? &supply.arguments->parameters[argument->second] : nullptr);
    if (!given.value && !given.has_source) {
      if (is_named) {
        return fail_at(supply.place.element(".parameters", argument->second), "",
                       "inputs.parameters." + input.name + " was not supplied");
      }
      return missing("parameters", input.name, i);
    }
  }
  const auto artifacts = by_name(supply.arguments->artifacts);
  for (std::size_t i = 0; i < called.inputs.artifacts.size(); ++i) {
    const Artifact& input = called.inputs.artifacts[i];
    if (!input.optional && !has_location_or_key(input) && !artifacts.contains(input.name)) {
      return missing("artifacts", input.name, i);
    }
  }
  return {};
}

void WorkflowCheck::fill_parameters(const Template& called, const Supply& supply,
                                    doc::Array& documents) {
  const auto arguments = supply.is_unknown() ? std::unordered_map<std::string_view, std::size_t>()
                                             : by_name(supply.arguments->parameters);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    Given given{.is_from_call = true};
    if (supply.is_unknown()) {
      given.value = next_placeholder();
    } else {
      const auto argument = arguments.find(called.inputs.parameters[i].name);
      given = given_to(
          called.inputs.parameters[i],
          argument == arguments.end() ? nullptr : &supply.arguments->parameters[argument->second]);
    }
    Object& document = documents[i].get_object();
    if (given.value) {
      set_member(document, "value", boost::json::string(*given.value));
      if (given.is_from_call) {
        document.erase("valueFrom");
      }
    } else if (given.is_from_call) {
      document.erase("value");
    }
  }
}

void WorkflowCheck::fill_artifacts(const Template& called, const Supply& supply,
                                   doc::Array& documents) {
  const doc::Value* given_documents =
      supply.document == nullptr ? nullptr : find_in(*supply.document, "artifacts");
  const auto arguments = supply.is_unknown() ? std::unordered_map<std::string_view, std::size_t>()
                                             : by_name(supply.arguments->artifacts);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::string& name = called.inputs.artifacts[i].name;
    Value given = Object{{"name", name}};
    if (!supply.is_unknown()) {
      const auto argument = arguments.find(name);
      if (argument == arguments.end()) {
        continue;
      }
      if (given_documents != nullptr && given_documents->is_array() &&
          argument->second < given_documents->get_array().size()) {
        given = given_documents->get_array()[argument->second];
      }
    }
    documents[i] = filled_artifact(documents[i], given);
  }
}

Result<Template> WorkflowCheck::fill(const Template& called, const Supply& supply,
                                     const Place& place) {
  TRY_VOID(check_supplied(called, supply, place));
  if (!called.document.is_object()) {
    return called;
  }
  const Value* declared = find_in(called.document, "inputs");
  Value inputs;
  if (declared != nullptr) {
    inputs = *declared;
    if (Array* parameters = list_in(inputs, "parameters")) {
      fill_parameters(called, supply, *parameters);
    }
    if (Array* artifacts = list_in(inputs, "artifacts")) {
      fill_artifacts(called, supply, *artifacts);
    }
  }
  std::string text = text_with_inputs(called.document.get_object(), inputs);
  const bool has_inputs = !called.inputs.parameters.empty() || !called.inputs.artifacts.empty();
  if (text.find("{{") == std::string::npos && !has_inputs) {
    return called;
  }
  auto filled = substitute(called, std::move(text), inputs);
  if (!filled) {
    return moved_to(place, "", std::move(filled).error());
  }
  return filled;
}

Result<Template> WorkflowCheck::substitute(const Template& called, std::string text,
                                           const doc::Value& declared) {
  constexpr auto kJson = lang::TagText::Format::own_json;
  lang::Scope locals(&globals_);
  if (called.is_pod()) {
    locals.set("pod.name", next_placeholder());
  }
  if (called.retry_strategy) {
    for (const std::string_view name : kAttemptNames) {
      locals.set(std::string(name), next_placeholder());
    }
  }
  TRY(text, lang::replace_tags(std::move(text), locals, {}, kJson, &expressions_));
  // Inputs may name variables of the workflow, so their values are those after the first pass.
  lang::Scope own(&locals);
  TRY(const std::string inputs_text,
      lang::replace_tags(doc::to_json(declared), locals, {}, kJson, &expressions_));
  TRY(const doc::Value inputs, doc::parse_json(inputs_text));
  TRY(const Arguments decoded, decode_arguments(inputs));
  add_own_values(called, decoded.parameters, find_in(inputs, "parameters"), own);
  TRY(text, lang::replace_tags(std::move(text), own, {}, kJson, &expressions_));
  TRY(const doc::Value filled, doc::parse_json(text));
  return decode_template(filled);
}

Result<> WorkflowCheck::check_timeouts(const Template& called, const Template& filled,
                                       const Place& place) const {
  const std::string type(type_text(filled.type));
  if (!filled.timeout.empty()) {
    if (!is_leaf(filled)) {
      return fail_at(place, ".timeout", type + " template doesn't support timeout field");
    }
    if (is_integer_text(filled.timeout)) {
      return fail_at(place, ".timeout", called.name + " has invalid duration format in timeout");
    }
  }
  if (!filled.pending_timeout.empty() && !is_leaf(filled)) {
    return fail_at(place, ".pendingTimeout",
                   type + " template doesn't support pendingTimeout field");
  }
  return {};
}

Result<> WorkflowCheck::check_again(const Template& called, const Supply& supply,
                                    const Place& place) {
  const bool has_late_timeout = called.timeout.find("{{") != std::string::npos;
  if (supply.is_unknown() || !has_late_timeout) {
    auto supplied = check_supplied(called, supply, place);
    if (!supplied) {
      return behind("templates." + called.name + " ", std::move(supplied).error());
    }
    return {};
  }
  auto filled = fill(called, supply, place);
  if (!filled) {
    return behind("templates." + called.name + " ", std::move(filled).error());
  }
  return check_timeouts(called, *filled, place);
}

}  // namespace tiphys::workflows

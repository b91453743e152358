#include "workflows/model/model.h"

#include <boost/json.hpp>

namespace tiphys::workflows {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

void put(Object& out, std::string_view key, const std::string& text) {
  if (!text.empty()) {
    out[{key.data(), key.size()}] = text;
  }
}

void put(Object& out, std::string_view key, const std::optional<std::string>& text) {
  if (text) {
    out[{key.data(), key.size()}] = *text;
  }
}

Value encode_value_from(const ValueFrom& from) {
  Object out;
  put(out, "path", from.path);
  put(out, "jsonPath", from.json_path);
  put(out, "jqFilter", from.jq_filter);
  put(out, "event", from.event);
  put(out, "parameter", from.parameter);
  put(out, "expression", from.expression);
  put(out, "default", from.default_value);
  if (from.supplied) {
    out["supplied"] = Object{};
  }
  if (from.config_map_key) {
    Object key{{"name", from.config_map_key->name}, {"key", from.config_map_key->key}};
    if (from.config_map_key->optional) {
      key["optional"] = true;
    }
    out["configMapKeyRef"] = std::move(key);
  }
  return out;
}

template <class T>
void put_list(Object& out, std::string_view key, const std::vector<T>& list,
              Value (*encode)(const T&)) {
  if (list.empty()) {
    return;
  }
  Array& array = out[{key.data(), key.size()}].emplace_array();
  for (const T& element : list) {
    array.push_back(encode(element));
  }
}

}  // namespace

Value encode_parameter(const Parameter& parameter) {
  Object out;
  put(out, "name", parameter.name);
  put(out, "default", parameter.default_value);
  put(out, "value", parameter.value);
  if (parameter.value_from) {
    out["valueFrom"] = encode_value_from(*parameter.value_from);
  }
  put(out, "globalName", parameter.global_name);
  if (parameter.enum_values) {
    Array& values = out["enum"].emplace_array();
    for (const std::string& value : *parameter.enum_values) {
      values.emplace_back(value);
    }
  }
  return out;
}

Value encode_artifact(const Artifact& artifact) {
  Object out;
  put(out, "name", artifact.name);
  put(out, "path", artifact.path);
  if (artifact.mode) {
    out["mode"] = *artifact.mode;
  }
  put(out, "from", artifact.from);
  if (const Object* location = artifact.location.if_object()) {
    for (const auto& [store, value] : *location) {
      out[store] = value;
    }
  }
  put(out, "globalName", artifact.global_name);
  if (!artifact.archive.is_null()) {
    out["archive"] = artifact.archive;
  }
  if (artifact.optional) {
    out["optional"] = true;
  }
  put(out, "subPath", artifact.sub_path);
  if (artifact.recurse_mode) {
    out["recurseMode"] = true;
  }
  put(out, "fromExpression", artifact.from_expression);
  if (!artifact.gc.is_null()) {
    out["artifactGC"] = artifact.gc;
  }
  if (artifact.deleted) {
    out["deleted"] = true;
  }
  return out;
}

Value encode_inputs(const Inputs& inputs) {
  Object out;
  put_list(out, "parameters", inputs.parameters, encode_parameter);
  put_list(out, "artifacts", inputs.artifacts, encode_artifact);
  return out;
}

Value encode_outputs(const Outputs& outputs) {
  Object out;
  put_list(out, "parameters", outputs.parameters, encode_parameter);
  put_list(out, "artifacts", outputs.artifacts, encode_artifact);
  put(out, "result", outputs.result);
  put(out, "exitCode", outputs.exit_code);
  return out;
}

}  // namespace tiphys::workflows

#include "executor/step_plan.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace tiphys::executor {
namespace {

constexpr std::array kArchiveNames{std::pair{Archive::sniff, "sniff"},
                                   std::pair{Archive::none, "none"}, std::pair{Archive::tar, "tar"},
                                   std::pair{Archive::zip, "zip"}};

const char* name_of(Archive archive) {
  for (const auto& [value, name] : kArchiveNames) {
    if (value == archive) {
      return name;
    }
  }
  return "";
}

/// Reads the members of one object and says where something is not as it should be.
class Reader {
 public:
  Reader(const doc::Value& value, std::string path) : value_(value), path_(std::move(path)) {}

  std::string at(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  }

  std::unexpected<Error> refuse(std::string_view key, std::string_view why) const {
    return std::unexpected(Error{ErrorCode::invalid,
                                 fmt::format("{}: {}", at(key), why),
                                 {FieldError{at(key), std::string(why), {}}}});
  }

  Result<> check_object() const {
    return value_.is_object() ? Result<>{} : refuse("", "is not an object");
  }

  Result<std::optional<std::string>> optional_text(std::string_view key) const {
    const doc::Value* member = present(key);
    if (member == nullptr) {
      return std::nullopt;
    }
    if (!member->is_string()) {
      return refuse(key, "is not a string");
    }
    return std::string(doc::text_of(member->get_string()));
  }

  Result<std::string> text(std::string_view key) const {
    TRY(auto found, optional_text(key));
    return std::move(found).value_or("");
  }

  Result<bool> flag(std::string_view key) const {
    const doc::Value* member = present(key);
    if (member != nullptr && !member->is_bool()) {
      return refuse(key, "is not true or false");
    }
    return member != nullptr && member->get_bool();
  }

  Result<std::optional<std::int64_t>> integer(std::string_view key) const {
    const doc::Value* member = present(key);
    if (member == nullptr) {
      return std::nullopt;
    }
    if (!member->is_int64()) {
      return refuse(key, "is not an integer");
    }
    return member->get_int64();
  }

  Result<std::uint64_t> counter(std::string_view key) const {
    TRY(const auto number, integer(key));
    if (number.value_or(0) < 0) {
      return refuse(key, "is negative");
    }
    return static_cast<std::uint64_t>(number.value_or(0));
  }

  Result<Archive> archive(std::string_view key, Archive otherwise) const {
    TRY(const auto text, optional_text(key));
    for (const auto& [value, name] : kArchiveNames) {
      if (text == name) {
        return value;
      }
    }
    return text ? Result<Archive>(refuse(key, "is not a way to archive")) : otherwise;
  }

  /// The elements of an array, each through `read`; none when there is no array.
  template <class Item, class Read>
  Result<std::vector<Item>> list(std::string_view key, Read read) const {
    std::vector<Item> items;
    const doc::Value* member = present(key);
    if (member == nullptr) {
      return items;
    }
    if (!member->is_array()) {
      return refuse(key, "is not a list");
    }
    for (const doc::Value& element : member->get_array()) {
      const Reader reader(element, fmt::format("{}[{}]", at(key), items.size()));
      TRY_VOID(reader.check_object());
      TRY(Item item, read(reader));
      items.push_back(std::move(item));
    }
    return items;
  }

  const doc::Value* present(std::string_view key) const {
    const doc::Value* member = doc::find(value_, key);
    return member == nullptr || member->is_null() ? nullptr : member;
  }

  const doc::Value& value() const { return value_; }

 private:
  const doc::Value& value_;
  std::string path_;
};

doc::Value encode(const InputArtifact& artifact) {
  doc::Object object{{"name", artifact.name}, {"path", artifact.path}};
  if (!artifact.location.is_null()) {
    object["location"] = artifact.location;
  }
  if (artifact.archive != Archive::sniff) {
    object["archive"] = name_of(artifact.archive);
  }
  if (artifact.mode) {
    object["mode"] = *artifact.mode;
  }
  if (artifact.recurse_mode) {
    object["recurseMode"] = true;
  }
  if (artifact.optional) {
    object["optional"] = true;
  }
  return object;
}

Result<InputArtifact> decode_input(const Reader& reader) {
  InputArtifact artifact;
  TRY(artifact.name, reader.text("name"));
  TRY(artifact.path, reader.text("path"));
  if (const doc::Value* location = reader.present("location")) {
    artifact.location = *location;
  }
  TRY(artifact.archive, reader.archive("archive", Archive::sniff));
  TRY(const auto mode, reader.integer("mode"));
  if (mode && (*mode < 0 || *mode > 07777)) {
    return reader.refuse("mode", "is not between 0 and 4095");
  }
  if (mode) {
    artifact.mode = static_cast<int>(*mode);
  }
  TRY(artifact.recurse_mode, reader.flag("recurseMode"));
  TRY(artifact.optional, reader.flag("optional"));
  return artifact;
}

doc::Value encode(const OutputArtifact& artifact) {
  doc::Object object{{"name", artifact.name}, {"path", artifact.path}};
  if (!artifact.location.is_null()) {
    object["location"] = artifact.location;
  }
  if (!artifact.reported.is_null()) {
    object["reported"] = artifact.reported;
  }
  if (artifact.archive != Archive::tar) {
    object["archive"] = name_of(artifact.archive);
  }
  if (artifact.compression_level != -1) {
    object["compressionLevel"] = artifact.compression_level;
  }
  if (artifact.optional) {
    object["optional"] = true;
  }
  return object;
}

Result<OutputArtifact> decode_output(const Reader& reader) {
  OutputArtifact artifact;
  TRY(artifact.name, reader.text("name"));
  TRY(artifact.path, reader.text("path"));
  if (const doc::Value* location = reader.present("location")) {
    artifact.location = *location;
  }
  if (const doc::Value* reported = reader.present("reported")) {
    artifact.reported = *reported;
  }
  TRY(artifact.archive, reader.archive("archive", Archive::tar));
  TRY(const auto level, reader.integer("compressionLevel"));
  if (level && (*level < -1000 || *level > 1000)) {
    return reader.refuse("compressionLevel", "is out of range");
  }
  artifact.compression_level = static_cast<int>(level.value_or(-1));
  TRY(artifact.optional, reader.flag("optional"));
  return artifact;
}

doc::Value encode(const LogArtifact& log) {
  doc::Object object{{"name", log.name}, {"container", log.container}, {"location", log.location}};
  if (!log.reported.is_null()) {
    object["reported"] = log.reported;
  }
  return object;
}

Result<LogArtifact> decode_log(const Reader& reader) {
  LogArtifact log;
  TRY(log.name, reader.text("name"));
  TRY(log.container, reader.text("container"));
  if (const doc::Value* location = reader.present("location")) {
    log.location = *location;
  }
  if (const doc::Value* reported = reader.present("reported")) {
    log.reported = *reported;
  }
  return log;
}

doc::Value encode(const OutputParameter& parameter) {
  doc::Object object{{"name", parameter.name}, {"path", parameter.path}};
  if (parameter.default_value) {
    object["default"] = *parameter.default_value;
  }
  return object;
}

Result<OutputParameter> decode_parameter(const Reader& reader) {
  OutputParameter parameter;
  TRY(parameter.name, reader.text("name"));
  TRY(parameter.path, reader.text("path"));
  TRY(parameter.default_value, reader.optional_text("default"));
  return parameter;
}

doc::Value encode(const ContainerRule& rule) {
  doc::Object object{{"name", rule.name}};
  if (!rule.dependencies.empty()) {
    doc::Array names;
    for (const std::string& name : rule.dependencies) {
      names.emplace_back(name);
    }
    object["dependencies"] = std::move(names);
  }
  if (rule.retries != 0) {
    object["retries"] = rule.retries;
  }
  if (rule.retry_delay.count() != 0) {
    object["retryDelayMilliseconds"] = rule.retry_delay.count();
  }
  return object;
}

Result<ContainerRule> decode_rule(const Reader& reader) {
  ContainerRule rule;
  TRY(rule.name, reader.text("name"));
  if (const doc::Value* names = reader.present("dependencies")) {
    if (!names->is_array()) {
      return reader.refuse("dependencies", "is not a list");
    }
    for (const doc::Value& name : names->get_array()) {
      if (!name.is_string()) {
        return reader.refuse("dependencies", "is not a list of strings");
      }
      rule.dependencies.emplace_back(doc::text_of(name.get_string()));
    }
  }
  TRY(const std::uint64_t retries, reader.counter("retries"));
  if (retries > std::numeric_limits<int>::max()) {
    return reader.refuse("retries", "is out of range");
  }
  rule.retries = static_cast<int>(retries);
  TRY(const std::uint64_t delay, reader.counter("retryDelayMilliseconds"));
  constexpr std::uint64_t kLongest = 1'000'000'000'000;
  rule.retry_delay = std::chrono::milliseconds(std::min(delay, kLongest));
  return rule;
}

doc::Value encode(const StepOutputs::Parameter& parameter) {
  return doc::Object{{"name", parameter.name}, {"value", parameter.value}};
}

/// The location's member stands directly in the artifact, as everywhere in Argo.
doc::Value encode(const CapturedArtifact& artifact) {
  doc::Object object{{"name", artifact.name}};
  if (!artifact.path.empty()) {
    object["path"] = artifact.path;
  }
  if (artifact.location.is_object()) {
    for (const auto& member : artifact.location.get_object()) {
      object.insert(member);
    }
  }
  object["digest"] = artifact.digest;
  object["size"] = artifact.size;
  return object;
}

Result<CapturedArtifact> decode_captured(const Reader& reader) {
  CapturedArtifact artifact;
  TRY(artifact.name, reader.text("name"));
  TRY(artifact.path, reader.text("path"));
  TRY(artifact.digest, reader.text("digest"));
  TRY(artifact.size, reader.counter("size"));
  doc::Object location = reader.value().get_object();
  for (const char* own : {"name", "path", "digest", "size"}) {
    location.stable_erase(own);
  }
  artifact.location = std::move(location);
  return artifact;
}

template <class Item>
void put_list(doc::Object& object, std::string_view key, const std::vector<Item>& items) {
  if (items.empty()) {
    return;
  }
  doc::Array array;
  array.reserve(items.size());
  for (const Item& item : items) {
    array.push_back(encode(item));
  }
  object[key] = std::move(array);
}

}  // namespace

std::string StepPlan::to_json() const {
  doc::Object object{{"mainContainer", main_container}};
  if (script_source) {
    object["scriptSource"] = *script_source;
  }
  put_list(object, "containers", containers);
  put_list(object, "inputArtifacts", input_artifacts);
  put_list(object, "outputParameters", output_parameters);
  put_list(object, "outputArtifacts", output_artifacts);
  put_list(object, "logs", logs);
  if (capture_result) {
    object["captureResult"] = true;
  }
  return doc::to_json(object);
}

Result<StepPlan> StepPlan::from_json(std::string_view text) {
  TRY(const doc::Value value, doc::parse_json(text));
  const Reader reader(value, "");
  TRY_VOID(reader.check_object());
  StepPlan plan;
  TRY(auto container, reader.optional_text("mainContainer"));
  plan.main_container = std::move(container).value_or(plan.main_container);
  TRY(plan.script_source, reader.optional_text("scriptSource"));
  TRY(plan.containers, reader.list<ContainerRule>("containers", decode_rule));
  TRY(plan.input_artifacts, reader.list<InputArtifact>("inputArtifacts", decode_input));
  TRY(plan.output_parameters, reader.list<OutputParameter>("outputParameters", decode_parameter));
  TRY(plan.output_artifacts, reader.list<OutputArtifact>("outputArtifacts", decode_output));
  TRY(plan.logs, reader.list<LogArtifact>("logs", decode_log));
  TRY(plan.capture_result, reader.flag("captureResult"));
  return plan;
}

std::string StepOutputs::to_json() const {
  doc::Object object;
  put_list(object, "parameters", parameters);
  put_list(object, "artifacts", artifacts);
  if (result) {
    object["result"] = *result;
  }
  if (!error.empty()) {
    object["error"] = error;
  }
  if (peak_memory_bytes != 0 || cpu_microseconds != 0) {
    object["usage"] =
        doc::Object{{"peakMemoryBytes", peak_memory_bytes}, {"cpuMicroseconds", cpu_microseconds}};
  }
  return doc::to_json(object);
}

Result<StepOutputs> StepOutputs::from_json(std::string_view text) {
  TRY(const doc::Value value, doc::parse_json(text));
  const Reader reader(value, "");
  TRY_VOID(reader.check_object());
  StepOutputs outputs;
  TRY(outputs.parameters,
      reader.list<Parameter>("parameters", [](const Reader& item) -> Result<Parameter> {
        Parameter parameter;
        TRY(parameter.name, item.text("name"));
        TRY(parameter.value, item.text("value"));
        return parameter;
      }));
  TRY(outputs.artifacts, reader.list<CapturedArtifact>("artifacts", decode_captured));
  TRY(outputs.result, reader.optional_text("result"));
  TRY(outputs.error, reader.text("error"));
  if (const doc::Value* usage = reader.present("usage")) {
    const Reader figures(*usage, "usage");
    TRY_VOID(figures.check_object());
    TRY(outputs.peak_memory_bytes, figures.counter("peakMemoryBytes"));
    TRY(outputs.cpu_microseconds, figures.counter("cpuMicroseconds"));
  }
  return outputs;
}

}  // namespace tiphys::executor

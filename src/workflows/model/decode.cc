#include "workflows/model/model.h"

#include <boost/json.hpp>

#include <array>
#include <charconv>

namespace tiphys::workflows {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

/// Reads the members of one object and remembers the first that has the wrong type.
class Reader {
 public:
  Reader(const Value& value, std::string_view path) : path_(path) {
    if (const Object* object = value.if_object()) {
      object_ = object;
    } else if (!value.is_null()) {
      wrong("", "an object", value);
    }
  }

  const Value* member(std::string_view key) const {
    const Value* value =
        object_ == nullptr ? nullptr : object_->if_contains({key.data(), key.size()});
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  bool has(std::string_view key) const { return member(key) != nullptr; }

  void text(std::string_view key, std::string& out) {
    if (const Value* value = member(key)) {
      if (value->is_string()) {
        out = doc::text_of(value->get_string());
      } else {
        wrong(key, "a string", *value);
      }
    }
  }

  void text(std::string_view key, std::optional<std::string>& out) {
    if (has(key)) {
      text(key, out.emplace());
    }
  }

  void any_text(std::string_view key, std::optional<std::string>& out) {
    if (const Value* value = member(key)) {
      out = any_string(*value);
    }
  }

  void boolean(std::string_view key, bool& out) {
    if (const Value* value = member(key)) {
      if (value->is_bool()) {
        out = value->get_bool();
      } else {
        wrong(key, "a boolean", *value);
      }
    }
  }

  template <class Integer>
  void integer(std::string_view key, std::optional<Integer>& out) {
    if (const Value* value = member(key)) {
      if (value->is_int64() || value->is_uint64()) {
        out = value->to_number<Integer>();
      } else if (value->is_double() &&
                 value->get_double() ==
                     static_cast<double>(static_cast<std::int64_t>(value->get_double()))) {
        out = static_cast<Integer>(value->get_double());
      } else {
        wrong(key, "an integer", *value);
      }
    }
  }

  void texts(std::string_view key, std::vector<std::string>& out) {
    each(key, [&](const Value& element, const std::string& path) -> Result<> {
      if (!element.is_string()) {
        return fail(ErrorCode::invalid, path + ": expected a string");
      }
      out.emplace_back(doc::text_of(element.get_string()));
      return {};
    });
  }

  void text_map(std::string_view key, std::map<std::string, std::string>& out) {
    const Value* value = member(key);
    if (value == nullptr) {
      return;
    }
    if (!value->is_object()) {
      wrong(key, "an object", *value);
      return;
    }
    for (const auto& [name, text] : value->get_object()) {
      if (!text.is_string()) {
        wrong(std::string(key) + "." + std::string(name), "a string", text);
        return;
      }
      out[std::string(name)] = doc::text_of(text.get_string());
    }
  }

  /// Calls `visit(element, path)` for each element of the list at `key` until one fails.
  template <class Visit>
  void each(std::string_view key, Visit visit) {
    const Value* value = member(key);
    if (value == nullptr || error_) {
      return;
    }
    if (!value->is_array()) {
      wrong(key, "a list", *value);
      return;
    }
    std::size_t index = 0;
    for (const Value& element : value->get_array()) {
      keep(visit(element, path_of(key) + "[" + std::to_string(index++) + "]"));
    }
  }

  template <class T>
  void assign(std::string_view key, T& out, Result<T> (*decode)(const Value&, std::string_view)) {
    if (const Value* value = member(key)) {
      keep_value(out, decode(*value, path_of(key)));
    }
  }

  template <class T>
  void assign(std::string_view key, std::optional<T>& out,
              Result<T> (*decode)(const Value&, std::string_view)) {
    if (const Value* value = member(key)) {
      keep_value(out, decode(*value, path_of(key)));
    }
  }

  template <class T>
  void list(std::string_view key, std::vector<T>& out,
            Result<T> (*decode)(const Value&, std::string_view)) {
    if (const Value* value = member(key); value != nullptr && value->is_array()) {
      out.reserve(value->get_array().size());
    }
    each(key, [&](const Value& element, const std::string& path) -> Result<> {
      TRY(out.emplace_back(), decode(element, path));
      return {};
    });
  }

  void keep(Result<> result) {
    if (!result && !error_) {
      error_ = std::move(result).error();
    }
  }

  std::string path_of(std::string_view key) const {
    return key.empty() ? path_ : path_ + "." + std::string(key);
  }

  template <class T>
  Result<T> finish(T&& value) {
    if (error_) {
      return std::unexpected(std::move(*error_));
    }
    return std::forward<T>(value);
  }

 private:
  template <class T, class U>
  void keep_value(T& out, Result<U> result) {
    if (result) {
      out = std::move(result).value();
    } else if (!error_) {
      error_ = std::move(result).error();
    }
  }

  void wrong(std::string_view key, std::string_view expected, const Value& found) {
    static constexpr std::array<std::string_view, 8> kKinds = {
        "null", "a boolean", "a number", "a number", "a number", "a string", "a list", "an object"};
    if (!error_) {
      const std::string path = path_of(key);
      const std::string what = "expected " + std::string(expected) + ", found " +
                               std::string(kKinds.at(static_cast<std::size_t>(found.kind())));
      error_ = Error{ErrorCode::invalid, path + ": " + what, {{path, what, {}}}};
    }
  }

  std::string path_;
  const Object* object_ = nullptr;
  std::optional<Error> error_;
};

constexpr std::array<TemplateType, 10> kTemplateTypes = {
    TemplateType::container, TemplateType::container_set, TemplateType::script,
    TemplateType::resource,  TemplateType::steps,         TemplateType::dag,
    TemplateType::suspend,   TemplateType::http,          TemplateType::data,
    TemplateType::plugin};

Result<ConfigMapKey> decode_config_map_key(const Value& document, std::string_view path) {
  Reader in(document, path);
  ConfigMapKey out;
  in.text("name", out.name);
  in.text("key", out.key);
  in.boolean("optional", out.optional);
  return in.finish(std::move(out));
}

Result<ValueFrom> decode_value_from(const Value& document, std::string_view path) {
  Reader in(document, path);
  ValueFrom out;
  in.text("path", out.path);
  in.text("jsonPath", out.json_path);
  in.text("jqFilter", out.jq_filter);
  in.text("event", out.event);
  in.text("parameter", out.parameter);
  in.text("expression", out.expression);
  in.assign("configMapKeyRef", out.config_map_key, decode_config_map_key);
  in.any_text("default", out.default_value);
  out.supplied = in.has("supplied");
  return in.finish(std::move(out));
}

Result<Parameter> decode_parameter(const Value& document, std::string_view path) {
  Reader in(document, path);
  Parameter out;
  in.text("name", out.name);
  in.any_text("value", out.value);
  in.any_text("default", out.default_value);
  in.assign("valueFrom", out.value_from, decode_value_from);
  in.text("globalName", out.global_name);
  if (in.has("enum")) {
    auto& values = out.enum_values.emplace();
    in.each("enum", [&](const Value& element, const std::string&) -> Result<> {
      values.push_back(any_string(element));
      return {};
    });
  }
  return in.finish(std::move(out));
}

Result<Artifact> decode_artifact(const Value& document, std::string_view path) {
  static constexpr std::array<std::string_view, 11> kLocations = {
      "archiveLogs", "s3",  "git", "http",  "artifactory", "hdfs",
      "raw",         "oss", "gcs", "azure", "plugin"};
  Reader in(document, path);
  Artifact out;
  in.text("name", out.name);
  in.text("path", out.path);
  in.text("from", out.from);
  in.text("fromExpression", out.from_expression);
  in.text("globalName", out.global_name);
  in.text("subPath", out.sub_path);
  in.integer("mode", out.mode);
  in.boolean("recurseMode", out.recurse_mode);
  in.boolean("optional", out.optional);
  in.boolean("deleted", out.deleted);
  if (const Value* archive = in.member("archive")) {
    out.archive = *archive;
  }
  if (const Value* gc = in.member("artifactGC")) {
    out.gc = *gc;
  }
  Object& location = out.location.emplace_object();
  for (const std::string_view store : kLocations) {
    if (const Value* value = in.member(store)) {
      location[{store.data(), store.size()}] = *value;
    }
  }
  return in.finish(std::move(out));
}

Result<TemplateRef> decode_template_ref(const Value& document, std::string_view path) {
  Reader in(document, path);
  TemplateRef out;
  in.text("name", out.name);
  in.text("template", out.template_name);
  in.boolean("clusterScope", out.cluster_scope);
  return in.finish(std::move(out));
}

Result<Hook> decode_hook(const Value& document, std::string_view path) {
  Reader in(document, path);
  Hook out;
  in.text("template", out.template_name);
  in.assign("templateRef", out.template_ref, decode_template_ref);
  in.assign("arguments", out.arguments, decode_arguments);
  out.has_arguments = in.has("arguments");
  in.text("expression", out.expression);
  return in.finish(std::move(out));
}

void read_hooks(Reader& in, std::map<std::string, Hook>& out) {
  const Value* hooks = in.member("hooks");
  if (hooks == nullptr || !hooks->is_object()) {
    return;
  }
  for (const auto& [name, document] : hooks->get_object()) {
    auto hook = decode_hook(document, in.path_of("hooks") + "." + std::string(name));
    if (hook) {
      out.emplace(std::string(name), std::move(*hook));
    } else {
      in.keep(std::unexpected(std::move(hook).error()));
    }
  }
}

Result<ContinueOn> decode_continue_on(const Value& document, std::string_view path) {
  Reader in(document, path);
  ContinueOn out;
  in.boolean("error", out.error);
  in.boolean("failed", out.failed);
  return in.finish(std::move(out));
}

Result<Sequence> decode_sequence(const Value& document, std::string_view path) {
  Reader in(document, path);
  Sequence out;
  in.any_text("count", out.count);
  in.any_text("start", out.start);
  in.any_text("end", out.end);
  in.text("format", out.format);
  return in.finish(std::move(out));
}

Result<Backoff> decode_backoff(const Value& document, std::string_view path) {
  Reader in(document, path);
  Backoff out;
  in.text("duration", out.duration);
  in.any_text("factor", out.factor);
  in.text("maxDuration", out.max_duration);
  in.text("cap", out.cap);
  return in.finish(std::move(out));
}

Result<DagTemplate> decode_dag(const Value& document, std::string_view path) {
  Reader in(document, path);
  DagTemplate out;
  in.text("target", out.target);
  in.list("tasks", out.tasks, decode_call);
  in.boolean("failFast", out.fail_fast);
  return in.finish(std::move(out));
}

Result<SuspendTemplate> decode_suspend(const Value& document, std::string_view path) {
  Reader in(document, path);
  SuspendTemplate out;
  in.any_text("duration", out.duration);
  return in.finish(std::move(out));
}

Result<PodMetadata> decode_pod_metadata(const Value& document, std::string_view path) {
  Reader in(document, path);
  PodMetadata out;
  in.text_map("labels", out.labels);
  in.text_map("annotations", out.annotations);
  return in.finish(std::move(out));
}

Result<WorkflowTemplateRef> decode_workflow_template_ref(const Value& document,
                                                         std::string_view path) {
  Reader in(document, path);
  WorkflowTemplateRef out;
  in.text("name", out.name);
  in.boolean("clusterScope", out.cluster_scope);
  return in.finish(std::move(out));
}

void read_template_body(Reader& in, Template& out) {
  for (const TemplateType type : kTemplateTypes) {
    if (!in.has(name_of(type))) {
      continue;
    }
    out.types.push_back(type);
    if (out.type == TemplateType::unknown) {
      out.type = type;
    }
  }
  in.each("steps", [&](const Value& group, const std::string& path) -> Result<> {
    auto& calls = out.steps.emplace_back();
    if (group.is_object()) {
      TRY(calls.emplace_back(), decode_call(group, path));
      return {};
    }
    if (!group.is_array()) {
      return fail(ErrorCode::invalid, path + ": expected a list of steps");
    }
    std::size_t index = 0;
    for (const Value& step : group.get_array()) {
      TRY(calls.emplace_back(), decode_call(step, path + "[" + std::to_string(index++) + "]"));
    }
    return {};
  });
  in.assign("dag", out.dag, decode_dag);
  in.assign("suspend", out.suspend, decode_suspend);
  const bool composite = out.type == TemplateType::steps || out.type == TemplateType::dag ||
                         out.type == TemplateType::suspend || out.type == TemplateType::unknown;
  if (!composite) {
    out.body = *in.member(name_of(out.type));
  }
}

}  // namespace

std::string_view name_of(TemplateType type) {
  static constexpr std::array<std::string_view, 11> kNames = {
      "",    "container", "containerSet", "script", "resource", "steps",
      "dag", "suspend",   "http",         "data",   "plugin"};
  return kNames.at(static_cast<std::size_t>(type));
}

bool Template::is_pod() const {
  return type == TemplateType::container || type == TemplateType::script ||
         type == TemplateType::container_set || type == TemplateType::resource ||
         type == TemplateType::data;
}

std::string any_string(const Value& value) {
  if (value.is_string()) {
    return std::string(doc::text_of(value.get_string()));
  }
  if (value.is_double()) {
    // Go's strconv.FormatFloat(f, 'f', -1, 64): never an exponent.
    std::array<char, 400> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value.get_double(),
                                   std::chars_format::fixed)
                         .ptr;
    return {buffer.data(), end};
  }
  return doc::to_json(value);
}

Result<Arguments> decode_arguments(const Value& document, std::string_view path) {
  Reader in(document, path);
  Arguments out;
  in.list("parameters", out.parameters, decode_parameter);
  in.list("artifacts", out.artifacts, decode_artifact);
  return in.finish(std::move(out));
}

Result<Outputs> decode_outputs(const Value& document, std::string_view path) {
  Reader in(document, path);
  Outputs out;
  in.list("parameters", out.parameters, decode_parameter);
  in.list("artifacts", out.artifacts, decode_artifact);
  in.text("result", out.result);
  in.any_text("exitCode", out.exit_code);
  return in.finish(std::move(out));
}

Result<RetryStrategy> decode_retry_strategy(const Value& document, std::string_view path) {
  Reader in(document, path);
  RetryStrategy out;
  in.any_text("limit", out.limit);
  in.text("retryPolicy", out.retry_policy);
  in.assign("backoff", out.backoff, decode_backoff);
  in.text("expression", out.expression);
  if (const Value* affinity = in.member("affinity")) {
    out.node_anti_affinity = doc::find(*affinity, "nodeAntiAffinity") != nullptr;
  }
  return in.finish(std::move(out));
}

Result<Call> decode_call(const Value& document, std::string_view path) {
  Reader in(document, path);
  Call out;
  in.text("name", out.name);
  in.text("template", out.template_name);
  if (const Value* inline_template = in.member("inline")) {
    auto decoded = decode_template(*inline_template, in.path_of("inline"));
    if (decoded) {
      out.inline_template = std::make_shared<const Template>(std::move(*decoded));
    } else {
      in.keep(std::unexpected(std::move(decoded).error()));
    }
  }
  in.assign("templateRef", out.template_ref, decode_template_ref);
  in.assign("arguments", out.arguments, decode_arguments);
  in.text("when", out.when);
  if (const Value* items = in.member("withItems")) {
    out.has_with_items = true;
    in.each("withItems", [](const Value&, const std::string&) -> Result<> { return {}; });
    out.with_items = *items;
  }
  if (const Value* parameter = in.member("withParam")) {
    out.with_param = any_string(*parameter);
  }
  in.assign("withSequence", out.with_sequence, decode_sequence);
  in.assign("continueOn", out.continue_on, decode_continue_on);
  in.text("onExit", out.on_exit);
  read_hooks(in, out.hooks);
  in.texts("dependencies", out.dependencies);
  in.text("depends", out.depends);
  out.document = document;
  return in.finish(std::move(out));
}

Result<Template> decode_template(const Value& document, std::string_view path) {
  Reader in(document, path);
  Template out;
  in.text("name", out.name);
  in.assign("inputs", out.inputs, decode_arguments);
  in.assign("outputs", out.outputs, decode_outputs);
  in.assign("metadata", out.metadata, decode_pod_metadata);
  in.text_map("annotations", out.annotations);
  read_template_body(in, out);
  in.any_text("activeDeadlineSeconds", out.active_deadline_seconds);
  in.text("timeout", out.timeout);
  in.text("pendingTimeout", out.pending_timeout);
  in.assign("retryStrategy", out.retry_strategy, decode_retry_strategy);
  in.integer("parallelism", out.parallelism);
  if (in.has("failFast")) {
    in.boolean("failFast", out.fail_fast.emplace());
  }
  in.boolean("daemon", out.daemon);
  out.has_memoize = in.has("memoize");
  out.has_synchronization = in.has("synchronization");
  out.document = document;
  return in.finish(std::move(out));
}

Result<WorkflowSpec> decode_spec(const Value& document, std::string_view path) {
  Reader in(document, path);
  WorkflowSpec out;
  in.text("entrypoint", out.entrypoint);
  in.assign("arguments", out.arguments, decode_arguments);
  in.list("templates", out.templates, decode_template);
  in.assign("templateDefaults", out.template_defaults, decode_template);
  in.assign("workflowTemplateRef", out.workflow_template_ref, decode_workflow_template_ref);
  in.text("serviceAccountName", out.service_account_name);
  in.text("onExit", out.on_exit);
  read_hooks(in, out.hooks);
  in.integer("parallelism", out.parallelism);
  in.integer("activeDeadlineSeconds", out.active_deadline_seconds);
  in.integer("priority", out.priority);
  in.assign("retryStrategy", out.retry_strategy, decode_retry_strategy);
  in.boolean("suspend", out.suspend);
  in.text("shutdown", out.shutdown);
  in.assign("podMetadata", out.pod_metadata, decode_pod_metadata);
  in.assign("workflowMetadata", out.workflow_metadata, decode_pod_metadata);
  if (const Value* metadata = in.member("workflowMetadata")) {
    if (const Value* labels = doc::find(*metadata, "labelsFrom");
        labels != nullptr && labels->is_object()) {
      for (const auto& [label, from] : labels->get_object()) {
        out.labels_from[std::string(label)] = doc::find_string(from, "expression");
      }
    }
  }
  out.document = document;
  return in.finish(std::move(out));
}

Result<Metadata> decode_metadata(const Value& document) {
  Reader in(document, "metadata");
  Metadata out;
  in.text("name", out.name);
  in.text("generateName", out.generate_name);
  in.text("namespace", out.namespace_);
  in.text("uid", out.uid);
  in.text("creationTimestamp", out.creation_timestamp);
  in.text_map("labels", out.labels);
  in.text_map("annotations", out.annotations);
  return in.finish(std::move(out));
}

Result<Manifest> decode_manifest(const Value& document) {
  Manifest out;
  out.api_version = doc::find_string(document, "apiVersion");
  out.kind = doc::find_string(document, "kind");
  if (const Value* metadata = doc::find(document, "metadata")) {
    TRY(out.metadata, decode_metadata(*metadata));
  }
  if (const Value* spec = doc::find(document, "spec")) {
    TRY(out.spec, decode_spec(*spec));
  }
  return out;
}

}  // namespace tiphys::workflows

#pragma once
/// The types of Argo Workflows on which this program decides, decoded from documents. Three nouns:
/// `WorkflowSpec`, what is to run; `Template`, one thing that can be run; `Call`, a step or a DAG
/// task: the place where a template is called.
///
/// What is only carried (a container, volumes, an affinity) stays a document. Decoding is lenient
/// about unknown members; strictness is the schema engine's business (doc/schema.h). Names and
/// meanings: upstream's pkg/apis/workflow/v1alpha1 v4.1.2; facts in schemas/argo.

#include "base/error.h"
#include "doc/json.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::workflows {

struct ConfigMapKey {
  std::string name;
  std::string key;
  bool optional = false;
};

/// Where a parameter's value comes from; at most one source is set, `default_value` may stand
/// beside any.
struct ValueFrom {
  std::optional<std::string> path;
  std::optional<std::string> json_path;
  std::optional<std::string> jq_filter;
  std::optional<std::string> event;
  std::optional<std::string> parameter;
  std::optional<std::string> expression;
  std::optional<ConfigMapKey> config_map_key;
  std::optional<std::string> default_value;
  bool supplied = false;
};

struct Parameter {
  std::string name;
  /// Any scalar of the manifest, as text; absent differs from empty.
  std::optional<std::string> value;
  std::optional<std::string> default_value;
  std::optional<ValueFrom> value_from;
  std::string global_name;
  std::optional<std::vector<std::string>> enum_values;
};

struct Artifact {
  std::string name;
  std::string path;
  std::string from;
  std::string from_expression;
  std::string global_name;
  std::string sub_path;
  std::optional<int> mode;
  bool recurse_mode = false;
  bool optional = false;
  bool deleted = false;
  doc::Value archive;   ///< the archive strategy's document, null when absent
  doc::Value location;  ///< an object with at most one store member (s3, raw, http, ...); empty
                        ///< object = none given
  doc::Value gc;        ///< artifactGC, null when absent
};

struct Arguments {
  std::vector<Parameter> parameters;
  std::vector<Artifact> artifacts;
};

/// Inputs, outputs and arguments share one shape; outputs add what a step produced.
using Inputs = Arguments;

struct Outputs {
  std::vector<Parameter> parameters;
  std::vector<Artifact> artifacts;
  std::optional<std::string> result;
  std::optional<std::string> exit_code;
};

struct TemplateRef {
  std::string name;
  std::string template_name;
  bool cluster_scope = false;
};

/// A lifecycle hook of a workflow, step or task; the one named "exit" is its exit handler.
struct Hook {
  std::string template_name;
  std::optional<TemplateRef> template_ref;
  Arguments arguments;
  bool has_arguments = false;
  std::string expression;
};

struct ContinueOn {
  bool error = false;
  bool failed = false;
};

struct Sequence {
  /// Integers or tags, as text.
  std::optional<std::string> count;
  std::optional<std::string> start;
  std::optional<std::string> end;
  std::string format;
};

struct Template;

/// A step of a steps template or a task of a DAG.
struct Call {
  std::string name;
  std::string template_name;
  std::shared_ptr<const Template> inline_template;
  std::optional<TemplateRef> template_ref;
  Arguments arguments;
  std::string when;
  bool has_with_items = false;
  doc::Value with_items;  ///< a list when has_with_items
  std::optional<std::string> with_param;
  std::optional<Sequence> with_sequence;
  std::optional<ContinueOn> continue_on;
  std::string on_exit;
  std::map<std::string, Hook> hooks;
  // DAG tasks only.
  std::vector<std::string> dependencies;
  std::string depends;
  /// The call as written, with its hooks: the text on which tags are substituted.
  doc::Value document;

  bool is_loop() const {
    return has_with_items || with_param.has_value() || with_sequence.has_value();
  }
};

struct DagTemplate {
  std::string target;
  std::vector<Call> tasks;
  bool fail_fast = true;
};

struct SuspendTemplate {
  std::optional<std::string> duration;
};

/// int-or-string fields stay text until their tags are substituted.
struct Backoff {
  std::string duration;
  std::optional<std::string> factor;
  std::string max_duration;
  std::string cap;
};

struct RetryStrategy {
  std::optional<std::string> limit;
  std::string retry_policy;
  std::optional<Backoff> backoff;
  std::string expression;
  bool node_anti_affinity = false;
};

enum class TemplateType {
  unknown,
  container,
  container_set,
  script,
  resource,
  steps,
  dag,
  suspend,
  http,
  data,
  plugin,
};

/// The manifest's member that makes a template of this type, e.g. "containerSet".
std::string_view name_of(TemplateType type);

/// What a template's metadata puts on its pods.
struct PodMetadata {
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
};

struct Template {
  std::string name;
  TemplateType type = TemplateType::unknown;
  /// All template types the document names: exactly one in a valid template.
  std::vector<TemplateType> types;
  Inputs inputs;
  Outputs outputs;
  PodMetadata metadata;
  std::map<std::string, std::string> annotations;

  std::vector<std::vector<Call>> steps;
  std::optional<DagTemplate> dag;
  std::optional<SuspendTemplate> suspend;
  /// The body of container, script, containerSet, resource, http, data, plugin.
  doc::Value body;

  std::optional<std::string> active_deadline_seconds;
  std::string timeout;
  std::string pending_timeout;
  std::optional<RetryStrategy> retry_strategy;
  std::optional<std::int64_t> parallelism;
  std::optional<bool> fail_fast;
  bool daemon = false;
  bool has_memoize = false;
  bool has_synchronization = false;

  /// The whole template as written; carried members (volumes, sidecars, affinity ...) are read from
  /// it.
  doc::Value document;

  /// True for types that become a pod of their own.
  bool is_pod() const;
};

struct WorkflowTemplateRef {
  std::string name;
  bool cluster_scope = false;
};

struct WorkflowSpec {
  std::string entrypoint;
  Arguments arguments;
  std::vector<Template> templates;
  std::optional<Template> template_defaults;
  std::optional<WorkflowTemplateRef> workflow_template_ref;
  std::string service_account_name;
  std::string on_exit;
  std::map<std::string, Hook> hooks;
  std::optional<std::int64_t> parallelism;
  std::optional<std::int64_t> active_deadline_seconds;
  std::optional<std::int64_t> priority;
  std::optional<RetryStrategy> retry_strategy;
  bool suspend = false;
  std::string shutdown;  ///< "", "Stop" or "Terminate"
  PodMetadata pod_metadata;
  PodMetadata workflow_metadata;
  std::map<std::string, std::string> labels_from;  ///< label -> expression
  doc::Value document;
};

/// What kubectl calls the object, and the metadata that decisions rest on.
struct Metadata {
  std::string name;
  std::string generate_name;
  std::string namespace_;
  std::string uid;
  std::string creation_timestamp;  ///< RFC 3339
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
};

/// A Workflow, WorkflowTemplate or ClusterWorkflowTemplate.
struct Manifest {
  std::string api_version;
  std::string kind;
  Metadata metadata;
  WorkflowSpec spec;
};

/// Decodes. Errors: invalid, naming the path of the member that has the wrong type.
Result<Manifest> decode_manifest(const doc::Value& document);
Result<WorkflowSpec> decode_spec(const doc::Value& document, std::string_view path = "spec");
Result<Template> decode_template(const doc::Value& document, std::string_view path = "template");
Result<Call> decode_call(const doc::Value& document, std::string_view path = "step");
Result<Arguments> decode_arguments(const doc::Value& document, std::string_view path = "arguments");
Result<Outputs> decode_outputs(const doc::Value& document, std::string_view path = "outputs");
Result<RetryStrategy> decode_retry_strategy(const doc::Value& document,
                                            std::string_view path = "retryStrategy");
Result<Metadata> decode_metadata(const doc::Value& document);

/// The shapes that a node's status carries. Members that are empty are left out, as upstream does.
doc::Value encode_parameter(const Parameter& parameter);
doc::Value encode_artifact(const Artifact& artifact);
doc::Value encode_inputs(const Inputs& inputs);
doc::Value encode_outputs(const Outputs& outputs);

/// A scalar of a manifest as the text upstream stores for it ("AnyString"): strings as they are,
/// numbers and booleans in JSON's spelling without an exponent; lists and objects as compact JSON.
std::string any_string(const doc::Value& value);

}  // namespace tiphys::workflows

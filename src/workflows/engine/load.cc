#include "workflows/engine/artifact_gc.h"
#include "workflows/engine/machine.h"
#include "workflows/model/merge.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

RunPhase run_phase_of(std::string_view text) {
  for (const RunPhase phase : {RunPhase::pending, RunPhase::running, RunPhase::succeeded,
                               RunPhase::failed, RunPhase::error}) {
    if (name_of(phase) == text) {
      return phase;
    }
  }
  return RunPhase::none;
}

const doc::Value& member_or_null(const doc::Value& value, std::string_view key) {
  static const doc::Value kNull;
  const doc::Value* found = doc::find(value, key);
  return found == nullptr ? kNull : *found;
}

}  // namespace

Result<> Engine::Machine::load(const doc::Value& workflow) {
  const doc::Value& status = member_or_null(workflow, "status");
  const bool fresh = doc::find(status, "phase") == nullptr;
  document_ = fresh ? with_workflow_defaults(workflow, config_.workflow_defaults) : workflow;
  TRY(auto manifest, decode_manifest(document_));
  if (manifest.kind != "Workflow") {
    return fail(ErrorCode::invalid, "expected a Workflow, found a " + manifest.kind);
  }
  metadata_ = std::move(manifest.metadata);
  nodes_ = std::make_unique<NodeTable>(metadata_.name);
  nodes_->set_pod_names_v1(names_pods_v1(metadata_.annotations));
  if (auto loaded = load_spec(document_); !loaded) {
    fail_start(RunPhase::error, loaded.error().message);
  }
  shutdown_ = manifest.spec.shutdown;
  suspended_ = manifest.spec.suspend;
  load_status(status);
  return {};
}

void Engine::Machine::fail_start(RunPhase phase, std::string message) {
  if (start_error_.empty()) {
    start_error_phase_ = phase;
    start_error_ = std::move(message);
  }
}

/// The spec to execute: merged, then with the workflow's own variables substituted.
Result<> Engine::Machine::load_spec(const doc::Value& document) {
  doc::Value spec = member_or_null(document, "spec");
  TRY_VOID(merge_referenced_spec(document, spec));
  const doc::Value& status = member_or_null(document, "status");
  const doc::Value* stored_templates = doc::find(status, "storedTemplates");
  TRY(spec_, decode_spec(spec));
  if (auto set = set_globals(globals_, metadata_, spec_, references_); !set) {
    fail_start(RunPhase::failed, "failed to set global parameters: " + set.error().message);
  }
  TRY_VOID(substitute_globals(spec));
  TRY(spec_, decode_spec(spec));
  if (start_error_.empty()) {
    static_cast<void>(set_global_parameters(globals_, spec_.arguments, references_));
  }
  if (!doc::find(status, "phase")) {
    if (auto updated = update_metadata(spec); !updated) {
      fail_start(RunPhase::error, updated.error().message);
    }
  }
  if (auto repository = take_repository(status); !repository) {
    fail_start(RunPhase::error, repository.error().message);
  }
  own_templates_have_gc_ = std::ranges::any_of(spec_.templates, [&](const Template& one) {
    return template_has_gc(one.document, spec_.document);
  });
  reads_duration_ = doc::to_json(spec).contains("workflow.duration");
  globals_.set("workflow.status", "Running");
  globals_.set("workflow.duration", "0.000000");
  catalog_.set_workflow(metadata_.name, spec_, stored_templates);
  if (const doc::Value* volumes = doc::find(spec_.document, "volumes")) {
    TRY(volumes_, TagText::parse(doc::to_json(*volumes, {.escape_html = false})));
  }
  for (const auto& [name, hook] : spec_.hooks) {
    has_workflow_hooks_ = has_workflow_hooks_ || name != "exit";
    reads_failures_ = reads_failures_ || hook.expression.contains("workflow.failures");
  }
  // The catalog has them now.
  spec_.templates.clear();
  if (spec_.document.is_object()) {
    spec_.document.get_object().erase("templates");
  }
  return {};
}

/// Everything but the templates, which see later values of some variables.
Result<> Engine::Machine::substitute_globals(doc::Value& spec) {
  if (!spec.is_object()) {
    return {};
  }
  doc::Object rest = spec.get_object();
  doc::Value templates;
  if (const doc::Value* found = rest.if_contains("templates")) {
    templates = *found;
  }
  rest.erase("templates");
  TRY(auto text,
      replace_tags(doc::to_json(rest, {.escape_html = false}), globals_, Strictness::lenient));
  TRY(spec, doc::parse_json(text));
  if (!templates.is_null()) {
    spec.as_object()["templates"] = std::move(templates);
  }
  return {};
}

Result<> Engine::Machine::merge_referenced_spec(const doc::Value& document, doc::Value& spec) {
  const doc::Value* reference = doc::find(spec, "workflowTemplateRef");
  if (reference == nullptr) {
    return {};
  }
  const doc::Value& defaults = member_or_null(config_.workflow_defaults, "spec");
  const doc::Value* stored =
      doc::find(member_or_null(document, "status"), "storedWorkflowTemplateSpec");
  const std::string name(doc::find_string(*reference, "name"));
  const doc::Value* cluster = doc::find(*reference, "clusterScope");
  const bool cluster_scope = cluster != nullptr && cluster->is_bool() && cluster->get_bool();
  if (stored != nullptr) {
    stored_spec_ = *stored;
  } else {
    const doc::Value* found = cluster_scope ? references_.cluster_workflow_template(name)
                                            : references_.workflow_template(name);
    if (found == nullptr) {
      return fail(ErrorCode::not_found,
                  std::string(cluster_scope ? "clusterworkflowtemplates" : "workflowtemplates") +
                      ".argoproj.io \"" + name + "\" not found");
    }
    TRY(stored_spec_, merge_specs(spec, member_or_null(*found, "spec"), defaults));
  }
  metadata_.labels[cluster_scope ? "workflows.argoproj.io/cluster-workflow-template"
                                 : "workflows.argoproj.io/workflow-template"] = name;
  spec = stored_spec_;
  return {};
}

/// workflowMetadata: labels and annotations the spec puts on the run, some from expressions.
Result<> Engine::Machine::update_metadata(doc::Value& spec) {
  const auto& wanted = spec_.workflow_metadata;
  for (const auto& [key, value] : wanted.labels) {
    TRY_VOID(check_label(value, key, ""));
    metadata_.labels[key] = value;
    globals_.set("workflow.labels." + key, value);
  }
  for (const auto& [key, value] : wanted.annotations) {
    metadata_.annotations[key] = value;
    globals_.set("workflow.annotations." + key, value);
  }
  if (spec_.labels_from.empty()) {
    return {};
  }
  for (const auto& [key, expression] : spec_.labels_from) {
    auto value = evaluate_label(key, expression, globals_);
    if (!value) {
      return std::unexpected(std::move(value).error());
    }
    TRY_VOID(check_label(*value, key, expression));
    globals_.set("workflow.labels." + key, *value);
    metadata_.labels[key] = std::move(*value);
  }
  TRY_VOID(substitute_globals(spec));
  TRY(spec_, decode_spec(spec));
  return {};
}

void Engine::Machine::load_status(const doc::Value& status) {
  if (!status.is_object()) {
    return;
  }
  phase_ = run_phase_of(doc::find_string(status, "phase"));
  message_ = doc::find_string(status, "message");
  stored_conditions_ = further_conditions(status);
  started_ = time_of(doc::find_string(status, "startedAt"));
  finished_ = time_of(doc::find_string(status, "finishedAt"));
  held_locks_ = held_locks(member_or_null(status, "synchronization"));
  if (const doc::Value* estimated = doc::find(status, "estimatedDuration");
      estimated != nullptr && estimated->is_int64()) {
    estimated_seconds_ = estimated->get_int64();
  }
  if (const doc::Value* outputs = doc::find(status, "outputs")) {
    if (auto decoded = decode_outputs(*outputs)) {
      global_outputs_ = std::move(*decoded);
      for (const Parameter& parameter : global_outputs_.parameters) {
        if (parameter.value) {
          globals_.set("workflow.outputs.parameters." + parameter.name, *parameter.value);
        }
      }
    }
  }
}

}  // namespace tiphys::workflows

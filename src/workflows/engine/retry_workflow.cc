#include "workflows/engine/retry_workflow.h"

#include "workflows/engine/rerun.h"

#include <boost/json.hpp>

namespace tiphys::workflows {
namespace {

using doc::Object;
using doc::Value;

void erase_all(Value* value, std::initializer_list<std::string_view> keys) {
  if (value != nullptr && value->is_object()) {
    for (const std::string_view key : keys) {
      value->get_object().erase({key.data(), key.size()});
    }
  }
}

Value fresh_document(const Value& document, const RetryOptions& options) {
  Value out = document;
  Object& object = out.as_object();
  if (Value* metadata = object.if_contains("metadata"); metadata && metadata->is_object()) {
    erase_all(metadata->get_object().if_contains("labels"),
              {"workflows.argoproj.io/completed", "workflows.argoproj.io/phase",
               "workflows.argoproj.io/workflow-archiving-status"});
  }
  Value& spec = object["spec"];
  Value& status = object["status"];
  if (!status.is_object()) {
    status.emplace_object();
  }
  erase_all(&status, {"phase", "message", "startedAt", "finishedAt", "nodes", "conditions",
                      "progress", "resourcesDuration"});
  for (Value* one : {&spec, status.get_object().if_contains("storedWorkflowTemplateSpec")}) {
    if (one != nullptr) {
      clear_shutdown(*one);
      override_parameters(*one, options.parameters);
    }
  }
  return out;
}

}  // namespace

Result<RetriedWorkflow> retry_workflow(const Value& document, const RetryOptions& options) {
  static const Value kNull;
  const Value* status = doc::find(document, "status");
  const Value& state = status == nullptr ? kNull : *status;
  const std::string phase(doc::find_string(state, "phase"));
  if (phase == "Succeeded") {
    if (!options.restart_successful || options.node_field_selector.empty()) {
      return fail(ErrorCode::bad_request,
                  "To retry a succeeded workflow, set the options restartSuccessful and "
                  "nodeFieldSelector");
    }
  } else if (phase != "Failed" && phase != "Error") {
    return fail(ErrorCode::bad_request, "Cannot retry a workflow in phase " + phase);
  }
  const Value* metadata_document = doc::find(document, "metadata");
  TRY(const Metadata metadata,
      decode_metadata(metadata_document == nullptr ? kNull : *metadata_document));
  const Value* statuses = doc::find(state, "nodes");
  TRY(const StoredNodes stored, read_statuses(metadata.name, names_pods_v1(metadata.annotations),
                                              statuses == nullptr ? kNull : *statuses));
  TRY(const Rerun plan, plan_rerun(stored.nodes, options));
  RetriedWorkflow out;
  out.workflow = fresh_document(document, options);
  for (const NodeIndex index : plan.deleted) {
    if (stored.nodes[index].type == NodeType::pod) {
      out.pods_to_delete.push_back(stored.nodes.pod_name(index));
    }
  }
  out.rows = kept_rows(stored.nodes, plan, metadata.name, options.now, {});
  return out;
}

}  // namespace tiphys::workflows

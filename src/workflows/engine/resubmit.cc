#include "workflows/engine/resubmit.h"

#include "workflows/engine/rerun.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tiphys::workflows {
namespace {

using doc::Object;
using doc::Value;

const Value& member(const Value& value, std::string_view key) {
  static const Value kNull;
  const Value* found = doc::find(value, key);
  return found == nullptr ? kNull : *found;
}

/// Labels of the old run that say something of that run alone.
bool is_own_label(std::string_view key) {
  static constexpr std::array<std::string_view, 6> kOwn = {
      "creator", "creator-email", "creator-preferred-username",
      "phase",   "completed",     "workflow-archiving-status"};
  constexpr std::string_view kPrefix = "workflows.argoproj.io/";
  return key.starts_with(kPrefix) &&
         std::ranges::find(kOwn, key.substr(kPrefix.size())) != kOwn.end();
}

Object new_metadata(const Value& document, const ResubmitOptions& options) {
  const Value& old = member(document, "metadata");
  Object labels;
  if (const Value& given = member(old, "labels"); given.is_object()) {
    for (const auto& [key, value] : given.get_object()) {
      if (!is_own_label(key)) {
        labels[key] = value;
      }
    }
  }
  labels["workflows.argoproj.io/resubmitted-from-workflow"] = doc::find_string(old, "name");
  Object out;
  out["name"] = options.name;
  out["generateName"] = resubmit_prefix(document);
  for (const std::string_view key : {"namespace", "annotations", "ownerReferences"}) {
    if (const Value* found = doc::find(old, key)) {
      out[{key.data(), key.size()}] = *found;
    }
  }
  out["labels"] = std::move(labels);
  return out;
}

/// A node of the old run as the new one has it: renamed, and when it is a pod that need not run
/// again, a Skipped node that says which pod it was.
class TakeOver {
 public:
  TakeOver(const NodeTable& nodes, const Rerun& plan, const ResubmitOptions& options)
      : nodes_(nodes), plan_(plan), options_(options) {}

  void operator()(NodeIndex index, Node& node, NodeCall& call) const {
    const std::string& old = nodes_.workflow_name();
    if (node.name.starts_with(old)) {
      node.name.replace(0, old.size(), options_.name);
    }
    if (call.template_scope == "local/" + old) {
      call.template_scope = "local/" + options_.name;
    }
    if (plan_.set_back.contains(index)) {
      return;
    }
    node.started = node.finished = options_.now;
    if (node.type == NodeType::pod && !failed_or_error(node.phase)) {
      node.type = NodeType::skipped;
      node.phase = NodePhase::skipped;
      node.message = std::string(kTakenOver) + nodes_.id(index);
      node.resources = {};
    }
  }

 private:
  const NodeTable& nodes_;
  const Rerun& plan_;
  const ResubmitOptions& options_;
};

/// What of the old status the new run begins with.
Object new_status(const Value& old) {
  Object out;
  for (const std::string_view key : {"storedTemplates", "outputs"}) {
    if (const Value* found = doc::find(old, key)) {
      out[{key.data(), key.size()}] = *found;
    }
  }
  out["conditions"] = doc::Array{Object{{"status", "False"}, {"type", "Completed"}}};
  return out;
}

}  // namespace

std::string resubmit_prefix(const Value& document) {
  const Value& metadata = member(document, "metadata");
  const std::string_view prefix = doc::find_string(metadata, "generateName");
  return prefix.empty() ? std::string(doc::find_string(metadata, "name")) + "-"
                        : std::string(prefix);
}

Result<ResubmittedWorkflow> resubmit_workflow(const Value& document,
                                              const ResubmitOptions& options) {
  const Value& status = member(document, "status");
  const std::string_view phase = doc::find_string(status, "phase");
  const bool failed = phase == "Failed" || phase == "Error";
  const bool by_nodes = !options.node_field_selector.empty();
  if (options.memoized && !by_nodes && !failed) {
    return fail(ErrorCode::bad_request,
                "workflow must be Failed/Error to resubmit in memoized mode");
  }
  if (by_nodes && !failed && phase != "Succeeded") {
    return fail(ErrorCode::bad_request, "Cannot resubmit nodes of a workflow in phase " +
                                            (phase.empty() ? "Pending" : std::string(phase)));
  }
  ResubmittedWorkflow out;
  Object object;
  object["apiVersion"] = "argoproj.io/v1alpha1";
  object["kind"] = "Workflow";
  object["metadata"] = new_metadata(document, options);
  Value spec = member(document, "spec");
  clear_shutdown(spec);
  override_parameters(spec, options.parameters);
  object["spec"] = std::move(spec);
  if (options.memoized || by_nodes) {
    TRY(const Metadata metadata, decode_metadata(member(document, "metadata")));
    TRY(const StoredNodes stored,
        read_statuses(metadata.name, names_pods_v1(metadata.annotations), member(status, "nodes")));
    RetryOptions choice;
    choice.restart_successful = by_nodes;
    choice.node_field_selector = options.node_field_selector;
    choice.parameters = options.parameters;
    TRY(const Rerun plan, plan_rerun(stored.nodes, choice));
    object["status"] = new_status(status);
    out.rows = kept_rows(stored.nodes, plan, options.name, options.now,
                         TakeOver(stored.nodes, plan, options));
  }
  out.workflow = std::move(object);
  return out;
}

}  // namespace tiphys::workflows

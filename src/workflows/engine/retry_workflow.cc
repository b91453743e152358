#include "workflows/engine/retry_workflow.h"

#include "workflows/engine/field_selector.h"
#include "workflows/engine/status.h"

#include <boost/json.hpp>

#include <algorithm>
#include <queue>
#include <set>

namespace tiphys::workflows {
namespace {

using doc::Object;
using doc::Value;
using NodeSet = std::set<NodeIndex>;

bool is_execution(NodeType type) {
  return type == NodeType::pod || type == NodeType::container || type == NodeType::http ||
         type == NodeType::plugin;
}

bool is_group(NodeType type) {
  return type == NodeType::dag || type == NodeType::task_group || type == NodeType::step_group ||
         type == NodeType::steps;
}

std::map<std::string, std::string> fields_of(const NodeTable& nodes, NodeIndex index) {
  const Node& node = nodes[index];
  const NodeCall& call = nodes.call(index);
  std::map<std::string, std::string> out{{"displayName", nodes.display_name(index)},
                                         {"templateName", call.target()},
                                         {"phase", std::string(name_of(node.phase))},
                                         {"name", node.name},
                                         {"id", nodes.id(index)}};
  if (call.template_ref) {
    out["templateRef.name"] = call.template_ref->name;
    out["templateRef.template"] = call.template_ref->template_name;
  }
  if (node.inputs) {
    const auto value = doc::parse_json(*node.inputs);
    const auto inputs = value ? decode_arguments(*value) : Result<Arguments>(Arguments{});
    for (const Parameter& parameter : inputs ? inputs->parameters : std::vector<Parameter>{}) {
      out["inputs.parameters." + parameter.name + ".value"] = parameter.value.value_or("");
    }
  }
  return out;
}

/// Which nodes go and which are set back.
class Reset {
 public:
  explicit Reset(const NodeTable& nodes) : nodes_(nodes) {}

  /// Runs `start` again: it goes with all below it, and what is around it is set back.
  void run_again(NodeIndex start) {
    if (nodes_[start].type == NodeType::container && nodes_[start].boundary != kNoNode) {
      // Containers run only with their pod.
      start = nodes_[start].boundary;
    }
    if (deleted_.contains(start)) {
      return;
    }
    delete_below(start);
    deleted_.insert(start);
    NodeIndex current = parent_of(start);
    if (nodes_[start].retried || nodes_[start].owner != kNoNode) {
      current = nodes_[start].owner;
    }
    while (current != kNoNode) {
      set_back(current);
      current = around(current);
    }
  }

  void delete_below(NodeIndex index) {
    std::vector<NodeIndex> pending(nodes_[index].children);
    while (!pending.empty()) {
      const NodeIndex current = pending.back();
      pending.pop_back();
      if (deleted_.insert(current).second) {
        const auto& children = nodes_[current].children;
        pending.insert(pending.end(), children.begin(), children.end());
      }
    }
  }

  NodeSet& deleted() { return deleted_; }

  const NodeSet& set_back_nodes() const { return set_back_; }

 private:
  NodeIndex parent_of(NodeIndex index) const {
    const auto& parents = nodes_[index].parents;
    return parents.empty() ? kNoNode : parents.back();
  }

  /// The composite node that waits for this one.
  NodeIndex around(NodeIndex index) const {
    const Node& node = nodes_[index];
    return node.owner != kNoNode ? node.owner : node.boundary;
  }

  void set_back(NodeIndex index) {
    const Node& node = nodes_[index];
    if (is_group(node.type) || node.type == NodeType::retry) {
      set_back_.insert(index);
    }
  }

  const NodeTable& nodes_;
  NodeSet deleted_;
  NodeSet set_back_;
};

/// Whether something below a failed node succeeded, so that running it again would be for nothing.
bool succeeded_below(const NodeTable& nodes, NodeIndex index, const NodeSet& chosen) {
  std::vector<NodeIndex> pending(nodes[index].children);
  NodeSet seen;
  while (!pending.empty()) {
    const NodeIndex current = pending.back();
    pending.pop_back();
    if (!seen.insert(current).second) {
      continue;
    }
    if (!chosen.contains(current) && nodes[current].phase == NodePhase::succeeded) {
      return true;
    }
    const auto& children = nodes[current].children;
    pending.insert(pending.end(), children.begin(), children.end());
  }
  return false;
}

Result<NodeSet> nodes_to_run_again(const NodeTable& nodes, const RetryOptions& options) {
  NodeSet chosen;
  if (options.restart_successful && !options.node_field_selector.empty()) {
    TRY(const FieldSelector selector, FieldSelector::parse(options.node_field_selector));
    for (NodeIndex i = 0; i < nodes.size(); ++i) {
      if (selector.matches(fields_of(nodes, i))) {
        chosen.insert(i);
      }
    }
  }
  NodeSet out = chosen;
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (!failed_or_error(node.phase) || !is_execution(node.type)) {
      continue;
    }
    const NodeIndex judged = node.retried ? node.owner : i;
    if (!succeeded_below(nodes, judged, chosen)) {
      out.insert(i);
    }
  }
  // Nodes that failed before they had a pod run again as well: nothing else would ever do it.
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (node.type == NodeType::skipped && node.phase == NodePhase::error) {
      out.insert(i);
    }
  }
  return out;
}

void set_back_node(Node& node) {
  if (node.type == NodeType::suspend && node.outputs) {
    const auto value = doc::parse_json(*node.outputs);
    auto outputs = value ? decode_outputs(*value) : Result<Outputs>(Outputs{});
    if (outputs) {
      for (Parameter& parameter : outputs->parameters) {
        parameter = Parameter{.name = parameter.name, .value_from = ValueFrom{.supplied = true}};
      }
      node.outputs = std::make_shared<const std::string>(doc::to_json(encode_outputs(*outputs)));
    }
  }
  if (node.phase != NodePhase::skipped) {
    node.phase = NodePhase::running;
    node.done = false;
    node.outputs = is_group(node.type) || node.type == NodeType::retry ? nullptr : node.outputs;
  }
  node.message.clear();
  node.finished = kNoTime;
}

/// The kept nodes with new indices, as rows.
std::vector<StoredRow> rows_of(const NodeTable& nodes, const NodeSet& deleted,
                               const NodeSet& set_back) {
  std::vector<NodeIndex> moved(nodes.size(), kNoNode);
  StoredNodes kept{
      .nodes = NodeTable(nodes.workflow_name()), .wakes = {}, .stopping = {}, .bubbling = {}};
  const auto map_all = [&](std::vector<NodeIndex> list) {
    std::vector<NodeIndex> out;
    for (const NodeIndex index : list) {
      if (moved[index] != kNoNode) {
        out.push_back(moved[index]);
      }
    }
    return out;
  };
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    if (deleted.contains(i)) {
      continue;
    }
    Node node = nodes[i];
    node.call = kept.nodes.intern_call(nodes.call(i));
    node.host = kept.nodes.intern_host(nodes.host(i));
    node.boundary = node.boundary == kNoNode ? kNoNode : moved[node.boundary];
    node.owner = node.owner == kNoNode ? kNoNode : moved[node.owner];
    const std::vector<NodeIndex> parents = map_all(std::move(node.parents));
    node.parents.clear();
    node.children.clear();
    if (set_back.contains(i)) {
      set_back_node(node);
      node.outbound.clear();
    }
    moved[i] = kept.nodes.add(std::move(node));
    if (const auto said = nodes.said_progress(i)) {
      kept.nodes.say_progress(moved[i], *said);
    }
    for (const NodeIndex parent : parents) {
      kept.nodes.connect(parent, moved[i]);
    }
  }
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    if (moved[i] != kNoNode) {
      kept.nodes[moved[i]].outbound =
          map_all(set_back.contains(i) ? std::vector<NodeIndex>{} : nodes[i].outbound);
    }
  }
  std::vector<StoredRow> rows;
  for (NodeIndex i = 0; i < kept.nodes.size(); ++i) {
    rows.push_back({i, write_row(kept, i)});
  }
  return rows;
}

Result<> override_parameters(Value& spec, const RetryOptions& options) {
  if (options.parameters.empty() || !spec.is_object()) {
    return {};
  }
  Value& arguments = spec.get_object()["arguments"];
  if (!arguments.is_object()) {
    arguments.emplace_object();
  }
  Value& list = arguments.get_object()["parameters"];
  if (!list.is_array()) {
    list.emplace_array();
  }
  for (const auto& [name, value] : options.parameters) {
    const auto found = std::ranges::find_if(list.get_array(), [&](const Value& parameter) {
      return doc::find_string(parameter, "name") == name;
    });
    const Value parameter = Object{{"name", name}, {"value", value}};
    if (found == list.get_array().end()) {
      list.get_array().push_back(parameter);
    } else {
      *found = parameter;
    }
  }
  return {};
}

Result<Value> fresh_document(const Value& document, const RetryOptions& options) {
  Value out = document;
  Object& object = out.as_object();
  if (Value* metadata = object.if_contains("metadata"); metadata && metadata->is_object()) {
    if (Value* labels = metadata->get_object().if_contains("labels");
        labels != nullptr && labels->is_object()) {
      for (const std::string_view label : {"completed", "phase", "workflow-archiving-status"}) {
        labels->get_object().erase("workflows.argoproj.io/" + std::string(label));
      }
    }
  }
  Value& spec = object["spec"];
  Value& status = object["status"];
  if (!status.is_object()) {
    status.emplace_object();
  }
  for (const std::string_view key : {"phase", "message", "startedAt", "finishedAt", "nodes",
                                     "conditions", "progress", "resourcesDuration"}) {
    status.get_object().erase({key.data(), key.size()});
  }
  for (Value* one : {&spec, status.get_object().if_contains("storedWorkflowTemplateSpec")}) {
    if (one == nullptr || !one->is_object()) {
      continue;
    }
    one->get_object().erase("shutdown");
    const Value* deadline = doc::find(*one, "activeDeadlineSeconds");
    if (deadline != nullptr && deadline->is_int64() && deadline->get_int64() == 0) {
      one->get_object().erase("activeDeadlineSeconds");
    }
    TRY_VOID(override_parameters(*one, options));
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
  const NodeTable& nodes = stored.nodes;
  TRY(const NodeSet again, nodes_to_run_again(nodes, options));
  Reset reset(nodes);
  const std::string exit_handler = metadata.name + ".onExit";
  for (const NodeIndex index : again) {
    if (!nodes[index].name.starts_with(exit_handler)) {
      reset.run_again(index);
    }
  }
  if (!options.parameters.empty()) {
    for (const NodeIndex index : reset.set_back_nodes()) {
      const NodeType type = nodes[index].type;
      if (type == NodeType::task_group || type == NodeType::step_group) {
        reset.delete_below(index);
      }
    }
  }
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    if (nodes[i].name.starts_with(exit_handler)) {
      reset.deleted().insert(i);
    }
  }
  RetriedWorkflow out;
  TRY(out.workflow, fresh_document(document, options));
  for (const NodeIndex index : reset.deleted()) {
    if (nodes[index].type == NodeType::pod) {
      out.pods_to_delete.push_back(nodes.pod_name(index));
    }
  }
  out.rows = rows_of(nodes, reset.deleted(), reset.set_back_nodes());
  return out;
}

}  // namespace tiphys::workflows

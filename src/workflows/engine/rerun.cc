#include "workflows/engine/rerun.h"

#include "workflows/engine/field_selector.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

using doc::Object;
using doc::Value;

bool is_execution(NodeType type) {
  return type == NodeType::pod || type == NodeType::container || type == NodeType::http ||
         type == NodeType::plugin;
}

bool is_group(NodeType type) {
  return type == NodeType::dag || type == NodeType::task_group || type == NodeType::step_group ||
         type == NodeType::steps;
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
      if (selector.matches(selectable_fields(nodes, i))) {
        chosen.insert(i);
      }
    }
    if (chosen.empty()) {
      return fail(ErrorCode::bad_request,
                  "no nodes match nodeFieldSelector: " + options.node_field_selector);
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
  // The same goes for pauses that were stopped.
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if ((node.type == NodeType::skipped && node.phase == NodePhase::error) ||
        (node.type == NodeType::suspend && failed_or_error(node.phase))) {
      out.insert(i);
    }
  }
  return out;
}

void set_back_node(Node& node, TimePoint now) {
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
  node.started = now == kNoTime ? node.started : now;
  node.finished = kNoTime;
}

/// Steps that go on after a group that has ended are told of that end once more.
void reopen_last_groups(NodeTable& nodes) {
  std::map<NodeIndex, NodeIndex> last;
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    if (nodes[i].type == NodeType::step_group) {
      last[nodes[i].boundary] = i;
    }
  }
  for (const auto& [steps, group] : last) {
    if (steps != kNoNode && !fulfilled(nodes[steps].phase)) {
      nodes[group].done = false;
    }
  }
}

}  // namespace

Result<Rerun> plan_rerun(const NodeTable& nodes, const RetryOptions& options) {
  TRY(const NodeSet again, nodes_to_run_again(nodes, options));
  Reset reset(nodes);
  const std::string exit_handler = nodes.workflow_name() + ".onExit";
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
  return Rerun{std::move(reset.deleted()), reset.set_back_nodes()};
}

std::vector<StoredRow> kept_rows(const NodeTable& nodes, const Rerun& plan,
                                 const std::string& workflow_name, TimePoint now,
                                 const std::function<void(NodeIndex, Node&, NodeCall&)>& change) {
  std::vector<NodeIndex> moved(nodes.size(), kNoNode);
  StoredNodes kept{.nodes = NodeTable(workflow_name), .wakes = {}, .stopping = {}, .bubbling = {}};
  const auto map_all = [&](const std::vector<NodeIndex>& list) {
    std::vector<NodeIndex> out;
    for (const NodeIndex index : list) {
      if (moved[index] != kNoNode) {
        out.push_back(moved[index]);
      }
    }
    return out;
  };
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    if (plan.deleted.contains(i)) {
      continue;
    }
    Node node = nodes[i];
    NodeCall call = nodes.call(i);
    if (change) {
      change(i, node, call);
    }
    node.call = kept.nodes.intern_call(call);
    node.host = kept.nodes.intern_host(nodes.host(i));
    node.boundary = node.boundary == kNoNode ? kNoNode : moved[node.boundary];
    node.owner = node.owner == kNoNode ? kNoNode : moved[node.owner];
    const std::vector<NodeIndex> parents = map_all(node.parents);
    node.parents.clear();
    node.children.clear();
    if (plan.set_back.contains(i)) {
      set_back_node(node, now);
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
    if (moved[i] != kNoNode && !plan.set_back.contains(i)) {
      kept.nodes[moved[i]].outbound = map_all(nodes[i].outbound);
    }
  }
  reopen_last_groups(kept.nodes);
  std::vector<StoredRow> rows;
  for (NodeIndex i = 0; i < kept.nodes.size(); ++i) {
    rows.push_back({i, write_row(kept, i)});
  }
  return rows;
}

void override_parameters(Value& spec,
                         const std::vector<std::pair<std::string, std::string>>& parameters) {
  if (parameters.empty() || !spec.is_object()) {
    return;
  }
  Value& arguments = spec.get_object()["arguments"];
  if (!arguments.is_object()) {
    arguments.emplace_object();
  }
  doc::Array out;
  for (const auto& [name, value] : parameters) {
    out.push_back(Object{{"name", name}, {"value", value}});
  }
  Value& list = arguments.get_object()["parameters"];
  if (list.is_array()) {
    for (Value& parameter : list.get_array()) {
      const std::string_view name = doc::find_string(parameter, "name");
      if (std::ranges::none_of(parameters,
                               [&](const auto& given) { return given.first == name; })) {
        out.push_back(std::move(parameter));
      }
    }
  }
  list = std::move(out);
}

void clear_shutdown(Value& spec) {
  if (!spec.is_object()) {
    return;
  }
  spec.get_object().erase("shutdown");
  const Value* deadline = doc::find(spec, "activeDeadlineSeconds");
  if (deadline != nullptr && deadline->is_int64() && deadline->get_int64() == 0) {
    spec.get_object().erase("activeDeadlineSeconds");
  }
}

}  // namespace tiphys::workflows

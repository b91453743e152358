#include "workflows/engine/globals.h"
#include "workflows/engine/machine.h"

#include <boost/json.hpp>

namespace tiphys::workflows {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

void set_text(Object& out, std::string_view key, std::string_view text) {
  if (!text.empty()) {
    out[{key.data(), key.size()}] = text;
  }
}

void set_json(Object& out, std::string_view key, const SharedText& text) {
  if (text) {
    if (auto value = doc::parse_json(*text)) {
      out[{key.data(), key.size()}] = std::move(*value);
    }
  }
}

Value reference_of(const TemplateRef& reference) {
  Object out;
  set_text(out, "name", reference.name);
  set_text(out, "template", reference.template_name);
  if (reference.cluster_scope) {
    out["clusterScope"] = true;
  }
  return out;
}

Value resources_of(const ResourceSeconds& resources) {
  Object out;
  out["cpu"] = resources.cpu;
  out["memory"] = resources.memory;
  if (resources.others) {
    for (const auto& [name, seconds] : *resources.others) {
      out[name] = seconds;
    }
  }
  return out;
}

Value flag_of(const Node& node) {
  Object out;
  if (node.hooked) {
    out["hooked"] = true;
  }
  if (node.retried) {
    out["retried"] = true;
  }
  return out;
}

/// What a stored row and a node's status have in common.
void set_common(Object& out, const NodeTable& nodes, NodeIndex index) {
  const Node& node = nodes[index];
  const NodeCall& call = nodes.call(index);
  out["name"] = node.name;
  out["type"] = name_of(node.type);
  set_text(out, "phase", name_of(node.phase));
  set_text(out, "message", node.message);
  set_text(out, "templateName", call.template_name);
  if (call.template_ref) {
    out["templateRef"] = reference_of(*call.template_ref);
  }
  set_text(out, "templateScope", call.template_scope);
  set_text(out, "hostNodeName", nodes.host(index));
  set_json(out, "inputs", node.inputs);
  set_json(out, "outputs", node.outputs);
  if (node.has_flag) {
    out["nodeFlag"] = flag_of(node);
  }
  if (node.daemoned) {
    out["daemoned"] = true;
  }
}

Array indices(const std::vector<NodeIndex>& nodes) {
  Array out;
  out.reserve(nodes.size());
  for (const NodeIndex node : nodes) {
    out.emplace_back(node);
  }
  return out;
}

bool has_own_progress(NodeType type) {
  return type == NodeType::pod || type == NodeType::container || type == NodeType::http ||
         type == NodeType::plugin || type == NodeType::suspend;
}

Value condition(std::string_view type, bool holds) {
  Object out;
  out["status"] = holds ? "True" : "False";
  out["type"] = type;
  return out;
}

}  // namespace

std::string Engine::Machine::row(NodeIndex index) const {
  const Node& node = (*nodes_)[index];
  Object out;
  set_common(out, *nodes_, index);
  set_text(out, "displayNameOverride", node.display_name_override);
  out["started"] = node.started.time_since_epoch().count();
  if (node.finished != kNoTime) {
    out["finished"] = node.finished.time_since_epoch().count();
  }
  if (node.boundary != kNoNode) {
    out["boundary"] = node.boundary;
  }
  if (node.owner != kNoNode) {
    out["owner"] = node.owner;
  }
  out["slot"] = node.slot;
  out["parents"] = indices(node.parents);
  if (!node.outbound.empty()) {
    out["outbound"] = indices(node.outbound);
  }
  if (node.in_exit_handler) {
    out["inExitHandler"] = true;
  }
  if (node.done) {
    out["done"] = true;
  }
  if (stop_messages_.contains(index)) {
    out["stopping"] = true;
  }
  if (const auto wake = wakes_.find(index); wake != wakes_.end()) {
    out["wake"] = wake->second.time_since_epoch().count();
  }
  if (node.resources.known && node.type == NodeType::pod) {
    out["resourcesDuration"] = resources_of(node.resources);
  }
  return doc::to_json(out, {.escape_html = false});
}

/// "N/M" over what a node's edges lead to; of the workflow as a whole when there are very many
/// nodes, where following edges would cost more than the figure is worth.
std::string Engine::Machine::progress_of(NodeIndex index) const {
  const Node& node = (*nodes_)[index];
  if (has_own_progress(node.type)) {
    return node.phase == NodePhase::succeeded ? "1/1" : "0/1";
  }
  constexpr NodeIndex kMostNodes = 4096;
  if (nodes_->size() > kMostNodes) {
    return std::to_string(progress_done_) + "/" + std::to_string(progress_total_);
  }
  std::vector<char> seen(nodes_->size(), 0);
  std::vector<NodeIndex> pending(node.children);
  std::int64_t done = 0;
  std::int64_t total = 0;
  while (!pending.empty()) {
    const NodeIndex current = pending.back();
    pending.pop_back();
    if (seen[current] != 0) {
      continue;
    }
    seen[current] = 1;
    const Node& below = (*nodes_)[current];
    if (has_own_progress(below.type)) {
      ++total;
      done += below.phase == NodePhase::succeeded ? 1 : 0;
    }
    pending.insert(pending.end(), below.children.begin(), below.children.end());
  }
  return std::to_string(done) + "/" + std::to_string(total);
}

Value Engine::Machine::node_status(NodeIndex index) const {
  const Node& node = (*nodes_)[index];
  Object out;
  out["id"] = nodes_->id(index);
  set_common(out, *nodes_, index);
  out["displayName"] = nodes_->display_name(index);
  if (node.boundary != kNoNode) {
    out["boundaryID"] = nodes_->id(node.boundary);
  }
  out["startedAt"] = time_text(node.started);
  out["finishedAt"] = node.finished == kNoTime ? Value(nullptr) : Value(time_text(node.finished));
  out["progress"] = progress_of(index);
  if (node.resources.known && fulfilled(node.phase)) {
    out["resourcesDuration"] = resources_of(node.resources);
  }
  if (node.type == NodeType::pod) {
    out["taskResultSynced"] = true;
  }
  const auto set_ids = [&](std::string_view key, const std::vector<NodeIndex>& list) {
    if (list.empty()) {
      return;
    }
    Array ids;
    ids.reserve(list.size());
    for (const NodeIndex other : list) {
      ids.emplace_back(nodes_->id(other));
    }
    out[{key.data(), key.size()}] = std::move(ids);
  };
  set_ids("children", node.children);
  set_ids("outboundNodes", node.outbound);
  return out;
}

Value Engine::Machine::status(Engine::WithNodes with_nodes) const {
  Object out;
  set_text(out, "phase", name_of(phase_));
  set_text(out, "message", message_);
  out["startedAt"] = started_ == kNoTime ? Value(nullptr) : Value(time_text(started_));
  out["finishedAt"] = finished_ == kNoTime ? Value(nullptr) : Value(time_text(finished_));
  out["progress"] = std::to_string(progress_done_) + "/" + std::to_string(progress_total_);
  if (resources_.known) {
    out["resourcesDuration"] = resources_of(resources_);
  }
  if (!global_outputs_.parameters.empty() || !global_outputs_.artifacts.empty()) {
    out["outputs"] = encode_outputs(global_outputs_);
  }
  Array conditions;
  if (pods_seen_) {
    conditions.push_back(condition("PodRunning", running_pods_ > 0));
  }
  if (is_finished()) {
    conditions.push_back(condition("Completed", true));
  }
  if (!conditions.empty()) {
    out["conditions"] = std::move(conditions);
  }
  if (!catalog_.stored_templates().get_object().empty()) {
    out["storedTemplates"] = catalog_.stored_templates();
  }
  if (!stored_spec_.is_null()) {
    out["storedWorkflowTemplateSpec"] = stored_spec_;
  }
  if (with_nodes == Engine::WithNodes::yes && nodes_->size() != 0) {
    Object nodes;
    for (NodeIndex i = 0; i < nodes_->size(); ++i) {
      nodes[nodes_->id(i)] = node_status(i);
    }
    out["nodes"] = std::move(nodes);
  }
  return out;
}

Value Engine::Machine::workflow(Engine::WithNodes with_nodes) const {
  Value out = document_;
  Object& object = out.as_object();
  const auto set_map = [&](std::string_view key, const std::map<std::string, std::string>& map) {
    if (map.empty()) {
      return;
    }
    Object entries;
    for (const auto& [name, value] : map) {
      entries[name] = value;
    }
    object["metadata"].as_object()[{key.data(), key.size()}] = std::move(entries);
  };
  set_map("labels", metadata_.labels);
  set_map("annotations", metadata_.annotations);
  Object& spec = object["spec"].as_object();
  if (shutdown_.empty()) {
    spec.erase("shutdown");
  } else {
    spec["shutdown"] = shutdown_;
  }
  if (suspended_) {
    spec["suspend"] = true;
  } else {
    spec.erase("suspend");
  }
  object["status"] = status(with_nodes);
  return out;
}

}  // namespace tiphys::workflows

#include "workflows/engine/status.h"

#include "workflows/engine/artifact_gc.h"
#include "workflows/engine/globals.h"

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
  // Containers are flagged as their pod is.
  const Node& flagged =
      node.type == NodeType::container && node.boundary != kNoNode ? nodes[node.boundary] : node;
  if (flagged.has_flag) {
    out["nodeFlag"] = flag_of(flagged);
  }
  set_text(out, "podIP", nodes.ip(index));
  if (node.daemoned) {
    out["daemoned"] = true;
  }
  if (node.extras && node.extras->memoization) {
    const Memoization& memo = *node.extras->memoization;
    out["memoizationStatus"] =
        Object{{"cacheName", memo.cache}, {"hit", memo.hit}, {"key", memo.key}};
  }
  if (node.waits_for_lock()) {
    out["synchronizationStatus"] = Object{{"waiting", node.extras->waiting_for}};
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

}  // namespace

std::string write_row(const NodeTable& nodes, NodeIndex index, const RowExtras& extras) {
  const Node& node = nodes[index];
  Object out;
  // What differs from run to run stands first, where row_in_other_run finds it.
  out["name"] = node.name;
  set_text(out, "templateScope", nodes.call(index).template_scope);
  out["started"] = node.started.time_since_epoch().count();
  if (node.finished != kNoTime) {
    out["finished"] = node.finished.time_since_epoch().count();
  }
  set_common(out, nodes, index);
  set_text(out, "displayNameOverride", node.display_name_override);
  if (node.boundary != kNoNode) {
    out["boundary"] = node.boundary;
  }
  if (node.owner != kNoNode) {
    out["owner"] = node.owner;
  }
  if (node.slot != kNoSlot) {
    out["slot"] = node.slot;
  }
  out["parents"] = indices(node.parents);
  if (!node.outbound.empty()) {
    out["outbound"] = indices(node.outbound);
  }
  if (node.in_exit_handler) {
    out["inExitHandler"] = true;
  }
  if (node.extras && node.extras->waits_for_slot) {
    out["waitsForSlot"] = true;
  }
  if (node.done) {
    out["done"] = true;
  }
  if (extras.stopping) {
    out["stopping"] = true;
  }
  if (extras.bubbling && !node.done) {
    out["bubbling"] = true;
  }
  if (extras.wake) {
    out["wake"] = extras.wake->time_since_epoch().count();
  }
  if (const auto said = nodes.said_progress(index)) {
    out["progress"] = said->text();
  }
  if (node.resources.known && node.type == NodeType::pod) {
    out["resourcesDuration"] = encode_resources(node.resources);
  }
  return doc::to_json(out, {.escape_html = false});
}

std::string write_row(const StoredNodes& stored, NodeIndex index) {
  const auto wake = stored.wakes.find(index);
  return write_row(stored.nodes, index,
                   {.wake = wake == stored.wakes.end() ? std::nullopt : std::optional(wake->second),
                    .stopping = stored.stopping.contains(index),
                    .bubbling = stored.bubbling.contains(index)});
}

namespace {

bool skip(std::string_view& text, std::string_view expected) {
  const bool there = text.starts_with(expected);
  text.remove_prefix(there ? expected.size() : 0);
  return there;
}

bool skip_number(std::string_view& text) {
  const std::size_t length = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(length);
  return length != 0;
}

/// The rest of a JSON text up to and with its closing quote.
std::optional<std::string_view> take_text(std::string_view& text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      const std::string_view taken = text.substr(0, at + 1);
      text.remove_prefix(at + 1);
      return taken;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> row_in_other_run(std::string_view row, std::string_view run,
                                            std::string_view other, TimePoint now) {
  if (!skip(row, R"({"name":")") || !skip(row, run)) {
    return std::nullopt;
  }
  std::string out = R"({"name":")";
  out += other;
  const auto name = take_text(row);
  if (!name) {
    return std::nullopt;
  }
  out += *name;
  if (skip(row, R"(,"templateScope":")")) {
    out += R"(,"templateScope":")";
    const bool local = skip(row, "local/");
    if (local && !skip(row, run)) {
      return std::nullopt;
    }
    const auto scope = take_text(row);
    if (!scope) {
      return std::nullopt;
    }
    if (local) {
      out.append("local/").append(other);
    }
    out += *scope;
  }
  const std::string moment = std::to_string(now.time_since_epoch().count());
  if (!skip(row, R"(,"started":)") || !skip_number(row) || !skip(row, R"(,"finished":)") ||
      !skip_number(row) || !skip(row, ",")) {
    return std::nullopt;
  }
  out.append(R"(,"started":)").append(moment).append(R"(,"finished":)").append(moment);
  return out.append(",").append(row);
}

Value encode_resources(const ResourceSeconds& resources) {
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

Progress progress_of(const NodeTable& nodes) {
  Progress out;
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    const Progress own = own_progress(nodes, i);
    out.total += own.total;
    out.done += own.done;
  }
  return out;
}

namespace {

/// What a node's edges lead to; of the run as a whole when there are very many nodes, where
/// following edges would cost more than the figure is worth.
std::string progress_below(const NodeTable& nodes, NodeIndex index, const Progress& overall) {
  const Node& node = nodes[index];
  if (has_own_progress(node.type)) {
    return own_progress(nodes, index).text();
  }
  constexpr NodeIndex kMostNodes = 4096;
  if (nodes.size() > kMostNodes) {
    return overall.text();
  }
  std::vector<char> seen(nodes.size(), 0);
  std::vector<NodeIndex> pending(node.children);
  Progress out;
  while (!pending.empty()) {
    const NodeIndex current = pending.back();
    pending.pop_back();
    if (seen[current] != 0) {
      continue;
    }
    seen[current] = 1;
    const Node& below = nodes[current];
    const Progress own = own_progress(nodes, current);
    out.total += own.total;
    out.done += own.done;
    pending.insert(pending.end(), below.children.begin(), below.children.end());
  }
  return out.text();
}

void set_ids(Object& out, std::string_view key, const NodeTable& nodes,
             const std::vector<NodeIndex>& list) {
  if (list.empty()) {
    return;
  }
  Array ids;
  ids.reserve(list.size());
  for (const NodeIndex other : list) {
    ids.emplace_back(nodes.id(other));
  }
  out[{key.data(), key.size()}] = std::move(ids);
}

}  // namespace

ResourceSeconds sum_resources(NodeTable& nodes) {
  ResourceSeconds out;
  for (NodeIndex i = nodes.size(); i-- > 0;) {
    const Node& node = nodes[i];
    if (!node.done || !node.resources.known) {
      continue;
    }
    const NodeIndex owner = resource_owner(nodes, i);
    if (owner == kNoNode) {
      out.add(node.resources);
    } else {
      nodes[owner].resources.add(node.resources);
    }
  }
  return out;
}

NodeIndex resource_owner(const NodeTable& nodes, NodeIndex index) {
  const Node& node = nodes[index];
  return node.hooked && node.owner != kNoNode ? nodes[node.owner].owner : node.owner;
}

Value node_status(const NodeTable& nodes, NodeIndex index, const Progress& overall) {
  const Node& node = nodes[index];
  Object out;
  out["id"] = nodes.id(index);
  set_common(out, nodes, index);
  out["displayName"] = nodes.display_name(index);
  if (node.boundary != kNoNode) {
    out["boundaryID"] = nodes.id(node.boundary);
  }
  out["startedAt"] = time_text(node.started);
  out["finishedAt"] = node.finished == kNoTime ? Value(nullptr) : Value(time_text(node.finished));
  out["progress"] = progress_below(nodes, index, overall);
  if (node.resources.known && fulfilled(node.phase)) {
    out["resourcesDuration"] = encode_resources(node.resources);
  }
  if (node.type == NodeType::pod) {
    out["taskResultSynced"] = true;
  }
  set_ids(out, "children", nodes, node.children);
  set_ids(out, "outboundNodes", nodes, node.outbound);
  return out;
}

Value node_statuses(const NodeTable& nodes) {
  const Progress overall = progress_of(nodes);
  Object out;
  for (NodeIndex i = 0; i < nodes.size(); ++i) {
    out[nodes.id(i)] = node_status(nodes, i, overall);
  }
  return out;
}

Array conditions_of(bool pods_seen, bool pod_running, bool completed) {
  const auto condition = [](std::string_view type, bool holds) {
    Object out;
    out["status"] = holds ? "True" : "False";
    out["type"] = type;
    return out;
  };
  Array out;
  if (pods_seen) {
    out.push_back(condition("PodRunning", pod_running));
  }
  if (completed) {
    out.push_back(condition("Completed", true));
  }
  return out;
}

Result<Value> workflow_with_nodes(const Value& document, std::span<const StoredRow> rows) {
  const Value* metadata_document = doc::find(document, "metadata");
  TRY(const Metadata metadata,
      decode_metadata(metadata_document == nullptr ? Value() : *metadata_document));
  TRY(auto stored, read_rows(metadata.name, names_pods_v1(metadata.annotations), rows));
  Value out = document;
  if (stored.nodes.size() == 0) {
    return out;
  }
  Value& status_value = out.as_object()["status"];
  if (!status_value.is_object()) {
    status_value.emplace_object();
  }
  Object& status = status_value.get_object();
  const ResourceSeconds resources = sum_resources(stored.nodes);
  status["progress"] = progress_of(stored.nodes).text();
  if (resources.known) {
    status["resourcesDuration"] = encode_resources(resources);
  }
  bool seen = false;
  bool running = false;
  for (NodeIndex i = 0; i < stored.nodes.size(); ++i) {
    const Node& node = stored.nodes[i];
    if (node.type == NodeType::pod) {
      seen = seen || node.phase != NodePhase::pending;
      running = running || node.phase == NodePhase::running;
    }
  }
  const bool completed_run = !doc::find_string(status_value, "finishedAt").empty();
  Array conditions = conditions_of(seen, running, completed_run);
  const Array further = further_conditions(status_value);
  conditions.insert(conditions.end(), further.begin(), further.end());
  if (!conditions.empty()) {
    status["conditions"] = std::move(conditions);
  }
  status["nodes"] = node_statuses(stored.nodes);
  return out;
}

Result<std::vector<PodOfNode>> pods_of(const Value& document, std::span<const StoredRow> rows) {
  const Value* metadata_document = doc::find(document, "metadata");
  TRY(const Metadata metadata,
      decode_metadata(metadata_document == nullptr ? Value() : *metadata_document));
  TRY(const auto stored, read_rows(metadata.name, names_pods_v1(metadata.annotations), rows));
  std::vector<PodOfNode> out;
  for (NodeIndex i = 0; i < stored.nodes.size(); ++i) {
    if (stored.nodes[i].type == NodeType::pod) {
      out.push_back({stored.nodes.id(i), stored.nodes[i].name, stored.nodes.display_name(i),
                     stored.nodes.pod_name(i), fulfilled(stored.nodes[i].phase)});
    }
  }
  return out;
}

std::map<std::string, std::string> selectable_fields(const NodeTable& nodes, NodeIndex index) {
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

}  // namespace tiphys::workflows

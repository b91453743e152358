#include "workflows/engine/globals.h"
#include "workflows/engine/status.h"

#include <boost/json.hpp>

#include <algorithm>
#include <set>

namespace tiphys::workflows {
namespace {

using doc::Object;
using doc::Value;

std::string text_at(const Value& object, std::string_view key) {
  return std::string(doc::find_string(object, key));
}

bool flag_at(const Value& object, std::string_view key) {
  const Value* value = doc::find(object, key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::int64_t number_at(const Value& object, std::string_view key, std::int64_t otherwise) {
  const Value* value = doc::find(object, key);
  if (value == nullptr) {
    return otherwise;
  }
  if (value->is_int64()) {
    return value->get_int64();
  }
  return value->is_uint64() ? static_cast<std::int64_t>(value->get_uint64()) : otherwise;
}

std::vector<NodeIndex> indices_at(const Value& object, std::string_view key) {
  std::vector<NodeIndex> out;
  const Value* list = doc::find(object, key);
  if (list != nullptr && list->is_array()) {
    for (const Value& index : list->get_array()) {
      out.push_back(index.is_int64() ? static_cast<NodeIndex>(index.get_int64()) : kNoNode);
    }
  }
  return out;
}

SharedText json_at(const Value& object, std::string_view key) {
  const Value* value = doc::find(object, key);
  return value == nullptr
             ? nullptr
             : std::make_shared<const std::string>(doc::to_json(*value, {.escape_html = false}));
}

ResourceSeconds resources_at(const Value& object) {
  ResourceSeconds out;
  const Value* value = doc::find(object, "resourcesDuration");
  if (value == nullptr || !value->is_object()) {
    return out;
  }
  out.known = true;
  std::map<std::string, std::int64_t> others;
  for (const auto& [name, seconds] : value->get_object()) {
    const std::int64_t count = seconds.is_int64() ? seconds.get_int64() : 0;
    if (name == "cpu") {
      out.cpu = count;
    } else if (name == "memory") {
      out.memory = count;
    } else {
      others[std::string(name)] = count;
    }
  }
  if (!others.empty()) {
    out.others = std::make_shared<const std::map<std::string, std::int64_t>>(std::move(others));
  }
  return out;
}

std::shared_ptr<const NodeExtras> extras_at(const Value& row) {
  const Value* memo = doc::find(row, "memoizationStatus");
  const Value* locks = doc::find(row, "synchronizationStatus");
  NodeExtras out;
  out.waits_for_slot = flag_at(row, "waitsForSlot");
  if (memo == nullptr && locks == nullptr && !out.waits_for_slot) {
    return nullptr;
  }
  if (memo != nullptr) {
    out.memoization =
        Memoization{flag_at(*memo, "hit"), text_at(*memo, "key"), text_at(*memo, "cacheName")};
  }
  if (locks != nullptr) {
    out.waiting_for = text_at(*locks, "waiting");
  }
  return std::make_shared<const NodeExtras>(std::move(out));
}

/// What a stored row and a node's status have in common. Error: an unknown type or phase.
Result<Node> common_node(const Value& row, NodeTable& nodes) {
  Node node;
  node.name = text_at(row, "name");
  const auto type = node_type_of(text_at(row, "type"));
  const auto phase = node_phase_of(text_at(row, "phase"));
  if (!type || !phase) {
    return fail(ErrorCode::invalid, "node " + node.name + ": unknown type '" +
                                        text_at(row, "type") + "' or phase '" +
                                        text_at(row, "phase") + "'");
  }
  node.type = *type;
  node.phase = *phase;
  node.message = text_at(row, "message");
  NodeCall call;
  call.template_name = text_at(row, "templateName");
  call.template_scope = text_at(row, "templateScope");
  if (const Value* reference = doc::find(row, "templateRef")) {
    call.template_ref = TemplateRef{text_at(*reference, "name"), text_at(*reference, "template"),
                                    flag_at(*reference, "clusterScope")};
  }
  node.call = nodes.intern_call(call);
  node.host = nodes.intern_host(text_at(row, "hostNodeName"));
  node.inputs = json_at(row, "inputs");
  node.outputs = json_at(row, "outputs");
  if (const Value* flag = doc::find(row, "nodeFlag")) {
    node.has_flag = true;
    node.hooked = flag_at(*flag, "hooked");
    node.retried = flag_at(*flag, "retried");
  }
  if (node.type == NodeType::container) {
    // Its flags are those of its pod.
    node.has_flag = false;
    node.hooked = false;
    node.retried = false;
  }
  node.ip = nodes.intern_host(text_at(row, "podIP"));
  node.daemoned = flag_at(row, "daemoned");
  node.extras = extras_at(row);
  if (node.type == NodeType::pod) {
    node.resources = resources_at(row);
  }
  return node;
}

Result<> read_row(StoredNodes& out, const StoredRow& stored) {
  TRY(const auto row, doc::parse_json(stored.json));
  TRY(Node node, common_node(row, out.nodes));
  node.display_name_override = text_at(row, "displayNameOverride");
  node.started = TimePoint(std::chrono::milliseconds(number_at(row, "started", 0)));
  node.finished = TimePoint(std::chrono::milliseconds(number_at(row, "finished", 0)));
  node.boundary = static_cast<NodeIndex>(number_at(row, "boundary", kNoNode));
  node.owner = static_cast<NodeIndex>(number_at(row, "owner", kNoNode));
  node.slot = static_cast<std::uint32_t>(number_at(row, "slot", kNoSlot));
  node.outbound = indices_at(row, "outbound");
  node.in_exit_handler = flag_at(row, "inExitHandler");
  node.done = flag_at(row, "done");
  const std::int64_t wake = number_at(row, "wake", 0);
  const std::vector<NodeIndex> parents = indices_at(row, "parents");
  std::string message = node.message;
  const auto said = parse_progress(doc::find_string(row, "progress"));
  const NodeIndex index = out.nodes.size();
  const auto earlier = [&](NodeIndex other) { return other == kNoNode || other < index; };
  if (!earlier(node.boundary) || !earlier(node.owner) ||
      !std::ranges::all_of(parents, [&](NodeIndex parent) { return parent < index; })) {
    return fail(ErrorCode::invalid,
                "stored node " + std::to_string(index) + " refers to one that comes after it");
  }
  out.nodes.add(std::move(node));
  if (said) {
    out.nodes.say_progress(index, *said);
  }
  for (const NodeIndex parent : parents) {
    out.nodes.connect(parent, index);
  }
  if (wake != 0) {
    out.wakes[index] = TimePoint(std::chrono::milliseconds(wake));
  }
  if (flag_at(row, "stopping")) {
    out.stopping[index] = message;
  }
  if (flag_at(row, "bubbling")) {
    out.bubbling[index] = std::move(message);
  }
  return {};
}

/// The statuses of status.nodes so that every node comes after its parents.
Result<std::vector<const Value*>> in_order(const Object& nodes) {
  std::map<std::string, const Value*> by_id;
  std::map<std::string, std::size_t> missing;
  for (const auto& [key, status] : nodes) {
    by_id[text_at(status, "id")] = &status;
    missing[text_at(status, "id")];
  }
  const auto children = [](const Value& status) {
    const Value* list = doc::find(status, "children");
    return list != nullptr && list->is_array() ? list->get_array() : doc::Array{};
  };
  for (const auto& [id, status] : by_id) {
    for (const Value& child : children(*status)) {
      if (child.is_string()) {
        ++missing[std::string(doc::text_of(child.get_string()))];
      }
    }
  }
  using Key = std::pair<std::string, std::string>;  // start time and name
  std::map<Key, std::string> free;
  const auto add_free = [&](const std::string& id) {
    const Value& status = *by_id.at(id);
    free.emplace(Key{text_at(status, "startedAt"), text_at(status, "name")}, id);
  };
  for (const auto& [id, status] : by_id) {
    if (missing.at(id) == 0) {
      add_free(id);
    }
  }
  std::vector<const Value*> out;
  while (!free.empty()) {
    const std::string id = free.begin()->second;
    free.erase(free.begin());
    out.push_back(by_id.at(id));
    for (const Value& child : children(*by_id.at(id))) {
      const std::string name(doc::text_of(child.as_string()));
      if (by_id.contains(name) && --missing.at(name) == 0) {
        add_free(name);
      }
    }
  }
  if (out.size() != by_id.size()) {
    return fail(ErrorCode::invalid, "status.nodes: the children of nodes form a cycle");
  }
  return out;
}

/// Whose completion waits for a node, found by its name.
NodeIndex owner_of(const NodeTable& nodes, const Node& node) {
  const auto named = [&](std::string_view name) { return nodes.find_name(name).value_or(kNoNode); };
  const std::string_view name = node.name;
  if (node.hooked && name.ends_with(".onExit")) {
    return named(name.substr(0, name.size() - 7)) == named(nodes.workflow_name()) &&
                   node.boundary == kNoNode
               ? kNoNode
               : named(name.substr(0, name.size() - 7));
  }
  if (node.hooked) {
    return named(name.substr(0, name.rfind(".hooks.")));
  }
  if (node.retried) {
    return named(name.substr(0, name.rfind('(')));
  }
  if (node.boundary == kNoNode || node.type == NodeType::container) {
    return kNoNode;
  }
  if (node.type == NodeType::step_group) {
    return node.boundary;
  }
  const std::string_view boundary = nodes[node.boundary].name;
  if (nodes[node.boundary].type == NodeType::steps) {
    const std::size_t close = name.find("].", boundary.size());
    return close == std::string_view::npos ? kNoNode : named(name.substr(0, close + 1));
  }
  const std::size_t open = name.find('(', boundary.size());
  if (open != std::string_view::npos && name.ends_with(')')) {
    const NodeIndex group = named(name.substr(0, open));
    if (group != kNoNode && nodes[group].type == NodeType::task_group) {
      return group;
    }
  }
  return node.boundary;
}

}  // namespace

bool names_pods_v1(const std::map<std::string, std::string>& annotations) {
  const auto found = annotations.find("workflows.argoproj.io/pod-name-format");
  return found != annotations.end() && found->second == "v1";
}

Result<StoredNodes> read_rows(const std::string& workflow_name, bool pod_names_v1,
                              std::span<const StoredRow> rows) {
  StoredNodes out{.nodes = NodeTable(workflow_name), .wakes = {}, .stopping = {}, .bubbling = {}};
  out.nodes.set_pod_names_v1(pod_names_v1);
  std::vector<const StoredRow*> ordered;
  ordered.reserve(rows.size());
  for (const StoredRow& row : rows) {
    ordered.push_back(&row);
  }
  std::ranges::sort(ordered, {}, [](const StoredRow* row) { return row->index; });
  for (const StoredRow* row : ordered) {
    if (row->index != out.nodes.size()) {
      return fail(ErrorCode::invalid, "stored nodes of workflow " + workflow_name +
                                          " are not complete: row " +
                                          std::to_string(out.nodes.size()) + " is missing");
    }
    TRY_VOID(read_row(out, *row));
  }
  return out;
}

Result<StoredNodes> read_statuses(const std::string& workflow_name, bool pod_names_v1,
                                  const Value& nodes) {
  StoredNodes out{.nodes = NodeTable(workflow_name), .wakes = {}, .stopping = {}, .bubbling = {}};
  out.nodes.set_pod_names_v1(pod_names_v1);
  if (!nodes.is_object()) {
    return out;
  }
  TRY(const auto ordered, in_order(nodes.get_object()));
  std::map<std::string, NodeIndex> indices;
  for (const Value* status : ordered) {
    TRY(Node node, common_node(*status, out.nodes));
    node.started = time_of(text_at(*status, "startedAt"));
    node.finished = time_of(text_at(*status, "finishedAt"));
    if (const auto boundary = indices.find(text_at(*status, "boundaryID"));
        boundary != indices.end()) {
      node.boundary = boundary->second;
    }
    node.owner = owner_of(out.nodes, node);
    node.slot = kNoSlot;
    const NodeIndex parent = node.owner != kNoNode ? node.owner : node.boundary;
    node.in_exit_handler =
        node.name.ends_with(".onExit") || (parent != kNoNode && out.nodes[parent].in_exit_handler);
    node.done = fulfilled(node.phase) || node.daemoned;
    const NodeIndex index = out.nodes.add(std::move(node));
    indices[text_at(*status, "id")] = index;
    const auto said = parse_progress(doc::find_string(*status, "progress"));
    if (said && has_own_progress(out.nodes[index].type) &&
        *said != own_progress(out.nodes, index)) {
      out.nodes.say_progress(index, *said);
    }
  }
  for (const Value* status : ordered) {
    const NodeIndex index = indices.at(text_at(*status, "id"));
    const std::string shown = text_at(*status, "displayName");
    if (!shown.empty() && shown != out.nodes.display_name(index)) {
      out.nodes[index].display_name_override = shown;
    }
    for (const std::string_view list : {"children", "outboundNodes"}) {
      const Value* ids = doc::find(*status, list);
      for (const Value& id : ids != nullptr && ids->is_array() ? ids->get_array() : doc::Array{}) {
        const auto other = indices.find(id.is_string() ? std::string(doc::text_of(id.get_string()))
                                                       : std::string());
        if (other == indices.end()) {
          continue;
        }
        if (list == "children") {
          out.nodes.connect(index, other->second);
        } else {
          out.nodes[index].outbound.push_back(other->second);
        }
      }
    }
  }
  for (NodeIndex i = 0; i < out.nodes.size(); ++i) {
    const Node& node = out.nodes[i];
    if (node.hooked && !fulfilled(node.phase) && node.owner != kNoNode) {
      out.nodes[node.owner].done = false;
    }
  }
  return out;
}

}  // namespace tiphys::workflows

#include "workflows/engine/globals.h"
#include "workflows/engine/machine.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

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
  return value != nullptr && value->is_number() ? value->to_number<std::int64_t>() : otherwise;
}

std::vector<NodeIndex> indices_at(const Value& object, std::string_view key) {
  std::vector<NodeIndex> out;
  const Value* list = doc::find(object, key);
  if (list != nullptr && list->is_array()) {
    for (const Value& index : list->get_array()) {
      out.push_back(index.to_number<NodeIndex>());
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
    const std::int64_t count = seconds.is_number() ? seconds.to_number<std::int64_t>() : 0;
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
  node.daemoned = flag_at(row, "daemoned");
  if (node.type == NodeType::pod) {
    node.resources = resources_at(row);
  }
  return node;
}

}  // namespace

Result<> Engine::Machine::load_rows(std::span<const StoredRow> rows, TimePoint now) {
  now_ = now;
  std::vector<const StoredRow*> ordered;
  for (const StoredRow& row : rows) {
    ordered.push_back(&row);
  }
  std::ranges::sort(ordered, {}, &StoredRow::index);
  for (const StoredRow* stored : ordered) {
    TRY(auto row, doc::parse_json(stored->json));
    TRY(Node node, common_node(row, *nodes_));
    if (stored->index != nodes_->size()) {
      return fail(ErrorCode::invalid, "stored nodes of workflow " + metadata_.name +
                                          " are not complete: row " +
                                          std::to_string(nodes_->size()) + " is missing");
    }
    node.display_name_override = text_at(row, "displayNameOverride");
    node.started = TimePoint(std::chrono::milliseconds(number_at(row, "started", 0)));
    node.finished = TimePoint(std::chrono::milliseconds(number_at(row, "finished", 0)));
    node.boundary = static_cast<NodeIndex>(number_at(row, "boundary", kNoNode));
    node.owner = static_cast<NodeIndex>(number_at(row, "owner", kNoNode));
    node.slot = static_cast<std::uint32_t>(number_at(row, "slot", 0));
    node.outbound = indices_at(row, "outbound");
    node.in_exit_handler = flag_at(row, "inExitHandler");
    node.done = flag_at(row, "done");
    const std::int64_t wake = number_at(row, "wake", 0);
    const std::vector<NodeIndex> parents = indices_at(row, "parents");
    const std::string message = node.message;
    const NodeIndex index = nodes_->add(std::move(node));
    for (const NodeIndex parent : parents) {
      if (parent >= index) {
        return fail(ErrorCode::invalid,
                    "stored node " + std::to_string(index) + " names a parent that comes after it");
      }
      nodes_->connect(parent, index);
    }
    if (wake != 0) {
      wakes_[index] = TimePoint(std::chrono::milliseconds(wake));
    }
    if (flag_at(row, "stopping")) {
      stop_messages_[index] = message;
    }
  }
  rebuild();
  return {};
}

}  // namespace tiphys::workflows

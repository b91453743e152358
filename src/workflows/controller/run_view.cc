#include "workflows/controller/run_view.h"

#include "workflows/controller/place.h"
#include "workflows/engine/node.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

using doc::Value;

const Value& at(const Value& value, std::string_view key) {
  static const Value kNone;
  const Value* found = doc::find(value, key);
  return found == nullptr ? kNone : *found;
}

std::string text(const Value& value, std::string_view key) {
  return std::string(doc::find_string(value, key));
}

const Value* named(const Value& list, std::string_view name) {
  if (list.is_array()) {
    for (const Value& element : list.get_array()) {
      if (doc::find_string(element, "name") == name) {
        return &element;
      }
    }
  }
  return nullptr;
}

/// "wf[0].call(3:x)(1)" within "wf" is of the step "call". Hooks are of none.
std::string call_in(std::string_view name, std::string_view boundary) {
  if (!name.starts_with(boundary)) {
    return "";
  }
  name.remove_prefix(boundary.size());
  if (name.starts_with('[')) {
    name.remove_prefix(std::min(name.find(']') + 1, name.size()));
  }
  if (!name.starts_with('.')) {
    return "";
  }
  name.remove_prefix(1);
  const std::size_t end = std::min(name.find_first_of("(."), name.size());
  return name.substr(end).starts_with('.') ? "" : std::string(name.substr(0, end));
}

}  // namespace

RunView::RunView(const Value& workflow)
    : workflow_(workflow),
      name_(text(at(workflow, "metadata"), "name")),
      uid_(text(at(workflow, "metadata"), "uid")) {
  const Value& nodes = at(at(workflow, "status"), "nodes");
  if (!nodes.is_object()) {
    return;
  }
  std::map<std::string, SeenNode*, std::less<>> by_id;
  for (const auto& [id, status] : nodes.get_object()) {
    SeenNode node;
    node.status = &status;
    node.id = id;
    node.name = text(status, "name");
    node.type = text(status, "type");
    SeenNode& kept = by_name_[node.name];
    kept = std::move(node);
    by_id[kept.id] = &kept;
  }
  for (auto& [name, node] : by_name_) {
    const auto boundary = by_id.find(doc::find_string(*node.status, "boundaryID"));
    if (boundary != by_id.end()) {
      node.boundary = boundary->second;
      node.call = call_in(name, boundary->second->name);
    }
  }
}

std::vector<const SeenNode*> RunView::find(std::string_view wanted) const {
  std::vector<const SeenNode*> exact;
  std::vector<const SeenNode*> shown;
  for (const auto& [name, node] : by_name_) {
    const bool by_pod =
        node.type == "Pod" &&
        pod_name_of(name_, name, doc::find_string(*node.status, "templateName")) == wanted;
    if (name == wanted || node.id == wanted || place_of(node) == wanted || by_pod) {
      exact.push_back(&node);
    } else if (doc::find_string(*node.status, "displayName") == wanted) {
      shown.push_back(&node);
    }
  }
  return exact.empty() ? shown : exact;
}

std::vector<const SeenNode*> RunView::pods_of(const SeenNode& node) const {
  std::vector<const SeenNode*> out;
  for (auto other = by_name_.lower_bound(node.name);
       other != by_name_.end() && other->first.starts_with(node.name); ++other) {
    const std::string_view rest = std::string_view(other->first).substr(node.name.size());
    const bool below = rest.empty() || std::string_view(".[(").contains(rest.front());
    if (below && other->second.type == "Pod") {
      out.push_back(&other->second);
    }
  }
  return out;
}

std::vector<const SeenNode*> RunView::made_by(const SeenNode& boundary,
                                              std::string_view call) const {
  std::vector<const SeenNode*> out;
  for (const auto& [name, node] : by_name_) {
    if (node.boundary == &boundary && node.call == call) {
      out.push_back(&node);
    }
  }
  return out;
}

std::vector<const SeenNode*> RunView::writers_of(std::string_view key) const {
  std::vector<const SeenNode*> out;
  const std::string folder = key.ends_with('/') ? std::string(key) : std::string(key) + "/";
  for (const auto& [name, node] : by_name_) {
    const Value& artifacts = at(at(*node.status, "outputs"), "artifacts");
    if (node.type != "Pod" || !artifacts.is_array()) {
      continue;
    }
    const bool writes = std::ranges::any_of(artifacts.get_array(), [&](const Value& artifact) {
      const std::string_view stored = doc::find_string(at(artifact, "s3"), "key");
      return stored == key || stored.starts_with(folder);
    });
    if (writes) {
      out.push_back(&node);
    }
  }
  return out;
}

std::string RunView::place_of(const SeenNode& node) const {
  std::string place;
  const SeenNode* at = &node;
  for (; at->boundary != nullptr; at = at->boundary) {
    const std::size_t length = std::min(at->boundary->name.size(), at->name.size());
    place.insert(0, without_item(std::string_view(at->name).substr(length)));
  }
  std::string_view root = at->name;
  if (root.starts_with(name_) && !(place.empty() && root == name_)) {
    root.remove_prefix(name_.size());
  }
  place.insert(0, root);
  return place.starts_with('.') ? place.substr(1) : place;
}

const Value* RunView::template_of(const SeenNode& node) const {
  const Value& reference = at(*node.status, "templateRef");
  const Value& stored = at(at(workflow_, "status"), "storedTemplates");
  if (reference.is_object()) {
    const bool cluster =
        at(reference, "clusterScope").is_bool() && at(reference, "clusterScope").get_bool();
    return doc::find(stored, std::string(cluster ? "cluster/" : "namespaced/") +
                                 text(reference, "name") + "/" + text(reference, "template"));
  }
  const std::string name = text(*node.status, "templateName");
  if (const std::string scope = text(*node.status, "templateScope"); !scope.starts_with("local/")) {
    if (const Value* found = doc::find(stored, scope + "/" + name)) {
      return found;
    }
  }
  if (const Value* found = named(at(at(workflow_, "spec"), "templates"), name)) {
    return found;
  }
  return named(at(at(at(workflow_, "status"), "storedWorkflowTemplateSpec"), "templates"), name);
}

const Value* RunView::call_of(const SeenNode& node) const {
  const Value* around = node.boundary == nullptr ? nullptr : template_of(*node.boundary);
  if (around == nullptr || node.call.empty()) {
    return nullptr;
  }
  if (const Value* task = named(at(at(*around, "dag"), "tasks"), node.call)) {
    return task;
  }
  const Value& steps = at(*around, "steps");
  if (!steps.is_array()) {
    return nullptr;
  }
  for (const Value& group : steps.get_array()) {
    if (const Value* step = named(group, node.call)) {
      return step;
    }
  }
  return nullptr;
}

}  // namespace tiphys::workflows

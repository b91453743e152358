#include "workflows/engine/node.h"

#include "base/fnv.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tiphys::workflows {
namespace {

constexpr std::array<std::string_view, 11> kTypes = {"Pod",  "Container", "Steps",  "StepGroup",
                                                     "DAG",  "TaskGroup", "Retry",  "Suspend",
                                                     "HTTP", "Plugin",    "Skipped"};
constexpr std::array<std::string_view, 8> kPhases = {"",        "Pending", "Running", "Succeeded",
                                                     "Skipped", "Failed",  "Error",   "Omitted"};

/// Kubernetes allows 253 characters; ten digits of a hash and a hyphen come after the prefix.
constexpr std::size_t kMaximumPodNamePrefix = 253 - 10 - 1;

}  // namespace

std::string_view name_of(NodeType type) { return kTypes.at(static_cast<std::size_t>(type)); }

std::string_view name_of(NodePhase phase) { return kPhases.at(static_cast<std::size_t>(phase)); }

std::optional<NodeType> node_type_of(std::string_view name) {
  const auto* found = std::find(kTypes.begin(), kTypes.end(), name);
  if (found == kTypes.end()) {
    return std::nullopt;
  }
  return static_cast<NodeType>(found - kTypes.begin());
}

std::optional<NodePhase> node_phase_of(std::string_view name) {
  const auto* found = std::find(kPhases.begin(), kPhases.end(), name);
  if (found == kPhases.end()) {
    return std::nullopt;
  }
  return static_cast<NodePhase>(found - kPhases.begin());
}

void ResourceSeconds::add(const ResourceSeconds& other) {
  if (!other.known) {
    return;
  }
  known = true;
  cpu += other.cpu;
  memory += other.memory;
  if (other.others) {
    auto sum = others ? std::make_shared<std::map<std::string, std::int64_t>>(*others)
                      : std::make_shared<std::map<std::string, std::int64_t>>();
    for (const auto& [name, seconds] : *other.others) {
      (*sum)[name] += seconds;
    }
    others = std::move(sum);
  }
}

bool ResourceSeconds::operator==(const ResourceSeconds& other) const {
  const bool same_others =
      others && other.others ? *others == *other.others : !others && !other.others;
  return cpu == other.cpu && memory == other.memory && known == other.known && same_others;
}

NodeIndex NodeTable::add(Node node) {
  node.id_hash = fnv1a_32(node.name);
  const auto same = by_hash_.count(node.id_hash);
  node.id_suffix = node.name == workflow_ ? 0 : static_cast<std::uint32_t>(same);
  const NodeIndex index = size();
  by_hash_.emplace(node.id_hash, index);
  nodes_.push_back(std::move(node));
  return index;
}

std::optional<NodeIndex> NodeTable::find_name(std::string_view name) const {
  const auto [first, last] = by_hash_.equal_range(fnv1a_32(name));
  for (auto it = first; it != last; ++it) {
    if (nodes_[it->second].name == name) {
      return it->second;
    }
  }
  return std::nullopt;
}

std::optional<NodeIndex> NodeTable::find_id(std::string_view id) const {
  if (id == workflow_) {
    return find_name(workflow_);
  }
  if (!id.starts_with(workflow_) || id.size() <= workflow_.size() + 1) {
    return std::nullopt;
  }
  std::uint32_t hash = 0;
  const char* begin = id.data() + workflow_.size() + 1;
  if (std::from_chars(begin, id.data() + id.size(), hash).ec != std::errc()) {
    return std::nullopt;
  }
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    if (this->id(it->second) == id) {
      return it->second;
    }
  }
  return std::nullopt;
}

std::string NodeTable::id(NodeIndex index) const {
  const Node& node = nodes_[index];
  if (node.name == workflow_) {
    return workflow_;
  }
  std::string out = workflow_ + "-" + std::to_string(node.id_hash);
  if (node.id_suffix != 0) {
    out += "-" + std::to_string(node.id_suffix);
  }
  return out;
}

std::string NodeTable::display_name(NodeIndex index) const {
  const Node& node = nodes_[index];
  if (!node.display_name_override.empty()) {
    return node.display_name_override;
  }
  if (node.boundary == kNoNode) {
    return node.name;
  }
  return display_name_of(node.name, nodes_[node.boundary].name);
}

std::string NodeTable::pod_name(NodeIndex index) const {
  const Node& node = nodes_[index];
  if (pod_names_v1_) {
    return id(index);
  }
  std::string out = pod_name_of(workflow_, node.name, call(index).target());
  if (node.id_suffix != 0) {
    out += "-" + std::to_string(node.id_suffix);
  }
  return out;
}

void NodeTable::connect(NodeIndex parent, NodeIndex child) {
  nodes_[child].parents.push_back(parent);
  nodes_[parent].children.push_back(child);
}

std::uint32_t NodeTable::intern_call(const NodeCall& call) {
  std::string key = call.template_scope + "\n" + call.template_name;
  if (call.template_ref) {
    key += "\n" + call.template_ref->name + "\n" + call.template_ref->template_name +
           (call.template_ref->cluster_scope ? "\ncluster" : "");
  }
  const auto [it, inserted] = call_keys_.emplace(key, static_cast<std::uint32_t>(calls_.size()));
  if (inserted) {
    calls_.push_back(call);
  }
  return it->second;
}

std::uint32_t NodeTable::intern_host(std::string_view host) {
  const auto found = std::find(hosts_.begin(), hosts_.end(), host);
  if (found != hosts_.end()) {
    return static_cast<std::uint32_t>(found - hosts_.begin());
  }
  hosts_.emplace_back(host);
  return static_cast<std::uint32_t>(hosts_.size() - 1);
}

std::vector<NodeIndex> containers_of(const NodeTable& nodes, NodeIndex pod) {
  std::vector<NodeIndex> out;
  const auto add_from = [&](const Node& node) {
    for (const NodeIndex child : node.children) {
      if (nodes[child].type == NodeType::container && nodes[child].boundary == pod &&
          std::ranges::find(out, child) == out.end()) {
        out.push_back(child);
      }
    }
  };
  add_from(nodes[pod]);
  for (std::size_t i = 0; i < out.size(); ++i) {
    add_from(nodes[out[i]]);
  }
  return out;
}

std::vector<std::string> main_containers(const NodeTable& nodes, NodeIndex pod) {
  std::vector<std::string> out;
  for (const NodeIndex container : containers_of(nodes, pod)) {
    out.push_back(nodes.display_name(container));
  }
  return out.empty() ? std::vector<std::string>{"main"} : out;
}

std::string pod_name_of(std::string_view workflow, std::string_view node_name,
                        std::string_view template_name) {
  if (workflow == node_name) {
    return std::string(workflow);
  }
  std::string out(workflow);
  if (!template_name.empty()) {
    out += "-";
    out += template_name;
  }
  if (out.size() > kMaximumPodNamePrefix) {
    out.resize(kMaximumPodNamePrefix);
  }
  return out + "-" + std::to_string(fnv1a_32(node_name));
}

std::string display_name_of(std::string_view name, std::string_view boundary_name) {
  if (name.starts_with(boundary_name)) {
    name.remove_prefix(boundary_name.size());
  }
  std::string_view rest = name;
  if (rest.starts_with('[')) {
    const std::size_t close = rest.find_first_not_of("0123456789", 1);
    if (close != std::string_view::npos && close > 1 && rest[close] == ']') {
      rest.remove_prefix(close + 1);
    }
  }
  if (rest.starts_with('.')) {
    return std::string(rest.substr(1));
  }
  return std::string(name);
}

}  // namespace tiphys::workflows

/// The containers of a containerSet: a node for each, below the node of their pod, connected as
/// they depend on each other. Nobody waits for them: the pod's node decides (upstream
/// container_set_template.go and the container part of operator.go assessNodeStatus).

#include "workflows/engine/machine.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

struct Member {
  std::string name;
  std::vector<std::string> dependencies;
  bool created = false;
};

std::vector<Member> members_of(std::string_view template_json) {
  std::vector<Member> out;
  const auto definition = doc::parse_json(template_json);
  const doc::Value* set = definition ? doc::find(*definition, "containerSet") : nullptr;
  const doc::Value* list = set == nullptr ? nullptr : doc::find(*set, "containers");
  if (list == nullptr || !list->is_array()) {
    return out;
  }
  for (const doc::Value& container : list->get_array()) {
    Member& member = out.emplace_back();
    member.name = doc::find_string(container, "name");
    const doc::Value* names = doc::find(container, "dependencies");
    if (names == nullptr || !names->is_array()) {
      continue;
    }
    for (const doc::Value& name : names->get_array()) {
      if (name.is_string()) {
        member.dependencies.emplace_back(doc::text_of(name.get_string()));
      }
    }
  }
  return out;
}

}  // namespace

void Engine::Machine::create_containers(NodeIndex pod, std::string_view template_json) {
  std::vector<Member> members = members_of(template_json);
  const std::string prefix = (*nodes_)[pod].name + ".";
  const auto create = [&](Member& member) {
    std::vector<NodeIndex> parents;
    for (const std::string& dependency : member.dependencies) {
      if (const auto parent = nodes_->find_name(prefix + dependency)) {
        parents.push_back(*parent);
      }
    }
    member.created = true;
    if (nodes_->find_name(prefix + member.name)) {
      return;
    }
    Node node;
    node.name = prefix + member.name;
    node.type = NodeType::container;
    node.phase = NodePhase::pending;
    node.boundary = pod;
    node.call = (*nodes_)[pod].call;
    node.in_exit_handler = (*nodes_)[pod].in_exit_handler;
    node.started = now_;
    const NodeIndex index = nodes_->add(std::move(node));
    if (parents.empty()) {
      parents.push_back(pod);
    }
    for (const NodeIndex parent : parents) {
      nodes_->connect(parent, index);
    }
    count(index, +1);
    mark(index);
  };
  // A stored row names only earlier ones: dependencies first, else in the order of the manifest.
  const auto ready = [&](const Member& member) {
    return std::ranges::all_of(member.dependencies, [&](const std::string& dependency) {
      return std::ranges::none_of(
          members, [&](const Member& m) { return m.name == dependency && !m.created; });
    });
  };
  for (bool any = true; any;) {
    any = false;
    for (Member& member : members) {
      if (!member.created && ready(member)) {
        create(member);
        any = true;
      }
    }
  }
  for (Member& member : members) {
    if (!member.created) {
      create(member);
    }
  }
}

/// Unlike other nodes a container's may be set back: its pod is made again after a restart.
void Engine::Machine::set_container(NodeIndex index, const ContainerUpdate& update) {
  static constexpr NodePhase kPhases[] = {NodePhase::pending, NodePhase::running,
                                          NodePhase::succeeded, NodePhase::failed,
                                          NodePhase::error};
  const NodePhase phase = kPhases[static_cast<std::size_t>(update.phase)];
  Node& node = (*nodes_)[index];
  if (node.phase == phase && node.message == update.message) {
    return;
  }
  count(index, -1);
  node.phase = phase;
  count(index, +1);
  node.message = update.message;
  node.done = fulfilled(phase);
  if (!node.done) {
    node.finished = kNoTime;
  } else if (node.finished == kNoTime) {
    node.finished = update.finished == kNoTime ? now_ : update.finished;
  }
  mark(index);
}

void Engine::Machine::on_containers(const PodUpdate& update) {
  if (update.containers.empty()) {
    return;
  }
  const bool stopped = stop_messages_.contains(update.node);
  for (const ContainerUpdate& container : update.containers) {
    const auto index = nodes_->find_name((*nodes_)[update.node].name + "." + container.name);
    if (!index || (*nodes_)[*index].type != NodeType::container) {
      continue;
    }
    // What was ended together with its pod gets the pod's message.
    const bool ended_with_pod = stopped && container.phase >= PodPhase::failed;
    if (!ended_with_pod) {
      set_container(*index, container);
    }
  }
}

/// The pod's node has ended: so have those of its containers of which nothing else is known.
void Engine::Machine::end_containers(NodeIndex pod) {
  for (const NodeIndex index : containers_of(*nodes_, pod)) {
    if (fulfilled((*nodes_)[index].phase)) {
      continue;
    }
    const Node& around = (*nodes_)[pod];
    ContainerUpdate end;
    end.phase = around.phase == NodePhase::succeeded ? PodPhase::succeeded
                : around.phase == NodePhase::error   ? PodPhase::error
                                                     : PodPhase::failed;
    end.message = around.phase == NodePhase::succeeded ? "" : around.message;
    end.finished = around.finished;
    set_container(index, end);
  }
}

}  // namespace tiphys::workflows

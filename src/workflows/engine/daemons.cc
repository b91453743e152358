/// Daemons: pods that run beside what comes after them. A daemon that is ready counts as done for
/// whoever waits for it, and is ended with the steps or DAG node around it, or with the run
/// (upstream operator.go assessNodeStatus, exec_control.go killDaemonedChildren).

#include "workflows/engine/machine.h"

#include <algorithm>

namespace tiphys::workflows {

/// A pod, or the Retry node around it, is ready.
void Engine::Machine::become_daemon(NodeIndex index) {
  Node& node = (*nodes_)[index];
  if (!node.daemoned) {
    node.daemoned = true;
    daemons_[node.boundary].push_back(index);
    mark(index);
  }
  set_phase(index, NodePhase::running, "");
  if (!(*nodes_)[index].done) {
    fulfilled_.push_back(index);
  } else if (const NodeIndex owner = node.owner;
             owner != kNoNode && (*nodes_)[owner].type == NodeType::retry) {
    attempt_done(owner);
  }
}

void Engine::Machine::on_daemon(const PodUpdate& update) {
  if (!update.ready) {
    return;
  }
  Node& node = (*nodes_)[update.node];
  if (nodes_->ip(update.node) != update.ip) {
    node.ip = nodes_->intern_host(update.ip);
    mark(update.node);
  }
  on_containers(update);
  // One that was ready is Pending again when its pod had to be made again.
  if (!node.daemoned || node.phase != NodePhase::running) {
    become_daemon(update.node);
  }
}

/// Ends the daemons whose boundary has ended; kNoNode: those of the run itself.
void Engine::Machine::stop_daemons(NodeIndex boundary) {
  const auto found = daemons_.extract(boundary);
  if (!found) {
    return;
  }
  for (const NodeIndex index : found.mapped()) {
    if (!fulfilled((*nodes_)[index].phase)) {
      stop_daemon(index);
    }
  }
}

void Engine::Machine::stop_daemon(NodeIndex index) {
  Node& node = (*nodes_)[index];
  if (node.type == NodeType::pod) {
    decisions_.stop_pods.push_back({index, nodes_->pod_name(index)});
  }
  for (const NodeIndex attempt :
       node.type == NodeType::retry ? attempts_of(index) : std::vector<NodeIndex>{}) {
    // An attempt that follows one that died, and is not ready yet.
    if (!fulfilled((*nodes_)[attempt].phase)) {
      stop_daemon(attempt);
    }
  }
  (*nodes_)[index].daemoned = false;
  (*nodes_)[index].done = true;
  set_phase(index, NodePhase::succeeded, "");
  retries_.erase(index);
}

void Engine::Machine::rebuild_daemons() {
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    Node& node = (*nodes_)[i];
    if (fulfilled(node.phase)) {
      continue;
    }
    if (node.type == NodeType::pod) {
      const auto compiled = compiled_of(i);
      (*nodes_)[i].daemon = compiled && (*compiled)->definition.daemon;
    }
    if ((*nodes_)[i].daemoned) {
      daemons_[(*nodes_)[i].boundary].push_back(i);
      if (!(*nodes_)[i].done) {
        fulfilled_.push_back(i);
      }
    }
  }
}

}  // namespace tiphys::workflows

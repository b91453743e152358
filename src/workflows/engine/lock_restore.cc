// Locks of a run that is taken up again: what it held and waited for goes back into the table of
// all runs. A composite node that is to go on without its locks (after `retry` the run holds none)
// has to get them first; what waits below it is parked meanwhile.
#include "workflows/engine/machine.h"

#include <boost/json.hpp>

namespace tiphys::workflows {
namespace {

const doc::Value* member(const doc::Value& object, std::string_view key) {
  const doc::Value* value = doc::find(object, key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

}  // namespace

/// What the stored run held and waited for, into the table of all runs.
void Engine::Machine::rebuild_locks() {
  if (is_finished() || config_.locks == nullptr) {
    held_locks_.clear();
    return;
  }
  for (const HeldLock& held : held_locks_) {
    const auto node = node_of_holder(held.holder, run_key());
    const auto index = node && !node->empty() ? nodes_->find_id(*node) : std::nullopt;
    lock_holders_.insert(index.value_or(kNoNode));
    config_.locks->hold(run_key(), node.value_or(""), held.lock);
  }
  if (const doc::Value* synchronization = member(spec_.document, "synchronization");
      synchronization != nullptr && phase_ == RunPhase::pending) {
    if (const auto request = lock_request(kNoNode, *synchronization)) {
      note_wait(kNoNode, *request);
      config_.locks->wait(*request);
    }
  }
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    if ((*nodes_)[i].waits_for_lock()) {
      rebuild_wait(i);
    } else if ((*nodes_)[i].is_held_up()) {
      waiting_.insert(i);
    } else if (lacks_locks(i)) {
      reentering_.insert(i);
      waiting_.insert(i);
    }
  }
}

/// Whether a composite node is under way without the locks that its template wants.
bool Engine::Machine::lacks_locks(NodeIndex index) const {
  const Node& node = (*nodes_)[index];
  const bool is_composite =
      node.type == NodeType::steps || node.type == NodeType::dag || node.type == NodeType::retry;
  if (!is_composite || fulfilled(node.phase) || node.retried || lock_holders_.contains(index)) {
    return false;
  }
  const auto compiled = compiled_of(index);
  return compiled && (*compiled)->definition.has_synchronization;
}

/// The node at or around an owner that has to get its locks before anything below it goes on, or
/// kNoNode.
NodeIndex Engine::Machine::reentering_around(NodeIndex owner) const {
  if (reentering_.empty()) {
    return kNoNode;
  }
  NodeIndex current = owner;
  while (current != kNoNode && !reentering_.contains(current)) {
    const Node& node = (*nodes_)[current];
    current = node.owner != kNoNode ? node.owner : node.boundary;
  }
  return current;
}

void Engine::Machine::park(NodeIndex owner, NodeIndex reentering) {
  if (owner == reentering) {
    reenter(owner);
  } else {
    parked_[reentering].insert(owner);
  }
}

void Engine::Machine::reenter(NodeIndex index) {
  const auto compiled = compiled_of(index);
  const auto gate =
      compiled ? gate_of(index, **compiled) : Result<doc::Value>(std::unexpected(compiled.error()));
  const auto passed = gate ? pass_locks(index, *gate) : Result<bool>(std::unexpected(gate.error()));
  if (!passed) {
    reentering_.erase(index);
    fail_with(index, passed.error().message);
    return;
  }
  if (!*passed) {
    return;
  }
  reentering_.erase(index);
  stop_waiting(index);
  set_phase(index, NodePhase::running, "");
  if (auto parked = parked_.extract(index); !parked.empty()) {
    waiting_.merge(parked.mapped());
  }
  const auto steps = steps_.find(index);
  if (steps == steps_.end() || steps->second->group_node == kNoNode) {
    waiting_.insert(index);
  }
}

void Engine::Machine::rebuild_wait(NodeIndex index) {
  const auto compiled = compiled_of(index);
  if (!compiled) {
    set_phase(index, NodePhase::error, compiled.error().message);
    return;
  }
  const auto gate = gate_of(index, **compiled);
  const doc::Value* synchronization = gate ? member(*gate, "synchronization") : nullptr;
  const auto request = lock_request(
      index, synchronization == nullptr ? doc::Value(doc::Object()) : *synchronization);
  if (!request) {
    set_phase(index, NodePhase::error, request.error().message);
    return;
  }
  note_wait(index, *request);
  if (!(*nodes_)[index].children.empty()) {
    reentering_.insert(index);
  }
  if (!suspended_) {
    config_.locks->wait(*request);
  }
}

}  // namespace tiphys::workflows

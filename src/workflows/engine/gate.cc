// Locks and caches: what a node has to pass before it starts. A node that has to wait is there
// already, Pending, and names the lock; when its cache knows its outputs, it has succeeded at once.
#include "lang/gotime/gotime.h"
#include "workflows/engine/globals.h"
#include "workflows/engine/machine.h"
#include "workflows/engine/memo.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

const doc::Value* member(const doc::Value& object, std::string_view key) {
  const doc::Value* value = doc::find(object, key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

/// Where a template's outputs are kept. Error: it does not say where.
Result<Memoization> memoization_of(const doc::Value& memoize) {
  const doc::Value* cache = member(memoize, "cache");
  const doc::Value* config_map = cache == nullptr ? nullptr : member(*cache, "configMap");
  Memoization out;
  out.key = doc::find_string(memoize, "key");
  out.cache = config_map == nullptr ? "" : doc::find_string(*config_map, "name");
  if (out.cache.empty()) {
    return fail(ErrorCode::bad_request, "cache could not be found or created");
  }
  return out;
}

/// Whether an entry is young enough for a template's maxAge.
Result<bool> is_fresh(const std::optional<MemoEntry>& entry, std::string_view max_age,
                      TimePoint now) {
  if (max_age.empty()) {
    return true;
  }
  const auto longest = lang::parse_duration(max_age);
  if (!longest) {
    return std::unexpected(Error(longest.error()).with_context("invalid maxAge"));
  }
  return entry && now - entry->created <= *longest;
}

}  // namespace

std::string Engine::Machine::run_key() const {
  const std::string& name = metadata_.namespace_;
  return (name.empty() ? "default" : name) + "/" + metadata_.name;
}

std::string Engine::Machine::lock_node(NodeIndex node) const {
  return node == kNoNode ? std::string() : nodes_->id(node);
}

Result<LockRequest> Engine::Machine::lock_request(NodeIndex node,
                                                  const doc::Value& synchronization) const {
  LockRequest out;
  out.run = run_key();
  out.node = lock_node(node);
  out.order = node == kNoNode ? 0 : node;
  out.priority = spec_.priority.value_or(0);
  out.created = std::chrono::floor<std::chrono::seconds>(time_of(metadata_.creation_timestamp))
                    .time_since_epoch()
                    .count();
  TRY(out.locks, wanted_locks(synchronization, out.run.substr(0, out.run.find('/'))));
  return out;
}

void Engine::Machine::set_extras(NodeIndex index, NodeExtras extras) {
  count(index, -1);
  const bool none = extras.waiting_for.empty() && !extras.waits_for_slot && !extras.memoization;
  (*nodes_)[index].extras = none ? nullptr : std::make_shared<const NodeExtras>(std::move(extras));
  count(index, +1);
  mark(index);
}

void Engine::Machine::stop_waiting(NodeIndex index) {
  if (!(*nodes_)[index].is_held_up()) {
    return;
  }
  NodeExtras extras = *(*nodes_)[index].extras;
  extras.waiting_for.clear();
  extras.waits_for_slot = false;
  set_extras(index, std::move(extras));
}

void Engine::Machine::note_held(NodeIndex node, const LockRequest& request) {
  const std::string holder = holder_text(request.run, request.node);
  for (const LockName& lock : request.locks) {
    HeldLock held{lock, holder};
    if (std::ranges::find(held_locks_, held) == held_locks_.end()) {
      held_locks_.push_back(std::move(held));
      decisions_.workflow_changed = true;
    }
  }
  lock_holders_.insert(node);
}

void Engine::Machine::note_wait(NodeIndex node, const LockRequest& request) {
  forget_wait(node);
  for (const LockName& lock : request.locks) {
    ++waited_locks_[lock];
  }
  lock_waits_[node] = request;
  decisions_.workflow_changed = true;
}

void Engine::Machine::forget_wait(NodeIndex node) {
  const auto wait = lock_waits_.find(node);
  if (wait == lock_waits_.end()) {
    return;
  }
  for (const LockName& lock : wait->second.locks) {
    if (const auto waited = waited_locks_.find(lock); --waited->second == 0) {
      waited_locks_.erase(waited);
    }
  }
  lock_waits_.erase(wait);
  decisions_.workflow_changed = true;
}

/// Whether all that fills a lock is the run or nodes around this one, which cannot end before it.
bool Engine::Machine::held_around(NodeIndex node, const LockAnswer& answer) const {
  if (answer.held_by.empty() || node == kNoNode) {
    return false;
  }
  std::set<std::string> around{run_key()};
  for (NodeIndex i = node; i != kNoNode;) {
    i = (*nodes_)[i].owner != kNoNode ? (*nodes_)[i].owner : (*nodes_)[i].boundary;
    if (i != kNoNode) {
      around.insert(holder_text(run_key(), lock_node(i)));
    }
  }
  return std::ranges::all_of(answer.held_by,
                             [&](const std::string& holder) { return around.contains(holder); });
}

/// True with all locks of the request, false while some are missing. Error: they cannot be had.
Result<bool> Engine::Machine::ask_locks(NodeIndex node, const LockRequest& request) {
  if (request.locks.empty()) {
    return true;
  }
  if (config_.locks == nullptr) {
    return fail(ErrorCode::unavailable, "there are no locks here");
  }
  TRY(const LockAnswer answer, config_.locks->acquire(request));
  if (answer.granted) {
    forget_wait(node);
    note_held(node, request);
    return true;
  }
  if (held_around(node, answer)) {
    config_.locks->release(request.run, request.node);
    return fail(ErrorCode::conflict, answer.waiting_for +
                                         " lock is held by what this node is a part of, so it "
                                         "would wait for ever");
  }
  note_wait(node, request);
  wait_for_locks(node, answer);
  return false;
}

void Engine::Machine::wait_for_locks(NodeIndex index, const LockAnswer& answer) {
  if (index == kNoNode) {
    set_run_phase(RunPhase::pending, answer.message);
    return;
  }
  Node& node = (*nodes_)[index];
  NodeExtras extras = node.extras ? *node.extras : NodeExtras();
  extras.waiting_for = answer.waiting_for;
  node.message = answer.message;
  set_extras(index, std::move(extras));
}

/// Whether the run itself may begin.
bool Engine::Machine::pass_run_locks() {
  const doc::Value* synchronization = member(spec_.document, "synchronization");
  if (synchronization == nullptr) {
    return true;
  }
  const auto request = lock_request(kNoNode, *synchronization);
  const auto passed =
      request ? ask_locks(kNoNode, *request) : Result<bool>(std::unexpected(request.error()));
  if (!passed) {
    finish_run(RunPhase::failed,
               "Failed to acquire the synchronization lock. " + passed.error().message);
    return false;
  }
  return *passed;
}

/// A node that cannot start: one that has just been made was never more than its error.
void Engine::Machine::refuse(NodeIndex index, std::string error) {
  Node& node = (*nodes_)[index];
  if (!node.is_held_up()) {
    count(index, -1);
    node.type = NodeType::skipped;
    node.inputs = nullptr;
    node.extras = nullptr;
    node.display_name_override.clear();
    count(index, +1);
  }
  fail_with(index, std::move(error));
}

/// What a node's template wants of locks and caches, tags filled in.
Result<doc::Value> Engine::Machine::gate_of(NodeIndex index,
                                            const CompiledTemplate& compiled) const {
  NodeScope scope(&globals_);
  fill_scope(scope, compiled, index);
  TRY(const std::string text, replace_in_passes(compiled.gate, scope.locals, scope.inputs));
  return doc::parse_json(text);
}

/// Whether a node may start now; else it waits, or has ended.
bool Engine::Machine::pass_gate(NodeIndex index, const CompiledTemplate& compiled) {
  const auto gate = gate_of(index, compiled);
  auto passed = gate ? pass_locks(index, *gate) : Result<bool>(std::unexpected(gate.error()));
  if (passed && !*passed) {
    set_pending_timers(index, compiled);
    return false;
  }
  if (passed) {
    passed = pass_cache(index, *gate);
  }
  if (!passed) {
    refuse(index, passed.error().message);
    return false;
  }
  if (!*passed) {
    return false;
  }
  stop_waiting(index);
  set_phase(index, first_phase_of((*nodes_)[index].type), "");
  return true;
}

Result<bool> Engine::Machine::pass_locks(NodeIndex index, const doc::Value& gate) {
  const doc::Value* memoize = member(gate, "memoize");
  if (memoize != nullptr && !(*nodes_)[index].extras) {
    TRY(Memoization memoization, memoization_of(*memoize));
    set_extras(index, {.memoization = std::move(memoization)});
  }
  const doc::Value* synchronization = member(gate, "synchronization");
  if (synchronization == nullptr) {
    return true;
  }
  TRY(const LockRequest request, lock_request(index, *synchronization));
  return ask_locks(index, request);
}

/// What the cache holds, this event's own entries included.
Result<std::optional<MemoEntry>> Engine::Machine::cache_entry(
    const Memoization& memoization) const {
  for (auto entry = decisions_.cache_entries.rbegin(); entry != decisions_.cache_entries.rend();
       ++entry) {
    if (entry->config_map == memoization.cache && entry->key == memoization.key) {
      TRY(MemoEntry own, MemoEntry::parse(entry->json));
      return own;
    }
  }
  return find_memo_entry(references_, memoization.cache, memoization.key);
}

/// False when the cache knows what the node comes to.
Result<bool> Engine::Machine::pass_cache(NodeIndex index, const doc::Value& gate) {
  const doc::Value* memoize = member(gate, "memoize");
  if (memoize == nullptr) {
    return true;
  }
  TRY(Memoization memoization, memoization_of(*memoize));
  TRY(auto entry, cache_entry(memoization));
  if (entry) {
    entry->last_hit = now_;
    decisions_.cache_entries.push_back({memoization.cache, memoization.key, entry->to_json()});
  }
  TRY(const bool fresh, is_fresh(entry, doc::find_string(*memoize, "maxAge"), now_));
  memoization.hit = entry && fresh && !entry->node_id.empty();
  const bool hit = memoization.hit;
  set_extras(index, {.memoization = std::move(memoization)});
  if (!hit) {
    return true;
  }
  if (entry->outputs) {
    (*nodes_)[index].outputs = std::make_shared<const std::string>(std::move(*entry->outputs));
    export_globals(outputs_of(index));
  }
  set_phase(index, NodePhase::succeeded, "");
  return false;
}

/// What a node with a cache has come to is kept there; its Retry node has it from the attempt.
void Engine::Machine::remember_outputs(NodeIndex index) {
  const Node& node = (*nodes_)[index];
  const bool is_own = node.type != NodeType::retry && node.type != NodeType::skipped;
  if (!node.extras->memoization || node.extras->memoization->hit || !is_own) {
    return;
  }
  MemoEntry entry;
  entry.node_id = nodes_->id(index);
  if (node.outputs) {
    entry.outputs = *node.outputs;
  }
  entry.created = now_;
  entry.last_hit = now_;
  decisions_.cache_entries.push_back(
      {node.extras->memoization->cache, node.extras->memoization->key, entry.to_json()});
}

void Engine::Machine::pass_gate_again(NodeIndex index) {
  const auto compiled = compiled_of(index);
  if (!compiled) {
    fail_with(index, compiled.error().message);
    return;
  }
  --budget_;
  if (pass_gate(index, **compiled)) {
    start_template(index, **compiled, depth_of(index));
  }
}

void Engine::Machine::on_locks_free(NodeIndex node) {
  if (node == kNoNode) {
    start();
  } else if (!suspended_) {
    ask_again(node);
  }
}

/// A node that waits for locks may have them now; it starts as soon as there is a slot.
void Engine::Machine::ask_again(NodeIndex index) {
  const auto wait = lock_waits_.find(index);
  if (wait == lock_waits_.end()) {
    return;
  }
  if (reentering_.contains(index)) {
    waiting_.insert(index);
    return;
  }
  const LockRequest request = wait->second;
  const auto granted = ask_locks(index, request);
  if (!granted) {
    fail_with(index, granted.error().message);
  } else if (*granted) {
    NodeExtras extras = *(*nodes_)[index].extras;
    extras.waiting_for.clear();
    extras.waits_for_slot = true;
    (*nodes_)[index].message.clear();
    set_extras(index, std::move(extras));
    waiting_.insert(index);
  }
}

/// A node that has ended holds nothing and waits for nothing.
void Engine::Machine::give_up_locks(NodeIndex index) {
  if (lock_waits_.empty() && lock_holders_.empty()) {
    return;
  }
  const bool held = lock_holders_.erase(index) != 0;
  if (!held && !lock_waits_.contains(index)) {
    return;
  }
  forget_wait(index);
  const std::string node = lock_node(index);
  config_.locks->release(run_key(), node);
  std::erase_if(held_locks_, [holder = holder_text(run_key(), node)](const HeldLock& lock) {
    return lock.holder == holder;
  });
  decisions_.workflow_changed = true;
  stop_waiting(index);
}

/// The run goes on without its own locks, to its end.
void Engine::Machine::give_up_run_wait() {
  config_.locks->release(run_key(), "");
  forget_wait(kNoNode);
  started_ = now_;
  set_run_phase(RunPhase::running, "");
}

/// The run has ended.
void Engine::Machine::give_up_all_locks() {
  if (lock_waits_.empty() && held_locks_.empty()) {
    return;
  }
  config_.locks->release_run(run_key());
  while (!lock_waits_.empty()) {
    const NodeIndex node = lock_waits_.begin()->first;
    forget_wait(node);
    if (node != kNoNode) {
      stop_waiting(node);
    }
  }
  held_locks_.clear();
  lock_holders_.clear();
}

/// A run that is suspended starts nothing, so others need not stand behind its nodes.
void Engine::Machine::pause_waits() {
  for (const auto& [node, request] : lock_waits_) {
    if (node != kNoNode) {
      config_.locks->release(request.run, request.node);
    }
  }
}

void Engine::Machine::resume_waits() {
  std::vector<NodeIndex> nodes;
  for (const auto& [node, request] : lock_waits_) {
    if (node != kNoNode) {
      nodes.push_back(node);
    }
  }
  std::ranges::for_each(nodes, [&](NodeIndex node) { ask_again(node); });
}

doc::Value Engine::Machine::synchronization_status() const {
  if (held_locks_.empty() && waited_locks_.empty()) {
    return {};
  }
  WaitedLocks waited;
  for (const auto& [lock, count] : waited_locks_) {
    waited[lock] = config_.locks->holders(lock.text());
  }
  return lock_status(held_locks_, waited);
}

}  // namespace tiphys::workflows

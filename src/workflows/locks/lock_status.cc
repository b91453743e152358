#include "workflows/locks/lock_status.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

Value mutex_entry(const LockName& lock, std::string_view holder) {
  return Object{{"holder", holder}, {"mutex", lock.text()}};
}

Array semaphores_held(const std::vector<HeldLock>& held) {
  Array out;
  std::map<LockName, std::size_t> places;
  for (const HeldLock& one : held) {
    if (one.lock.kind != LockKind::semaphore) {
      continue;
    }
    const auto [place, is_new] = places.emplace(one.lock, out.size());
    if (is_new) {
      out.push_back(Object{{"holders", Array{}}, {"semaphore", one.lock.text()}});
    }
    out[place->second].get_object()["holders"].get_array().emplace_back(one.holder);
  }
  return out;
}

Array mutexes_held(const std::vector<HeldLock>& held) {
  Array out;
  for (const HeldLock& one : held) {
    if (one.lock.kind == LockKind::mutex) {
      out.push_back(mutex_entry(one.lock, one.holder));
    }
  }
  return out;
}

Array waited_for(const WaitedLocks& waited, LockKind kind) {
  Array out;
  for (const auto& [lock, holders] : waited) {
    if (lock.kind != kind) {
      continue;
    }
    if (kind == LockKind::semaphore) {
      Object entry;
      if (!holders.empty()) {
        entry["holders"] = Array(holders.begin(), holders.end());
      }
      entry["semaphore"] = lock.text();
      out.push_back(std::move(entry));
    } else if (!holders.empty()) {
      out.push_back(mutex_entry(lock, holders.front()));
    }
  }
  return out;
}

void set_part(Object& out, std::string_view key, Array holding, Array waiting) {
  if (holding.empty() && waiting.empty()) {
    return;
  }
  Object part;
  if (!holding.empty()) {
    part["holding"] = std::move(holding);
  }
  if (!waiting.empty()) {
    part["waiting"] = std::move(waiting);
  }
  out[{key.data(), key.size()}] = std::move(part);
}

const Array& entries_of(const Value& synchronization, std::string_view kind) {
  static const Array kNone;
  const Value* part = doc::find(synchronization, kind);
  const Value* holding = part == nullptr ? nullptr : doc::find(*part, "holding");
  return holding != nullptr && holding->is_array() ? holding->get_array() : kNone;
}

}  // namespace

Value lock_status(const std::vector<HeldLock>& held, const WaitedLocks& waited) {
  Object out;
  set_part(out, "mutex", mutexes_held(held), waited_for(waited, LockKind::mutex));
  set_part(out, "semaphore", semaphores_held(held), waited_for(waited, LockKind::semaphore));
  return out.empty() ? Value() : Value(std::move(out));
}

std::vector<HeldLock> held_locks(const Value& synchronization) {
  std::vector<HeldLock> out;
  const auto add = [&](LockKind kind, std::string_view name, std::string_view holder) {
    auto lock = LockName::parse(name);
    if (lock && lock->kind == kind && !holder.empty()) {
      HeldLock one{std::move(*lock), std::string(holder)};
      if (std::ranges::find(out, one) == out.end()) {
        out.push_back(std::move(one));
      }
    }
  };
  for (const Value& entry : entries_of(synchronization, "semaphore")) {
    const Value* holders = doc::find(entry, "holders");
    if (holders == nullptr || !holders->is_array()) {
      continue;
    }
    for (const Value& holder : holders->get_array()) {
      if (holder.is_string()) {
        add(LockKind::semaphore, doc::find_string(entry, "semaphore"),
            doc::text_of(holder.get_string()));
      }
    }
  }
  for (const Value& entry : entries_of(synchronization, "mutex")) {
    add(LockKind::mutex, doc::find_string(entry, "mutex"), doc::find_string(entry, "holder"));
  }
  return out;
}

std::optional<std::string> node_of_holder(std::string_view holder, std::string_view run) {
  if (holder == run) {
    return std::string();
  }
  if (!holder.starts_with(run) || holder.substr(run.size(), 1) != "/") {
    return std::nullopt;
  }
  return std::string(holder.substr(run.size() + 1));
}

}  // namespace tiphys::workflows

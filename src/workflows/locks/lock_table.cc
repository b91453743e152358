#include "workflows/locks/lock_table.h"

#include <algorithm>
#include <tuple>

namespace tiphys::workflows {
namespace {

std::string group_of(const LockRequest& request) {
  return request.node.empty() ? request.run : request.run + "/";
}

}  // namespace

bool LockTable::Before::operator()(const Claim* a, const Claim* b) const {
  const auto key = [](const Claim* claim) {
    return std::tuple(-claim->request.priority, claim->request.created,
                      std::string_view(claim->group), claim->request.order,
                      std::string_view(claim->holder));
  };
  return key(a) < key(b);
}

LockTable::LockTable(const LockTable& other, std::string_view without)
    : limit_of_(other.limit_of_) {
  for (const auto& [text, lock] : other.locks_) {
    Lock& own = lock_of(lock.name);
    own.limit = lock.limit;
    touch(own);
  }
  for (const auto& [holder, claim] : other.claims_) {
    if (claim.request.run == without) {
      continue;
    }
    Claim& own = claim_of(claim.request.run, claim.request.node);
    for (const Lock* lock : claim.held) {
      Lock& mine = lock_of(lock->name);
      mine.holders.insert(holder);
      own.held.insert(&mine);
    }
    if (!claim.missing.empty()) {
      queue(own, claim.request);
    }
  }
  granted_ = other.granted_;
}

LockTable::Lock& LockTable::lock_of(const LockName& name) {
  std::string text = name.text();
  const auto found = locks_.find(text);
  if (found != locks_.end()) {
    return found->second;
  }
  Lock& lock = locks_[text];
  lock.name = name;
  lock.text = std::move(text);
  lock.limit = name.kind == LockKind::mutex ? 1 : limit_of_(name).value_or(0);
  return lock;
}

LockTable::Claim& LockTable::claim_of(std::string_view run, std::string_view node) {
  std::string holder = holder_text(run, node);
  Claim& claim = claims_[holder];
  if (claim.holder.empty()) {
    claim.holder = std::move(holder);
    claim.request.run = run;
    claim.request.node = node;
    claim.group = group_of(claim.request);
  }
  return claim;
}

/// Puts the claim into the queue of every lock that it has not.
void LockTable::queue(Claim& claim, const LockRequest& request) {
  leave_queues(claim);
  claim.request = request;
  claim.group = group_of(request);
  for (const LockName& name : request.locks) {
    Lock& lock = lock_of(name);
    touch(lock);
    if (!claim.held.contains(&lock)) {
      claim.missing.push_back(&lock);
      lock.queue.insert(&claim);
    }
  }
}

void LockTable::leave_queues(Claim& claim) {
  for (Lock* lock : claim.missing) {
    lock->queue.erase(&claim);
    touch(*lock);
  }
  claim.missing.clear();
}

bool LockTable::is_next(const Claim& claim, const Lock& lock) {
  return lock.queue.empty() || (*lock.queue.begin())->group == claim.group;
}

bool LockTable::can_have_all(const Claim& claim) {
  return std::ranges::all_of(
      claim.missing, [&](const Lock* lock) { return lock->free() >= 1 && is_next(claim, *lock); });
}

void LockTable::grant(Claim& claim) {
  for (Lock* lock : claim.missing) {
    lock->queue.erase(&claim);
    lock->holders.insert(claim.holder);
    claim.held.insert(lock);
    touch(*lock);
  }
  claim.missing.clear();
}

void LockTable::touch(Lock& lock) {
  if (!lock.dirty) {
    lock.dirty = true;
    dirty_.push_back(&lock);
  }
}

/// Gives what can be given at the locks that were touched, and forgets those that nobody wants.
void LockTable::settle() {
  std::vector<Lock*> touched;
  while (!dirty_.empty()) {
    Lock& lock = *dirty_.back();
    dirty_.pop_back();
    lock.dirty = false;
    touched.push_back(&lock);
    while (lock.free() >= 1 && !lock.queue.empty()) {
      // Of the first run in the queue any request may go, a run does not wait for itself.
      const std::string& group = (*lock.queue.begin())->group;
      const auto found = std::ranges::find_if(lock.queue, [&](const Claim* claim) {
        return claim->group != group || can_have_all(*claim);
      });
      if (found == lock.queue.end() || (*found)->group != group) {
        break;
      }
      Claim& claim = **found;
      grant(claim);
      granted_.push_back({claim.request.run, claim.request.node});
    }
  }
  std::ranges::sort(touched);
  touched.erase(std::ranges::unique(touched).begin(), touched.end());
  for (const Lock* lock : touched) {
    if (lock->holders.empty() && lock->queue.empty()) {
      locks_.erase(locks_.find(lock->text));
    }
  }
}

Result<LockAnswer> LockTable::acquire(const LockRequest& request) {
  for (const LockName& name : request.locks) {
    if (name.kind == LockKind::semaphore && !locks_.contains(name.text()) &&
        limit_of_(name).value_or(0) <= 0) {
      return fail(ErrorCode::bad_request,
                  "failed to initialize semaphore " + name.text() + " with limit");
    }
  }
  Claim& claim = claim_of(request.run, request.node);
  queue(claim, request);
  if (can_have_all(claim)) {
    grant(claim);
  }
  LockAnswer answer;
  answer.granted = claim.missing.empty();
  for (const Lock* lock : claim.missing) {
    if (lock->free() >= 1 && is_next(claim, *lock)) {
      continue;
    }
    answer.waiting_for = lock->text;
    answer.message = lock->limit == 0 ? "Failed to get semaphore limit for " + lock->text
                                      : "Waiting for " + lock->text +
                                            " lock. Lock status: " + std::to_string(lock->free()) +
                                            "/" + std::to_string(lock->limit);
    if (lock->free() < 1) {
      answer.held_by.assign(lock->holders.begin(), lock->holders.end());
    }
    break;
  }
  settle();
  return answer;
}

void LockTable::wait(const LockRequest& request) {
  queue(claim_of(request.run, request.node), request);
}

void LockTable::hold(std::string_view run, std::string_view node, const LockName& name) {
  Lock& lock = lock_of(name);
  Claim& claim = claim_of(run, node);
  if (std::erase(claim.missing, &lock) != 0) {
    lock.queue.erase(&claim);
  }
  claim.held.insert(&lock);
  lock.holders.insert(claim.holder);
  touch(lock);
}

void LockTable::drop(std::map<std::string, Claim, std::less<>>::iterator claim) {
  leave_queues(claim->second);
  for (Lock* lock : claim->second.held) {
    lock->holders.erase(claim->first);
    touch(*lock);
  }
  claims_.erase(claim);
}

void LockTable::release(std::string_view run, std::string_view node) {
  if (const auto claim = claims_.find(holder_text(run, node)); claim != claims_.end()) {
    drop(claim);
    settle();
  }
}

void LockTable::release_run(std::string_view run) {
  if (const auto own = claims_.find(run); own != claims_.end()) {
    drop(own);
  }
  const std::string nodes = std::string(run) + "/";
  for (auto claim = claims_.lower_bound(nodes);
       claim != claims_.end() && claim->first.starts_with(nodes);) {
    drop(claim++);
  }
  settle();
}

std::vector<std::string> LockTable::holders(std::string_view lock) const {
  const auto found = locks_.find(lock);
  return found == locks_.end()
             ? std::vector<std::string>()
             : std::vector<std::string>(found->second.holders.begin(), found->second.holders.end());
}

void LockTable::limits_changed(std::string_view namespace_name, std::string_view config_map) {
  const std::string prefix =
      std::string(namespace_name) + "/ConfigMap/" + std::string(config_map) + "/";
  for (auto lock = locks_.lower_bound(prefix);
       lock != locks_.end() && lock->first.starts_with(prefix); ++lock) {
    if (const auto limit = limit_of_(lock->second.name)) {
      lock->second.limit = *limit;
      touch(lock->second);
    }
  }
  settle();
}

std::vector<LockTable::Grant> LockTable::take_granted() {
  settle();
  return std::exchange(granted_, {});
}

std::string LockTable::describe() const {
  std::string out;
  for (const auto& [text, lock] : locks_) {
    out += text + " of " + std::to_string(lock.limit) + " held by";
    for (const std::string& holder : lock.holders) {
      out += " " + holder;
    }
    out += lock.queue.empty() ? "" : ", then";
    for (const Claim* claim : lock.queue) {
      out += " " + claim->holder;
    }
    out += "\n";
  }
  return out;
}

}  // namespace tiphys::workflows

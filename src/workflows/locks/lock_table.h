#pragma once
/// The table of all locks that are held or waited for, over all runs of a controller. A release
/// costs what it changes: the queues of the locks that became free are looked at from their heads,
/// and who can now have all it wants gets it at once. The owner of the table collects those grants
/// and tells the runs.
///
/// A lock that nobody holds or waits for is forgotten.

#include "workflows/locks/locks.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace tiphys::workflows {

class LockTable final : public Locks {
 public:
  /// How many may hold a semaphore; nothing when its ConfigMap or key is not there or no number.
  /// Asked when a semaphore is first used and by limits_changed.
  using LimitOf = std::function<std::optional<std::int64_t>(const LockName& semaphore)>;

  explicit LockTable(LimitOf limit_of) : limit_of_(std::move(limit_of)) {}

  /// A copy with the same holders and queues, but for what the run `without` and its nodes have;
  /// nothing is given to others until the copy is first changed.
  LockTable(const LockTable& other, std::string_view without);

  LockTable(const LockTable& other) : LockTable(other, {}) {}

  LockTable& operator=(const LockTable&) = delete;

  Result<LockAnswer> acquire(const LockRequest& request) override;
  void wait(const LockRequest& request) override;
  void hold(std::string_view run, std::string_view node, const LockName& lock) override;
  void release(std::string_view run, std::string_view node) override;
  void release_run(std::string_view run) override;
  std::vector<std::string> holders(std::string_view lock) const override;

  /// A ConfigMap changed: its semaphores get their limits again. A limit that cannot be read any
  /// more stays what it was.
  void limits_changed(std::string_view namespace_name, std::string_view config_map);

  struct Grant {
    std::string run;
    std::string node;
    bool operator==(const Grant&) const = default;
  };

  /// Who got its locks without asking since the last call, in the order of getting them.
  std::vector<Grant> take_granted();

  bool empty() const { return claims_.empty(); }

  /// Every lock with its limit, holders and queue: the same text for the same state.
  std::string describe() const;

 private:
  struct Claim;

  struct Before {
    bool operator()(const Claim* a, const Claim* b) const;
  };

  struct Lock {
    LockName name;
    std::string text;
    std::int64_t limit = 0;
    bool dirty = false;
    std::set<std::string> holders;
    std::set<Claim*, Before> queue;

    std::int64_t free() const { return limit - static_cast<std::int64_t>(holders.size()); }
  };

  /// What one holder has and wants.
  struct Claim {
    LockRequest request;
    std::string holder;
    /// Requests of the same group pass each other: those of a run's nodes.
    std::string group;
    std::set<Lock*> held;
    std::vector<Lock*> missing;  ///< queued at each of them
  };

  Lock& lock_of(const LockName& name);
  Claim& claim_of(std::string_view run, std::string_view node);
  void queue(Claim& claim, const LockRequest& request);
  void leave_queues(Claim& claim);
  static bool is_next(const Claim& claim, const Lock& lock);
  static bool can_have_all(const Claim& claim);
  void grant(Claim& claim);
  void touch(Lock& lock);
  void settle();
  void drop(std::map<std::string, Claim, std::less<>>::iterator claim);

  LimitOf limit_of_;
  std::map<std::string, Lock, std::less<>> locks_;    ///< by text
  std::map<std::string, Claim, std::less<>> claims_;  ///< by holder
  std::vector<Lock*> dirty_;
  std::vector<Grant> granted_;
};

}  // namespace tiphys::workflows

#pragma once
/// A run's locks as its status shows and stores them (status.synchronization): what it and its
/// nodes hold, and what they wait for, in upstream's shape.

#include "workflows/locks/locks.h"

#include <map>
#include <optional>

namespace tiphys::workflows {

/// One lock held by the run or by one of its nodes.
struct HeldLock {
  LockName lock;
  std::string holder;  ///< see holder_text
  bool operator==(const HeldLock&) const = default;
};

/// The locks a run waits for, with who holds them.
using WaitedLocks = std::map<LockName, std::vector<std::string>>;

/// Null when there is nothing to say.
doc::Value lock_status(const std::vector<HeldLock>& held, const WaitedLocks& waited);

/// What a stored status says is held. Entries that make no sense are left out.
std::vector<HeldLock> held_locks(const doc::Value& synchronization);

/// The node's id in a holder's text, empty for the run itself; nothing when it is another run's.
std::optional<std::string> node_of_holder(std::string_view holder, std::string_view run);

}  // namespace tiphys::workflows

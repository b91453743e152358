#pragma once
/// Locks that workflows and templates hold while they run: mutexes, which one may hold, and
/// semaphores, which as many may hold as a key of a ConfigMap says. Three nouns: `LockName`, one
/// lock; `LockRequest`, who wants which locks and where it stands among others; `Locks`, the face
/// that the engine speaks to, which LockTable (lock_table.h) stands behind.
///
/// All locks of a request are taken together or none. Who waits stands in the queue of each of
/// them, ordered by priority, then the run's creation, then its name, then the order within the
/// run; only the first of a queue may take a lock, except that requests of one run pass each other.
///
/// Pure: no clock, no objects. What is handed in is what is known.
///
/// Rules: upstream v4.1.2 workflow/sync; the reference, workflows 2.15.

#include "base/error.h"
#include "doc/json.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::workflows {

enum class LockKind : std::uint8_t { mutex, semaphore };

struct LockName {
  LockKind kind = LockKind::mutex;
  std::string namespace_;
  std::string name;  ///< the mutex, or the semaphore's ConfigMap
  std::string key;   ///< of the ConfigMap; empty for a mutex

  /// "<namespace>/Mutex/<name>" or "<namespace>/ConfigMap/<name>/<key>".
  std::string text() const;
  /// Error bad_request, in upstream's words.
  static Result<LockName> parse(std::string_view text);

  auto operator<=>(const LockName&) const = default;
};

/// The locks a `synchronization` member asks for, semaphores first, each once. Errors bad_request:
/// listed twice, incomplete, or a lock in a database, which there is none of here.
Result<std::vector<LockName>> wanted_locks(const doc::Value& synchronization,
                                           std::string_view namespace_of_run);

/// How many may hold a semaphore, from its ConfigMap; nothing when that is null or the key is not
/// there or no whole number.
std::optional<std::int64_t> semaphore_limit(const doc::Value* config_map, std::string_view key);

/// "<namespace>/<workflow>" for a run, "<namespace>/<workflow>/<node id>" for one of its nodes.
std::string holder_text(std::string_view run, std::string_view node);

struct LockRequest {
  std::string run;            ///< "<namespace>/<workflow>"
  std::string node;           ///< a node's id; empty = the run itself
  std::uint64_t order = 0;    ///< among the requests of the same run
  std::int64_t priority = 0;  ///< more goes first
  std::int64_t created = 0;   ///< of the run, in seconds since the epoch; less goes first
  std::vector<LockName> locks;
};

struct LockAnswer {
  bool granted = false;
  /// When not granted: the first lock that is missing, and what to tell people.
  std::string waiting_for;
  std::string message;
  /// Who holds that lock, if they leave no room.
  std::vector<std::string> held_by;
};

class Locks {
 public:
  virtual ~Locks() = default;
  /// Takes all locks of the request, or queues it until release() of others makes room. Asking
  /// again is answered anew; who holds them already keeps them. Error bad_request: a semaphore
  /// nobody uses has no limit; nothing is queued then.
  virtual Result<LockAnswer> acquire(const LockRequest& request) = 0;
  /// Queues a request without asking: it was waiting when its run was stored.
  virtual void wait(const LockRequest& request) = 0;
  /// Makes someone a holder whatever the limit: it was one when its run was stored.
  virtual void hold(std::string_view run, std::string_view node, const LockName& lock) = 0;
  /// Gives up all that this holder has or waits for; unknown ones are ignored.
  virtual void release(std::string_view run, std::string_view node) = 0;
  /// The same for a run and all its nodes.
  virtual void release_run(std::string_view run) = 0;
  /// Who holds a lock, sorted.
  virtual std::vector<std::string> holders(std::string_view lock) const = 0;
};

}  // namespace tiphys::workflows

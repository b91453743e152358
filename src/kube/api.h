#pragma once
/// What a controller may do to the world. Two things implement it: the embedded store and the
/// client of a real API server; a controller cannot tell which. Three nouns: an operation
/// (`create`, `update`, `remove`, `put_rows`), which is answered through its `Done`; a watch, which
/// tells of changes; rows, the small pieces of a big object (the nodes of a workflow) that are
/// stored beside it and go when it goes.
///
/// Everything happens on the loop's thread. `get` and `list` see every operation made before them
/// (on a cluster: everything the informer has seen, own writes included). Operations made in one
/// call of the loop become durable together and in order: after a crash either all of them are
/// there or none of them, and never one without those before it.

#include "base/error.h"
#include "kube/object.h"
#include "kube/selector.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::kube {

/// Called once on the loop, never inside the operation itself: with the object as it is now stored
/// durably (of `remove`: as it was), or with why not. May be empty. Not called when the Api is
/// destroyed first.
using Done = std::move_only_function<void(Result<ObjectRef>)>;
/// The same for operations without an object.
using RowsDone = std::move_only_function<void(Result<>)>;

enum class EventType { added, modified, deleted };

struct Event {
  EventType type = EventType::added;
  ObjectRef object;    ///< as it is now; of `deleted`, its last version
  ObjectRef previous;  ///< the version before; null for `added`
};

using EventHandler = std::function<void(const Event&)>;

/// A watch; destroying it ends it, also from within its handler.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

/// A piece of an object, known by its number. Without bytes: the row is to be removed.
struct Row {
  std::uint64_t index = 0;
  std::string bytes;
  bool operator==(const Row&) const = default;
};

class Api {
 public:
  virtual ~Api() = default;

  /// Stores a new object. Uid, creationTimestamp and resourceVersion are given to it, and a name
  /// where it has a generateName only. Errors already_exists, invalid.
  virtual void create(doc::Value object, Done done) = 0;
  /// Replaces an object. Where it says a resourceVersion or uid that is not the stored one: error
  /// conflict. Errors not_found, invalid. Uid and creationTimestamp stay.
  virtual void update(doc::Value object, Done done) = 0;
  /// Removes an object and its rows. Error not_found.
  virtual void remove(const ObjectKey& key, Done done) = 0;

  /// Null when there is none.
  virtual ObjectRef get(const ObjectKey& key) const = 0;
  /// The objects of a kind in the order of namespace and name; an empty namespace means all.
  virtual std::vector<ObjectRef> list(std::string_view kind, std::string_view namespace_,
                                      const LabelSelector& selector) const = 0;
  /// Calls `handler` for every change of an object of the kind from now on, in the order of the
  /// changes, each time in a call of its own on the loop. A `list` in the same call of the loop
  /// sees exactly what came before.
  [[nodiscard]] virtual std::unique_ptr<Subscription> watch(std::string_view kind,
                                                            EventHandler handler) = 0;

  /// Adds or replaces rows of the object with uid `owner`. Error not_found: no such object.
  virtual void put_rows(std::string_view owner, std::vector<Row> rows, RowsDone done) = 0;
  /// All rows of an object in the order of their numbers. Reads from storage what is not in flight:
  /// meant for taking up work again, not for every event.
  virtual Result<std::vector<Row>> rows(std::string_view owner) const = 0;
  /// One row. Error not_found.
  virtual Result<Row> row(std::string_view owner, std::uint64_t index) const = 0;
};

}  // namespace tiphys::kube

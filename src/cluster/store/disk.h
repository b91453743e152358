#pragma once
/// What a store stands on: where its commits go and what it finds there when it opens. `SqliteDisk`
/// is a database in a directory; simulations have one that crashes when they say so (testing/).
/// Private to the store and its simulations.

#include "cluster/store/database.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::store {

class Disk {
 public:
  /// Called after a commit with its last revision, or once with why a commit failed: nothing is
  /// written after that. On any thread.
  using Report = std::function<void(kube::Revision, Result<>)>;

  virtual ~Disk() = default;

  virtual Result<kube::Revision> revision() const = 0;
  virtual Result<std::vector<LoadedObject>> load() const = 0;

  /// Prepares for `enqueue`.
  virtual Result<> begin_writing(Report report) = 0;
  /// Batches that wait while another one is committed are committed together.
  virtual void enqueue(Batch batch) = 0;
  /// Commits what is queued; nothing is enqueued after that. Reading goes on.
  virtual void finish() = 0;
  /// Whether commits are made outside the loop, so that simulated time has to wait for them.
  virtual bool works_outside_the_loop() const = 0;

  using RowFunction = Database::RowFunction;
  /// The rows of an object in the order of their numbers.
  virtual Result<> each_row(std::int64_t owner, const RowFunction& function) = 0;
  /// The number of an object's last row.
  virtual Result<std::optional<std::uint64_t>> last_row(std::int64_t owner) = 0;
  virtual Result<std::optional<std::string>> row(std::int64_t owner, std::uint64_t index) = 0;
  virtual Result<std::optional<std::string>> reuse(std::string_view key) = 0;
};

}  // namespace tiphys::store

#pragma once
/// The thread that makes writes durable. It takes everything that has been queued while it was
/// busy and commits it as one transaction, so the busier the store, the cheaper a write. Private to
/// the store.

#include "cluster/store/disk.h"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace tiphys::store {

class Writer final {
 public:
  using Report = Disk::Report;

  Writer(Database database, std::function<Result<>()> before_commit, Report report);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();

  /// What waits is not bounded by count but by what the loop can make during one commit.
  void enqueue(Batch batch);
  /// Commits what is queued and ends the thread.
  void finish();

 private:
  void work();

  Database database_;
  const std::function<Result<>()> before_commit_;
  const Report report_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Batch queued_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace tiphys::store

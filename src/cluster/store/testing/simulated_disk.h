#pragma once
/// A disk in memory under virtual time, for simulations. Three nouns: `SimulatedDisk`, what
/// outlives the program; `DiskSession`, the disk as one life of the program sees it, which a crash
/// cuts off; `DiskFaults`, which decides how long a commit takes and whether it fails.
///
/// As the real one it commits everything that has been queued while it was busy at once, and fails
/// for good (until the next session) after the first commit that fails.

#include "async/loop.h"
#include "cluster/store/disk.h"

#include <chrono>
#include <map>

namespace tiphys::store::testing {

class DiskFaults {
 public:
  virtual ~DiskFaults() = default;
  /// How long the next commit takes, and how long its report is under way afterwards.
  virtual std::chrono::milliseconds commit_time() = 0;
  virtual std::chrono::milliseconds report_time() = 0;
  virtual bool commit_fails() = 0;
};

/// What is durable.
class SimulatedDisk final {
 public:
  struct StoredObject {
    kube::ObjectRef object;
    std::map<std::uint64_t, std::string> rows;
  };

  void commit(const Batch& batch);

  kube::Revision revision() const { return revision_; }

  const std::map<std::int64_t, StoredObject>& objects() const { return objects_; }

  const std::map<std::string, std::string, std::less<>>& reuse() const { return reuse_; }

 private:
  kube::Revision revision_ = 0;
  std::map<std::int64_t, StoredObject> objects_;
  std::map<std::string, std::string, std::less<>> reuse_;
};

class DiskSession final : public Disk {
 public:
  /// All must outlive the session.
  DiskSession(SimulatedDisk& disk, async::Loop& loop, DiskFaults& faults)
      : disk_(disk), loop_(loop), faults_(faults) {}

  /// From now on nothing reaches the disk and nothing is reported: the program has died.
  void cut_off() { cut_off_ = true; }

  Result<kube::Revision> revision() const override { return disk_.revision(); }

  Result<std::vector<LoadedObject>> load() const override;
  Result<> begin_writing(Report report) override;
  void enqueue(Batch batch) override;
  void finish() override;

  bool works_outside_the_loop() const override { return false; }

  Result<> each_row(std::int64_t owner, const RowFunction& function) override;
  Result<std::optional<std::uint64_t>> last_row(std::int64_t owner) override;
  Result<std::optional<std::string>> row(std::int64_t owner, std::uint64_t index) override;
  Result<std::optional<std::string>> reuse(std::string_view key) override;

 private:
  void begin_commit();
  void end_commit();
  void report(kube::Revision revision, Result<> outcome);

  SimulatedDisk& disk_;
  async::Loop& loop_;
  DiskFaults& faults_;
  Report report_;
  Batch queued_;
  Batch committing_;
  async::Timer commit_;
  /// Reports under way; each waits for the one before.
  std::map<std::uint64_t, async::Timer> reports_;
  std::uint64_t next_report_ = 0;
  async::TimePoint last_report_{};
  bool busy_ = false;
  bool failed_ = false;
  bool cut_off_ = false;
};

}  // namespace tiphys::store::testing

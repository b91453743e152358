#pragma once
/// Carries runs out on this machine: the controller and the node joined over the store, signals
/// turned into verbs, what happens told to an observer.

#include "app/local_session.h"

#include <memory>
#include <string>
#include <vector>

namespace tiphys::app {

struct RunOutcome {
  std::vector<kube::ObjectKey> runs;  ///< in the order of the request
  bool left = false;                  ///< interrupted for good before all had ended
};

class LocalRun final {
 public:
  /// All must outlive the run. The store must be writable. `resume`: the runs that the request
  /// names to go on with.
  LocalRun(async::Loop& loop, store::Store& store, const StatePaths& paths,
           const SessionEnvironment& environment, cli::RunRequest request,
           std::vector<kube::ObjectKey> resume, cli::RunObserver& observer);
  LocalRun(const LocalRun&) = delete;
  LocalRun& operator=(const LocalRun&) = delete;
  ~LocalRun();

  /// Blocks until all runs have ended and their ends are durable. Errors: an object that cannot be
  /// stored (already_exists, invalid), a run to resume that has ended, a full disk.
  Result<RunOutcome> carry_out();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tiphys::app

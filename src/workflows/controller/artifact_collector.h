#pragma once
/// Removes the artifacts of runs whose time has come (artifactGC) and writes down that they are
/// gone: `deleted` in the nodes' rows, the finalizer and conditions in the object. On a cluster
/// upstream makes a pod for that; here the bytes are removed on the pool, a few rows at a time, so
/// that a run with very many artifacts holds nobody up.
///
/// Nothing is removed before the end of the run is durable. Removing goes on where it stopped when
/// it is asked for again: what is gone already counts as removed.

#include "artifacts/artifacts.h"
#include "async/blocking_pool.h"
#include "kube/api.h"

#include <functional>
#include <memory>
#include <set>
#include <string>

namespace tiphys::workflows {

/// When a run's artifacts go.
enum class GcMoment { completion, deletion };

class ArtifactCollector final {
 public:
  /// Called on the loop when all is written. `error`: the last thing that went wrong, or empty.
  using Done = std::function<void(const std::string& error)>;

  /// Pool and Api must outlive the collector and its callbacks.
  ArtifactCollector(async::BlockingPool& pool, kube::Api& api,
                    std::shared_ptr<artifacts::Store> store);
  ArtifactCollector(const ArtifactCollector&) = delete;
  ArtifactCollector& operator=(const ArtifactCollector&) = delete;
  ~ArtifactCollector();

  /// Whether the object has a finalizer, and something is left to do at this moment.
  static bool is_due(const kube::Object& workflow, GcMoment moment);
  /// Removes the artifacts of a run that has ended. A run that is being worked on is left alone:
  /// `done` is not called then. The object must have its finalizer.
  void collect(const kube::ObjectRef& workflow, GcMoment moment, Done done);
  /// Runs being worked on.
  std::size_t active() const;

 private:
  struct Job;
  struct Shared;

  static void next_slice(const std::shared_ptr<Job>& job);
  static void finish(const std::shared_ptr<Job>& job);

  std::shared_ptr<Shared> shared_;
};

}  // namespace tiphys::workflows

#pragma once
/// Runs pods on this machine. Three nouns: the `Node`, which has a capacity and a line of pods
/// waiting for it; a pod, given as its core/v1 document and known by its uid; `StepWork`, what is
/// done before a pod's containers start and after they have ended.
///
/// The node owns the processes, folders and logs of its pods, and nothing else: it does not watch,
/// store or delete objects. It reports through callbacks, never from inside a call to it. All on
/// the loop's thread; staging, capturing and deleting happen on the pool.
///
/// What is run: init containers in order, then all containers together; volumes and environment as
/// the kubelet makes them; restartPolicy Never. `image` is replaced by this machine's files, with
/// one notice for each image. When a step plan names main containers, the other containers are
/// sidecars: they get SIGTERM when those have ended, and SIGKILL after the grace period. The plan
/// may let main containers follow each other and start some of them again; when one has failed for
/// good, the others are ended in the same way.

#include "async/blocking_pool.h"
#include "async/loop.h"
#include "base/error.h"
#include "cluster/node/environment.h"
#include "cluster/node/sandbox.h"
#include "doc/json.h"
#include "executor/step_plan.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tiphys::node {

/// What belongs around a step's main container. All but `parse` may be called on a thread of the
/// pool; an implementation keeps nothing between calls.
class StepWork {
 public:
  struct Volume {
    std::string path;              ///< in the container
    std::filesystem::path folder;  ///< on this machine
  };

  struct Staging {
    std::filesystem::path folder;  ///< where the files are put; exists and is empty
    std::vector<Volume> volumes;
    /// The container changes the files themselves: they must not be shared with a store.
    bool own_copy = false;
    /// Attribute by which the kernel knows a folder that hides the one below it; may be empty.
    std::string opaque_attribute;
  };

  virtual ~StepWork() = default;
  virtual Result<executor::StepPlan> parse(std::string_view text) = 0;
  virtual Result<> stage(const executor::StepPlan& plan, const Staging& staging) = 0;
  /// `output` is the main container's standard output, or the last part of it, when the plan asks
  /// for the result.
  virtual executor::StepOutputs capture(const executor::StepPlan& plan,
                                        const executor::FileView& files,
                                        const std::optional<std::string>& output) = 0;
  virtual std::string to_json(const executor::StepOutputs& outputs) = 0;
};

struct NodeConfig {
  std::string name = "tiphys";
  std::string address = "127.0.0.1";
  /// Absolute. One node at a time uses it; what an earlier one left is cleaned away, claims and
  /// logs excepted.
  std::string state_folder;
  /// Logs are <logs_folder>/<namespace>_<pod>_<uid>/<container>.log; empty = <state_folder>/logs.
  std::string logs_folder;
  /// The PATH of this machine's files as an image; empty = that of container runtimes.
  std::string path;
  Isolation isolation = Isolation::layer;
  /// Pods that request neither cpu nor memory run so many at a time; 0 = number of cores.
  int slots = 0;
  /// Counted against the requests of those that do; 0 = what the machine has.
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
  std::map<std::string, std::string, std::less<>> labels;
};

struct PodKey {
  std::string name_space;
  std::string name;
  std::string uid;
};

struct NodeCallbacks {
  Lookup lookup;
  /// Each change of a pod's status; the last one has phase Succeeded or Failed, and the step's
  /// outputs when the pod has a plan. Changes of one turn of the loop are one call.
  std::function<void(const PodKey& pod, const doc::Value& status,
                     const std::optional<std::string>& outputs)>
      on_status;
  /// What a step that runs says of its progress, "N/M"; a few times a second at most. May be empty.
  std::function<void(const PodKey& pod, const std::string& text)> on_progress = {};
  /// A sentence for the user: isolation that could not be had, images that are replaced.
  std::function<void(std::string text)> on_notice;
};

class Node final {
 public:
  /// `work` may be null: plans are then ignored. Everything handed in outlives the node.
  Node(async::Loop& loop, async::BlockingPool& pool, NodeConfig config, NodeCallbacks callbacks,
       StepWork* work);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// Kills what still runs; no callback comes any more.
  ~Node();

  /// Takes a pod in; one with a uid that is known already is ignored until it has ended.
  void run(std::shared_ptr<const doc::Value> pod);
  /// Ends a pod: SIGTERM, and SIGKILL after `grace` (the pod's own grace period when not given).
  /// One that waits in line ends at once, as Failed.
  void stop(std::string_view uid, std::optional<std::chrono::seconds> grace);
  /// ConfigMaps, Secrets or claims have changed: pods that wait for them look again.
  void objects_changed();

  /// Pods that have been taken in and have not ended.
  std::size_t pods() const;
  /// What this machine grants.
  Isolation isolation();
  std::string log_file(const PodKey& pod, std::string_view container) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tiphys::node

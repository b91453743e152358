#pragma once
/// Reuse with reasons: what is known of steps that have run, and why a step runs or does not. A
/// step's key is made of its resolved template, the bytes of its inputs and the program that runs
/// (executor/fingerprint.h); a record says what came of it. Nothing is recalled that failed or
/// whose artifacts are gone.

#include "artifacts/artifacts.h"
#include "artifacts/digest.h"
#include "executor/fingerprint.h"
#include "workflows/engine/pod.h"

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace tiphys::workflows {

/// Where records are kept: small texts by key. The embedded store keeps them; tests use a map.
class Records {
 public:
  virtual ~Records() = default;
  virtual std::optional<std::string> find(std::string_view key) const = 0;
  virtual void put(std::string key, std::string record) = 0;
  /// The record has been used.
  virtual void touch(std::string_view key) = 0;
};

/// What StepMemory needs of the world.
struct StepMemoryOptions {
  /// Recall at all; without it steps are remembered only.
  bool reuse = false;
  /// As the controller's.
  PodSettings pods;
  /// The PATH that steps have.
  std::string path;
  /// The content of a ConfigMap or Secret that a step reads, or null.
  std::function<const doc::Value*(std::string_view kind, std::string_view name)> object;
};

class StepMemory final {
 public:
  /// All must outlive the memory.
  StepMemory(Records& records, artifacts::Store& store, artifacts::FileDigests& digests,
             StepMemoryOptions options);
  StepMemory(const StepMemory&) = delete;
  StepMemory& operator=(const StepMemory&) = delete;
  ~StepMemory();

  /// Before a step's pod is made: its outcome when it is known and may be used, with its artifacts
  /// in place under the keys that this run gives them. The reason is kept under the node
  /// (reason.h).
  std::optional<PodUpdate> recall(const Engine& engine, const CreatePod& step,
                                  std::string_view workflow_uid);
  /// After a step that recall() was asked for has ended. Of a step that failed it is kept only with
  /// which key it did.
  void remember(const Engine& engine, const PodUpdate& update, std::string_view workflow_uid);

  /// Whether the outcome of a node of this run was recalled.
  bool was_recalled(std::string_view workflow_uid, NodeIndex node) const;

  /// What is known of a run's steps so far, for RunMemory.
  struct RunFacts {
    std::set<std::string> commands;  ///< the programs that steps name
    std::size_t steps = 0;           ///< that were recalled or have succeeded
    /// Every step could be compared, and none takes or leaves artifacts.
    bool plain = true;
  };

  RunFacts facts_of(std::string_view workflow_uid) const;
  /// The files that run when a step says `command`, as one text; or why that cannot be told.
  std::expected<std::string, std::string> programs_of(const std::string& command);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tiphys::workflows

#pragma once
/// The Workflows controller: carries out what the engine decides. Three nouns: a `Run`, one
/// Workflow object with its engine; `Decisions` (engine.h), turned here into rows, pods and timers;
/// `StepMemory`, which may know a step's outcome without running it.
///
/// It speaks to kube::Api and knows nothing else of where it runs. It watches Workflow objects and
/// takes up those that have not ended, so that a run goes on after a restart; it watches the pods
/// it made. All writes that follow from one event are made in one call of the loop and so become
/// durable together: the row that says a step has succeeded, the removal of its pod, and the pods
/// that follow it.
///
/// A finished pod's object is removed with the write that stores its result (docs/decisions/004).

#include "async/loop.h"
#include "doc/schema.h"
#include "kube/api.h"
#include "workflows/controller/artifact_collector.h"
#include "workflows/controller/run_memory.h"
#include "workflows/controller/step_memory.h"
#include "workflows/engine/engine.h"
#include "workflows/engine/pod.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace tiphys::workflows {

/// Who looks on. Called on the loop, after the engine's state has changed and its writes have been
/// handed to the Api.
class RunListener {
 public:
  virtual ~RunListener() = default;
  virtual void on_nodes(const Engine& engine, std::span<const NodeIndex> changed) = 0;
  /// The run itself changed: phase, message, outputs.
  virtual void on_run(const Engine& engine) = 0;

  /// A run that need not be made: it has ended as it began, with the rows of another.
  virtual void on_recalled(const kube::ObjectKey& workflow, const RecalledRun& run) {
    (void)workflow;
    (void)run;
  }

  /// The artifacts that go with the end of a run are gone; `error` says which are not, or is empty.
  virtual void on_artifacts_removed(const kube::ObjectKey& workflow, const std::string& error) {
    (void)workflow;
    (void)error;
  }

  /// A run that could not be taken up: its object is damaged or names what is not there.
  virtual void on_failure(const kube::ObjectKey& workflow, const Error& error) = 0;
};

struct ControllerOptions {
  EngineConfig engine;
  PodSettings pods;
  /// The API types, for podSpecPatch; must outlive the controller.
  const doc::Schema* types = nullptr;
  /// Only Workflows of this name are taken up; empty = all.
  std::function<bool(const kube::Object& workflow)> wanted;
  /// Knows whole runs; must outlive the controller. May be null.
  RunMemory* runs = nullptr;
  /// Removes artifacts; must outlive the controller. Null: they stay.
  ArtifactCollector* collector = nullptr;
};

class Controller final {
 public:
  /// Signals a pod that runs: SIGTERM, then SIGKILL after its grace period.
  using StopPod = std::function<void(const kube::ObjectRef& pod)>;

  /// Everything handed in must outlive the controller; `memory` and `listener` may be null.
  Controller(async::Loop& loop, kube::Api& api, ControllerOptions options, StopPod stop_pod,
             StepMemory* memory, RunListener* listener);
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;
  ~Controller();

  /// Begins to watch, and takes up what is there.
  void start();
  /// Takes up a run that was stored or set back without being wanted yet; nothing when it has ended
  /// or is not wanted.
  void take_up(const kube::ObjectKey& workflow);
  /// A verb on a run that is taken up. Errors: not_found, and those of Engine::apply.
  Result<> control(const kube::ObjectKey& workflow, const Event& event);
  /// The engine of a run that is taken up, or null.
  const Engine* engine_of(const kube::ObjectKey& workflow) const;
  /// Runs that have not ended.
  std::size_t active() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tiphys::workflows

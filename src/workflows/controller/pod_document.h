#pragma once
/// From the engine's decision to a pod: the core/v1 Pod that the embedded cluster runs, with what
/// is to be staged and captured around it as a StepPlan in an annotation; and back, from a pod's
/// status to what the engine is told.
///
/// Labels, annotations and fields: reference, workflows section 3.1. There are no init and wait
/// containers: the node does their work (design, section 4).

#include "doc/schema.h"
#include "executor/step_plan.h"
#include "workflows/engine/engine.h"

#include <string>

namespace tiphys::workflows {

struct PodSettings {
  /// The default artifact repository's location; its key is ignored.
  doc::Value repository;
  /// The API types, for podSpecPatch. Must outlive the settings' users.
  const doc::Schema* types = nullptr;
  /// The key of artifacts that have none, with tags. Empty = upstream's
  /// {{workflow.name}}/{{pod.name}}.
  std::string key_format;
  /// Pods go on when the controller restarts (a cluster); else they ended with it and are made
  /// again.
  bool pods_survive_restart = false;
};

/// A step about to run: its template as it will run, and what goes around it.
struct ResolvedStep {
  doc::Value document;
  executor::StepPlan plan;
};

/// Errors: bad_request for a template of a type that cannot run here, naming it; invalid for an
/// artifact without a place or a key format that does not resolve.
Result<ResolvedStep> resolve_step(const Engine& engine, const CreatePod& step,
                                  const References& references, const PodSettings& settings);

/// The pod of a step. Error invalid: a podSpecPatch that is none.
Result<doc::Value> build_pod(const Engine& engine, const CreatePod& step,
                             const ResolvedStep& resolved, const PodSettings& settings);

/// Succeeded or Failed.
bool pod_has_ended(const doc::Value& pod);

/// What became of a node's pod (reference 2.10, "Pod node from pod").
PodUpdate assess_pod(NodeIndex node, const doc::Value& pod);

}  // namespace tiphys::workflows

#pragma once
/// From a decision to a pod: its document for the embedded cluster, and what has to be done around
/// its main container. Pure: everything comes from the Engine and the decision.
///
/// Rules: upstream workflow/controller/workflowpod.go; reference, workflows 3.1 and 3.3. Upstream's
/// helper containers have no counterpart: the node does their work (executor/step_plan.h).

#include "executor/step_plan.h"
#include "workflows/engine/engine.h"

namespace tiphys::workflows {

struct PodSettings {
  /// Pods of an earlier process of this program are still running.
  bool pods_survive_restart = false;
  /// What main containers have unless their template says otherwise, null = nothing. The controller
  /// merges it, which knows the types of pods.
  doc::Value main_container;
};

/// The pod's document (core/v1).
doc::Value build_pod(const Engine& engine, const CreatePod& pod);

/// The labels of a node's pod, of one that has ended too.
std::map<std::string, std::string> pod_labels(const Engine& engine, NodeIndex node);

/// What is done before and after the pod's main container.
executor::StepPlan step_plan(const CreatePod& pod);

/// Appends a path to the key of an artifact's location (subPath). Error invalid: the location has
/// no key.
Result<> append_to_key(doc::Value& location, std::string_view sub_path);

}  // namespace tiphys::workflows

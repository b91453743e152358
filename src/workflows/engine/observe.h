#pragma once
/// From a pod's status to what it means for its node.
///
/// Rules: upstream operator.go assessNodeStatus and inferFailedReason; reference, workflows 2.10.

#include "workflows/engine/engine.h"

namespace tiphys::workflows {

/// Phase Succeeded or Failed.
bool pod_has_ended(const doc::Value& pod);

/// `pod` is the object with its status, and its outputs in the annotation of step_plan.h. The nodes
/// say which containers are main ones: those that have a node, or else the one named "main".
PodUpdate assess_pod(const NodeTable& nodes, NodeIndex node, const doc::Value& pod);

/// What the pod's containers requested, times how long they ran.
ResourceSeconds resources_of_pod(const doc::Value& pod);

}  // namespace tiphys::workflows

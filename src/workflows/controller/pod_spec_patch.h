#pragma once
/// podSpecPatch: what a Workflow and then a template lay over the pod that was made for a step
/// (reference, V09).

#include "doc/schema.h"
#include "workflows/engine/engine.h"

namespace tiphys::workflows {

/// Patches `pod`'s spec by strategic merge. `types` may be null when nothing asks for a patch.
/// Error invalid: a patch that is no JSON or YAML, or does not fit.
Result<> apply_pod_spec_patches(const Engine& engine, const CreatePod& step,
                                const doc::Schema* types, doc::Value& pod);

}  // namespace tiphys::workflows

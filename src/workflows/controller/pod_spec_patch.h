#pragma once
/// What is laid over and under the pod that was made for a step: podSpecPatch of the Workflow, then
/// of the template (reference, V09); the configuration's mainContainer (L17, T38).

#include "doc/schema.h"
#include "workflows/engine/engine.h"

namespace tiphys::workflows {

/// Patches `pod`'s spec by strategic merge. `types` may be null when nothing asks for a patch.
/// Error invalid: a patch that is no JSON or YAML, or does not fit.
Result<> apply_pod_spec_patches(const Engine& engine, const CreatePod& step,
                                const doc::Schema* types, doc::Value& pod);

/// Puts a Container's members where the pod's main containers have none. Error invalid: they do not
/// fit together.
Result<> put_main_defaults(const Engine& engine, const CreatePod& step, const doc::Value& defaults,
                           const doc::Schema* types, doc::Value& pod);

}  // namespace tiphys::workflows

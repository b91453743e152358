#pragma once
/// Artifacts as expressions see them: `tasks.a.outputs.artifacts.x.S3.Key` names fields as
/// upstream's Go structs do, not as the JSON does.

#include "doc/json.h"
#include "lang/expr/value.h"

namespace tiphys::lang {

/// A value for a Scope from an artifact's JSON. Its JSON form is that document again. Field names:
/// Argo Workflows v4.1.2 pkg/apis/workflow/v1alpha1/workflow_types.go.
ExprValue artifact_value(doc::Value artifact);

}  // namespace tiphys::lang

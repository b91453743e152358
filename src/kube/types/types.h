#pragma once
/// The API types that this program knows, from the files of schemas/ that are built into it. A
/// `doc::Schema` is made once by a main function and handed to whoever validates or merges; making
/// it costs nothing, types are read when they are asked for.

#include "doc/schema.h"

namespace tiphys::kube {

/// Gives the built-in files by id: "core/v1", "apps/v1", "workflows/v1alpha1", and
/// "workflows_Workflow/v1alpha1" for how that kind is served.
doc::SchemaSource built_in_types();

}  // namespace tiphys::kube

#pragma once
/// How long a run will take, told from the last run of the same template that succeeded.
///
/// Rule: upstream workflow/controller/estimation. Of single nodes nothing is told.

#include "kube/api.h"
#include "workflows/model/model.h"

#include <cstdint>

namespace tiphys::workflows {

/// In seconds; 0 when there is no such run. Looks at the labels of all runs of the namespace, so it
/// is meant for the beginning of a run.
std::int64_t estimate_seconds(const kube::Api& api, const Metadata& run);

}  // namespace tiphys::workflows

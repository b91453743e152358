#pragma once
/// Rows as the Api gives them, for the engine, which knows no Api.

#include "kube/api.h"
#include "workflows/engine/engine.h"

#include <vector>

namespace tiphys::workflows {

/// The same rows in the same order.
std::vector<StoredRow> engine_rows(std::vector<kube::Row> rows);

}  // namespace tiphys::workflows

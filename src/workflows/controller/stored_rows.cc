#include "workflows/controller/stored_rows.h"

#include <utility>

namespace tiphys::workflows {

std::vector<StoredRow> engine_rows(std::vector<kube::Row> rows) {
  std::vector<StoredRow> out;
  out.reserve(rows.size());
  for (kube::Row& row : rows) {
    out.push_back({static_cast<NodeIndex>(row.index), std::move(row.bytes)});
  }
  return out;
}

}  // namespace tiphys::workflows

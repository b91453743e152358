#include "app/removal.h"

#include "workflows/engine/status.h"

namespace tiphys::app {

namespace fs = std::filesystem;

Result<LogNames> remove_objects(store::Store& store, const kube::ObjectRef& workflow) {
  TRY(auto rows, store.rows(workflow->uid()));
  std::vector<workflows::StoredRow> stored;
  stored.reserve(rows.size());
  for (kube::Row& row : rows) {
    stored.push_back({static_cast<workflows::NodeIndex>(row.index), std::move(row.bytes)});
  }
  LogNames names;
  // Rows that make no sense keep nothing from being removed, except their logs.
  if (const auto pods = workflows::pods_of(workflow->document(), stored)) {
    for (const workflows::PodOfNode& pod : *pods) {
      names.insert(workflow->key().namespace_ + "_" + pod.pod_name);
    }
  }
  for (const kube::ObjectRef& pod : store.list(
           "Pod", workflow->key().namespace_,
           kube::LabelSelector::equals("workflows.argoproj.io/workflow", workflow->key().name))) {
    store.remove(pod->key(), {});
  }
  store.remove(workflow->key(), {});
  return names;
}

void remove_logs(const fs::path& logs, const LogNames& names) {
  if (names.empty()) {
    return;
  }
  std::error_code code;
  for (auto entry = fs::directory_iterator(logs, code); !code && entry != fs::directory_iterator();
       entry.increment(code)) {
    const std::string folder = entry->path().filename().string();
    if (names.contains(folder.substr(0, folder.rfind('_')))) {
      std::error_code ignored;
      fs::remove_all(entry->path(), ignored);
    }
  }
}

}  // namespace tiphys::app

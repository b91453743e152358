#pragma once
/// Removes ended or running workflows with all that belongs to them: pods, rows, logs.

#include "cluster/store/store.h"

#include <filesystem>
#include <set>
#include <string>

namespace tiphys::app {

/// Names of log folders without their uids: "<namespace>_<pod>".
using LogNames = std::set<std::string>;

/// Takes a workflow and its pods out of the store, and returns whose logs are to go once that is
/// durable. Errors: its rows cannot be read.
Result<LogNames> remove_objects(store::Store& store, const kube::ObjectRef& workflow);
void remove_logs(const std::filesystem::path& logs, const LogNames& names);

}  // namespace tiphys::app

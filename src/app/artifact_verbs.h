#pragma once
/// What verbs do with the artifacts of a state directory. Everything blocks.

#include "app/state_paths.h"
#include "async/loop.h"
#include "cluster/store/store.h"

#include <string>

namespace tiphys::app {

/// Copies an artifact as a Workflow's status names it to a path of this machine. A file that is
/// there is replaced. Errors: not_found, already_exists for a folder.
Result<> copy_artifact(const StatePaths& paths, const doc::Value& workflow,
                       const doc::Value& artifact, const std::string& destination);

/// Before a run is deleted: removes the artifacts that go with it. The loop must not be running.
/// Error conflict: something could not be removed, and the run's artifactGC does not say to go on
/// all the same.
Result<> remove_artifacts_of(async::Loop& loop, store::Store& store, const StatePaths& paths,
                             const kube::ObjectRef& workflow);

}  // namespace tiphys::app

#include "app/artifact_verbs.h"

#include "artifacts/local_store.h"
#include "artifacts/stores.h"
#include "async/blocking_pool.h"
#include "workflows/controller/artifact_collector.h"
#include "workflows/engine/artifact_gc.h"
#include "workflows/engine/repository.h"

#include <boost/json.hpp>

#include <filesystem>

namespace tiphys::app {

Result<> copy_artifact(const StatePaths& paths, const doc::Value& workflow,
                       const doc::Value& artifact, const std::string& destination) {
  TRY(std::shared_ptr<artifacts::Store> local,
      artifacts::LocalStore::open_to_read(paths.artifacts()));
  artifacts::Stores stores(std::move(local));
  const doc::Value* status = doc::find(workflow, "status");
  const doc::Value* repository =
      status == nullptr ? nullptr : doc::find(*status, "artifactRepositoryRef");
  const doc::Value location =
      workflows::stored_location(artifact, repository == nullptr ? doc::Value() : *repository);
  TRY([[maybe_unused]] const auto stored, stores.stat(location));
  std::error_code code;
  const auto there = std::filesystem::symlink_status(destination, code);
  if (std::filesystem::is_directory(there)) {
    return fail(ErrorCode::already_exists, destination + " already exists");
  }
  std::filesystem::remove(destination, code);
  return stores.load(location, destination, artifacts::Sharing::own_copy);
}

Result<> remove_artifacts_of(async::Loop& loop, store::Store& store, const StatePaths& paths,
                             const kube::ObjectRef& workflow) {
  if (!workflows::ArtifactCollector::is_due(*workflow, workflows::GcMoment::deletion)) {
    return {};
  }
  TRY(std::shared_ptr<artifacts::Store> local, artifacts::LocalStore::open(paths.artifacts()));
  async::BlockingPool pool(loop, {.threads = 2});
  workflows::ArtifactCollector collector(pool, store,
                                         std::make_shared<artifacts::Stores>(std::move(local)));
  std::string error;
  collector.collect(workflow, workflows::GcMoment::deletion, [&](const std::string& last) {
    error = last;
    loop.stop();
  });
  loop.run();
  const kube::ObjectRef now = store.get(workflow->key());
  if (now == nullptr || !workflows::has_gc_finalizer(now->document())) {
    return {};
  }
  const std::string& name = workflow->key().name;
  return fail(ErrorCode::conflict,
              "workflow " + name + " is kept, because its artifacts could not be removed: " +
                  (error.empty() ? "unknown" : error) + " (`tiphys delete --force " + name +
                  "` deletes it and leaves them)");
}

}  // namespace tiphys::app

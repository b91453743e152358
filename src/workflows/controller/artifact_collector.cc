#include "workflows/controller/artifact_collector.h"

#include "workflows/engine/artifact_gc.h"

#include <boost/json.hpp>

#include <algorithm>
#include <vector>

namespace tiphys::workflows {
namespace {

/// Rows looked at in one call of the loop, and removed in one piece of work on the pool.
constexpr std::uint64_t kSlice = 256;

/// What a piece of work on the pool came to.
struct Removed {
  std::vector<kube::Row> changed;
  bool waiting = false;
  std::string error;
};

void remove_row(artifacts::Store& store, const doc::Value& workflow, bool deletion, kube::Row row,
                Removed& out) {
  auto document = doc::parse_json(row.bytes);
  if (!document) {
    return;
  }
  std::vector<std::string> names;
  for (const DoomedArtifact& artifact : doomed_artifacts(*document, workflow, deletion)) {
    const auto removed = store.remove(artifact.location);
    if (removed || removed.error().code == ErrorCode::not_found) {
      names.push_back(artifact.name);
    } else {
      out.error = "artifact " + artifact.name + " of " +
                  std::string(doc::find_string(*document, "name")) + ": " + removed.error().message;
    }
  }
  out.waiting = out.waiting || (!deletion && waits_for_deletion(*document, workflow));
  if (!names.empty()) {
    mark_deleted(*document, names);
    row.bytes = doc::to_json(*document, {.escape_html = false});
    out.changed.push_back(std::move(row));
  }
}

Removed remove_rows(artifacts::Store& store, const kube::Object& workflow, bool deletion,
                    std::vector<kube::Row> rows) {
  Removed out;
  for (kube::Row& row : rows) {
    remove_row(store, workflow.document(), deletion, std::move(row), out);
  }
  return out;
}

}  // namespace

struct ArtifactCollector::Shared {
  async::BlockingPool& pool;
  kube::Api& api;
  std::shared_ptr<artifacts::Store> store;
  std::set<std::string> active;  ///< uids
};

struct ArtifactCollector::Job {
  std::weak_ptr<Shared> shared;
  kube::ObjectRef workflow;
  Done done;
  GcOutcome outcome;
  std::uint64_t next = 0;  ///< row
};

ArtifactCollector::ArtifactCollector(async::BlockingPool& pool, kube::Api& api,
                                     std::shared_ptr<artifacts::Store> store)
    : shared_(std::make_shared<Shared>(pool, api, std::move(store), std::set<std::string>{})) {}

ArtifactCollector::~ArtifactCollector() = default;

bool ArtifactCollector::is_due(const kube::Object& workflow, GcMoment moment) {
  // Most objects have no finalizer: their text is not parsed for that.
  if (!workflow.bytes().contains(kArtifactGcFinalizer) || !has_gc_finalizer(workflow.document())) {
    return false;
  }
  return moment == GcMoment::deletion || !was_collected(workflow.document());
}

std::size_t ArtifactCollector::active() const { return shared_->active.size(); }

void ArtifactCollector::collect(const kube::ObjectRef& workflow, GcMoment moment, Done done) {
  if (!shared_->active.insert(workflow->uid()).second) {
    return;
  }
  auto job = std::make_shared<Job>();
  job->shared = shared_;
  job->workflow = workflow;
  job->done = std::move(done);
  job->outcome.deletion = moment == GcMoment::deletion;
  // Answered when all that was written before, the run's end, is durable.
  shared_->api.put_rows(workflow->uid(), {}, [job](Result<>) { next_slice(job); });
}

void ArtifactCollector::next_slice(const std::shared_ptr<Job>& job) {
  const auto shared = job->shared.lock();
  if (shared == nullptr) {
    return;
  }
  std::vector<kube::Row> rows;
  bool over = false;
  for (std::uint64_t i = 0; i < kSlice && !over; ++i) {
    auto row = shared->api.row(job->workflow->uid(), job->next);
    over = !row;
    ++job->next;
    if (row && row->bytes.contains("\"artifacts\":")) {
      rows.push_back(std::move(*row));
    }
  }
  if (over && rows.empty()) {
    finish(job);
    return;
  }
  const auto queued = shared->pool.run(
      [store = shared->store, workflow = job->workflow, deletion = job->outcome.deletion,
       rows = std::move(rows)]() mutable {
        return remove_rows(*store, *workflow, deletion, std::move(rows));
      },
      [job, over](Removed removed) {
        const auto still = job->shared.lock();
        if (still == nullptr) {
          return;
        }
        job->outcome.waiting = job->outcome.waiting || removed.waiting;
        job->outcome.error = removed.error.empty() ? job->outcome.error : removed.error;
        if (!removed.changed.empty()) {
          still->api.put_rows(job->workflow->uid(), std::move(removed.changed), {});
        }
        over ? finish(job) : next_slice(job);
      });
  if (!queued) {
    job->outcome.error = queued.error().message;
    finish(job);
  }
}

void ArtifactCollector::finish(const std::shared_ptr<Job>& job) {
  const auto shared = job->shared.lock();
  const kube::ObjectRef& workflow = job->workflow;
  shared->active.erase(workflow->uid());
  // Others may have written since: only our own part is changed.
  const kube::ObjectRef current = shared->api.get(workflow->key());
  if (current != nullptr && current->uid() == workflow->uid()) {
    doc::Value document = current->document();
    record_gc(document, job->outcome);
    document.get_object()["metadata"].get_object().erase("resourceVersion");
    shared->api.update(std::move(document), {});
  }
  job->done(job->outcome.error);
}

}  // namespace tiphys::workflows

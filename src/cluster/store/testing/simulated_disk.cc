#include "cluster/store/testing/simulated_disk.h"

#include <algorithm>
#include <utility>

namespace tiphys::store::testing {

void SimulatedDisk::commit(const Batch& batch) {
  for (const ObjectWrite& write : batch.objects) {
    if (write.object != nullptr) {
      objects_[write.id].object = write.object;
    } else {
      objects_.erase(write.id);
    }
  }
  for (const RowWrite& write : batch.rows) {
    const auto owner = objects_.find(write.owner);
    if (owner == objects_.end()) {
      continue;
    }
    if (write.bytes == nullptr) {
      owner->second.rows.erase(write.index);
    } else {
      owner->second.rows[write.index] = *write.bytes;
    }
  }
  for (const ReuseWrite& write : batch.reuse) {
    if (write.kind == ReuseWrite::Kind::put) {
      reuse_[write.key] = *write.record;
    } else if (write.kind == ReuseWrite::Kind::remove) {
      reuse_.erase(write.key);
    }
  }
  revision_ = batch.revision;
}

Result<std::vector<LoadedObject>> DiskSession::load() const {
  std::vector<LoadedObject> out;
  for (const auto& [id, stored] : disk_.objects()) {
    // Read again from its bytes, as from a real disk.
    const kube::Object& object = *stored.object;
    kube::ObjectHeader header{.key = object.key(),
                              .uid = object.uid(),
                              .resource_version = object.resource_version(),
                              .creation_time = object.creation_time(),
                              .labels = object.labels()};
    out.push_back({id, kube::Object::from_bytes(std::move(header), object.bytes())});
  }
  return out;
}

Result<> DiskSession::begin_writing(Report report) {
  report_ = std::move(report);
  return {};
}

void DiskSession::enqueue(Batch batch) {
  queued_.append(std::move(batch));
  if (!busy_) {
    begin_commit();
  }
}

void DiskSession::begin_commit() {
  busy_ = true;
  committing_ = std::exchange(queued_, {});
  commit_ = loop_.call_after(faults_.commit_time(), [this] { end_commit(); });
}

void DiskSession::end_commit() {
  busy_ = false;
  if (cut_off_ || failed_) {
    return;
  }
  if (faults_.commit_fails()) {
    failed_ = true;
    report(committing_.revision, fail(ErrorCode::io, "a failure asked for by a simulation"));
    return;
  }
  disk_.commit(committing_);
  report(committing_.revision, {});
  if (!queued_.empty()) {
    begin_commit();
  }
}

void DiskSession::report(kube::Revision revision, Result<> outcome) {
  last_report_ = std::max(last_report_, loop_.now() + faults_.report_time());
  const std::uint64_t number = next_report_++;
  reports_[number] =
      loop_.call_at(last_report_, [this, number, revision, outcome = std::move(outcome)]() mutable {
        const auto keep = reports_.extract(number);
        if (!cut_off_) {
          report_(revision, std::move(outcome));
        }
      });
}

void DiskSession::finish() {
  if (!cut_off_ && !failed_) {
    Batch last = busy_ ? std::exchange(committing_, {}) : Batch();
    last.append(std::exchange(queued_, {}));
    if (!last.empty()) {
      disk_.commit(last);
    }
  }
  cut_off_ = true;
}

Result<> DiskSession::each_row(std::int64_t owner, const RowFunction& function) {
  if (const auto found = disk_.objects().find(owner); found != disk_.objects().end()) {
    for (const auto& [index, bytes] : found->second.rows) {
      function(index, bytes);
    }
  }
  return {};
}

Result<std::optional<std::uint64_t>> DiskSession::last_row(std::int64_t owner) {
  const auto found = disk_.objects().find(owner);
  if (found == disk_.objects().end() || found->second.rows.empty()) {
    return std::nullopt;
  }
  return found->second.rows.rbegin()->first;
}

Result<std::optional<std::string>> DiskSession::row(std::int64_t owner, std::uint64_t index) {
  const auto found = disk_.objects().find(owner);
  if (found == disk_.objects().end()) {
    return std::nullopt;
  }
  const auto row = found->second.rows.find(index);
  return row == found->second.rows.end() ? std::nullopt : std::optional(row->second);
}

Result<std::optional<std::string>> DiskSession::reuse(std::string_view key) {
  const auto found = disk_.reuse().find(key);
  return found == disk_.reuse().end() ? std::nullopt : std::optional(found->second);
}

}  // namespace tiphys::store::testing

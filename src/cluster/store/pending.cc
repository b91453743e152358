#include "cluster/store/pending.h"

#include <utility>

namespace tiphys::store {

void Pending::put_row(std::int64_t owner, std::uint64_t index, Bytes bytes,
                      kube::Revision revision) {
  rows_[owner][index] = {std::move(bytes), revision};
  rows_written_.push_back({revision, owner, index});
}

void Pending::put_reuse(const std::string& key, Bytes record, kube::Revision revision) {
  reuse_[key] = {std::move(record), revision};
  reuse_written_.push_back({revision, key});
}

void Pending::forget_row(const RowWritten& written) {
  const auto owner = rows_.find(written.owner);
  if (owner == rows_.end()) {
    return;
  }
  const auto row = owner->second.find(written.index);
  // A later write of the same row may still be on its way.
  if (row != owner->second.end() && row->second.revision == written.revision) {
    owner->second.erase(row);
  }
  if (owner->second.empty()) {
    rows_.erase(owner);
  }
}

void Pending::forget(kube::Revision revision) {
  while (!rows_written_.empty() && rows_written_.front().revision <= revision) {
    forget_row(rows_written_.front());
    rows_written_.pop_front();
  }
  while (!reuse_written_.empty() && reuse_written_.front().revision <= revision) {
    const ReuseWritten& written = reuse_written_.front();
    const auto record = reuse_.find(written.key);
    if (record != reuse_.end() && record->second.revision == written.revision) {
      reuse_.erase(record);
    }
    reuse_written_.pop_front();
  }
}

const Pending::Rows* Pending::rows(std::int64_t owner) const {
  const auto found = rows_.find(owner);
  return found == rows_.end() ? nullptr : &found->second;
}

const Pending::Value* Pending::row(std::int64_t owner, std::uint64_t index) const {
  const Rows* rows = this->rows(owner);
  if (rows == nullptr) {
    return nullptr;
  }
  const auto found = rows->find(index);
  return found == rows->end() ? nullptr : &found->second;
}

const Pending::Value* Pending::reuse(std::string_view key) const {
  const auto found = reuse_.find(key);
  return found == reuse_.end() ? nullptr : &found->second;
}

}  // namespace tiphys::store

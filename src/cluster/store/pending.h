#pragma once
/// Rows and reuse records on their way to the disk: what a read must put over what it finds there.
/// Private to the store.

#include "cluster/store/database.h"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tiphys::store {

class Pending final {
 public:
  /// A value that is not yet on the disk; null bytes say that it has been removed.
  struct Value {
    Bytes bytes;
    kube::Revision revision = 0;
  };

  using Rows = std::map<std::uint64_t, Value>;

  void put_row(std::int64_t owner, std::uint64_t index, Bytes bytes, kube::Revision revision);
  void put_reuse(const std::string& key, Bytes record, kube::Revision revision);
  /// Everything up to `revision` is on the disk.
  void forget(kube::Revision revision);

  /// Null when no row of the owner is on its way.
  const Rows* rows(std::int64_t owner) const;
  const Value* row(std::int64_t owner, std::uint64_t index) const;
  const Value* reuse(std::string_view key) const;

 private:
  struct RowWritten {
    kube::Revision revision = 0;
    std::int64_t owner = 0;
    std::uint64_t index = 0;
  };

  struct ReuseWritten {
    kube::Revision revision = 0;
    std::string key;
  };

  void forget_row(const RowWritten& written);

  std::unordered_map<std::int64_t, Rows> rows_;
  std::deque<RowWritten> rows_written_;
  std::map<std::string, Value, std::less<>> reuse_;
  std::deque<ReuseWritten> reuse_written_;
};

}  // namespace tiphys::store

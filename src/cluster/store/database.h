#pragma once
/// The tables of a store and how they are read and written. Private to the store.
///
/// `objects` has a row for each object, known by a small number (`id`) that the store gives it and
/// that never changes; `rows` has the pieces of objects, keyed by that number; `reuse` has records
/// by key; `meta` has the format and the revision of the last commit.

#include "base/error.h"
#include "cluster/store/sqlite.h"
#include "kube/object.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tiphys::store {

/// The version of the tables this program writes; it reads this one and older ones.
inline constexpr std::int64_t kFormat = 1;

using Bytes = std::shared_ptr<const std::string>;

struct ObjectWrite {
  std::int64_t id = 0;
  kube::ObjectRef object;  ///< null: remove it and its rows
  bool created = false;    ///< was not stored before
};

struct RowWrite {
  std::int64_t owner = 0;
  std::uint64_t index = 0;
  Bytes bytes;  ///< null: remove it
};

struct ReuseWrite {
  enum class Kind { put, touch, remove, prune };

  Kind kind = Kind::put;
  std::string key;
  Bytes record;
  std::int64_t used = 0;  ///< nanoseconds since 1970; of `prune`, what was used before goes
};

/// Writes that become durable together.
struct Batch {
  std::vector<ObjectWrite> objects;
  std::vector<RowWrite> rows;
  std::vector<ReuseWrite> reuse;
  kube::Revision revision = 0;  ///< of the last write
  bool survive_power_loss = false;

  bool empty() const { return revision == 0; }

  /// Appends a later batch.
  void append(Batch&& later);
};

struct LoadedObject {
  std::int64_t id = 0;
  kube::ObjectRef object;
};

class Database final {
 public:
  /// Opens the database in `directory` and checks that it is one of ours and not too new. With
  /// Access::create, makes what is missing.
  static Result<Database> open(const std::filesystem::path& directory, Access access);

  Result<std::vector<LoadedObject>> load() const;
  Result<kube::Revision> revision() const;

  /// Prepares for `write`.
  Result<> prepare_writes();
  /// Writes a batch as one transaction. `before_commit` may refuse. On an error nothing of the
  /// batch is stored.
  Result<> write(const Batch& batch, const std::function<Result<>()>& before_commit);

  using RowFunction = std::function<void(std::uint64_t index, std::string_view bytes)>;
  Result<> each_row(std::int64_t owner, const RowFunction& function);
  Result<std::optional<std::uint64_t>> last_row(std::int64_t owner) const;
  Result<std::optional<std::string>> row(std::int64_t owner, std::uint64_t index);
  Result<std::optional<std::string>> reuse(std::string_view key);

  /// Empties the write-ahead log when it is long enough to slow down the next opening.
  void tidy();

 private:
  Result<> check_format(Access access);
  Result<> begin(bool survive_power_loss);
  Result<> write_objects(const std::vector<ObjectWrite>& writes);
  Result<> put_object(std::int64_t id, const kube::Object& object);
  Result<> write_rows(const Batch& batch);
  Result<> write_reuse(const std::vector<ReuseWrite>& writes);

  std::filesystem::path file_;
  Connection connection_;
  bool syncing_ = false;
  /// Whether the head of the database file is known to have reached the disk once.
  bool main_file_synced_ = false;
  Statement begin_;
  Statement commit_;
  Statement put_object_;
  Statement remove_object_;
  Statement remove_rows_;
  Statement put_row_;
  Statement remove_row_;
  Statement put_reuse_;
  Statement touch_reuse_;
  Statement remove_reuse_;
  Statement prune_reuse_;
  Statement put_revision_;
  Statement all_rows_;
  Statement one_row_;
  Statement one_reuse_;
};

}  // namespace tiphys::store

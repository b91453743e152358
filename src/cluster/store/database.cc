#include "cluster/store/database.h"

#include "cluster/store/state_directory.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace tiphys::store {
namespace {

/// A log below this many pages is read again at the next opening instead of being emptied now.
constexpr int kShortLogPages = 512;

constexpr const char* kSchema = R"sql(
BEGIN IMMEDIATE;
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
CREATE TABLE objects(id INTEGER PRIMARY KEY, kind TEXT, namespace TEXT, name TEXT, uid TEXT,
                     revision INTEGER, created INTEGER, labels BLOB, body TEXT);
CREATE TABLE rows(owner INTEGER, idx INTEGER, bytes BLOB, PRIMARY KEY(owner, idx)) WITHOUT ROWID;
CREATE TABLE reuse(key TEXT PRIMARY KEY, used INTEGER, record BLOB);
INSERT INTO meta VALUES('format', 1), ('revision', 0);
COMMIT;
)sql";

/// Labels as one blob: each key and each value followed by a zero byte.
std::string pack(const kube::Labels& labels) {
  std::string packed;
  for (const kube::Label& label : labels) {
    packed.append(label.key).push_back('\0');
    packed.append(label.value).push_back('\0');
  }
  return packed;
}

std::string take_part(std::string_view& packed) {
  const std::size_t end = std::min(packed.find('\0'), packed.size());
  std::string part(packed.substr(0, end));
  packed.remove_prefix(std::min(end + 1, packed.size()));
  return part;
}

kube::Labels unpack(std::string_view packed) {
  kube::Labels labels;
  while (!packed.empty()) {
    std::string key = take_part(packed);
    labels.push_back({std::move(key), take_part(packed)});
  }
  return labels;
}

struct RowKeyHash {
  std::size_t operator()(const std::pair<std::int64_t, std::uint64_t>& key) const {
    return std::hash<std::uint64_t>()(
        static_cast<std::uint64_t>(key.first) * 0x9E3779B97F4A7C15ULL ^ key.second);
  }
};

template <class T>
void append_to(std::vector<T>& all, std::vector<T>&& more) {
  if (all.empty()) {
    all = std::move(more);
  } else {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  }
}

}  // namespace

void Batch::append(Batch&& later) {
  append_to(objects, std::move(later.objects));
  append_to(rows, std::move(later.rows));
  append_to(reuse, std::move(later.reuse));
  revision = std::max(revision, later.revision);
  survive_power_loss = survive_power_loss || later.survive_power_loss;
}

Result<Database> Database::open(const std::filesystem::path& directory, Access access) {
  Database database;
  database.file_ = directory / "store.db";
  const std::string named = "store " + database.file_.string();
  std::error_code error;
  if (access == Access::read_only && !std::filesystem::exists(database.file_, error)) {
    return fail(ErrorCode::not_found, "no store in " + directory.string());
  }
  auto connection = Connection::open(database.file_, access);
  if (!connection) {
    return std::unexpected(std::move(connection).error().with_context(named));
  }
  database.connection_ = std::move(*connection);
  if (access == Access::read_only) {
    database.connection_.keep_wal_on_close();
  }
  if (auto checked = database.check_format(access); !checked) {
    return std::unexpected(std::move(checked).error().with_context(named));
  }
  return database;
}

Result<> Database::check_format(Access access) {
  TRY(auto tables, connection_.prepare("SELECT count(*), total(name = 'meta') FROM sqlite_master"));
  TRY_VOID(tables.step());
  const bool fresh = tables.integer(0) == 0;
  const bool ours = tables.integer(1) == 1;
  tables.reset();
  if (!fresh && !ours) {
    return fail(ErrorCode::io, "a database of some other program");
  }
  if (fresh) {
    if (access != Access::create) {
      return fail(ErrorCode::not_found, "is empty");
    }
    // Nothing is in it that power loss could take; the first commit that must survive one also
    // writes this out.
    TRY_VOID(connection_.execute("PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL"));
    TRY_VOID(connection_.execute(kSchema));
    return {};
  }
  TRY(auto format, connection_.prepare("SELECT value FROM meta WHERE name = 'format'"));
  TRY(const bool known, format.step());
  if (!known) {
    return fail(ErrorCode::io, "says no format: it is damaged");
  }
  if (format.integer(0) > kFormat) {
    return fail(ErrorCode::invalid, "was written by a newer version of tiphys (format " +
                                        std::to_string(format.integer(0)) +
                                        ", this version reads up to format " +
                                        std::to_string(kFormat) + "); nothing was changed");
  }
  TRY(auto synced, connection_.prepare("SELECT 1 FROM meta WHERE name = 'synced'"));
  TRY(main_file_synced_, synced.step());
  return {};
}

Result<std::vector<LoadedObject>> Database::load() const {
  TRY(auto all, connection_.prepare("SELECT id, kind, namespace, name, uid, revision, created, "
                                    "labels, body FROM objects"));
  std::vector<LoadedObject> loaded;
  while (true) {
    TRY(const bool more, all.step());
    if (!more) {
      return loaded;
    }
    kube::ObjectHeader header;
    header.key = {std::string(all.bytes(1)), std::string(all.bytes(2)), std::string(all.bytes(3))};
    header.uid = all.bytes(4);
    header.resource_version = static_cast<kube::Revision>(all.integer(5));
    header.creation_time = async::TimePoint(async::Duration(all.integer(6)));
    header.labels = unpack(all.bytes(7));
    loaded.push_back(
        {all.integer(0), kube::Object::from_bytes(std::move(header), std::string(all.bytes(8)))});
  }
}

Result<kube::Revision> Database::revision() const {
  TRY(auto statement, connection_.prepare("SELECT value FROM meta WHERE name = 'revision'"));
  TRY(const bool known, statement.step());
  return known ? static_cast<kube::Revision>(statement.integer(0)) : 0;
}

Result<> Database::prepare_writes() {
  TRY_VOID(connection_.execute("PRAGMA synchronous=NORMAL"));
  TRY(begin_, connection_.prepare("BEGIN IMMEDIATE"));
  TRY(commit_, connection_.prepare("COMMIT"));
  TRY(put_revision_, connection_.prepare("UPDATE meta SET value = ? WHERE name = 'revision'"));
  return {};
}

Result<> Database::begin(bool survive_power_loss) {
  if (survive_power_loss && !main_file_synced_) {
    // Moving the log's pages into the database writes both out, the head of the file included:
    // a log beside a database file of no size would be thrown away when opened.
    TRY_VOID(connection_.execute("PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(PASSIVE)"));
    TRY_VOID(sync_directory(file_.parent_path()));
    syncing_ = true;
    TRY_VOID(begin_.run());
    main_file_synced_ = true;
    return connection_.execute("REPLACE INTO meta VALUES('synced', 1)");
  }
  if (survive_power_loss != syncing_) {
    TRY_VOID(connection_.execute(survive_power_loss ? "PRAGMA synchronous=FULL"
                                                    : "PRAGMA synchronous=NORMAL"));
    syncing_ = survive_power_loss;
  }
  return begin_.run();
}

Result<> Database::write(const Batch& batch, const std::function<Result<>()>& before_commit) {
  TRY_VOID(begin(batch.survive_power_loss));
  const auto write_all = [&]() -> Result<> {
    TRY_VOID(write_rows(batch));
    TRY_VOID(write_objects(batch.objects));
    TRY_VOID(write_reuse(batch.reuse));
    TRY_VOID(put_revision_.bind(1, static_cast<std::int64_t>(batch.revision)).run());
    if (before_commit) {
      TRY_VOID(before_commit());
    }
    return commit_.run();
  };
  auto written = write_all();
  if (!written) {
    // SQLite may have rolled back by itself.
    static_cast<void>(connection_.execute("ROLLBACK"));
    return std::unexpected(
        std::move(written).error().with_context("cannot write " + file_.string()));
  }
  return {};
}

Result<> Database::put_object(std::int64_t id, const kube::Object& object) {
  const std::string labels = pack(object.labels());
  const kube::ObjectKey& key = object.key();
  return put_object_.bind(1, id)
      .bind(2, key.kind)
      .bind(3, key.namespace_)
      .bind(4, key.name)
      .bind(5, object.uid())
      .bind(6, static_cast<std::int64_t>(object.resource_version()))
      .bind(7, object.creation_time().time_since_epoch().count())
      .bind_blob(8, labels)
      .bind(9, object.bytes())
      .run();
}

Result<> Database::write_objects(const std::vector<ObjectWrite>& writes) {
  if (writes.empty()) {
    return {};
  }
  if (!put_object_) {
    TRY(put_object_, connection_.prepare("REPLACE INTO objects VALUES(?,?,?,?,?,?,?,?,?)"));
    TRY(remove_object_, connection_.prepare("DELETE FROM objects WHERE id = ?"));
    TRY(remove_rows_, connection_.prepare("DELETE FROM rows WHERE owner = ?"));
  }

  // Only the last write of each object counts.
  struct Last {
    const ObjectWrite* write = nullptr;
    bool created = false;
  };

  std::unordered_map<std::int64_t, Last> last;
  for (const ObjectWrite& write : writes) {
    Last& entry = last[write.id];
    entry.write = &write;
    entry.created = entry.created || write.created;
  }
  for (const ObjectWrite& write : writes) {
    const Last& entry = last.at(write.id);
    if (entry.write != &write) {
      continue;
    }
    if (write.object != nullptr) {
      TRY_VOID(put_object(write.id, *write.object));
    } else if (!entry.created) {
      TRY_VOID(remove_object_.bind(1, write.id).run());
      TRY_VOID(remove_rows_.bind(1, write.id).run());
    }
  }
  return {};
}

Result<> Database::write_rows(const Batch& batch) {
  if (batch.rows.empty()) {
    return {};
  }
  if (!put_row_) {
    TRY(put_row_, connection_.prepare("REPLACE INTO rows VALUES(?,?,?)"));
    TRY(remove_row_, connection_.prepare("DELETE FROM rows WHERE owner = ? AND idx = ?"));
  }
  std::unordered_set<std::int64_t> removed;
  for (const ObjectWrite& write : batch.objects) {
    if (write.object == nullptr) {
      removed.insert(write.id);
    }
  }
  std::unordered_map<std::pair<std::int64_t, std::uint64_t>, const RowWrite*, RowKeyHash> last;
  last.reserve(batch.rows.size());
  for (const RowWrite& write : batch.rows) {
    last[{write.owner, write.index}] = &write;
  }
  for (const RowWrite& write : batch.rows) {
    if (removed.contains(write.owner) || last.at({write.owner, write.index}) != &write) {
      continue;
    }
    Statement& statement = write.bytes == nullptr ? remove_row_ : put_row_;
    statement.bind(1, write.owner).bind(2, static_cast<std::int64_t>(write.index));
    if (write.bytes != nullptr) {
      statement.bind_blob(3, *write.bytes);
    }
    TRY_VOID(statement.run());
  }
  return {};
}

Result<> Database::write_reuse(const std::vector<ReuseWrite>& writes) {
  if (writes.empty()) {
    return {};
  }
  if (!put_reuse_) {
    TRY(put_reuse_, connection_.prepare("REPLACE INTO reuse(key, used, record) VALUES(?,?,?)"));
    TRY(touch_reuse_, connection_.prepare("UPDATE reuse SET used = ?2 WHERE key = ?1"));
    TRY(remove_reuse_, connection_.prepare("DELETE FROM reuse WHERE key = ?1"));
    TRY(prune_reuse_, connection_.prepare("DELETE FROM reuse WHERE used < ?1"));
  }
  for (const ReuseWrite& write : writes) {
    switch (write.kind) {
      case ReuseWrite::Kind::put:
        TRY_VOID(
            put_reuse_.bind(1, write.key).bind(2, write.used).bind_blob(3, *write.record).run());
        break;
      case ReuseWrite::Kind::touch:
        TRY_VOID(touch_reuse_.bind(1, write.key).bind(2, write.used).run());
        break;
      case ReuseWrite::Kind::remove:
        TRY_VOID(remove_reuse_.bind(1, write.key).run());
        break;
      case ReuseWrite::Kind::prune:
        TRY_VOID(prune_reuse_.bind(1, write.used).run());
        break;
    }
  }
  return {};
}

Result<> Database::each_row(std::int64_t owner, const RowFunction& function) {
  if (!all_rows_) {
    TRY(all_rows_, connection_.prepare("SELECT idx, bytes FROM rows WHERE owner = ? ORDER BY idx"));
  }
  all_rows_.bind(1, owner);
  while (true) {
    TRY(const bool more, all_rows_.step());
    if (!more) {
      return {};
    }
    function(static_cast<std::uint64_t>(all_rows_.integer(0)), all_rows_.bytes(1));
  }
}

namespace {

Result<std::optional<std::string>> only_value(Statement& statement) {
  TRY(const bool found, statement.step());
  if (!found) {
    return std::nullopt;
  }
  std::string value(statement.bytes(0));
  statement.reset();
  return value;
}

}  // namespace

Result<std::optional<std::uint64_t>> Database::last_row(std::int64_t owner) const {
  TRY(auto last,
      connection_.prepare("SELECT idx FROM rows WHERE owner = ? ORDER BY idx DESC LIMIT 1"));
  TRY(const bool any, last.bind(1, owner).step());
  return any ? std::optional(static_cast<std::uint64_t>(last.integer(0))) : std::nullopt;
}

Result<std::optional<std::string>> Database::row(std::int64_t owner, std::uint64_t index) {
  if (!one_row_) {
    TRY(one_row_, connection_.prepare("SELECT bytes FROM rows WHERE owner = ? AND idx = ?"));
  }
  return only_value(one_row_.bind(1, owner).bind(2, static_cast<std::int64_t>(index)));
}

Result<std::optional<std::string>> Database::reuse(std::string_view key) {
  if (!one_reuse_) {
    TRY(one_reuse_, connection_.prepare("SELECT record FROM reuse WHERE key = ?"));
  }
  return only_value(one_reuse_.bind(1, key));
}

void Database::tidy() {
  if (connection_.wal_pages() < kShortLogPages) {
    connection_.keep_wal_on_close();
  }
}

}  // namespace tiphys::store

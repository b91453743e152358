#include "cluster/store/sqlite_disk.h"

#include <utility>

namespace tiphys::store {

Result<std::unique_ptr<Disk>> SqliteDisk::open(std::filesystem::path directory, Access access,
                                               std::function<Result<>()> before_commit) {
  TRY(auto database, Database::open(directory, access));
  return std::unique_ptr<Disk>(
      new SqliteDisk(std::move(directory), std::move(before_commit), std::move(database)));
}

Result<kube::Revision> SqliteDisk::revision() const { return reader_->revision(); }

Result<std::vector<LoadedObject>> SqliteDisk::load() const { return reader_->load(); }

Result<> SqliteDisk::begin_writing(Report report) {
  TRY_VOID(reader_->prepare_writes());
  Database database = std::move(*reader_);
  reader_.reset();
  writer_.emplace(std::move(database), before_commit_, std::move(report));
  return {};
}

void SqliteDisk::enqueue(Batch batch) { writer_->enqueue(std::move(batch)); }

void SqliteDisk::finish() {
  if (writer_) {
    writer_->finish();
    writer_.reset();
  }
}

Result<Database*> SqliteDisk::reader() {
  if (!reader_) {
    TRY(reader_, Database::open(directory_, Access::read_only));
  }
  return &*reader_;
}

Result<> SqliteDisk::each_row(std::int64_t owner, const RowFunction& function) {
  TRY(Database * database, reader());
  return database->each_row(owner, function);
}

Result<std::optional<std::uint64_t>> SqliteDisk::last_row(std::int64_t owner) {
  TRY(Database * database, reader());
  return database->last_row(owner);
}

Result<std::optional<std::string>> SqliteDisk::row(std::int64_t owner, std::uint64_t index) {
  TRY(Database * database, reader());
  return database->row(owner, index);
}

Result<std::optional<std::string>> SqliteDisk::reuse(std::string_view key) {
  TRY(Database * database, reader());
  return database->reuse(key);
}

}  // namespace tiphys::store

#pragma once
/// A store's disk that is an SQLite database, written by a thread of its own. Private to the store.

#include "cluster/store/disk.h"
#include "cluster/store/writer.h"

namespace tiphys::store {

class SqliteDisk final : public Disk {
 public:
  /// Opens the database in `directory`; `before_commit` as in Options.
  static Result<std::unique_ptr<Disk>> open(std::filesystem::path directory, Access access,
                                            std::function<Result<>()> before_commit);

  Result<kube::Revision> revision() const override;
  Result<std::vector<LoadedObject>> load() const override;
  Result<> begin_writing(Report report) override;
  void enqueue(Batch batch) override;
  void finish() override;

  bool works_outside_the_loop() const override { return true; }

  Result<> each_row(std::int64_t owner, const RowFunction& function) override;
  Result<std::optional<std::uint64_t>> last_row(std::int64_t owner) override;
  Result<std::optional<std::string>> row(std::int64_t owner, std::uint64_t index) override;
  Result<std::optional<std::string>> reuse(std::string_view key) override;

 private:
  SqliteDisk(std::filesystem::path directory, std::function<Result<>()> before_commit,
             Database database)
      : directory_(std::move(directory)),
        before_commit_(std::move(before_commit)),
        reader_(std::move(database)) {}

  /// The connection that reads; the one that opened the database becomes the writer's.
  Result<Database*> reader();

  const std::filesystem::path directory_;
  const std::function<Result<>()> before_commit_;
  std::optional<Database> reader_;
  std::optional<Writer> writer_;
};

}  // namespace tiphys::store

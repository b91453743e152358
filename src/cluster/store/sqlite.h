#pragma once
/// A thin hold on SQLite: a `Connection` runs statements, a `Statement` is one prepared. Neither
/// may be used by two threads at once. Private to the store.

#include "base/error.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace tiphys::store {

class Statement final {
 public:
  Statement() = default;

  /// Whether it has been prepared.
  explicit operator bool() const { return statement_ != nullptr; }

  /// Parameters and columns count from 1 and 0, as in SQLite. Texts and blobs that are bound must
  /// live until `run`, `step` or `reset` has returned.
  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, std::string_view bytes);

  /// Goes to the next row; false when there is none, the statement is then ready for reuse.
  Result<bool> step();
  /// Runs a statement that gives no rows.
  Result<> run();
  void reset();

  std::int64_t integer(int column) const;
  /// Valid until the next step.
  std::string_view bytes(int column) const;

 private:
  friend class Connection;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

enum class Access { read_only, read_write, create };

class Connection final {
 public:
  Connection() = default;
  static Result<Connection> open(const std::filesystem::path& file, Access access);
  Result<> execute(const char* sql) const;
  Result<Statement> prepare(std::string_view sql) const;

  /// The size of the write-ahead log after the last commit, in pages.
  int wal_pages() const { return *wal_pages_; }

  /// Leave the write-ahead log alone when the connection closes.
  void keep_wal_on_close() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };

  std::unique_ptr<int> wal_pages_ = std::make_unique<int>(0);
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace tiphys::store

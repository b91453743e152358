#include "cluster/store/sqlite.h"

#include <sqlite3.h>

#include <string>

namespace tiphys::store {
namespace {

constexpr int kBusyMilliseconds = 10'000;
/// Pages of the write-ahead log after which a commit moves them into the database.
constexpr int kCheckpointPages = 2000;

std::unexpected<Error> failure(sqlite3* database) {
  const int code = sqlite3_extended_errcode(database);
  std::string message = sqlite3_errmsg(database);
  switch (code & 0xFF) {
    case SQLITE_FULL:
      message = "the disk is full";
      break;
    case SQLITE_IOERR:
      if (const int cause = sqlite3_system_errno(database); cause != 0) {
        return fail_errno(message, cause);
      }
      break;
    default:
      break;
  }
  return fail(ErrorCode::io, message);
}

int after_commit(void* wal_pages, sqlite3* database, const char* name, int pages) {
  *static_cast<int*>(wal_pages) = pages;
  if (pages >= kCheckpointPages) {
    // The commit stands whether or not its pages can be moved now.
    sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }
  return SQLITE_OK;
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), parameter, text.data() == nullptr ? "" : text.data(),
                      text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), parameter, bytes.data() == nullptr ? "" : bytes.data(),
                      bytes.size(), SQLITE_STATIC);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  auto error = failure(sqlite3_db_handle(statement_.get()));
  reset();
  return error;
}

Result<> Statement::run() {
  TRY_VOID(step());
  reset();
  return {};
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {data, static_cast<std::size_t>(size)};
}

void Connection::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Connection> Connection::open(const std::filesystem::path& file, Access access) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  flags |= access == Access::create ? SQLITE_OPEN_CREATE : 0;
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &database, flags, nullptr);
  Connection connection;
  connection.database_.reset(database);
  if (code != SQLITE_OK) {
    if (database == nullptr) {
      return fail(ErrorCode::io, sqlite3_errstr(code));
    }
    return failure(database);
  }
  sqlite3_busy_timeout(database, kBusyMilliseconds);
  sqlite3_wal_hook(database, after_commit, connection.wal_pages_.get());
  return connection;
}

Result<> Connection::execute(const char* sql) const {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure(database_.get());
  }
  return {};
}

Result<Statement> Connection::prepare(std::string_view sql) const {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (code != SQLITE_OK) {
    return failure(database_.get());
  }
  Statement statement;
  statement.statement_.reset(prepared);
  return statement;
}

void Connection::keep_wal_on_close() const {
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

}  // namespace tiphys::store

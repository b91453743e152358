#pragma once
/// The embedded cluster's memory: objects, their rows, and records of steps that need not run
/// again. Three nouns: the `image`, all objects in memory, which an operation changes at once; the
/// `revision`, the number of a write; a `commit`, which makes everything up to a revision durable.
///
/// An operation changes the image, tells the watchers and is queued; at the end of the loop's turn
/// what was queued goes to a thread that commits it to <directory>/store.db (SQLite, write-ahead
/// log). A commit survives the death of the process, and after `flush` power loss as well. Once a
/// commit has failed (disk full) the store can only be read: what was acknowledged is safe, what
/// was not is answered with the error, and every later write is refused.
///
/// The directory belongs to one writing program at a time; <directory>/lock names it. A program
/// that is started while the store is open must not inherit the lock: its descriptor closes itself
/// on exec, and a fork without exec has to close it.

#include "async/loop.h"
#include "async/random.h"
#include "kube/api.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::store {

class Disk;

enum class Mode {
  read_write,  ///< makes the directory where it is missing
  read_only,   ///< what was durable when it was opened; another program may be writing meanwhile
};

struct Options {
  std::filesystem::path directory;
  Mode mode = Mode::read_write;
  /// Called on the writer's thread before every commit; an error makes the commit fail with it. For
  /// tests.
  std::function<Result<>()> before_commit = {};
  /// In place of the directory's database. For simulations.
  std::shared_ptr<Disk> disk = {};
};

using RowFunction = std::function<void(std::uint64_t index, std::string_view bytes)>;
using DurableFunction = std::move_only_function<void(Result<>)>;

class Store final : public kube::Api {
 public:
  /// Loop and random must outlive the store. Errors: conflict (another program has the directory),
  /// invalid (written by a newer version), not_found (nothing there to read), io (not a directory,
  /// unreadable, damaged). After an error nothing has been changed.
  static Result<std::unique_ptr<Store>> open(async::Loop& loop, async::Random& random,
                                             Options options);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  /// Closes.
  ~Store() override;

  void create(doc::Value object, kube::Done done) override;
  void update(doc::Value object, kube::Done done) override;
  void remove(const kube::ObjectKey& key, kube::Done done) override;
  kube::ObjectRef get(const kube::ObjectKey& key) const override;
  std::vector<kube::ObjectRef> list(std::string_view kind, std::string_view namespace_,
                                    const kube::LabelSelector& selector) const override;
  [[nodiscard]] std::unique_ptr<kube::Subscription> watch(std::string_view kind,
                                                          kube::EventHandler handler) override;
  void put_rows(std::string_view owner, std::vector<kube::Row> rows, kube::RowsDone done) override;
  Result<std::vector<kube::Row>> rows(std::string_view owner) const override;
  Result<kube::Row> row(std::string_view owner, std::uint64_t index) const override;

  /// Visits an object's rows in the order of their numbers without holding more than one.
  Result<> each_row(std::string_view owner, const RowFunction& function) const;
  /// The number of an object's last row, without reading any; nothing when there is none. A row
  /// that is being removed may still count. Error not_found: no such object.
  Result<std::optional<std::uint64_t>> last_row(std::string_view owner) const;
  /// The object with this uid, or null.
  kube::ObjectRef find_uid(std::string_view uid) const;

  /// Records of steps for reuse, by key. A record counts as used when it is put or touched.
  void put_reuse(std::string key, std::string record);
  void touch_reuse(std::string key);
  void remove_reuse(std::string key);
  /// Removes records last used before `moment`.
  void prune_reuse(async::TimePoint moment);
  Result<std::optional<std::string>> find_reuse(std::string_view key) const;

  /// The revision of the last write, and of the last that is durable.
  kube::Revision revision() const;
  kube::Revision durable_revision() const;
  /// Calls `function` on the loop once everything up to `revision` is durable, or with why it will
  /// not be.
  void when_durable(kube::Revision revision, DurableFunction function);
  /// Makes everything written so far survive power loss, then calls `function` on the loop.
  void flush(DurableFunction function);
  /// Why the store can only be read; nothing when it can be written.
  std::optional<Error> failure() const;

  /// Commits what is queued and ends the writer's thread; the answers come on the loop, should it
  /// run again. Returns what kept writes from being stored, if anything did. Reading goes on,
  /// writing does not.
  Result<> close();

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace tiphys::store

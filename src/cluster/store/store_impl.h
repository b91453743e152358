#pragma once
/// What a store is made of and how an operation goes through it. Private to the store.

#include "cluster/store/disk.h"
#include "cluster/store/image.h"
#include "cluster/store/pending.h"
#include "cluster/store/state_directory.h"
#include "cluster/store/store.h"
#include "cluster/store/watch_hub.h"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace tiphys::store {

class Store::Impl final {
 public:
  Impl(async::Loop& loop, async::Random& random, Options options)
      : loop_(loop), random_(random), options_(std::move(options)) {}

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<> open();
  Result<> close();

  Result<kube::ObjectRef> create(doc::Value document);
  Result<kube::ObjectRef> update(doc::Value document);
  Result<kube::ObjectRef> remove(const kube::ObjectKey& key);
  Result<> put_rows(std::string_view owner, std::vector<kube::Row> rows);
  Result<> each_row(std::string_view owner, const RowFunction& function);
  Result<std::optional<std::uint64_t>> last_row(std::string_view owner);
  Result<kube::Row> row(std::string_view owner, std::uint64_t index);
  void write_reuse(ReuseWrite write);
  Result<std::optional<std::string>> find_reuse(std::string_view key);
  void when_durable(kube::Revision revision, DurableFunction function);
  void flush(DurableFunction function);

  /// Answers an operation on an object: at once when it was refused, else when it is durable.
  void answer(Result<kube::ObjectRef> outcome, kube::Done done);
  void answer(Result<> outcome, kube::RowsDone done);

  const Image& image() const { return image_; }

  std::int64_t now() const { return loop_.now().time_since_epoch().count(); }

  WatchHub& hub() { return *hub_; }

  kube::Revision revision() const { return revision_; }

  kube::Revision durable_revision() const { return durable_revision_; }

  const std::optional<Error>& failure() const { return failure_; }

 private:
  struct Waiting {
    kube::Revision revision = 0;
    DurableFunction function;
  };

  Result<> writable() const;
  /// Refuses an update of something else than what is stored.
  static Result<> check_precondition(const kube::Object& stored, const doc::Value& document);
  /// The batch of this turn; from now on it will be committed.
  Batch& batch();
  void hand_over();
  void settle(kube::Revision revision, const Result<>& outcome);
  std::vector<Waiting> take_settled(kube::Revision revision, bool all);
  Result<> open_disk();
  void take_reports();

  async::Loop& loop_;
  async::Random& random_;
  const Options options_;
  StateDirectory directory_;
  Image image_;
  const std::shared_ptr<WatchHub> hub_ = std::make_shared<WatchHub>(loop_);
  Pending pending_;
  kube::Revision revision_ = 0;
  kube::Revision durable_revision_ = 0;
  kube::Revision handed_over_ = 0;
  Batch batch_;
  bool handing_over_ = false;
  std::deque<Waiting> waiting_;
  std::optional<Error> failure_;
  bool closed_ = false;
  async::Hold hold_;
  /// What the last commits said, for `close`, whose loop does not run any more.
  std::mutex reports_mutex_;
  std::vector<std::pair<kube::Revision, Result<>>> reports_;
  /// Calls that come after the end find this gone.
  std::shared_ptr<Impl*> alive_ = std::make_shared<Impl*>(this);
  /// Shared with nobody unless a simulation handed it in.
  std::shared_ptr<Disk> disk_;
};

}  // namespace tiphys::store

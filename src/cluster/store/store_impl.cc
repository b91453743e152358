#include "cluster/store/store_impl.h"

#include "cluster/store/sqlite_disk.h"
#include "kube/names.h"
#include "kube/time.h"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace tiphys::store {
namespace {

std::unexpected<Error> conflict(const kube::ObjectKey& key, const std::string& why) {
  return fail(ErrorCode::conflict,
              "operation cannot be fulfilled on " + kube::describe(key) + ": " + why);
}

std::unexpected<Error> no_owner(std::string_view uid) {
  return fail(ErrorCode::not_found, "no object with uid " + std::string(uid));
}

/// What the API server decides about an object, written into its document.
void stamp(doc::Value& document, const kube::ObjectHeader& header) {
  doc::Object& metadata = document.as_object()["metadata"].as_object();
  metadata["name"] = header.key.name;
  metadata["uid"] = header.uid;
  metadata["resourceVersion"] = std::to_string(header.resource_version);
  metadata["creationTimestamp"] = kube::format_time(header.creation_time);
}

Result<kube::Labels> storable_labels(const kube::ObjectKey& key, const doc::Value& document) {
  TRY(kube::Labels labels, kube::labels_of(document));
  for (const kube::Label& label : labels) {
    if (label.key.contains('\0') || label.value.contains('\0')) {
      return fail(ErrorCode::invalid, kube::describe(key) + ": metadata.labels: zero byte");
    }
  }
  return labels;
}

}  // namespace

Result<> Store::Impl::open_disk() {
  if (options_.disk != nullptr) {
    disk_ = options_.disk;
    return {};
  }
  const bool writes = options_.mode == Mode::read_write;
  if (writes) {
    TRY(directory_, StateDirectory::lock(options_.directory));
  }
  TRY(disk_, SqliteDisk::open(options_.directory, writes ? Access::create : Access::read_only,
                              options_.before_commit));
  return {};
}

Result<> Store::Impl::open() {
  TRY_VOID(open_disk());
  const auto load = [&]() -> Result<> {
    TRY(revision_, disk_->revision());
    TRY(auto objects, disk_->load());
    for (LoadedObject& loaded : objects) {
      image_.add(std::move(loaded.object), loaded.id);
    }
    if (options_.mode == Mode::read_only) {
      return {};
    }
    return disk_->begin_writing(
        [this, alive = std::weak_ptr(alive_)](kube::Revision revision, Result<> outcome) {
          {
            const std::lock_guard lock(reports_mutex_);
            reports_.emplace_back(revision, std::move(outcome));
          }
          loop_.post([alive] {
            if (const auto store = alive.lock()) {
              (*store)->take_reports();
            }
          });
        });
  };
  if (auto loaded = load(); !loaded) {
    return std::unexpected(std::move(loaded).error().with_context(
        "store " + (options_.directory / "store.db").string()));
  }
  durable_revision_ = handed_over_ = revision_;
  return {};
}

void Store::Impl::take_reports() {
  std::unique_lock lock(reports_mutex_);
  const auto reports = std::exchange(reports_, {});
  lock.unlock();
  for (const auto& [revision, outcome] : reports) {
    settle(revision, outcome);
  }
}

Result<> Store::Impl::close() {
  if (!closed_) {
    closed_ = true;
    hand_over();
    if (disk_ != nullptr && options_.mode == Mode::read_write) {
      disk_->finish();
    }
    take_reports();
    directory_ = {};
  }
  if (failure_) {
    return std::unexpected(*failure_);
  }
  return {};
}

Result<> Store::Impl::writable() const {
  if (failure_) {
    return fail(ErrorCode::unavailable,
                "the store can only be read since a write failed: " + failure_->message);
  }
  if (options_.mode == Mode::read_only || closed_) {
    return fail(ErrorCode::forbidden, "the store is open for reading only");
  }
  return {};
}

Batch& Store::Impl::batch() {
  if (!handing_over_) {
    handing_over_ = true;
    loop_.at_end_of_turn([alive = std::weak_ptr(alive_)] {
      if (const auto self = alive.lock()) {
        (*self)->hand_over();
      }
    });
  }
  batch_.revision = ++revision_;
  return batch_;
}

void Store::Impl::hand_over() {
  handing_over_ = false;
  if (batch_.empty() || failure_) {
    return;
  }
  if (handed_over_ == durable_revision_ && disk_->works_outside_the_loop()) {
    hold_ = loop_.hold();
  }
  handed_over_ = batch_.revision;
  disk_->enqueue(std::exchange(batch_, {}));
}

std::vector<Store::Impl::Waiting> Store::Impl::take_settled(kube::Revision revision, bool all) {
  std::vector<Waiting> settled;
  while (!waiting_.empty() && (all || waiting_.front().revision <= revision)) {
    settled.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return settled;
}

void Store::Impl::settle(kube::Revision revision, const Result<>& outcome) {
  if (outcome) {
    durable_revision_ = revision;
    pending_.forget(revision);
  } else {
    failure_ = outcome.error();
  }
  if (!outcome || durable_revision_ == handed_over_) {
    hold_ = {};
  }
  // Each in a call of its own: what is called may end the store.
  for (Waiting& waiting : take_settled(revision, !outcome)) {
    loop_.post([function = std::move(waiting.function), outcome]() mutable { function(outcome); });
  }
}

void Store::Impl::when_durable(kube::Revision revision, DurableFunction function) {
  if (revision <= durable_revision_) {
    loop_.post([function = std::move(function)]() mutable { function({}); });
  } else if (failure_) {
    loop_.post([function = std::move(function), error = *failure_]() mutable {
      function(std::unexpected(std::move(error)));
    });
  } else {
    // Nearly always the last; a caller may also ask for an earlier revision.
    auto place = waiting_.end();
    while (place != waiting_.begin() && std::prev(place)->revision > revision) {
      --place;
    }
    waiting_.insert(place, {revision, std::move(function)});
  }
}

void Store::Impl::flush(DurableFunction function) {
  if (auto able = writable(); !able) {
    answer(std::move(able), std::move(function));
    return;
  }
  batch().survive_power_loss = true;
  when_durable(revision_, std::move(function));
}

void Store::Impl::answer(Result<kube::ObjectRef> outcome, kube::Done done) {
  if (!done) {
    return;
  }
  if (!outcome) {
    loop_.post([done = std::move(done), outcome = std::move(outcome)]() mutable {
      done(std::move(outcome));
    });
    return;
  }
  when_durable(revision_,
               [done = std::move(done), object = *std::move(outcome)](Result<> durable) mutable {
                 if (durable) {
                   done(std::move(object));
                 } else {
                   done(std::unexpected(std::move(durable).error()));
                 }
               });
}

void Store::Impl::answer(Result<> outcome, kube::RowsDone done) {
  if (!done) {
    return;
  }
  if (outcome) {
    when_durable(revision_, std::move(done));
    return;
  }
  loop_.post([done = std::move(done), outcome = std::move(outcome)]() mutable {
    done(std::move(outcome));
  });
}

Result<kube::ObjectRef> Store::Impl::create(doc::Value document) {
  TRY_VOID(writable());
  kube::ObjectHeader header;
  TRY(header.key, kube::key_of(document));
  TRY(header.labels, storable_labels(header.key, document));
  if (header.key.name.empty()) {
    const doc::Value* metadata = doc::find(document, "metadata");
    const std::string_view base = doc::find_string(*metadata, "generateName");
    do {
      header.key.name = kube::generate_name(random_, base);
    } while (image_.find(header.key) != nullptr);
  } else if (image_.find(header.key) != nullptr) {
    return fail(ErrorCode::already_exists, kube::describe(header.key) + " already exists");
  }
  header.uid = kube::new_uid(random_);
  header.creation_time = std::chrono::floor<std::chrono::seconds>(loop_.now());
  Batch& batch = this->batch();
  header.resource_version = revision_;
  stamp(document, header);
  auto object = kube::Object::from_document(std::move(header), std::move(document));
  const Image::Entry& entry = image_.add(object);
  batch.objects.push_back({entry.id, object, true});
  hub_->publish({kube::EventType::added, object, nullptr});
  return object;
}

Result<> Store::Impl::check_precondition(const kube::Object& stored, const doc::Value& document) {
  const doc::Value& metadata = *doc::find(document, "metadata");
  const std::string_view version = doc::find_string(metadata, "resourceVersion");
  if (!version.empty() && version != std::to_string(stored.resource_version())) {
    return conflict(stored.key(),
                    "the object has been modified; please apply your changes to the latest "
                    "version and try again");
  }
  const std::string_view uid = doc::find_string(metadata, "uid");
  if (!uid.empty() && uid != stored.uid()) {
    return conflict(stored.key(), "precondition failed: uid in precondition: " + std::string(uid) +
                                      ", uid in object meta: " + stored.uid());
  }
  return {};
}

Result<kube::ObjectRef> Store::Impl::update(doc::Value document) {
  TRY_VOID(writable());
  kube::ObjectHeader header;
  TRY(header.key, kube::key_of(document));
  TRY(header.labels, storable_labels(header.key, document));
  Image::Entry* entry = image_.find(header.key);
  if (entry == nullptr) {
    return fail(ErrorCode::not_found, kube::describe(header.key) + " not found");
  }
  kube::ObjectRef previous = entry->object;
  TRY_VOID(check_precondition(*previous, document));
  header.uid = previous->uid();
  header.creation_time = previous->creation_time();
  Batch& batch = this->batch();
  header.resource_version = revision_;
  stamp(document, header);
  auto object = kube::Object::from_document(std::move(header), std::move(document));
  entry->object = object;
  batch.objects.push_back({entry->id, object, false});
  hub_->publish({kube::EventType::modified, object, std::move(previous)});
  return object;
}

Result<kube::ObjectRef> Store::Impl::remove(const kube::ObjectKey& key) {
  TRY_VOID(writable());
  const Image::Entry* entry = image_.find(key);
  if (entry == nullptr) {
    return fail(ErrorCode::not_found, kube::describe(key) + " not found");
  }
  auto object = entry->object;
  batch().objects.push_back({entry->id, nullptr, false});
  // The key may be the object's own: the reference above keeps it.
  image_.remove(key);
  hub_->publish({kube::EventType::deleted, object, object});
  return object;
}

Result<> Store::Impl::put_rows(std::string_view owner, std::vector<kube::Row> rows) {
  TRY_VOID(writable());
  const Image::Entry* entry = image_.find_uid(owner);
  if (entry == nullptr) {
    return no_owner(owner);
  }
  Batch& batch = this->batch();
  for (kube::Row& row : rows) {
    Bytes bytes =
        row.bytes.empty() ? nullptr : std::make_shared<const std::string>(std::move(row.bytes));
    pending_.put_row(entry->id, row.index, bytes, revision_);
    batch.rows.push_back({entry->id, row.index, std::move(bytes)});
  }
  return {};
}

Result<> Store::Impl::each_row(std::string_view owner, const RowFunction& function) {
  const Image::Entry* entry = image_.find_uid(owner);
  if (entry == nullptr) {
    return no_owner(owner);
  }
  static const Pending::Rows kNone;
  const Pending::Rows* newer = pending_.rows(entry->id);
  auto next = newer == nullptr ? kNone.begin() : newer->begin();
  const auto end = newer == nullptr ? kNone.end() : newer->end();
  const auto take_newer = [&] {
    if (next->second.bytes != nullptr) {
      function(next->first, *next->second.bytes);
    }
    ++next;
  };
  TRY_VOID(disk_->each_row(entry->id, [&](std::uint64_t index, std::string_view bytes) {
    while (next != end && next->first < index) {
      take_newer();
    }
    if (next != end && next->first == index) {
      take_newer();
    } else {
      function(index, bytes);
    }
  }));
  while (next != end) {
    take_newer();
  }
  return {};
}

Result<std::optional<std::uint64_t>> Store::Impl::last_row(std::string_view owner) {
  const Image::Entry* entry = image_.find_uid(owner);
  if (entry == nullptr) {
    return no_owner(owner);
  }
  TRY(auto last, disk_->last_row(entry->id));
  const Pending::Rows* newer = pending_.rows(entry->id);
  for (auto it = newer == nullptr ? Pending::Rows::const_reverse_iterator() : newer->rbegin();
       newer != nullptr && it != newer->rend(); ++it) {
    if (it->second.bytes != nullptr) {
      last = std::max(last.value_or(0), it->first);
      break;
    }
  }
  return last;
}

Result<kube::Row> Store::Impl::row(std::string_view owner, std::uint64_t index) {
  const Image::Entry* entry = image_.find_uid(owner);
  if (entry == nullptr) {
    return no_owner(owner);
  }
  std::optional<std::string> bytes;
  if (const Pending::Value* newer = pending_.row(entry->id, index); newer != nullptr) {
    if (newer->bytes != nullptr) {
      bytes = *newer->bytes;
    }
  } else {
    TRY(bytes, disk_->row(entry->id, index));
  }
  if (!bytes) {
    return fail(ErrorCode::not_found,
                kube::describe(entry->object->key()) + " has no row " + std::to_string(index));
  }
  return kube::Row{index, *std::move(bytes)};
}

void Store::Impl::write_reuse(ReuseWrite write) {
  if (!writable()) {
    return;
  }
  Batch& batch = this->batch();
  if (write.kind == ReuseWrite::Kind::put || write.kind == ReuseWrite::Kind::remove) {
    pending_.put_reuse(write.key, write.record, revision_);
  }
  batch.reuse.push_back(std::move(write));
}

Result<std::optional<std::string>> Store::Impl::find_reuse(std::string_view key) {
  if (const Pending::Value* newer = pending_.reuse(key); newer != nullptr) {
    return newer->bytes == nullptr ? std::nullopt : std::optional(*newer->bytes);
  }
  return disk_->reuse(key);
}

}  // namespace tiphys::store

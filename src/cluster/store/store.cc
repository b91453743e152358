#include "cluster/store/store.h"

#include "cluster/store/store_impl.h"

#include <utility>

namespace tiphys::store {

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() { static_cast<void>(close()); }

Result<std::unique_ptr<Store>> Store::open(async::Loop& loop, async::Random& random,
                                           Options options) {
  auto impl = std::make_unique<Impl>(loop, random, std::move(options));
  TRY_VOID(impl->open());
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

void Store::create(doc::Value object, kube::Done done) {
  impl_->answer(impl_->create(std::move(object)), std::move(done));
}

void Store::update(doc::Value object, kube::Done done) {
  impl_->answer(impl_->update(std::move(object)), std::move(done));
}

void Store::remove(const kube::ObjectKey& key, kube::Done done) {
  impl_->answer(impl_->remove(key), std::move(done));
}

kube::ObjectRef Store::get(const kube::ObjectKey& key) const {
  const Image::Entry* entry = impl_->image().find(key);
  return entry == nullptr ? nullptr : entry->object;
}

std::vector<kube::ObjectRef> Store::list(std::string_view kind, std::string_view namespace_,
                                         const kube::LabelSelector& selector) const {
  return impl_->image().list(kind, namespace_, selector);
}

std::unique_ptr<kube::Subscription> Store::watch(std::string_view kind,
                                                 kube::EventHandler handler) {
  return impl_->hub().watch(kind, std::move(handler));
}

void Store::put_rows(std::string_view owner, std::vector<kube::Row> rows, kube::RowsDone done) {
  impl_->answer(impl_->put_rows(owner, std::move(rows)), std::move(done));
}

Result<std::vector<kube::Row>> Store::rows(std::string_view owner) const {
  std::vector<kube::Row> out;
  TRY_VOID(impl_->each_row(owner, [&](std::uint64_t index, std::string_view bytes) {
    out.push_back({index, std::string(bytes)});
  }));
  return out;
}

Result<> Store::each_row(std::string_view owner, const RowFunction& function) const {
  return impl_->each_row(owner, function);
}

Result<kube::Row> Store::row(std::string_view owner, std::uint64_t index) const {
  return impl_->row(owner, index);
}

Result<std::optional<std::uint64_t>> Store::last_row(std::string_view owner) const {
  return impl_->last_row(owner);
}

kube::ObjectRef Store::find_uid(std::string_view uid) const {
  const Image::Entry* entry = impl_->image().find_uid(uid);
  return entry == nullptr ? nullptr : entry->object;
}

void Store::put_reuse(std::string key, std::string record) {
  const std::int64_t now = impl_->now();
  impl_->write_reuse({ReuseWrite::Kind::put, std::move(key),
                      std::make_shared<const std::string>(std::move(record)), now});
}

void Store::touch_reuse(std::string key) {
  impl_->write_reuse({ReuseWrite::Kind::touch, std::move(key), nullptr, impl_->now()});
}

void Store::remove_reuse(std::string key) {
  impl_->write_reuse({ReuseWrite::Kind::remove, std::move(key), nullptr, 0});
}

void Store::prune_reuse(async::TimePoint moment) {
  impl_->write_reuse({ReuseWrite::Kind::prune, {}, nullptr, moment.time_since_epoch().count()});
}

Result<std::optional<std::string>> Store::find_reuse(std::string_view key) const {
  return impl_->find_reuse(key);
}

kube::Revision Store::revision() const { return impl_->revision(); }

kube::Revision Store::durable_revision() const { return impl_->durable_revision(); }

void Store::when_durable(kube::Revision revision, DurableFunction function) {
  impl_->when_durable(revision, std::move(function));
}

void Store::flush(DurableFunction function) { impl_->flush(std::move(function)); }

std::optional<Error> Store::failure() const { return impl_->failure(); }

Result<> Store::close() { return impl_->close(); }

}  // namespace tiphys::store

#include "artifacts/stores.h"

#include "artifacts/files.h"
#include "artifacts/location.h"
#include "artifacts/raw_source.h"

#include <fmt/format.h>

#include <atomic>
#include <fcntl.h>
#include <unistd.h>

namespace tiphys::artifacts {

Stores::Stores(std::shared_ptr<Store> main) : main_(std::move(main)) {
  stores_.emplace("s3", main_);
  stores_.emplace("raw", std::make_shared<RawSource>());
}

void Stores::add(std::string type, std::shared_ptr<Store> store) {
  stores_.insert_or_assign(std::move(type), std::move(store));
}

Result<Store*> Stores::find(const doc::Value& location) const {
  const std::string_view type = type_of(location);
  if (type.empty()) {
    return fail(ErrorCode::bad_request,
                fmt::format("the artifact location {} names no store", doc::to_json(location)));
  }
  const auto found = stores_.find(type);
  if (found == stores_.end()) {
    return std::unexpected(
        Error{ErrorCode::bad_request,
              fmt::format("this program has no artifact store of type {0} (field {0})", type),
              {FieldError{std::string(type), "not supported here", {}}}});
  }
  return found->second.get();
}

Result<> Stores::load(const doc::Value& location, const std::filesystem::path& destination,
                      Sharing sharing) {
  TRY(Store* const store, find(location));
  return store->load(location, destination, sharing);
}

Result<Stored> Stores::save(const doc::Value& location, const std::filesystem::path& source,
                            Source mode) {
  TRY(Store* const store, find(location));
  return store->save(location, source, mode);
}

Result<Stored> Stores::stat(const doc::Value& location) {
  TRY(Store* const store, find(location));
  return store->stat(location);
}

Result<> Stores::link(const doc::Value& from, const doc::Value& to) {
  TRY(Store* const source, find(from));
  TRY(Store* const target, find(to));
  if (source == target) {
    return source->link(from, to);
  }
  static std::atomic<std::uint64_t> counter{0};
  const std::filesystem::path copy = scratch() / fmt::format("link-{}-{}", ::getpid(), ++counter);
  auto moved = source->load(from, copy, Sharing::own_copy);
  if (moved) {
    auto saved = target->save(to, copy, Source::may_move);
    if (!saved) {
      moved = std::unexpected(std::move(saved).error());
    }
  }
  static_cast<void>(remove_all_at(AT_FDCWD, copy.string()));
  return moved;
}

Result<> Stores::remove(const doc::Value& location) {
  TRY(Store* const store, find(location));
  return store->remove(location);
}

std::filesystem::path Stores::scratch() const { return main_->scratch(); }

}  // namespace tiphys::artifacts

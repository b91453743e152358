#include "artifacts/local_store.h"

#include "artifacts/digest.h"
#include "artifacts/files.h"
#include "artifacts/location.h"
#include "artifacts/tree.h"

#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <linux/openat2.h>
#include <mutex>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tiphys::artifacts {
namespace {

/// S3's words for a missing object, which upstream passes on.
constexpr std::string_view kNoSuchKey = "The specified key does not exist.";

/// The place of an object: the folder of its repository, below the root, and its path in there.
struct Place {
  std::string repository;
  std::string key;
};

std::unexpected<Error> not_found(const Place& place) {
  return std::unexpected(Error{
      ErrorCode::not_found,
      std::string(kNoSuchKey),
      {FieldError{"s3.key", fmt::format("no object {} in {}", place.key, place.repository), {}}}});
}

Result<Place> place_of(const doc::Value& location) {
  const std::string_view type = type_of(location);
  const doc::Value* body = type.empty() ? nullptr : doc::find(location, type);
  if (type != "s3" || body == nullptr) {
    return fail(ErrorCode::bad_request,
                fmt::format("the local artifact store serves s3 locations, not {}",
                            type.empty() ? "one without a type" : type));
  }
  TRY(std::string key, clean_key(doc::find_string(*body, "key")));
  const std::string_view bucket = doc::find_string(*body, "bucket");
  if (bucket.empty()) {
    return Place{"objects", std::move(key)};
  }
  TRY(const std::string folder, clean_bucket(bucket));
  return Place{"buckets/" + folder, std::move(key)};
}

/// Opens a path below `folder` for reading; links on the way may be followed but never lead out.
Fd open_beneath(int folder, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return Fd(static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how)));
}

bool is_missing(int reason) { return reason == ENOENT || reason == ENOTDIR; }

bool is_folder(int folder, const std::string& name) {
  struct stat status{};
  return ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(status.st_mode);
}

struct Parent {
  Fd folder;
  std::string name;
};

}  // namespace

struct LocalStore::Impl {
  std::filesystem::path root;
  Fd root_folder;
  Fd scratch_folder;
  FileDigests digests;
  std::atomic<std::uint64_t> counter{0};
  std::mutex placing;

  std::string next_name() { return fmt::format("s{}-{}", ::getpid(), ++counter); }

  /// The object: a file or a folder, open for reading.
  Result<Fd> open(const Place& place) const;
  Result<Stored> describe(int object);
  /// Takes `source` into scratch under `name`, by renaming where that is allowed and possible.
  Result<> take(const std::filesystem::path& source, Source mode, const std::string& name);
  /// The folder that is to hold the object, made if missing. Folders on the way forget their
  /// digests.
  Result<Parent> prepare(const Place& place);
  /// Opens a part of a key's path, making way for it where a file of that name stands.
  Result<Fd> enter(int folder, const std::string& part);
  /// Moves scratch/`name` to its place.
  Result<> put(const Place& place, const std::string& name);
  Result<> put_folder(const Parent& parent, const std::string& name);
  void forget_folders(const Place& place);
  void prune(const Place& place);
};

Result<Fd> LocalStore::Impl::open(const Place& place) const {
  const Fd repository(::openat(root_folder.get(), place.repository.c_str(),
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!repository && is_missing(errno)) {
    return not_found(place);
  }
  Fd object = open_beneath(repository.get(), place.key);
  if (!object) {
    return is_missing(errno) ? Result<Fd>(not_found(place)) : fail_errno(place.key, errno);
  }
  Fd self(::openat(object.get(), kSelfName.data(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return self ? std::move(self) : std::move(object);
}

Result<Stored> LocalStore::Impl::describe(int object) {
  struct stat status{};
  if (::fstat(object, &status) != 0) {
    return fail_errno("stat", errno);
  }
  if (S_ISDIR(status.st_mode)) {
    if (std::optional<Stored> record = read_folder_record(object)) {
      return *record;
    }
    return describe_folder(object, digests);
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::optional<RawDigest> digest = read_record(object, size, nanoseconds_of(status.st_mtim));
  if (!digest) {
    TRY(digest, digests.digest_of(object, status));
  }
  return Stored{to_hex(*digest), size, false};
}

Result<> LocalStore::Impl::take(const std::filesystem::path& source, Source mode,
                                const std::string& name) {
  if (mode == Source::may_move &&
      ::renameat(AT_FDCWD, source.c_str(), scratch_folder.get(), name.c_str()) == 0) {
    return {};
  }
  const Fd opened(::open(source.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0) {
    return is_missing(errno) ? fail(ErrorCode::not_found, source.string() + ": no such file")
                             : fail_errno(source.string(), errno);
  }
  if (S_ISDIR(status.st_mode)) {
    return copy_tree(opened.get(), scratch_folder.get(), name, Sharing::own_copy);
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::invalid, source.string() + ": not a file or a folder");
  }
  return copy_file(opened.get(), scratch_folder.get(), name, status.st_mode & 0777U);
}

Result<Fd> LocalStore::Impl::enter(int folder, const std::string& part) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  Fd next(::openat(folder, part.c_str(), kFlags));
  if (!next && errno == ENOENT) {
    if (::mkdirat(folder, part.c_str(), 0755) != 0 && errno != EEXIST) {
      return fail_errno("make folder " + part, errno);
    }
    next = Fd(::openat(folder, part.c_str(), kFlags));
  }
  if (next) {
    return next;
  }
  struct stat status{};
  if (::fstatat(folder, part.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISREG(status.st_mode)) {
    return fail(ErrorCode::invalid, fmt::format("{} is not a folder of the store", part));
  }
  // A file of that name: in one exchange it becomes a folder which holds the file.
  const std::string made = next_name();
  if (::mkdirat(scratch_folder.get(), made.c_str(), 0755) != 0) {
    return fail_errno("make folder", errno);
  }
  next = Fd(::openat(scratch_folder.get(), made.c_str(), kFlags));
  if (!next || ::linkat(folder, part.c_str(), next.get(), kSelfName.data(), 0) != 0 ||
      ::renameat2(scratch_folder.get(), made.c_str(), folder, part.c_str(), RENAME_EXCHANGE) != 0) {
    const int reason = errno;
    static_cast<void>(remove_all_at(scratch_folder.get(), made));
    return fail_errno(fmt::format("make {} a folder", part), reason);
  }
  TRY_VOID(remove_all_at(scratch_folder.get(), made));
  return next;
}

Result<Parent> LocalStore::Impl::prepare(const Place& place) {
  TRY(Fd folder, open_folder_below(root_folder.get(), place.repository, true));
  std::string_view rest = place.key;
  while (true) {
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) {
      return Parent{std::move(folder), std::string(rest)};
    }
    TRY(Fd next, enter(folder.get(), std::string(rest.substr(0, slash))));
    folder = std::move(next);
    drop_record(folder.get());
    rest.remove_prefix(slash + 1);
  }
}

Result<> LocalStore::Impl::put_folder(const Parent& parent, const std::string& name) {
  if (::renameat2(scratch_folder.get(), name.c_str(), parent.folder.get(), parent.name.c_str(),
                  RENAME_NOREPLACE) == 0) {
    return {};
  }
  if (errno != EEXIST || ::renameat2(scratch_folder.get(), name.c_str(), parent.folder.get(),
                                     parent.name.c_str(), RENAME_EXCHANGE) != 0) {
    return fail_errno("store " + parent.name, errno);
  }
  return remove_all_at(scratch_folder.get(), name);
}

Result<> LocalStore::Impl::put(const Place& place, const std::string& name) {
  const std::lock_guard lock(placing);
  TRY(Parent parent, prepare(place));
  if (is_folder(scratch_folder.get(), name)) {
    return put_folder(parent, name);
  }
  if (is_folder(parent.folder.get(), parent.name)) {
    const Fd folder(::openat(parent.folder.get(), parent.name.c_str(),
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder && !read_folder_record(folder.get())) {
      // Other objects stand below this key: the file goes among them.
      return ::renameat(scratch_folder.get(), name.c_str(), folder.get(), kSelfName.data()) == 0
                 ? Result<>{}
                 : fail_errno("store " + place.key, errno);
    }
    return put_folder(parent, name);
  }
  if (::renameat(scratch_folder.get(), name.c_str(), parent.folder.get(), parent.name.c_str()) !=
      0) {
    return fail_errno("store " + place.key, errno);
  }
  return {};
}

void LocalStore::Impl::forget_folders(const Place& place) {
  std::size_t slash = place.key.find('/');
  for (; slash != std::string::npos; slash = place.key.find('/', slash + 1)) {
    auto folder = open_folder_below(root_folder.get(),
                                    place.repository + "/" + place.key.substr(0, slash), false);
    if (!folder) {
      return;
    }
    drop_record(folder->get());
  }
}

void LocalStore::Impl::prune(const Place& place) {
  std::string key = place.key;
  while (true) {
    const std::size_t slash = key.rfind('/');
    if (slash == std::string::npos) {
      return;
    }
    key.resize(slash);
    const std::string path = place.repository + "/" + key;
    if (::unlinkat(root_folder.get(), path.c_str(), AT_REMOVEDIR) != 0) {
      return;
    }
  }
}

LocalStore::LocalStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LocalStore::~LocalStore() = default;

Result<std::unique_ptr<LocalStore>> LocalStore::open(const std::filesystem::path& root) {
  std::error_code failure;
  std::filesystem::create_directories(root, failure);
  auto impl = std::make_unique<Impl>();
  impl->root = root;
  impl->root_folder = Fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!impl->root_folder) {
    return fail_errno("open the artifact store " + root.string(), errno);
  }
  TRY_VOID(remove_all_at(impl->root_folder.get(), "scratch"));
  for (const char* name : {"objects", "buckets", "scratch"}) {
    if (::mkdirat(impl->root_folder.get(), name, 0755) != 0 && errno != EEXIST) {
      return fail_errno(fmt::format("make {}/{}", root.string(), name), errno);
    }
  }
  TRY(impl->scratch_folder, open_folder_below(impl->root_folder.get(), "scratch", false));
  return std::unique_ptr<LocalStore>(new LocalStore(std::move(impl)));
}

Result<std::unique_ptr<LocalStore>> LocalStore::open_to_read(const std::filesystem::path& root) {
  auto impl = std::make_unique<Impl>();
  impl->root = root;
  impl->root_folder = Fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!impl->root_folder) {
    return is_missing(errno)
               ? fail(ErrorCode::not_found, "there are no artifacts in " + root.string())
               : fail_errno("open the artifact store " + root.string(), errno);
  }
  return std::unique_ptr<LocalStore>(new LocalStore(std::move(impl)));
}

std::filesystem::path LocalStore::scratch() const { return impl_->root / "scratch"; }

Result<std::filesystem::path> LocalStore::path_of(const doc::Value& location) const {
  TRY(const Place place, place_of(location));
  TRY(const Fd object, impl_->open(place));
  std::error_code failure;
  auto path = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", object.get()), failure);
  if (failure) {
    return fail(ErrorCode::io, "find the path of " + place.key + ": " + failure.message());
  }
  return path;
}

Result<> LocalStore::load(const doc::Value& location, const std::filesystem::path& destination,
                          Sharing sharing) {
  TRY(const Place place, place_of(location));
  TRY(const Fd object, impl_->open(place));
  std::error_code failure;
  std::filesystem::create_directories(destination.parent_path(), failure);
  const Fd folder(::open(destination.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status{};
  if (!folder || ::fstat(object.get(), &status) != 0) {
    return fail_errno(destination.parent_path().string(), errno);
  }
  const std::string name = destination.filename().string();
  auto loaded = S_ISDIR(status.st_mode) ? copy_tree(object.get(), folder.get(), name, sharing)
                : sharing == Sharing::allowed
                    ? link_or_copy(object.get(), folder.get(), name)
                    : copy_file(object.get(), folder.get(), name, (status.st_mode & 0777U) | 0200U);
  if (!loaded) {
    return std::unexpected(std::move(loaded).error().with_context("load " + place.key));
  }
  return {};
}

Result<Stored> LocalStore::save(const doc::Value& location, const std::filesystem::path& source,
                                Source mode) {
  TRY(const Place place, place_of(location));
  const std::string name = impl_->next_name();
  const auto store = [&]() -> Result<Stored> {
    TRY_VOID(impl_->take(source, mode, name));
    TRY(Stored stored, seal(impl_->scratch_folder.get(), name));
    TRY_VOID(impl_->put(place, name));
    return stored;
  };
  auto stored = store();
  if (!stored) {
    static_cast<void>(remove_all_at(impl_->scratch_folder.get(), name));
    return std::unexpected(std::move(stored).error().with_context("store " + place.key));
  }
  if (mode == Source::may_move) {
    // Still there when it could only be copied; that it stays is no failure of storing.
    static_cast<void>(remove_all_at(AT_FDCWD, source.string()));
  }
  return stored;
}

Result<Stored> LocalStore::stat(const doc::Value& location) {
  TRY(const Place place, place_of(location));
  TRY(const Fd object, impl_->open(place));
  return impl_->describe(object.get());
}

Result<> LocalStore::link(const doc::Value& from, const doc::Value& to) {
  TRY(const Place source, place_of(from));
  TRY(const Place target, place_of(to));
  TRY(const Fd object, impl_->open(source));
  struct stat status{};
  if (::fstat(object.get(), &status) != 0) {
    return fail_errno(source.key, errno);
  }
  const std::string name = impl_->next_name();
  const int scratch = impl_->scratch_folder.get();
  const auto store = [&]() -> Result<> {
    if (!S_ISDIR(status.st_mode)) {
      TRY_VOID(link_or_copy(object.get(), scratch, name));
      return impl_->put(target, name);
    }
    TRY_VOID(copy_tree(object.get(), scratch, name, Sharing::allowed));
    TRY(const Stored stored, impl_->describe(object.get()));
    TRY(const Fd folder, open_folder_below(scratch, name, false));
    write_folder_record(folder.get(), stored);
    return impl_->put(target, name);
  };
  auto stored = store();
  if (!stored) {
    static_cast<void>(remove_all_at(scratch, name));
    return std::unexpected(std::move(stored).error().with_context("store " + target.key));
  }
  return {};
}

Result<> LocalStore::remove(const doc::Value& location) {
  TRY(const Place place, place_of(location));
  const std::lock_guard lock(impl_->placing);
  TRY(const Fd object, impl_->open(place));
  const std::size_t slash = place.key.rfind('/');
  const std::string parent = slash == std::string::npos ? "" : "/" + place.key.substr(0, slash);
  const std::string name = slash == std::string::npos ? place.key : place.key.substr(slash + 1);
  TRY(const Fd folder,
      open_folder_below(impl_->root_folder.get(), place.repository + parent, false));
  impl_->forget_folders(place);
  const Fd self(::openat(folder.get(), (name + "/" + std::string(kSelfName)).c_str(),
                         O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (self) {
    const std::string path = name + "/" + std::string(kSelfName);
    if (::unlinkat(folder.get(), path.c_str(), 0) != 0) {
      return fail_errno("remove " + place.key, errno);
    }
    static_cast<void>(::unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR));
  } else {
    TRY_VOID(remove_all_at(folder.get(), name));
  }
  impl_->prune(place);
  return {};
}

Result<> LocalStore::sync() {
  return ::syncfs(impl_->root_folder.get()) == 0 ? Result<>{}
                                                 : fail_errno("sync the artifact store", errno);
}

}  // namespace tiphys::artifacts

#include "artifacts/files.h"
#include "executor/archive.h"
#include "executor/gzip.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <locale.h>
#include <memory>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace tiphys::executor {
namespace {

using artifacts::Fd;
using artifacts::kMaximumFolderDepth;

struct ReaderCloser {
  void operator()(struct archive* reader) const { archive_read_free(reader); }
};

using Reader = std::unique_ptr<struct archive, ReaderCloser>;

/// While it lives, this thread's character set is UTF-8: libarchive gives no name at all for an
/// entry that is stored as UTF-8 if it cannot spell it in the thread's, and a program that never
/// called setlocale has only ASCII.
class Utf8Names final {
 public:
  Utf8Names() {
    static const locale_t kUtf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    before_ = kUtf8 != nullptr ? ::uselocale(kUtf8) : nullptr;
  }

  ~Utf8Names() {
    if (before_ != nullptr) {
      ::uselocale(before_);
    }
  }

  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  locale_t before_ = nullptr;
};

struct Input {
  std::unique_ptr<GzipReader> gzip;
  std::optional<Error> error;
};

la_ssize_t read_input(struct archive* reader, void* context, const void** data) {
  auto* input = static_cast<Input*>(context);
  auto bytes = input->gzip->read();
  if (!bytes) {
    archive_set_error(reader, EINVAL, "%s", bytes.error().message.c_str());
    input->error = std::move(bytes).error();
    return -1;
  }
  *data = bytes->data();
  return static_cast<la_ssize_t>(bytes->size());
}

/// A reader of the tar within a gzip file. Decompression is ours rather than libarchive's, which
/// would look for further layers of compression inside.
Result<Reader> open_tar(Input& input) {
  Reader reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  archive_read_support_format_empty(reader.get());
  if (archive_read_open(reader.get(), &input, nullptr, read_input, nullptr) != ARCHIVE_OK) {
    return input.error ? std::unexpected(*input.error)
                       : fail(ErrorCode::invalid, "not a tar archive");
  }
  return reader;
}

Result<Reader> open_zip(const std::filesystem::path& file) {
  Reader reader(archive_read_new());
  archive_read_support_format_zip_seekable(reader.get());
  if (archive_read_open_filename(reader.get(), file.c_str(), 1 << 16) != ARCHIVE_OK) {
    return fail(ErrorCode::invalid, "not a zip archive");
  }
  return reader;
}

/// An entry's name as a path below the archive's folder, "." parts and slashes at its end left out;
/// empty for the folder itself.
Result<std::string> clean_name(std::string_view name) {
  const auto refuse = [name](std::string_view why) {
    return fail(ErrorCode::invalid, fmt::format("illegal file path: {}: {}", name, why));
  };
  if (name.starts_with('/')) {
    return refuse("is absolute");
  }
  std::string cleaned;
  int depth = 0;
  while (!name.empty()) {
    const std::size_t slash = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, slash);
    name.remove_prefix(std::min(slash + 1, name.size()));
    if (part.empty() || part == ".") {
      continue;
    }
    if (part == "..") {
      return refuse("has the part \"..\"");
    }
    if (part.size() > 255 || ++depth > kMaximumFolderDepth) {
      return refuse("is too long or too deep");
    }
    cleaned += cleaned.empty() ? "" : "/";
    cleaned += part;
  }
  return cleaned;
}

/// Puts the entries of an archive below a folder.
class Unpacker {
 public:
  Unpacker(struct archive* reader, int root, const UnpackLimits& limits)
      : reader_(reader), root_(root), limits_(limits) {}

  Result<> run() {
    struct archive_entry* entry = nullptr;
    while (true) {
      const int result = archive_read_next_header(reader_, &entry);
      if (result == ARCHIVE_EOF) {
        return finish_folders();
      }
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
        return failure();
      }
      if (++entries_ > limits_.entries) {
        return fail(ErrorCode::invalid,
                    fmt::format("archive has more than {} entries", limits_.entries));
      }
      // Where there is no UTF-8 locale, a name of a pax header is only to be had this way.
      const char* name = archive_entry_pathname(entry);
      name = name != nullptr ? name : archive_entry_pathname_utf8(entry);
      if (name == nullptr) {
        return fail(ErrorCode::invalid, "archive has an entry without a readable name");
      }
      TRY(const std::string path, clean_name(name));
      TRY_VOID(add(entry, path));
    }
  }

  const std::string& link_to_top() const { return link_to_top_; }

 private:
  struct Parent {
    Fd folder;
    std::string name;
  };

  std::unexpected<Error> failure() const {
    const char* text = archive_error_string(reader_);
    return fail(ErrorCode::invalid,
                fmt::format("damaged archive: {}", text != nullptr ? text : "cannot be read"));
  }

  /// The folder that holds `path`, made if missing and never reached through a link.
  Result<Parent> parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash);
    auto opened = artifacts::open_folder_below(root_, folder, true);
    if (!opened) {
      return fail(ErrorCode::invalid, fmt::format("illegal file path: {}: its folder: {}", path,
                                                  opened.error().message));
    }
    return Parent{*std::move(opened), path.substr(slash == std::string::npos ? 0 : slash + 1)};
  }

  Result<> add(struct archive_entry* entry, const std::string& path) {
    const auto type = archive_entry_filetype(entry);
    const char* hard_link = archive_entry_hardlink(entry);
    if (path.empty()) {
      return type == AE_IFDIR ? Result<>{}
                              : fail(ErrorCode::invalid, "archive has an entry without a name");
    }
    TRY(const Parent parent, parent_of(path));
    if (hard_link != nullptr) {
      return add_hard_link(parent, path, hard_link);
    }
    switch (type) {
      case AE_IFREG:
        return add_file(entry, parent, path);
      case AE_IFDIR:
        return add_folder(entry, parent, path);
      case AE_IFLNK:
        return add_link(entry, parent, path);
      default:
        return fail(ErrorCode::invalid,
                    fmt::format("illegal entry: {}: not a file, a folder or a link", path));
    }
  }

  /// A later entry replaces an earlier one of the same name, as tar means it; folders stay.
  Result<> make_way(const Parent& parent, const std::string& path) {
    if (::unlinkat(parent.folder.get(), parent.name.c_str(), 0) != 0 && errno != ENOENT) {
      return fail(ErrorCode::invalid,
                  fmt::format("illegal file path: {}: a folder of that name exists", path));
    }
    return {};
  }

  Result<> add_file(struct archive_entry* entry, const Parent& parent, const std::string& path) {
    TRY_VOID(make_way(parent, path));
    const Fd file(::openat(parent.folder.get(), parent.name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) {
      return fail_errno("create " + path, errno);
    }
    // The declared size counts before anything is written, holes included.
    const la_int64_t declared =
        archive_entry_size_is_set(entry) != 0 ? archive_entry_size(entry) : 0;
    TRY_VOID(check_size(declared, path));
    TRY(const la_int64_t written, write_data(file.get(), path));
    if (declared > written && ::ftruncate(file.get(), declared) != 0) {
      return fail_errno("write " + path, errno);
    }
    bytes_ += static_cast<std::uint64_t>(std::max(declared, written));
    return set_attributes(entry, file.get(), path);
  }

  Result<> check_size(la_int64_t size, const std::string& path) const {
    return size >= 0 && static_cast<std::uint64_t>(size) <= limits_.bytes - bytes_
               ? Result<>{}
               : fail(ErrorCode::invalid, fmt::format("{}: archive unpacks to more than {} bytes",
                                                      path, limits_.bytes));
  }

  /// Writes an entry's data; answers where it ended.
  Result<la_int64_t> write_data(int file, const std::string& path) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    la_int64_t end = 0;
    while (true) {
      const int result = archive_read_data_block(reader_, &data, &size, &offset);
      if (result == ARCHIVE_EOF) {
        return end;
      }
      if (result != ARCHIVE_OK) {
        return std::unexpected(failure().error().with_context(path));
      }
      la_int64_t block_end = 0;
      if (__builtin_add_overflow(offset, static_cast<la_int64_t>(size), &block_end)) {
        block_end = -1;
      }
      TRY_VOID(check_size(block_end, path));
      if (::lseek(file, offset, SEEK_SET) < 0) {
        return fail_errno("write " + path, errno);
      }
      TRY_VOID(artifacts::write_all(file, {static_cast<const char*>(data), size}));
      end = std::max(end, block_end);
    }
  }

  Result<> set_attributes(struct archive_entry* entry, int file, const std::string& path) {
    if (::fchmod(file, archive_entry_perm(entry) & 0777U) != 0) {
      return fail_errno("set mode of " + path, errno);
    }
    if (archive_entry_mtime_is_set(entry) != 0) {
      const std::array times{timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                             timespec{.tv_sec = archive_entry_mtime(entry),
                                      .tv_nsec = archive_entry_mtime_nsec(entry)}};
      // A time the file system cannot express is not worth a failure.
      static_cast<void>(::futimens(file, times.data()));
    }
    return {};
  }

  Result<> add_folder(struct archive_entry* entry, const Parent& parent, const std::string& path) {
    if (::mkdirat(parent.folder.get(), parent.name.c_str(), 0755) != 0 && errno != EEXIST) {
      return fail_errno("make folder " + path, errno);
    }
    const Fd folder(::openat(parent.folder.get(), parent.name.c_str(),
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) {
      return fail(ErrorCode::invalid,
                  fmt::format("illegal file path: {}: not a folder, but an earlier entry", path));
    }
    // Set at the end: a read-only folder could not be filled.
    folders_.emplace_back(path, archive_entry_perm(entry) & 0777U);
    return {};
  }

  Result<> finish_folders() {
    for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder) {
      auto opened = artifacts::open_folder_below(root_, folder->first, false);
      if (opened && ::fchmod(opened->get(), folder->second | 0700U) != 0) {
        return fail_errno("set mode of " + folder->first, errno);
      }
    }
    return {};
  }

  Result<> add_link(struct archive_entry* entry, const Parent& parent, const std::string& path) {
    const char* target = archive_entry_symlink(entry);
    target = target != nullptr ? target : archive_entry_symlink_utf8(entry);
    const auto depth = static_cast<int>(std::ranges::count(path, '/'));
    const std::string_view why = artifacts::reject_link(target == nullptr ? "" : target, depth);
    if (!why.empty()) {
      return fail(ErrorCode::invalid, fmt::format("illegal symlink target: {} -> {}: {}", path,
                                                  target == nullptr ? "" : target, why));
    }
    if (!artifacts::reject_link(target, depth - 1).empty()) {
      link_to_top_ = fmt::format("{} -> {}", path, target);
    }
    TRY_VOID(make_way(parent, path));
    return ::symlinkat(target, parent.folder.get(), parent.name.c_str()) == 0
               ? Result<>{}
               : fail_errno("make link " + path, errno);
  }

  Result<> add_hard_link(const Parent& parent, const std::string& path, const char* target) {
    TRY(const std::string from, clean_name(target));
    const auto refuse = [&] {
      return fail(
          ErrorCode::invalid,
          fmt::format("illegal link target: {} -> {}: not a file of the archive", path, target));
    };
    if (from.empty() || from == path) {
      return refuse();
    }
    auto source = parent_of(from);
    struct stat status{};
    if (!source ||
        ::fstatat(source->folder.get(), source->name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      return refuse();
    }
    TRY_VOID(make_way(parent, path));
    return ::linkat(source->folder.get(), source->name.c_str(), parent.folder.get(),
                    parent.name.c_str(), 0) == 0
               ? Result<>{}
               : fail_errno("make link " + path, errno);
  }

  /// A link that leads to the archive's top, and out of the one entry there if there is only one.
  std::string link_to_top_;
  struct archive* reader_;
  int root_;
  const UnpackLimits& limits_;
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<std::pair<std::string, mode_t>> folders_;
};

/// Answers a link that leads to the archive's top, if there is one.
Result<std::string> run_unpacker(struct archive* reader, int folder, const UnpackLimits& limits) {
  Unpacker unpacker(reader, folder, limits);
  TRY_VOID(unpacker.run());
  return unpacker.link_to_top();
}

Result<std::string> unpack_into(const std::filesystem::path& archive, Archive kind, int folder,
                                const UnpackLimits& limits) {
  if (kind == Archive::zip) {
    TRY(const Reader reader, open_zip(archive));
    return run_unpacker(reader.get(), folder, limits);
  }
  const Fd file(::open(archive.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    return fail_errno(archive.string(), errno);
  }
  Input input{std::make_unique<GzipReader>(file.get()), std::nullopt};
  TRY(const Reader reader, open_tar(input));
  return run_unpacker(reader.get(), folder, limits);
}

/// The one entry of a folder, or the folder itself, becomes `destination`.
Result<> settle(const std::filesystem::path& folder, int opened, const std::string& link_to_top,
                const std::filesystem::path& destination) {
  TRY(const std::vector<std::string> names, artifacts::names_in(opened));
  if (names.size() == 1 && !link_to_top.empty()) {
    return fail(ErrorCode::invalid,
                fmt::format("illegal symlink target: {}: leaves {}", link_to_top, names.front()));
  }
  const std::filesystem::path source = names.size() == 1 ? folder / names.front() : folder;
  if (::renameat2(AT_FDCWD, source.c_str(), AT_FDCWD, destination.c_str(), RENAME_NOREPLACE) != 0) {
    return fail_errno(destination.string(), errno);
  }
  if (names.size() == 1) {
    ::rmdir(folder.c_str());
  }
  return {};
}

}  // namespace

bool looks_like_tarball(const std::filesystem::path& file) {
  const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return false;
  }
  std::array<unsigned char, 2> magic{};
  if (::pread(opened.get(), magic.data(), magic.size(), 0) != 2 || magic[0] != 0x1F ||
      magic[1] != 0x8B) {
    return false;
  }
  Input input{std::make_unique<GzipReader>(opened.get()), std::nullopt};
  auto reader = open_tar(input);
  struct archive_entry* entry = nullptr;
  return reader && archive_read_next_header(reader->get(), &entry) == ARCHIVE_OK;
}

Result<> unpack(const std::filesystem::path& archive, Archive kind,
                const std::filesystem::path& destination, const UnpackLimits& limits) {
  CHECK(kind == Archive::tar || kind == Archive::zip, "unpack reads tar and zip");
  const Utf8Names names;
  const std::filesystem::path folder = destination.string() + ".tmpdir";
  if (::mkdir(folder.c_str(), 0755) != 0) {
    return fail_errno("make folder " + folder.string(), errno);
  }
  const Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const auto run = [&]() -> Result<> {
    if (!opened) {
      return fail_errno(folder.string(), errno);
    }
    TRY(const std::string link, unpack_into(archive, kind, opened.get(), limits));
    return settle(folder, opened.get(), link, destination);
  };
  auto done = run();
  if (!done) {
    static_cast<void>(artifacts::remove_all_at(AT_FDCWD, folder.string()));
  }
  return done;
}

}  // namespace tiphys::executor

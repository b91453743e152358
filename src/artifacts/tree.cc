#include "artifacts/tree.h"

#include "artifacts/files.h"
#include "artifacts/location.h"

#include <climits>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace tiphys::artifacts {
namespace {

constexpr const char* kRecordName = "user.tiphys.digest";

/// What the extended attribute holds; only ever read on the machine that wrote it.
struct Record {
  RawDigest digest{};
  std::uint64_t size = 0;
  std::int64_t modified = 0;
};

std::optional<Record> read_attribute(int file) {
  Record record;
  if (::fgetxattr(file, kRecordName, &record, sizeof record) != sizeof record) {
    return std::nullopt;
  }
  return record;
}

void write_attribute(int file, const Record& record) {
  // Best effort: without it the digest is computed again when it is asked for.
  static_cast<void>(::fsetxattr(file, kRecordName, &record, sizeof record, 0));
}

Result<std::string> read_link(int folder, const std::string& name) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlinkat(folder, name.c_str(), target.data(), target.size());
  if (length < 0) {
    return fail_errno("read link " + name, errno);
  }
  return std::string(target.data(), static_cast<std::size_t>(length));
}

RawDigest from_hex(std::string_view hex) {
  RawDigest digest{};
  const auto nibble = [](char c) {
    return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
  };
  for (std::size_t i = 0; i < digest.size() && 2 * i + 1 < hex.size(); ++i) {
    digest[i] = static_cast<unsigned char>(nibble(hex[2 * i]) << 4U | nibble(hex[2 * i + 1]));
  }
  return digest;
}

/// Collects the records of a folder's entries into its digest.
class Summary {
 public:
  void add(std::string_view path, std::string_view kind, std::string_view digest,
           std::uint64_t size) {
    hash_.update_text(path);
    hash_.update_text(kind);
    hash_.update_text(digest);
    size_ += size;
  }

  Stored finish() { return Stored{to_hex(hash_.finish()), size_, true}; }

 private:
  Sha256 hash_;
  std::uint64_t size_ = 0;
};

enum class Task { seal, describe };

/// Walks a folder and computes its digest, sealing its files on the way or trusting that they are.
class Walk {
 public:
  Walk(Task task, FileDigests* digests) : task_(task), digests_(digests) {}

  Result<> folder(int folder, const std::string& prefix, int depth) {
    if (depth > kMaximumFolderDepth) {
      return fail(ErrorCode::invalid, fmt::format("{}: folders are nested deeper than {}", prefix,
                                                  kMaximumFolderDepth));
    }
    TRY(const std::vector<std::string> names, names_in(folder));
    for (const std::string& name : names) {
      if (name == kSelfName) {
        if (task_ == Task::seal) {
          return fail(ErrorCode::invalid, fmt::format("{}{}: reserved name", prefix, name));
        }
        continue;
      }
      TRY_VOID(entry(folder, name, prefix + name, depth));
    }
    return {};
  }

  Stored finish() { return summary_.finish(); }

 private:
  Result<> entry(int parent, const std::string& name, const std::string& path, int depth) {
    struct stat status{};
    if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(path, errno);
    }
    if (S_ISREG(status.st_mode)) {
      return file(parent, name, path, status);
    }
    if (S_ISLNK(status.st_mode)) {
      return link(parent, name, path, depth);
    }
    if (!S_ISDIR(status.st_mode)) {
      return fail(ErrorCode::invalid,
                  fmt::format("{}: not a file, a folder or a symbolic link", path));
    }
    if (task_ == Task::seal && (status.st_mode & 07777U) != 0755 &&
        ::fchmodat(parent, name.c_str(), 0755, 0) != 0) {
      return fail_errno("set mode of " + path, errno);
    }
    const Fd child(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!child) {
      return fail_errno("open folder " + path, errno);
    }
    summary_.add(path, "folder", "", 0);
    return folder(child.get(), path + "/", depth + 1);
  }

  Result<> file(int parent, const std::string& name, const std::string& path,
                const struct stat& status) {
    const bool executable = (status.st_mode & 0100U) != 0;
    const std::string_view kind = executable ? "executable" : "file";
    if (task_ == Task::seal) {
      auto sealed = seal_file(parent, name);
      if (!sealed) {
        return std::unexpected(std::move(sealed).error().with_context(path));
      }
      summary_.add(path, kind, sealed->digest, sealed->size);
      return {};
    }
    const Fd opened(::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!opened) {
      return fail_errno("open " + path, errno);
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    auto digest = read_record(opened.get(), size, nanoseconds_of(status.st_mtim));
    if (!digest) {
      TRY(digest, digests_->digest_of(opened.get(), status));
    }
    summary_.add(path, kind, to_hex(*digest), size);
    return {};
  }

  Result<> link(int parent, const std::string& name, const std::string& path, int depth) {
    TRY(const std::string target, read_link(parent, name));
    if (const std::string_view why = reject_link(target, depth); !why.empty()) {
      return fail(ErrorCode::invalid, fmt::format("{}: symbolic link to {} {}", path, target, why));
    }
    summary_.add(path, "link", target, 0);
    return {};
  }

  Task task_;
  FileDigests* digests_;
  Summary summary_;
};

Result<> copy_tree_at(int folder, int to, const std::string& name, Sharing sharing, int depth);

Result<> copy_entry(int folder, const std::string& name, int to, Sharing sharing, int depth) {
  struct stat status{};
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(name, errno);
  }
  if (S_ISLNK(status.st_mode)) {
    TRY(const std::string target, read_link(folder, name));
    return ::symlinkat(target.c_str(), to, name.c_str()) == 0
               ? Result<>{}
               : fail_errno("make link " + name, errno);
  }
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::invalid,
                fmt::format("{}: not a file, a folder or a symbolic link", name));
  }
  const Fd opened(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) {
    return fail_errno("open " + name, errno);
  }
  if (S_ISDIR(status.st_mode)) {
    return copy_tree_at(opened.get(), to, name, sharing, depth + 1);
  }
  return sharing == Sharing::allowed
             ? link_or_copy(opened.get(), to, name)
             : copy_file(opened.get(), to, name, (status.st_mode & 0777U) | 0200U);
}

Result<> copy_tree_at(int folder, int to, const std::string& name, Sharing sharing, int depth) {
  if (depth > kMaximumFolderDepth) {
    return fail(ErrorCode::invalid,
                fmt::format("{}: folders are nested deeper than {}", name, kMaximumFolderDepth));
  }
  if (::mkdirat(to, name.c_str(), 0755) != 0) {
    return fail_errno("make folder " + name, errno);
  }
  const Fd copy(::openat(to, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!copy || ::fchmod(copy.get(), 0755) != 0) {
    return fail_errno("open folder " + name, errno);
  }
  TRY(const std::vector<std::string> names, names_in(folder));
  for (const std::string& child : names) {
    if (child != kSelfName) {
      TRY_VOID(copy_entry(folder, child, copy.get(), sharing, depth));
    }
  }
  return {};
}

}  // namespace

mode_t sealed_mode(mode_t mode) { return (mode & 0100U) != 0 ? 0555 : 0444; }

std::optional<RawDigest> read_record(int file, std::uint64_t size, std::int64_t modified) {
  const std::optional<Record> record = read_attribute(file);
  if (!record || record->size != size || record->modified != modified) {
    return std::nullopt;
  }
  return record->digest;
}

void write_record(int file, const RawDigest& digest, std::uint64_t size, std::int64_t modified) {
  write_attribute(file, {digest, size, modified});
}

void drop_record(int file) { static_cast<void>(::fremovexattr(file, kRecordName)); }

std::optional<Stored> read_folder_record(int folder) {
  const std::optional<Record> record = read_attribute(folder);
  return record ? std::optional(Stored{to_hex(record->digest), record->size, true}) : std::nullopt;
}

void write_folder_record(int folder, const Stored& stored) {
  write_attribute(folder, {from_hex(stored.digest), stored.size, 0});
}

Result<Stored> seal_file(int folder, const std::string& name) {
  struct stat status{};
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(name, errno);
  }
  // Readable for us first; writable so that the record can be written.
  if ((status.st_mode & 0600U) != 0600 &&
      ::fchmodat(folder, name.c_str(), (status.st_mode & 0777U) | 0600U, 0) != 0) {
    return fail_errno("set mode of " + name, errno);
  }
  Fd file(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) {
    return fail_errno("open " + name, errno);
  }
  if (status.st_nlink > 1) {
    if (::unlinkat(folder, name.c_str(), 0) != 0) {
      return fail_errno("replace " + name, errno);
    }
    TRY_VOID(copy_file(file.get(), folder, name, (status.st_mode & 0777U) | 0600U));
    file = Fd(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  }
  if (status.st_uid != ::geteuid()) {
    // As root we store what steps of other users made; they keep no right to change it.
    static_cast<void>(::fchown(file.get(), ::geteuid(), ::getegid()));
  }
  TRY(const RawDigest digest, sha256_of(file.get()));
  struct stat final_status{};
  if (::fstat(file.get(), &final_status) != 0) {
    return fail_errno(name, errno);
  }
  const auto size = static_cast<std::uint64_t>(final_status.st_size);
  write_record(file.get(), digest, size, nanoseconds_of(final_status.st_mtim));
  if (::fchmod(file.get(), sealed_mode(status.st_mode)) != 0) {
    return fail_errno("set mode of " + name, errno);
  }
  return Stored{to_hex(digest), size, false};
}

Result<Stored> seal(int folder, const std::string& name) {
  struct stat status{};
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(name, errno);
  }
  if (S_ISREG(status.st_mode)) {
    return seal_file(folder, name);
  }
  if (!S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::invalid, "not a file or a folder");
  }
  if (::fchmodat(folder, name.c_str(), 0755, 0) != 0) {
    return fail_errno("set mode of " + name, errno);
  }
  const Fd opened(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) {
    return fail_errno("open folder " + name, errno);
  }
  Walk walk(Task::seal, nullptr);
  TRY_VOID(walk.folder(opened.get(), "", 0));
  Stored stored = walk.finish();
  write_folder_record(opened.get(), stored);
  return stored;
}

Result<Stored> describe_folder(int folder, FileDigests& digests) {
  Walk walk(Task::describe, &digests);
  TRY_VOID(walk.folder(folder, "", 0));
  return walk.finish();
}

Result<> copy_tree(int folder, int to, const std::string& name, Sharing sharing) {
  return copy_tree_at(folder, to, name, sharing, 0);
}

}  // namespace tiphys::artifacts

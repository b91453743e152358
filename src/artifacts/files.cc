#include "artifacts/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <memory>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tiphys::artifacts {
namespace {

Result<> copy_through_memory(int from, int to) {
  std::vector<char> buffer(1 << 18);
  while (true) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail_errno("read", errno);
    }
    if (got == 0) {
      return {};
    }
    TRY_VOID(write_all(to, {buffer.data(), static_cast<std::size_t>(got)}));
  }
}

Result<> remove_folder(int parent, const std::string& name, int depth) {
  if (depth > kMaximumFolderDepth) {
    return fail(ErrorCode::io, fmt::format("remove {}: folders are nested too deep", name));
  }
  // A step may have left folders that not even their owner may read.
  ::fchmodat(parent, name.c_str(), 0700, 0);
  const Fd folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) {
    return fail_errno("open folder " + name, errno);
  }
  TRY(const std::vector<std::string> names, names_in(folder.get()));
  for (const std::string& child : names) {
    if (::unlinkat(folder.get(), child.c_str(), 0) == 0 || errno == ENOENT) {
      continue;
    }
    if (errno != EISDIR && errno != EPERM) {
      return fail_errno("remove " + child, errno);
    }
    TRY_VOID(remove_folder(folder.get(), child, depth + 1));
  }
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    return fail_errno("remove folder " + name, errno);
  }
  return {};
}

}  // namespace

Fd::~Fd() {
  if (file_ >= 0) {
    ::close(file_);
  }
}

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

std::int64_t nanoseconds_of(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

Result<std::vector<std::string>> names_in(int folder) {
  // fdopendir takes its descriptor over, and a duplicate would share the offset.
  const int own = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(own < 0 ? nullptr : ::fdopendir(own),
                                                   [](DIR* d) { return ::closedir(d); });
  if (stream == nullptr) {
    return fail_errno("list folder", errno);
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
    errno = 0;
  }
  if (errno != 0) {
    return fail_errno("list folder", errno);
  }
  std::ranges::sort(names);
  return names;
}

Result<Fd> open_folder_below(int root, std::string_view path, bool create) {
  Fd folder(::openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    return fail_errno("open folder", errno);
  }
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string part(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string::npos) {
      return fail(ErrorCode::invalid, fmt::format("path has the part \"{}\"", part));
    }
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    Fd next(::openat(folder.get(), part.c_str(), kFlags));
    if (!next && errno == ENOENT && create) {
      if (::mkdirat(folder.get(), part.c_str(), 0755) != 0 && errno != EEXIST) {
        return fail_errno("make folder " + part, errno);
      }
      next = Fd(::openat(folder.get(), part.c_str(), kFlags));
    }
    if (!next) {
      return errno == ENOENT ? fail(ErrorCode::not_found, fmt::format("no folder {}", part))
                             : fail_errno("open folder " + part, errno);
    }
    folder = std::move(next);
  }
  return folder;
}

Result<> write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      return fail_errno("write", errno);
    }
    bytes.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return {};
}

Result<> copy_bytes(int from, int to) {
  if (::ioctl(to, FICLONE, from) == 0) {
    return {};
  }
  bool any = false;
  while (true) {
    constexpr std::size_t kMost = 1U << 30U;
    const ssize_t copied = ::copy_file_range(from, nullptr, to, nullptr, kMost, 0);
    if (copied == 0) {
      break;
    }
    if (copied < 0) {
      const bool unsupported = errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
                               errno == EOPNOTSUPP || errno == EBADF;
      if (unsupported && !any) {
        break;
      }
      if (errno != EINTR) {
        return fail_errno("copy", errno);
      }
    }
    any = true;
  }
  // Some file systems answer 0 for files they cannot copy; reading on costs nothing at the end.
  return copy_through_memory(from, to);
}

Result<> copy_file(int from, int folder, const std::string& name, mode_t mode) {
  struct stat status{};
  const Fd source(::openat(AT_FDCWD, fmt::format("/proc/self/fd/{}", from).c_str(),
                           O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!source || ::fstat(source.get(), &status) != 0) {
    return fail_errno("open " + name, errno);
  }
  const Fd target(
      ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!target) {
    return fail_errno("create " + name, errno);
  }
  TRY_VOID(copy_bytes(source.get(), target.get()));
  const std::array times{timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, status.st_mtim};
  if (::futimens(target.get(), times.data()) != 0 || ::fchmod(target.get(), mode) != 0) {
    return fail_errno("set mode and time of " + name, errno);
  }
  return {};
}

Result<> link_or_copy(int from, int folder, const std::string& name) {
  const std::string handle = fmt::format("/proc/self/fd/{}", from);
  if (::linkat(AT_FDCWD, handle.c_str(), folder, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return {};
  }
  if (errno == EEXIST) {
    return fail_errno("link " + name, errno);
  }
  struct stat status{};
  if (::fstat(from, &status) != 0) {
    return fail_errno("stat " + name, errno);
  }
  return copy_file(from, folder, name, status.st_mode & 07777U);
}

Result<> remove_all_at(int folder, const std::string& name) {
  if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) {
    return {};
  }
  if (errno != EISDIR && errno != EPERM) {
    return fail_errno("remove " + name, errno);
  }
  return remove_folder(folder, name, 0);
}

std::string_view reject_link(std::string_view target, int depth) {
  if (target.empty()) {
    return "has no target";
  }
  if (target.starts_with('/')) {
    return "leads to an absolute path";
  }
  bool after_name = false;
  int up = 0;
  while (!target.empty()) {
    const std::size_t slash = std::min(target.find('/'), target.size());
    const std::string_view part = target.substr(0, slash);
    target.remove_prefix(std::min(slash + 1, target.size()));
    if (part == "..") {
      if (after_name) {
        return "goes up after going down";
      }
      ++up;
    } else if (!part.empty() && part != ".") {
      after_name = true;
    }
  }
  return up > depth ? "leaves its folder" : std::string_view{};
}

}  // namespace tiphys::artifacts

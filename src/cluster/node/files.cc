#include "cluster/node/files.h"

#include "cluster/node/descriptor.h"

#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <vector>

namespace tiphys::node {
namespace {

constexpr int kMaximumDepth = 4096;

struct Closer {
  void operator()(DIR* folder) const { closedir(folder); }
};

bool is_dots(std::string_view name) { return name == "." || name == ".."; }

void empty_folder(int folder, int depth);

void remove_at(int parent, const char* name, int depth) {
  if (unlinkat(parent, name, 0) == 0 || (errno != EISDIR && errno != EPERM)) {
    return;
  }
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || depth >= kMaximumDepth) {
    return;
  }
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int folder = openat(parent, name, kFlags);
  if (folder < 0 && errno == EACCES) {
    fchmodat(parent, name, 0700, 0);
    folder = openat(parent, name, kFlags);
  }
  if (folder < 0) {
    return;
  }
  fchmod(folder, 0700);
  empty_folder(folder, depth + 1);
  unlinkat(parent, name, AT_REMOVEDIR);
}

/// Owns the descriptor.
void empty_folder(int folder, int depth) {
  const std::unique_ptr<DIR, Closer> entries(fdopendir(folder));
  if (!entries) {
    close(folder);
    return;
  }
  while (const dirent* entry = readdir(entries.get())) {
    if (!is_dots(entry->d_name)) {
      remove_at(folder, entry->d_name, depth);
    }
  }
}

}  // namespace

Result<> make_folder(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) == 0) {
    // The process' umask must not matter.
    chmod(path.c_str(), mode);
    return {};
  }
  if (errno == EEXIST) {
    return {};
  }
  return fail_errno("making folder " + path, errno);
}

Result<> make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return fail_errno("making folder " + path, error.value());
  }
  return {};
}

void remove_tree(const std::string& path) { remove_at(AT_FDCWD, path.c_str(), 0); }

void clear_folder(int folder) {
  const int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own >= 0) {
    empty_folder(own, 0);
  }
}

bool is_empty_folder(const std::string& path) {
  const std::unique_ptr<DIR, Closer> entries(opendir(path.c_str()));
  if (!entries) {
    return false;
  }
  while (const dirent* entry = readdir(entries.get())) {
    if (!is_dots(entry->d_name)) {
      return false;
    }
  }
  return true;
}

std::string read_text(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 16384> part{};
  while (file) {
    const ssize_t got = read(file.get(), part.data(), part.size());
    if (got <= 0) {
      break;
    }
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return text;
}

Result<> write_text(const std::string& path, std::string_view text, mode_t mode) {
  const Descriptor file(open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, mode));
  if (!file) {
    return fail_errno("writing " + path, errno);
  }
  while (!text.empty()) {
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return fail_errno("writing " + path, errno);
    }
    text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  fchmod(file.get(), mode);
  return {};
}

}  // namespace tiphys::node

#include "cluster/store/state_directory.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tiphys::store {
namespace {

/// A program that was just killed keeps its lock until the kernel has taken it apart, so one that
/// is started right after it tries for a moment before it is refused.
constexpr int kTries = 50;
constexpr int kMillisecondsBetweenTries = 5;

std::string recorded_holder(int descriptor) {
  std::array<char, 32> text;
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  std::string pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  pid.erase(std::min(pid.find('\n'), pid.size()));
  return pid;
}

std::string describe_holder(int descriptor) {
  const std::string pid = recorded_holder(descriptor);
  const int number = std::atoi(pid.c_str());
  if (number <= 0) {
    return "another program";
  }
  if (kill(number, 0) != 0 && errno == ESRCH) {
    return "what process " + pid + " started and left behind";
  }
  return "process " + pid;
}

bool lock_soon(int descriptor) {
  for (int tries = 0; tries < kTries; ++tries) {
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
      return true;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return false;
    }
    poll(nullptr, 0, kMillisecondsBetweenTries);
    errno = EWOULDBLOCK;
  }
  return false;
}

/// Only the user may look into a directory we make: secrets are kept in it.
std::error_code make_directory(const std::filesystem::path& directory) {
  std::error_code error;
  if (std::filesystem::exists(directory, error)) {
    return error;
  }
  if (directory.has_parent_path()) {
    std::filesystem::create_directories(directory.parent_path(), error);
  }
  if (!error && mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    error.assign(errno, std::generic_category());
  }
  return error;
}

Result<> sync_entries(const std::filesystem::path& directory) {
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    return fail_errno(directory.string(), errno);
  }
  const int synced = fsync(descriptor);
  const int cause = errno;
  close(descriptor);
  if (synced != 0) {
    return fail_errno(directory.string(), cause);
  }
  return {};
}

}  // namespace

Result<StateDirectory> StateDirectory::lock(const std::filesystem::path& directory) {
  const std::string named = "state directory " + directory.string();
  const std::error_code error = make_directory(directory);
  if (error) {
    return fail(ErrorCode::io, named + ": " + error.message());
  }
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored)) {
    return fail(ErrorCode::io, named + ": not a directory");
  }
  StateDirectory locked;
  locked.descriptor_ = open((directory / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (locked.descriptor_ < 0) {
    return fail_errno(named, errno);
  }
  if (!lock_soon(locked.descriptor_)) {
    if (errno != EWOULDBLOCK) {
      return fail_errno(named, errno);
    }
    return fail(ErrorCode::conflict,
                named + " is in use by " + describe_holder(locked.descriptor_));
  }
  // For the messages of others only: the lock holds without it, on a full disk for example.
  const std::string pid = std::to_string(getpid()) + "\n";
  [[maybe_unused]] const bool noted =
      pwrite(locked.descriptor_, pid.data(), pid.size(), 0) > 0 &&
      ftruncate(locked.descriptor_, static_cast<off_t>(pid.size())) == 0;
  return locked;
}

StateDirectory::StateDirectory(StateDirectory&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

StateDirectory& StateDirectory::operator=(StateDirectory&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

StateDirectory::~StateDirectory() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

Result<> sync_directory(const std::filesystem::path& directory) {
  TRY_VOID(sync_entries(directory));
  return sync_entries(std::filesystem::absolute(directory).parent_path());
}

}  // namespace tiphys::store

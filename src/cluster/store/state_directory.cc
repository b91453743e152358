#include "cluster/store/state_directory.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace tiphys::store {
namespace {

std::string holder_of(int descriptor) {
  std::array<char, 32> text;
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  std::string pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  pid.erase(std::min(pid.find('\n'), pid.size()));
  return pid.empty() ? "another program" : "process " + pid;
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
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!std::filesystem::is_directory(directory)) {
    if (std::filesystem::exists(directory)) {
      return fail(ErrorCode::io, named + ": not a directory");
    }
    return fail(ErrorCode::io, named + ": " + error.message());
  }
  StateDirectory locked;
  locked.descriptor_ = open((directory / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (locked.descriptor_ < 0) {
    return fail_errno(named, errno);
  }
  if (flock(locked.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return fail_errno(named, errno);
    }
    return fail(ErrorCode::conflict, named + " is in use by " + holder_of(locked.descriptor_));
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

#pragma once
/// Moving bytes between files without copying them where that can be, and without following
/// symbolic links where that matters: the primitives of stores, staging and unpacking. One noun:
/// `Fd`, an open file.

#include "base/error.h"

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace tiphys::artifacts {

/// Folders nested deeper than this are refused: each level holds a file descriptor and a stack
/// frame.
inline constexpr int kMaximumFolderDepth = 200;

/// An open file, closed at the end of its life. False when opening failed (errno tells).
class Fd final {
 public:
  Fd() = default;

  explicit Fd(int file) : file_(file) {}

  ~Fd();

  Fd(Fd&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  int get() const { return file_; }

  explicit operator bool() const { return file_ >= 0; }

 private:
  int file_ = -1;
};

std::int64_t nanoseconds_of(const timespec& time);

/// The names in an open folder, sorted by bytes, without "." and "..".
Result<std::vector<std::string>> names_in(int folder);

/// Opens the folder `path` below `root`, never through a symbolic link; with `create` missing
/// folders are made (mode 0755). Parts "..", "." and absolute paths are refused.
Result<Fd> open_folder_below(int root, std::string_view path, bool create);

/// Fills the new file `to` with the bytes of `from`: a reflink where the file system has them, else
/// a copy within the kernel.
Result<> copy_bytes(int from, int to);
/// Writes all of it.
Result<> write_all(int file, std::string_view bytes);

/// Makes `folder`/`name` a copy of the open regular file, with these permission bits and the
/// modification time of the original.
Result<> copy_file(int from, int folder, const std::string& name, mode_t mode);
/// Makes `folder`/`name` another name of the open file, or a copy of it where hard links are not
/// possible (other file system, too many links, not permitted).
Result<> link_or_copy(int from, int folder, const std::string& name);

/// Removes the file or folder with all that is in it, never through a symbolic link. No error when
/// it is not there.
Result<> remove_all_at(int folder, const std::string& name);

/// Why a symbolic link must not be kept in a folder of artifacts: empty if it may. It may only lead
/// to places in the same folder; `depth` counts the folders between the link and the folder's top.
/// ".." is allowed only in front: with a ".." after a name, where it leads depends on other links.
std::string_view reject_link(std::string_view target, int depth);

}  // namespace tiphys::artifacts

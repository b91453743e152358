#pragma once
/// Small file helpers of the node.

#include "base/error.h"

#include <string>
#include <string_view>
#include <sys/types.h>

namespace tiphys::node {

/// Makes one folder with exactly this mode; an existing one is fine.
Result<> make_folder(const std::string& path, mode_t mode);
/// Makes a folder and its parents (0755).
Result<> make_folders(const std::string& path);
/// Deletes a file or folder and everything below; folders that forbid it are opened up first.
/// Follows no symbolic link. What cannot be deleted stays.
void remove_tree(const std::string& path);
/// Deletes all that is in an open folder.
void clear_folder(int folder);
/// Whether the path is a folder without entries.
bool is_empty_folder(const std::string& path);
/// A file's text, or "" when it cannot be read. For small files of the kernel.
std::string read_text(const std::string& path);
/// Replaces or makes a file.
Result<> write_text(const std::string& path, std::string_view text, mode_t mode);

}  // namespace tiphys::node

#include "cluster/node/host_mounts.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

namespace tiphys::node {
namespace {

constexpr auto kInterfaces = std::to_array<std::string_view>(
    {"proc",        "sysfs",    "cgroup",     "cgroup2",   "devpts",     "mqueue",   "hugetlbfs",
     "debugfs",     "tracefs",  "securityfs", "pstore",    "bpf",        "configfs", "fusectl",
     "binfmt_misc", "efivarfs", "autofs",     "selinuxfs", "rpc_pipefs", "nsfs"});
/// File systems that can carry the lower side of an overlay for certain.
constexpr auto kLayered =
    std::to_array<std::string_view>({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "tmpfs",
                                     "jfs", "bcachefs", "erofs", "squashfs"});

template <class List>
bool contains(const List& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

struct Line {
  std::string path;
  std::string type;
  bool read_only = false;
};

/// mountinfo writes space, tab, newline and backslash as three octal digits.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '3') {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) {
      parts.push_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// The topmost mount of each place, by path.
std::map<std::string, Line> read_lines(std::string_view mountinfo) {
  std::map<std::string, Line> lines;
  for (const std::string_view text : split(mountinfo, '\n')) {
    const auto fields = split(text, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 7 || fields.end() - dash < 2) {
      continue;
    }
    const std::string_view options = fields[5];
    Line line{unescape(fields[4]), std::string(dash[1]),
              options == "ro" || options.starts_with("ro,")};
    if (line.path.starts_with('/')) {
      lines.insert_or_assign(line.path, line);
    }
  }
  return lines;
}

bool is_hidden(std::string_view path) {
  return std::any_of(std::begin(kHiddenFolders), std::end(kHiddenFolders),
                     [&](std::string_view outer) { return lies_in(path, outer); });
}

struct Splitter {
  std::map<std::string, Line> lines;
  std::string_view state_folder;
  HostMounts mounts;

  void add(const std::string& path, int depth) {
    constexpr int kMaximumDepth = 16;
    if (is_hidden(path) || path == state_folder || depth > kMaximumDepth ||
        mounts.others.size() + 4 >= keeper::kMaximumOthers) {
      return;
    }
    const auto line = lines.find(path);
    if (path != "/" && line != lines.end() && contains(kInterfaces, line->second.type)) {
      return;
    }
    std::error_code error;
    const auto status = std::filesystem::symlink_status(path, error);
    if (std::filesystem::is_symlink(status)) {
      const auto target = std::filesystem::read_symlink(path, error);
      if (!error && mounts.links.size() < keeper::kMaximumOthers) {
        mounts.links.push_back({path, target.string()});
      }
    } else if (!std::filesystem::is_directory(status)) {
      if (std::filesystem::is_regular_file(status)) {
        mounts.others.push_back({keeper::OtherKind::read_only, path});
      }
    } else if (path == "/" || has_mount_below(path)) {
      for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
        add(entry.path().string(), depth + 1);
      }
    } else {
      add_whole(path, line != lines.end() && line->second.read_only);
    }
  }

  bool has_mount_below(const std::string& path) const {
    const auto next = lines.upper_bound(path + "/");
    return next != lines.end() && lies_in(next->first, path);
  }

  void add_whole(const std::string& path, bool read_only) {
    mounts.others.push_back(
        {read_only ? keeper::OtherKind::read_only : keeper::OtherKind::overlay, path});
    for (const std::string_view hidden : kHiddenFolders) {
      if (lies_in(hidden, path)) {
        mounts.others.push_back({keeper::OtherKind::fresh, std::string(hidden)});
      }
    }
    if (lies_in(state_folder, path) && !is_hidden(state_folder)) {
      mounts.others.push_back({keeper::OtherKind::hidden, std::string(state_folder)});
    }
  }
};

}  // namespace

bool lies_in(std::string_view path, std::string_view folder) {
  return folder == "/" || path == folder ||
         (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

bool is_writable(keeper::OtherKind kind) {
  return kind == keeper::OtherKind::overlay || kind == keeper::OtherKind::fresh;
}

HostMounts split_root(std::string_view mountinfo, std::string_view state_folder) {
  Splitter splitter{read_lines(mountinfo), state_folder, {}};
  splitter.add("/", 0);
  return std::move(splitter.mounts);
}

HostMounts sort_mounts(std::string_view mountinfo, std::string_view state_folder) {
  HostMounts sorted;
  bool state_shown = false;
  for (const auto& [path, line] : read_lines(mountinfo)) {
    if (path == "/" || !path.starts_with('/') || lies_in(path, state_folder)) {
      continue;
    }
    if (contains(kInterfaces, line.type)) {
      const bool inner = std::any_of(sorted.detach.begin(), sorted.detach.end(),
                                     [&](const auto& outer) { return lies_in(path, outer); });
      if (!inner) {
        sorted.detach.push_back(path);
      }
      continue;
    }
    if (is_hidden(path) || sorted.others.size() + 1 >= keeper::kMaximumOthers) {
      continue;
    }
    const bool layered = !line.read_only && contains(kLayered, line.type);
    sorted.others.push_back(
        {layered ? keeper::OtherKind::overlay : keeper::OtherKind::read_only, path});
    state_shown = state_shown || lies_in(state_folder, path);
  }
  if (state_shown) {
    sorted.others.push_back({keeper::OtherKind::hidden, std::string(state_folder)});
  }
  return sorted;
}

}  // namespace tiphys::node

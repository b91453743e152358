#pragma once
/// What this machine has mounted, sorted by what a container's layer does with it.

#include "cluster/node/keeper/protocol.h"

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::node {

/// Folders of the machine that a layer hides: a container has its own, empty or made for it.
inline constexpr std::string_view kHiddenFolders[] = {"/proc", "/sys",     "/dev",
                                                      "/tmp",  "/var/tmp", "/run"};

struct HostMounts {
  struct Other {
    keeper::OtherKind kind;
    std::string path;
    bool operator==(const Other&) const = default;
  };

  struct Link {
    std::string path;
    std::string target;
    bool operator==(const Link&) const = default;
  };

  /// Kernel interfaces that containers get from elsewhere, outermost only.
  std::vector<std::string> detach;
  /// File systems below "/" whose files a layer shows, outer ones first, and the state folder when
  /// it lies in one of them.
  std::vector<Other> others;
  /// Links to make anew, where the layer does not lie on "/" itself.
  std::vector<Link> links;
};

/// Whether a container can write there.
bool is_writable(keeper::OtherKind kind);

/// True when `path` is `folder` or lies below it.
bool lies_in(std::string_view path, std::string_view folder);

/// Reads the text of /proc/self/mountinfo (proc(5)). `state_folder` is never shown.
HostMounts sort_mounts(std::string_view mountinfo, std::string_view state_folder);

/// The same without root: the kernel then takes no folder as a layer that others are mounted below,
/// "/" least of all, so the machine is put together from the largest folders without such mounts.
/// Reads this machine's folders.
HostMounts split_root(std::string_view mountinfo, std::string_view state_folder);

}  // namespace tiphys::node

#pragma once
/// The keeper's mounts: its private root, what each worker adds to it, and the root of one
/// container. The private root holds
///   /host     the machine's files as the node sees them
///   /state    the node's state folder, under a short name without special characters
///   /inputs   /state/inputs as a file system of its own: the kernel refuses a layer that lies in
///             another one, and the state folder lies in /host
///   /skeleton folders that hide what stands at the same place in /host, and the empty folder
///             /argo/staging, on which a step's script can be mounted without a write to its layer
///   /sys      read-only
///   /proc, /dev   made by each worker for its own namespaces; /dev/argo, which containers also
///             find at /run/argo, is where they may say how far they are
///   /root     where a container's layer is mounted before it becomes the container's root

#include "cluster/node/keeper/protocol.h"

namespace tiphys::node::keeper {

/// Which step failed, and errno; `stage` none when nothing did.
struct Failure {
  Stage stage = Stage::none;
  int error = 0;
  const char* detail = "";

  explicit operator bool() const { return stage != Stage::none; }
};

inline constexpr int kMaximumLowers = 8;

inline constexpr int kMaximumMounts = 256;

struct Other {
  OtherKind kind = OtherKind::read_only;
  const char* path = "";
};

struct Link {
  const char* path = "";
  const char* target = "";
};

struct Setup {
  Level level = Level::process;
  bool root = false;
  const char* state = "";
  bool state_hidden = false;  ///< it lies in a folder that is hidden anyway
  const char* root_folder = "";
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  int other_count = 0;
  Other others[kMaximumOthers];
  /// Without root nothing of /host lies below the layer: all is `others` and these links.
  int link_count = 0;
  Link links[kMaximumOthers];
};

struct Mount {
  MountKind kind = MountKind::state;
  bool folder = true;
  bool read_only = false;
  const char* base = "";
  const char* sub = "";
  const char* target = "";
  int descriptor = -1;
};

/// What a container's root is made of.
struct RootPlan {
  bool mounted = false;    ///< the worker has mounted the layer already
  const char* layer = "";  ///< below /state; holds u, w and for other filesystems o<N>u, o<N>w
  bool read_only = false;
  int lower_count = 0;
  const char* lowers[kMaximumLowers];  ///< below /inputs, topmost first
  int mount_count = 0;
  Mount mounts[kMaximumMounts];
};

/// Own user and mount namespaces as the level asks.
Failure enter_namespaces(const Setup& setup);
/// Builds the private root and moves there; for Level::layer.
Failure enter_private_root(const Setup& setup);
/// Whether a layer can be mounted at all, shown by mounting the first one, "layers/1".
Failure try_layer(const Setup& setup);
/// The worker's /proc, and for Level::layer its /dev.
Failure mount_worker(const Setup& setup);
/// Empties the worker's /dev/shm by a new one if the last container left anything there.
Failure renew_shared_memory();
/// Mounts the layer and the other parts at /root.
Failure mount_root(const Setup& setup, const RootPlan& plan);
/// Takes it off again, and the kernel's mark that it was not synced, so that the layer can be
/// mounted once more.
void unmount_root(const Setup& setup, const char* layer);
/// Enters and closes the container's root, mounting it first if that has not been done; afterwards
/// "/" is the container's.
Failure enter_layer(const Setup& setup, RootPlan& plan);
/// The volumes of a container that keeps the machine's root.
Failure mount_volumes(const Setup& setup, RootPlan& plan);
/// Makes a folder and its parents, as mkdir -p.
bool make_folders(const char* path, unsigned mode);

}  // namespace tiphys::node::keeper

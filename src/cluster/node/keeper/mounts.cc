#include "cluster/node/keeper/mounts.h"

#include <climits>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace tiphys::node::keeper {
namespace {

constexpr unsigned long kQuiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;

Failure failed(Stage stage, const char* detail) { return {stage, errno, detail}; }

bool write_file(const char* path, const char* text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) {
    return false;
  }
  const auto size = static_cast<ssize_t>(std::strlen(text));
  const bool written = write(file, text, std::strlen(text)) == size;
  close(file);
  return written;
}

bool read_only_tree(const char* path, bool recursive) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  const unsigned flags = recursive ? AT_RECURSIVE : 0;
  return mount_setattr(AT_FDCWD, path, flags, &attributes, sizeof attributes) == 0;
}

/// Files of /proc that reach beyond the container: real root must not write them.
void guard_proc() {
  static const char* const kGuarded[] = {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq",
                                         "/proc/bus"};
  for (const char* path : kGuarded) {
    if (mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) == 0) {
      mount(nullptr, path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kQuiet, nullptr);
    }
  }
}

struct Node {
  const char* name;
  unsigned major;
  unsigned minor;
};

constexpr Node kNodes[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                           {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

/// A user namespace may not make device nodes; there the machine's are bound.
Failure make_nodes(bool root) {
  for (const Node& node : kNodes) {
    char path[64];
    std::snprintf(path, sizeof path, "/dev/%s", node.name);
    if (root) {
      if (mknod(path, S_IFCHR | 0666, makedev(node.major, node.minor)) != 0 ||
          chmod(path, 0666) != 0) {
        return failed(Stage::devices, node.name);
      }
      continue;
    }
    char source[64];
    std::snprintf(source, sizeof source, "/host/dev/%s", node.name);
    const int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    if (file < 0) {
      return failed(Stage::devices, node.name);
    }
    close(file);
    if (mount(source, path, nullptr, MS_BIND, nullptr) != 0) {
      return failed(Stage::devices, node.name);
    }
  }
  return {};
}

Failure mount_devices(bool root) {
  if (mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k") != 0) {
    return failed(Stage::devices, "/dev");
  }
  if (const Failure failure = make_nodes(root)) {
    return failure;
  }
  mkdir("/dev/pts", 0755);
  mkdir("/dev/shm", 01777);
  mkdir("/dev/argo", 0755);
  const char* options =
      root ? "newinstance,ptmxmode=0666,mode=0620,gid=5" : "newinstance,ptmxmode=0666,mode=0620";
  if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, options) != 0) {
    return failed(Stage::devices, "/dev/pts");
  }
  if (mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0) {
    return failed(Stage::devices, "/dev/shm");
  }
  if (mount("tmpfs", "/dev/argo", "tmpfs", kQuiet, "mode=1777,size=64k,nr_inodes=64") != 0) {
    return failed(Stage::devices, "/dev/argo");
  }
  const bool linked =
      symlink("/proc/self/fd", "/dev/fd") == 0 && symlink("/proc/self/fd/0", "/dev/stdin") == 0 &&
      symlink("/proc/self/fd/1", "/dev/stdout") == 0 &&
      symlink("/proc/self/fd/2", "/dev/stderr") == 0 && symlink("pts/ptmx", "/dev/ptmx") == 0;
  if (!linked || mount(nullptr, "/dev", nullptr,
                       MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC, nullptr) != 0) {
    return failed(Stage::devices, "/dev");
  }
  return {};
}

/// Text of an overlay's options, refused when it does not fit the page the kernel takes.
class Options {
 public:
  void add(const char* text) {
    const std::size_t size = std::strlen(text);
    if (size_ + size + 1 > sizeof text_) {
      full_ = true;
      return;
    }
    std::memcpy(text_ + size_, text, size + 1);
    size_ += size;
  }

  /// A path; the two characters that mean something in a list of folders are escaped.
  void add_path(const char* text) {
    for (const char* at = text; *at != '\0'; ++at) {
      char pair[3] = {'\\', *at, '\0'};
      add(*at == ':' || *at == ',' || *at == '\\' ? pair : pair + 1);
    }
  }

  const char* text() const { return text_; }

  bool full() const { return full_; }

 private:
  char text_[4000] = "";
  std::size_t size_ = 0;
  bool full_ = false;
};

void finish_options(Options& options, const char* layer, const char* prefix, bool root) {
  options.add(",upperdir=/state/");
  options.add(layer);
  options.add("/");
  options.add(prefix);
  options.add("u,workdir=/state/");
  options.add(layer);
  options.add("/");
  options.add(prefix);
  options.add("w,volatile,index=off,");
  options.add(root ? "redirect_dir=off,metacopy=off" : "userxattr");
}

Failure mount_overlay(const Options& options, const char* target) {
  if (options.full()) {
    errno = E2BIG;
    return failed(Stage::overlay, target);
  }
  if (mount("overlay", target, "overlay", MS_NOSUID | MS_NODEV, options.text()) != 0) {
    return failed(Stage::overlay, target);
  }
  return {};
}

/// The layers of one part, topmost first: what was staged below it, then the machine's.
void add_lowers(Options& options, const RootPlan& plan, const Other& other, const char* source) {
  options.add("lowerdir=");
  for (int i = 0; i < plan.lower_count; ++i) {
    char staged[PATH_MAX];
    std::snprintf(staged, sizeof staged, "/inputs/%s%s", plan.lowers[i], other.path);
    if (access(staged, F_OK) == 0) {
      options.add_path(staged);
      options.add(":");
    }
  }
  options.add_path(other.kind == OtherKind::fresh ? "/state/empty" : source);
}

Failure mount_other(const Setup& setup, const RootPlan& plan, int index) {
  const Other& other = setup.others[index];
  char source[PATH_MAX];
  char target[PATH_MAX];
  std::snprintf(source, sizeof source, "/host%s", other.path);
  std::snprintf(target, sizeof target, "/root%s", other.path);
  if (other.kind == OtherKind::hidden) {
    if (mount("/state/empty", target, nullptr, MS_BIND, nullptr) != 0) {
      return failed(Stage::overlay, other.path);
    }
    return {};
  }
  if (other.kind != OtherKind::read_only) {
    char prefix[16];
    std::snprintf(prefix, sizeof prefix, "o%d", index);
    Options options;
    add_lowers(options, plan, other, source);
    finish_options(options, plan.layer, prefix, setup.root);
    const Failure failure = mount_overlay(options, target);
    if (!failure) {
      return {};
    }
    if (other.kind == OtherKind::fresh) {
      return {Stage::overlay, failure.error, other.path};
    }
  }
  // What cannot be layered is shown read-only, and what cannot be shown stays hidden.
  if (mount(source, target, nullptr, MS_BIND | MS_REC, nullptr) == 0 &&
      !read_only_tree(target, true)) {
    umount2(target, MNT_DETACH);
  }
  return {};
}

Failure mount_others(const Setup& setup, const RootPlan& plan) {
  for (int i = 0; i < setup.other_count; ++i) {
    if (const Failure failure = mount_other(setup, plan, i)) {
      return failure;
    }
  }
  return {};
}

/// Opens `sub` below `folder` without ever leaving it, making folders that are missing.
int open_below(int folder, const char* sub) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const auto found = static_cast<int>(syscall(SYS_openat2, folder, sub, &how, sizeof how));
  if (found >= 0 || errno != ENOENT) {
    return found;
  }
  int at = dup(folder);
  char path[PATH_MAX];
  std::snprintf(path, sizeof path, "%s", sub);
  char* rest = nullptr;
  for (char* name = strtok_r(path, "/", &rest); name != nullptr && at >= 0;
       name = strtok_r(nullptr, "/", &rest)) {
    mkdirat(at, name, 0777);
    const auto next = static_cast<int>(syscall(SYS_openat2, at, name, &how, sizeof how));
    close(at);
    at = next;
  }
  return at;
}

/// Takes hold of the volumes' sources while the machine's files can still be reached.
Failure open_mounts(RootPlan& plan, const char* host, const char* state) {
  for (int i = 0; i < plan.mount_count; ++i) {
    Mount& volume = plan.mounts[i];
    char base[PATH_MAX];
    const bool ours = volume.kind == MountKind::state;
    std::snprintf(base, sizeof base, "%s%s%s", ours ? state : host, ours ? "/" : "", volume.base);
    int source = open(base, O_PATH | O_CLOEXEC);
    if (source >= 0 && *volume.sub != '\0') {
      const int below = open_below(source, volume.sub);
      close(source);
      source = below;
    }
    if (source < 0) {
      return failed(Stage::volume, volume.target);
    }
    volume.descriptor =
        open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    struct stat status{};
    volume.folder = fstatat(source, "", &status, AT_EMPTY_PATH) == 0 && S_ISDIR(status.st_mode);
    close(source);
    if (volume.descriptor < 0) {
      return failed(Stage::volume, volume.target);
    }
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    attributes.attr_set |= volume.read_only ? MOUNT_ATTR_RDONLY : 0;
    if (!ours) {
      attributes.attr_set &= ~static_cast<__u64>(MOUNT_ATTR_NODEV);
    }
    if (mount_setattr(volume.descriptor, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
                      sizeof attributes) != 0) {
      return failed(Stage::volume, volume.target);
    }
  }
  return {};
}

/// Puts the volumes at their places below the current root.
Failure place_mounts(RootPlan& plan) {
  for (int i = 0; i < plan.mount_count; ++i) {
    Mount& volume = plan.mounts[i];
    if (access(volume.target, F_OK) != 0) {
      if (volume.folder) {
        make_folders(volume.target, 0755);
      } else {
        char parent[PATH_MAX];
        std::snprintf(parent, sizeof parent, "%s", volume.target);
        if (char* slash = std::strrchr(parent, '/'); slash != nullptr && slash != parent) {
          *slash = '\0';
          make_folders(parent, 0755);
        }
        close(open(volume.target, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
      }
    }
    if (move_mount(volume.descriptor, "", AT_FDCWD, volume.target,
                   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) != 0) {
      return failed(Stage::volume, volume.target);
    }
    close(volume.descriptor);
  }
  return {};
}

/// Makes the parents of `made`, a path below /skeleton, looking as they do on the machine.
void make_parents(char* made) {
  for (char* at = made + std::strlen("/skeleton/"); *at != '\0'; ++at) {
    if (*at != '/') {
      continue;
    }
    *at = '\0';
    char original[PATH_MAX];
    std::snprintf(original, sizeof original, "/host%s", made + std::strlen("/skeleton"));
    struct stat status{};
    if (mkdir(made, 0755) == 0 && stat(original, &status) == 0) {
      chmod(made, status.st_mode & 07777);
      // In a user namespace owners that are not mapped stay ours.
      [[maybe_unused]] const int changed = chown(made, status.st_uid, status.st_gid);
    }
    *at = '/';
  }
}

/// Makes `path` below /skeleton and marks it as hiding what is below.
bool hide(const Setup& setup, const char* path, unsigned mode) {
  char made[PATH_MAX];
  std::snprintf(made, sizeof made, "/skeleton%s", path);
  make_parents(made);
  mkdir(made, mode);
  const char* attribute = setup.root ? "trusted.overlay.opaque" : "user.overlay.opaque";
  return chmod(made, mode) == 0 && setxattr(made, attribute, "y", 1, 0) == 0;
}

/// Places for parts of the machine where the layer has none of its own.
void make_places(const Setup& setup) {
  for (int i = 0; i < setup.other_count; ++i) {
    char made[PATH_MAX];
    char original[PATH_MAX];
    std::snprintf(made, sizeof made, "/skeleton%s", setup.others[i].path);
    std::snprintf(original, sizeof original, "/host%s", setup.others[i].path);
    make_parents(made);
    struct stat status{};
    if (stat(original, &status) == 0 && !S_ISDIR(status.st_mode)) {
      close(open(made, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    } else if (mkdir(made, 0755) == 0) {
      chmod(made, status.st_mode & 07777);
    }
  }
  for (int i = 0; i < setup.link_count; ++i) {
    char made[PATH_MAX];
    std::snprintf(made, sizeof made, "/skeleton%s", setup.links[i].path);
    make_parents(made);
    [[maybe_unused]] const int linked = symlink(setup.links[i].target, made);
  }
}

/// The folder /skeleton lies in the private root, a tmpfs.
Failure make_skeleton(const Setup& setup) {
  struct stat status{};
  if (stat("/host", &status) == 0) {
    chmod("/skeleton", status.st_mode & 07777);
  }
  if (!setup.root) {
    make_places(setup);
  }
  const bool hidden = hide(setup, "/proc", 0555) && hide(setup, "/sys", 0555) &&
                      hide(setup, "/dev", 0755) && hide(setup, "/tmp", 01777) &&
                      hide(setup, "/var/tmp", 01777) && hide(setup, "/argo/staging", 0755) &&
                      hide(setup, "/run", 0755) &&
                      symlink("/dev/argo", "/skeleton/run/argo") == 0 &&
                      (setup.state_hidden || hide(setup, setup.state, 0700));
  return hidden ? Failure{} : failed(Stage::skeleton, "");
}

Failure mount_inputs(const Setup& setup) {
  const char* options = setup.root ? "lowerdir=/state/inputs:/state/empty"
                                   : "lowerdir=/state/inputs:/state/empty,userxattr";
  if (mount("overlay", "/inputs", "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, options) != 0) {
    return failed(Stage::overlay, "/inputs");
  }
  return {};
}

}  // namespace

bool make_folders(const char* path, unsigned mode) {
  char text[PATH_MAX];
  std::snprintf(text, sizeof text, "%s", path);
  for (char* at = text + 1; *at != '\0'; ++at) {
    if (*at == '/') {
      *at = '\0';
      mkdir(text, mode);
      *at = '/';
    }
  }
  return mkdir(text, mode) == 0 || errno == EEXIST;
}

Failure enter_namespaces(const Setup& setup) {
  if (setup.level == Level::process) {
    return {};
  }
  if (unshare(CLONE_NEWNS | (setup.root ? 0 : CLONE_NEWUSER)) != 0) {
    return failed(setup.root ? Stage::mount_namespace : Stage::user_namespace, "");
  }
  if (!setup.root) {
    char map[64];
    write_file("/proc/self/setgroups", "deny");
    std::snprintf(map, sizeof map, "0 %u 1", setup.uid);
    if (!write_file("/proc/self/uid_map", map)) {
      return failed(Stage::user_namespace, "uid_map");
    }
    std::snprintf(map, sizeof map, "0 %u 1", setup.gid);
    if (!write_file("/proc/self/gid_map", map)) {
      return failed(Stage::user_namespace, "gid_map");
    }
  }
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return failed(Stage::mount_namespace, "/");
  }
  return {};
}

Failure enter_private_root(const Setup& setup) {
  if (mount("tmpfs", setup.root_folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=64k") != 0 ||
      chdir(setup.root_folder) != 0) {
    return failed(Stage::private_root, setup.root_folder);
  }
  static const char* const kFolders[] = {"host", "state", "proc",     "dev",
                                         "sys",  "root",  "skeleton", "inputs"};
  for (const char* name : kFolders) {
    mkdir(name, 0755);
  }
  if (mount(setup.state, "state", nullptr, MS_BIND | (setup.root ? 0 : MS_REC), nullptr) != 0) {
    return failed(Stage::private_root, setup.state);
  }
  // The folder's mount may be read-only for what others do there, never for us.
  if (mount("/sys", "sys", nullptr, MS_BIND | (setup.root ? 0 : MS_REC), nullptr) != 0 ||
      !read_only_tree("sys", !setup.root)) {
    return failed(Stage::private_root, "/sys");
  }
  if (syscall(SYS_pivot_root, ".", "host") != 0 || chdir("/") != 0) {
    return failed(Stage::private_root, "/");
  }
  if (const Failure failure = make_skeleton(setup)) {
    return failure;
  }
  return mount_inputs(setup);
}

Failure try_layer(const Setup& setup) {
  Options options;
  options.add(setup.root ? "lowerdir=/skeleton:/host" : "lowerdir=/skeleton");
  finish_options(options, "layers/1", "", setup.root);
  if (const Failure failure = mount_overlay(options, "/root")) {
    return failure;
  }
  umount2("/root", 0);
  return {};
}

Failure mount_worker(const Setup& setup) {
  if (setup.level == Level::process) {
    return {};
  }
  if (mount("proc", "/proc", "proc", kQuiet, nullptr) != 0) {
    return failed(Stage::proc, "/proc");
  }
  if (setup.level == Level::namespaces) {
    return {};
  }
  if (setup.root) {
    guard_proc();
  }
  return mount_devices(setup.root);
}

Failure renew_shared_memory() {
  DIR* folder = opendir("/dev/shm");
  if (folder == nullptr) {
    return failed(Stage::devices, "/dev/shm");
  }
  int entries = 0;
  while (readdir(folder) != nullptr) {
    ++entries;
  }
  closedir(folder);
  if (entries <= 2) {
    return {};
  }
  umount2("/dev/shm", MNT_DETACH);
  if (mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0) {
    return failed(Stage::devices, "/dev/shm");
  }
  return {};
}

Failure mount_root(const Setup& setup, const RootPlan& plan) {
  Options options;
  options.add("lowerdir=");
  for (int i = 0; i < plan.lower_count; ++i) {
    options.add("/inputs/");
    options.add_path(plan.lowers[i]);
    options.add(":");
  }
  options.add(setup.root ? "/skeleton:/host" : "/skeleton");
  finish_options(options, plan.layer, "", setup.root);
  if (const Failure failure = mount_overlay(options, "/root")) {
    return failure;
  }
  return mount_others(setup, plan);
}

void unmount_root(const Setup& setup, const char* layer) {
  umount2("/root", MNT_DETACH);
  for (int i = -1; i < setup.other_count; ++i) {
    const bool whole = i < 0;
    if (!whole && setup.others[i].kind != OtherKind::overlay &&
        setup.others[i].kind != OtherKind::fresh) {
      continue;
    }
    char prefix[16] = "";
    if (!whole) {
      std::snprintf(prefix, sizeof prefix, "o%d", i);
    }
    char mark[512];
    std::snprintf(mark, sizeof mark, "/state/%s/%sw/work/incompat/volatile/dirty", layer, prefix);
    unlink(mark);
    *std::strrchr(mark, '/') = '\0';
    rmdir(mark);
  }
}

Failure enter_layer(const Setup& setup, RootPlan& plan) {
  if (!plan.mounted) {
    if (const Failure failure = mount_root(setup, plan)) {
      return failure;
    }
  }
  static const char* const kMoved[][2] = {
      {"/proc", "/root/proc"}, {"/sys", "/root/sys"}, {"/dev", "/root/dev"}};
  for (const auto& [from, to] : kMoved) {
    if (mount(from, to, nullptr, MS_MOVE, nullptr) != 0) {
      return failed(Stage::pivot, from);
    }
  }
  if (const Failure failure = open_mounts(plan, "/host", "/state")) {
    return failure;
  }
  // Stacking the old root on the new one and taking it off again needs no folder for it.
  if (chdir("/root") != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
      umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) {
    return failed(Stage::pivot, "/");
  }
  if (const Failure failure = place_mounts(plan)) {
    return failure;
  }
  if (plan.read_only && !read_only_tree("/", false)) {
    return failed(Stage::overlay, "/");
  }
  return {};
}

Failure mount_volumes(const Setup& setup, RootPlan& plan) {
  if (const Failure failure = open_mounts(plan, "", setup.state)) {
    return failure;
  }
  return place_mounts(plan);
}

}  // namespace tiphys::node::keeper

#include "executor/stage.h"

#include "artifacts/files.h"
#include "artifacts/location.h"

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utility>

namespace tiphys::executor {
namespace {

using artifacts::Fd;
using artifacts::Sharing;

/// As many links as Linux follows in one path.
constexpr int kMaximumLinks = 40;

std::deque<std::string> parts_of(std::string_view path) {
  std::deque<std::string> parts;
  for (const auto& part : std::filesystem::path(path).relative_path()) {
    if (!part.empty() && part != ".") {
      parts.push_back(part.string());
    }
  }
  return parts;
}

/// A container's path without links on the way to its last part, seen from `root`; relative. Parts
/// that do not exist are kept as they are.
Result<std::filesystem::path> resolve_parents(const std::filesystem::path& root,
                                              std::string_view path) {
  std::deque<std::string> left = parts_of(path);
  std::filesystem::path done;
  int links = 0;
  while (!left.empty()) {
    const std::string part = std::move(left.front());
    left.pop_front();
    if (part == "..") {
      done = done.parent_path();
      continue;
    }
    std::string target(PATH_MAX, '\0');
    const std::filesystem::path here = done / part;
    const ssize_t length =
        left.empty() ? -1 : ::readlink((root / here).c_str(), target.data(), target.size());
    if (length < 0) {
      done = here;
      continue;
    }
    if (++links > kMaximumLinks) {
      return fail(ErrorCode::invalid, fmt::format("{}: too many symbolic links", path));
    }
    target.resize(static_cast<std::size_t>(length));
    if (target.starts_with('/')) {
      done.clear();
    }
    const std::deque<std::string> inserted = parts_of(target);
    left.insert(left.begin(), inserted.begin(), inserted.end());
  }
  return done;
}

/// Makes the folders of `path` below `layer`, like those they cover below `base`; never through a
/// link.
Result<Fd> make_parents(int layer, const std::filesystem::path& base,
                        const std::filesystem::path& path) {
  TRY(Fd folder, artifacts::open_folder_below(layer, "", false));
  std::filesystem::path covered = base;
  for (const auto& part : path) {
    const std::string name = part.string();
    covered /= part;
    const bool made = ::mkdirat(folder.get(), name.c_str(), 0755) == 0;
    if (!made && errno != EEXIST) {
      return fail_errno("make folder " + path.string(), errno);
    }
    Fd next(::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) {
      return fail_errno("open folder " + path.string(), errno);
    }
    struct stat status{};
    if (made && ::stat(covered.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
      // An owner that we may not give is ours then: no worse than a folder of our own.
      static_cast<void>(::fchown(next.get(), status.st_uid, status.st_gid));
      if (::fchmod(next.get(), status.st_mode & 07777U) != 0) {
        return fail_errno("set mode of " + path.string(), errno);
      }
    } else if (made) {
      static_cast<void>(::fchmod(next.get(), 0755));
    }
    folder = std::move(next);
  }
  return folder;
}

Result<> set_mode(int folder, const std::string& name, mode_t mode, bool recurse, int depth) {
  struct stat status{};
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno(name, errno);
  }
  if (S_ISLNK(status.st_mode)) {
    return {};
  }
  if (recurse && S_ISDIR(status.st_mode)) {
    if (depth > artifacts::kMaximumFolderDepth) {
      return fail(ErrorCode::invalid, name + ": folders are nested too deep");
    }
    const Fd opened(
        ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!opened) {
      return fail_errno(name, errno);
    }
    TRY(const std::vector<std::string> names, artifacts::names_in(opened.get()));
    for (const std::string& child : names) {
      TRY_VOID(set_mode(opened.get(), child, mode, recurse, depth + 1));
    }
  }
  return ::fchmodat(folder, name.c_str(), mode, 0) == 0 ? Result<>{}
                                                        : fail_errno("set mode of " + name, errno);
}

/// Carries out one plan.
class Stager {
 public:
  Stager(artifacts::Store& store, const std::filesystem::path& layer_root,
         const StageOptions& options)
      : store_(store), layer_root_(layer_root), options_(options) {}

  Result<> script(std::string_view source) {
    TRY(const Target target, target_of(kScriptPath));
    const Fd file(::openat(target.folder.get(), target.name.c_str(),
                           O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0755));
    if (!file) {
      return fail_errno(std::string(kScriptPath), errno);
    }
    TRY_VOID(artifacts::write_all(file.get(), source));
    return ::fchmod(file.get(), 0755) == 0 ? Result<>{}
                                           : fail_errno(std::string(kScriptPath), errno);
  }

  Result<> artifact(const InputArtifact& artifact) {
    if (artifacts::type_of(artifact.location).empty()) {
      return artifact.optional
                 ? Result<>{}
                 : fail(ErrorCode::not_found,
                        fmt::format("required artifact '{}' not supplied", artifact.name));
    }
    TRY(const std::string path, artifacts::clean_container_path(artifact.name, artifact.path));
    if (path == "/") {
      return fail(ErrorCode::invalid, fmt::format("artifact {}: path is /", artifact.name));
    }
    TRY(const Target target, target_of(path));
    const std::filesystem::path loading = target.path.string() + ".tmp";
    auto loaded = load(artifact, target, loading);
    if (!loaded) {
      if (artifact.optional && loaded.error().code == ErrorCode::not_found) {
        return {};
      }
      return std::unexpected(std::move(loaded).error().with_context(
          fmt::format("artifact {} failed to load", artifact.name)));
    }
    auto placed = place(artifact, *loaded, target, loading);
    static_cast<void>(artifacts::remove_all_at(AT_FDCWD, loading.string()));
    if (!placed) {
      return std::unexpected(
          std::move(placed).error().with_context(fmt::format("artifact {}", artifact.name)));
    }
    return {};
  }

 private:
  struct Target {
    Fd folder;  ///< holds the artifact
    std::string name;
    std::filesystem::path path;  ///< the same on this machine
    bool on_volume = false;
  };

  Result<Target> target_of(std::string_view path) const {
    const StageMount* mount = nullptr;
    for (const StageMount& candidate : options_.mounts) {
      const bool inside = path.starts_with(candidate.path) &&
                          (candidate.path.ends_with('/') || path.size() == candidate.path.size() ||
                           path[candidate.path.size()] == '/');
      if (inside && (mount == nullptr || candidate.path.size() > mount->path.size())) {
        mount = &candidate;
      }
    }
    const std::filesystem::path root = mount == nullptr ? layer_root_ : mount->folder;
    const std::filesystem::path base = mount == nullptr ? options_.base_root : mount->folder;
    const std::string_view below = mount == nullptr ? path : path.substr(mount->path.size());
    TRY(const std::filesystem::path resolved, resolve_parents(base, below));
    if (resolved.empty()) {
      return fail(ErrorCode::invalid, fmt::format("{} is a volume itself", path));
    }
    const Fd opened(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened) {
      return fail_errno(root.string(), errno);
    }
    TRY(Fd folder, make_parents(opened.get(), base, resolved.parent_path()));
    return Target{std::move(folder), resolved.filename().string(), root / resolved,
                  mount != nullptr};
  }

  /// Loads the artifact beside its place; answers how it is to be unpacked. Only what is not
  /// unpacked needs a copy of its own, where one is needed.
  Result<Archive> load(const InputArtifact& artifact, const Target& target,
                       const std::filesystem::path& loading) {
    const bool own =
        options_.sharing == Sharing::own_copy || target.on_volume || artifact.mode.has_value();
    const bool plain = artifact.archive == Archive::none;
    TRY_VOID(store_.load(artifact.location, loading,
                         own && plain ? Sharing::own_copy : Sharing::allowed));
    if (artifact.archive != Archive::sniff) {
      return artifact.archive;
    }
    if (looks_like_tarball(loading)) {
      return Archive::tar;
    }
    if (own) {
      TRY_VOID(artifacts::remove_all_at(target.folder.get(), target.name + ".tmp"));
      TRY_VOID(store_.load(artifact.location, loading, Sharing::own_copy));
    }
    return Archive::none;
  }

  /// Makes the place free. Within the layer all there is was staged; on a volume a folder with
  /// content is somebody's.
  Result<> clear(const Target& target) {
    if (!target.on_volume) {
      return artifacts::remove_all_at(target.folder.get(), target.name);
    }
    if (::unlinkat(target.folder.get(), target.name.c_str(), 0) != 0 && errno == EISDIR) {
      static_cast<void>(::unlinkat(target.folder.get(), target.name.c_str(), AT_REMOVEDIR));
    }
    return {};
  }

  /// Unpacks or moves what was loaded to its place.
  Result<> place(const InputArtifact& artifact, Archive archive, const Target& target,
                 const std::filesystem::path& loading) {
    TRY_VOID(clear(target));
    if (archive != Archive::none) {
      TRY_VOID(unpack(loading, archive, target.path, options_.limits));
    } else if (::rename(loading.c_str(), target.path.c_str()) != 0) {
      return fail_errno("rename", errno);
    }
    if (artifact.mode) {
      TRY_VOID(set_mode(target.folder.get(), target.name, static_cast<mode_t>(*artifact.mode),
                        artifact.recurse_mode, 0));
    }
    struct stat status{};
    if (!options_.opaque_attribute.empty() && !target.on_volume &&
        ::lstat(target.path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
        ::lsetxattr(target.path.c_str(), options_.opaque_attribute.c_str(), "y", 1, 0) != 0) {
      return fail_errno("set " + options_.opaque_attribute, errno);
    }
    return {};
  }

  artifacts::Store& store_;
  const std::filesystem::path& layer_root_;
  const StageOptions& options_;
};

}  // namespace

Result<> stage(const StepPlan& plan, artifacts::Store& store,
               const std::filesystem::path& layer_root, const StageOptions& options) {
  Stager stager(store, layer_root, options);
  if (plan.script_source) {
    TRY_VOID(stager.script(*plan.script_source));
  }
  // A folder before what stands inside it, whatever the order they are declared in.
  std::vector<std::pair<std::ptrdiff_t, std::size_t>> order;
  order.reserve(plan.input_artifacts.size());
  for (const InputArtifact& artifact : plan.input_artifacts) {
    order.emplace_back(std::ranges::count(artifact.path, '/'), order.size());
  }
  std::ranges::sort(order);
  for (const auto& [depth, index] : order) {
    TRY_VOID(stager.artifact(plan.input_artifacts[index]));
  }
  return {};
}

}  // namespace tiphys::executor

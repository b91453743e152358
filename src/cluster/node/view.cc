#include "cluster/node/view.h"

#include "cluster/node/files.h"
#include "cluster/node/host_mounts.h"

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <set>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utility>

namespace tiphys::node {
namespace {

constexpr int kMaximumLinks = 40;
constexpr int kMaximumDepth = 256;

/// Overlayfs marks a removed file by a character device 0/0.
bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

bool is_opaque(const std::string& path) {
  for (const char* name : {"trusted.overlay.opaque", "user.overlay.opaque"}) {
    char value = 0;
    if (lgetxattr(path.c_str(), name, &value, 1) == 1 && value == 'y') {
      return true;
    }
  }
  return false;
}

std::deque<std::string> parts_of(std::string_view path) {
  std::deque<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0 && path.substr(0, end) != ".") {
      parts.emplace_back(path.substr(0, end));
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

std::optional<std::string> read_link(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  if (size < 0) {
    return std::nullopt;
  }
  return std::string(target.data(), static_cast<std::size_t>(size));
}

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder.c_str()), closedir);
  while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace(name);
    }
  }
  return names;
}

}  // namespace

LayerView::LayerView(ViewSources sources) : sources_(std::move(sources)) {
  // Each volume was mounted where its path led in what was there before.
  for (Mount& mount : std::exchange(sources_.mounts, {})) {
    const std::size_t slash = mount.target.rfind('/');
    if (slash != std::string::npos && slash > 0) {
      if (const auto parent = follow(mount.target.substr(0, slash)); parent && *parent != "/") {
        mount.target = *parent + mount.target.substr(slash);
      } else if (parent) {
        mount.target = mount.target.substr(slash);
      }
    }
    sources_.mounts.push_back(std::move(mount));
  }
}

std::optional<LayerView::Place> LayerView::look_in_volume(const std::string& path,
                                                          const Mount& mount) const {
  // The volume's part of the path has no links any more, its sub path is checked below.
  std::string base = mount.source;
  for (const std::string& part : parts_of(mount.sub_path)) {
    base += "/" + part;
    if (read_link(base)) {
      // The container saw what a link in a sub path points to; from here it cannot be trusted.
      return std::nullopt;
    }
  }
  Place place;
  place.path = base + path.substr(mount.target == "/" ? 0 : mount.target.size());
  place.volume = true;
  struct stat status{};
  if (lstat(place.path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return place;
}

std::pair<std::string, std::string_view> LayerView::split(std::size_t layer,
                                                          std::string_view path) const {
  if (layer == sources_.layers.size()) {
    return {"", path};
  }
  if (layer == 0) {
    for (auto part = sources_.parts.rbegin(); part != sources_.parts.rend(); ++part) {
      if (lies_in(path, part->path)) {
        return {part->upper_folder.empty() ? "/dev/null" : part->upper_folder,
                path.substr(part->path.size())};
      }
    }
  }
  return {sources_.layers[layer], path};
}

/// Where the file of a path without links stands, or nothing.
std::optional<LayerView::Place> LayerView::look(const std::string& path) const {
  for (auto mount = sources_.mounts.rbegin(); mount != sources_.mounts.rend(); ++mount) {
    if (lies_in(path, mount->target)) {
      return look_in_volume(path, *mount);
    }
  }
  std::optional<Place> found;
  for (std::size_t i = 0; i <= sources_.layers.size(); ++i) {
    const bool machine = i == sources_.layers.size();
    if (machine && std::any_of(sources_.hidden.begin(), sources_.hidden.end(),
                               [&](const auto& hidden) { return lies_in(path, hidden); })) {
      break;
    }
    // A parent that is removed, opaque or no folder in this layer ends the search below it.
    auto [at, rest] = split(i, path);
    struct stat status{};
    bool ends = false;
    bool missing = false;
    status.st_mode = S_IFDIR;
    for (const std::string& part : parts_of(rest)) {
      // A link or file below a folder of an upper layer is covered by it, and never followed.
      missing = !S_ISDIR(status.st_mode);
      at += "/" + part;
      if (missing || lstat(at.c_str(), &status) != 0) {
        missing = true;
        break;
      }
      if (!machine && is_whiteout(status)) {
        return found;
      }
      ends = ends || (!machine && (!S_ISDIR(status.st_mode) || is_opaque(at)));
    }
    if (!missing && lstat(at.empty() ? "/" : at.c_str(), &status) == 0) {
      if (found) {
        found->merged = S_ISDIR(status.st_mode);
        return found;
      }
      found = Place{at.empty() ? "/" : at, i, false, false};
      if (!S_ISDIR(status.st_mode)) {
        return found;
      }
    }
    if (ends) {
      return found;
    }
  }
  return found;
}

/// The path without links, inside the container.
Result<std::string> LayerView::follow(std::string_view path) const {
  std::deque<std::string> left = parts_of(path);
  std::string done;
  int links = 0;
  while (!left.empty()) {
    const std::string part = std::move(left.front());
    left.pop_front();
    if (part == "..") {
      done.erase(std::min(done.rfind('/'), done.size()));
      continue;
    }
    const std::string next = done + "/" + part;
    const auto place = look(next);
    if (!place) {
      return fail(ErrorCode::not_found, fmt::format("{}: no such file or directory", path));
    }
    const auto target = read_link(place->path);
    if (!target) {
      done = next;
      continue;
    }
    if (++links > kMaximumLinks) {
      return fail(ErrorCode::invalid, fmt::format("{}: too many levels of symbolic links", path));
    }
    if (target->starts_with('/')) {
      done.clear();
    }
    const auto parts = parts_of(*target);
    left.insert(left.begin(), parts.begin(), parts.end());
  }
  return done.empty() ? "/" : done;
}

Result<> LayerView::merge(const std::string& path, const std::string& into, int depth) const {
  if (depth > kMaximumDepth) {
    return fail(ErrorCode::invalid, fmt::format("{}: folders are nested too deeply", path));
  }
  const auto place = look(path);
  if (!place) {
    return {};
  }
  struct stat status{};
  if (lstat(place->path.c_str(), &status) != 0) {
    return fail_errno("reading " + path, errno);
  }
  std::error_code error;
  if (S_ISLNK(status.st_mode)) {
    std::filesystem::copy_symlink(place->path, into, error);
  } else if (S_ISREG(status.st_mode)) {
    if (link(place->path.c_str(), into.c_str()) != 0) {
      std::filesystem::copy_file(place->path, into, error);
    }
  } else if (S_ISDIR(status.st_mode)) {
    TRY_VOID(make_folder(into, 0700));
    std::set<std::string> names;
    for (std::size_t i = place->volume ? sources_.layers.size() + 1 : place->layer;
         i <= sources_.layers.size(); ++i) {
      const auto [base, rest] = split(i, path);
      names.merge(names_in(base + std::string(rest)));
    }
    if (place->volume) {
      names = names_in(place->path);
    }
    for (const std::string& name : names) {
      TRY_VOID(merge(path + "/" + name, into + "/" + name, depth + 1));
    }
    chmod(into.c_str(), status.st_mode & 07777);
  }
  if (error) {
    return fail_errno("copying " + path, error.value());
  }
  return {};
}

Result<std::filesystem::path> LayerView::resolve(std::string_view path) const {
  TRY(auto clean, follow(path));
  const auto place = look(clean);
  if (!place) {
    return fail(ErrorCode::not_found, fmt::format("{}: no such file or directory", path));
  }
  bool merged = place->merged;
  struct stat status{};
  if (lstat(place->path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    for (const Mount& mount : sources_.mounts) {
      merged = merged || (mount.target != clean && lies_in(mount.target, clean));
    }
  }
  if (!merged || sources_.merge_folder.empty()) {
    return std::filesystem::path(place->path);
  }
  TRY_VOID(make_folders(sources_.merge_folder));
  const std::string into = fmt::format("{}/{}", sources_.merge_folder, ++merges_);
  TRY_VOID(merge(clean == "/" ? "" : clean, into, 0));
  return std::filesystem::path(into);
}

bool LayerView::is_private(const std::filesystem::path& resolved) const {
  const std::string& path = resolved.native();
  // What was put together may be hard links of the machine's own files: only folders are ours.
  return !sources_.private_folder.empty() && lies_in(path, sources_.private_folder);
}

std::optional<std::filesystem::path> LayerView::log_of(std::string_view container) const {
  const auto found = sources_.logs.find(container);
  return found == sources_.logs.end() ? std::nullopt
                                      : std::optional<std::filesystem::path>(found->second);
}

}  // namespace tiphys::node

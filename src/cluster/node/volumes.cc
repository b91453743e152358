#include "cluster/node/volumes.h"

#include "cluster/node/files.h"
#include "cluster/node/security.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace tiphys::node {
namespace {

constexpr mode_t kDefaultMode = 0644;
constexpr std::string_view kDataFolder = "..2000_01_01_00_00_00.data";

const doc::Array* find_array(const doc::Value& value, std::string_view key) {
  const doc::Value* found = doc::find(value, key);
  return found != nullptr ? found->if_array() : nullptr;
}

bool flag(const doc::Value& value, std::string_view key) {
  const doc::Value* found = doc::find(value, key);
  return found != nullptr && found->is_bool() && found->get_bool();
}

mode_t mode_of(const doc::Value& value, std::string_view key, mode_t otherwise) {
  const doc::Value* found = doc::find(value, key);
  return found != nullptr && found->is_int64() ? static_cast<mode_t>(found->get_int64() & 07777)
                                               : otherwise;
}

/// What will be a file of the volume.
struct Entry {
  std::string content;
  mode_t mode = kDefaultMode;
};

/// By path below the volume; a later source takes the place of an earlier one.
using Entries = std::map<std::string, Entry>;

Result<> add_entry(Entries& entries, std::string_view path, Entry entry) {
  const auto clean = clean_path(path);
  if (!clean || path.starts_with('/') || clean->size() < 2 || clean->starts_with("/..")) {
    return fail(ErrorCode::invalid, fmt::format("invalid path \"{}\"", path));
  }
  entries.insert_or_assign(clean->substr(1), std::move(entry));
  return {};
}

Result<> add_data(const PodContext& context, std::string_view kind, std::string_view name,
                  const doc::Value& source, mode_t mode, Entries& entries) {
  const doc::Value* metadata = doc::find(context.pod, "metadata");
  const std::string_view name_space =
      metadata != nullptr ? doc::find_string(*metadata, "namespace") : "";
  const auto object = context.lookup ? context.lookup(kind, name_space, name) : nullptr;
  if (!object) {
    return flag(source, "optional")
               ? Result<>()
               : fail(ErrorCode::not_found,
                      fmt::format("{} \"{}\" not found", kind == "Secret" ? "secret" : "configmap",
                                  name));
  }
  const doc::Array* items = find_array(source, "items");
  if (items == nullptr || items->empty()) {
    for (const std::string& key : data_keys(*object)) {
      TRY(auto content, data_value(kind, *object, key));
      TRY_VOID(add_entry(entries, key, {content.value_or(""), mode}));
    }
    return {};
  }
  for (const doc::Value& item : *items) {
    const std::string_view key = doc::find_string(item, "key");
    TRY(auto content, data_value(kind, *object, key));
    if (!content) {
      if (flag(source, "optional")) {
        continue;
      }
      return fail(ErrorCode::not_found,
                  kind == "Secret"
                      ? fmt::format("references non-existent secret key: {}", key)
                      : fmt::format("configmap references non-existent config key: {}", key));
    }
    TRY_VOID(add_entry(entries, doc::find_string(item, "path"),
                       {std::move(*content), mode_of(item, "mode", mode)}));
  }
  return {};
}

const doc::Value* container_named(const doc::Value& pod, std::string_view name) {
  const doc::Value* spec = doc::find(pod, "spec");
  for (const std::string_view list : {"containers", "initContainers"}) {
    const doc::Array* containers = spec != nullptr ? find_array(*spec, list) : nullptr;
    for (std::size_t i = 0; containers != nullptr && i < containers->size(); ++i) {
      if (doc::find_string((*containers)[i], "name") == name) {
        return &(*containers)[i];
      }
    }
  }
  return nullptr;
}

Result<> add_downward(const PodContext& context, const doc::Value& source, mode_t mode,
                      Entries& entries) {
  const doc::Array* items = find_array(source, "items");
  for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
    const doc::Value& item = (*items)[i];
    std::string content;
    if (const doc::Value* field = doc::find(item, "fieldRef")) {
      TRY(content, field_value(context, doc::find_string(*field, "fieldPath")));
    } else if (const doc::Value* resource = doc::find(item, "resourceFieldRef")) {
      const doc::Value* container =
          container_named(context.pod, doc::find_string(*resource, "containerName"));
      if (container == nullptr) {
        return fail(ErrorCode::invalid, "resourceFieldRef names no container");
      }
      TRY(content, resource_value(context, *container, *resource));
    }
    TRY_VOID(add_entry(entries, doc::find_string(item, "path"),
                       {std::move(content), mode_of(item, "mode", mode)}));
  }
  return {};
}

Result<> add_projected(const PodContext& context, const doc::Value& projected, Entries& entries) {
  const mode_t mode = mode_of(projected, "defaultMode", kDefaultMode);
  const doc::Array* sources = find_array(projected, "sources");
  for (std::size_t i = 0; sources != nullptr && i < sources->size(); ++i) {
    const doc::Value& source = (*sources)[i];
    if (const doc::Value* map = doc::find(source, "configMap")) {
      TRY_VOID(add_data(context, "ConfigMap", doc::find_string(*map, "name"), *map, mode, entries));
    } else if (const doc::Value* secret = doc::find(source, "secret")) {
      TRY_VOID(
          add_data(context, "Secret", doc::find_string(*secret, "name"), *secret, mode, entries));
    } else if (const doc::Value* downward = doc::find(source, "downwardAPI")) {
      TRY_VOID(add_downward(context, *downward, mode, entries));
    }
  }
  return {};
}

/// Lays the files out as the kubelet's atomic writer does.
Result<> write_entries(const std::string& folder, const Entries& entries) {
  const std::string data = fmt::format("{}/{}", folder, kDataFolder);
  TRY_VOID(make_folder(data, 0755));
  for (const auto& [path, entry] : entries) {
    if (const std::size_t slash = path.rfind('/'); slash != std::string::npos) {
      TRY_VOID(make_folders(fmt::format("{}/{}", data, path.substr(0, slash))));
    }
    TRY_VOID(write_text(fmt::format("{}/{}", data, path), entry.content, entry.mode));
    const std::string top = path.substr(0, path.find('/'));
    const std::string link = fmt::format("{}/{}", folder, top);
    if (symlink(fmt::format("..data/{}", top).c_str(), link.c_str()) != 0 && errno != EEXIST) {
      return fail_errno("linking " + link, errno);
    }
  }
  if (symlink(std::string(kDataFolder).c_str(), (folder + "/..data").c_str()) != 0 &&
      errno != EEXIST) {
    return fail_errno("linking " + folder, errno);
  }
  return {};
}

/// pkg/volume/hostpath/host_path.go: what must be there, and what is made.
Result<std::string> host_path(const doc::Value& source) {
  const std::string path(doc::find_string(source, "path"));
  const std::string_view type = doc::find_string(source, "type");
  if (!path.starts_with('/') || !clean_path(path)) {
    return fail(ErrorCode::invalid, fmt::format("hostPath \"{}\" is not an absolute path", path));
  }
  struct stat status{};
  bool there = stat(path.c_str(), &status) == 0;
  if (!there && type == "DirectoryOrCreate") {
    TRY_VOID(make_folders(path));
    there = stat(path.c_str(), &status) == 0;
  } else if (!there && type == "FileOrCreate") {
    TRY_VOID(write_text(path, "", 0644));
    there = stat(path.c_str(), &status) == 0;
  } else if (!there && type.empty()) {
    TRY_VOID(make_folders(path));
    return path;
  }
  const auto check = [&](bool right, std::string_view what) -> Result<std::string> {
    if (!right) {
      return fail(ErrorCode::invalid,
                  fmt::format("hostPath type check failed: {} is not a {}", path, what));
    }
    return path;
  };
  if (type.starts_with("Directory")) {
    return check(there && S_ISDIR(status.st_mode), "directory");
  }
  if (type.starts_with("File")) {
    return check(there && S_ISREG(status.st_mode), "file");
  }
  if (type == "Socket") {
    return check(there && S_ISSOCK(status.st_mode), "socket file");
  }
  if (type == "CharDevice") {
    return check(there && S_ISCHR(status.st_mode), "character device");
  }
  if (type == "BlockDevice") {
    return check(there && S_ISBLK(status.st_mode), "block device");
  }
  return path;
}

Result<std::string> empty_folder(const doc::Value& source, std::string_view name,
                                 const VolumeFolders& folders) {
  std::string folder = fmt::format("{}/volumes/{}", folders.pod_folder, name);
  if (doc::find_string(source, "medium") == "Memory" && !folders.memory_folder.empty()) {
    const std::string in_memory = fmt::format("{}/{}", folders.memory_folder, name);
    if (make_folders(folders.memory_folder) && make_folder(in_memory, 01777)) {
      return in_memory;
    }
  }
  TRY_VOID(make_folders(folder));
  // As the kubelet makes it: everybody may write.
  chmod(folder.c_str(), 0777);
  return folder;
}

Result<Volume> prepare(const PodContext& context, const doc::Value& volume,
                       const VolumeFolders& folders) {
  const std::string_view name = doc::find_string(volume, "name");
  if (const doc::Value* source = doc::find(volume, "hostPath")) {
    TRY(auto path, host_path(*source));
    return Volume{std::move(path), false};
  }
  if (const doc::Value* source = doc::find(volume, "persistentVolumeClaim")) {
    const doc::Value* metadata = doc::find(context.pod, "metadata");
    const std::string_view name_space =
        metadata != nullptr ? doc::find_string(*metadata, "namespace") : "";
    std::string folder =
        fmt::format("{}/{}/{}", folders.claims_folder, name_space.empty() ? "default" : name_space,
                    doc::find_string(*source, "claimName"));
    TRY_VOID(make_folders(folder));
    return Volume{std::move(folder), flag(*source, "readOnly")};
  }
  Entries entries;
  if (const doc::Value* source = doc::find(volume, "configMap")) {
    TRY_VOID(add_data(context, "ConfigMap", doc::find_string(*source, "name"), *source,
                      mode_of(*source, "defaultMode", kDefaultMode), entries));
  } else if (const doc::Value* secret = doc::find(volume, "secret")) {
    TRY_VOID(add_data(context, "Secret", doc::find_string(*secret, "secretName"), *secret,
                      mode_of(*secret, "defaultMode", kDefaultMode), entries));
  } else if (const doc::Value* downward = doc::find(volume, "downwardAPI")) {
    TRY_VOID(
        add_downward(context, *downward, mode_of(*downward, "defaultMode", kDefaultMode), entries));
  } else if (const doc::Value* projected = doc::find(volume, "projected")) {
    TRY_VOID(add_projected(context, *projected, entries));
  } else {
    const doc::Value* empty = doc::find(volume, "emptyDir");
    const bool known = empty != nullptr || (volume.is_object() && volume.get_object().size() == 1);
    if (!known) {
      return fail(ErrorCode::invalid, "this kind of volume is not available on this node");
    }
    TRY(auto folder, empty_folder(empty != nullptr ? *empty : volume, name, folders));
    return Volume{std::move(folder), false};
  }
  const std::string folder = fmt::format("{}/volumes/{}", folders.pod_folder, name);
  TRY_VOID(make_folders(folder));
  TRY_VOID(write_entries(folder, entries));
  return Volume{folder, true};
}

}  // namespace

std::optional<std::string> clean_path(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part == "..") {
      return std::nullopt;
    }
    if (!part.empty() && part != ".") {
      clean += '/';
      clean += part;
    }
  }
  return clean.empty() ? "/" : clean;
}

Result<Volumes> prepare_volumes(const PodContext& context, const VolumeFolders& folders) {
  Volumes volumes;
  const auto group = volume_group(context.pod);
  const doc::Value* spec = doc::find(context.pod, "spec");
  const doc::Array* list = spec != nullptr ? find_array(*spec, "volumes") : nullptr;
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const doc::Value& volume = (*list)[i];
    const std::string_view name = doc::find_string(volume, "name");
    if (name.empty() || name.find('/') != std::string_view::npos || name == "." || name == "..") {
      return fail(ErrorCode::invalid, fmt::format("invalid volume name \"{}\"", name));
    }
    auto prepared = prepare(context, volume, folders);
    if (!prepared) {
      return fail(prepared.error().code,
                  fmt::format("MountVolume.SetUp failed for volume \"{}\" : {}", name,
                              prepared.error().message));
    }
    if (group && geteuid() == 0 && doc::find(volume, "hostPath") == nullptr) {
      give_to_group(prepared->source, *group, prepared->read_only);
    }
    volumes.emplace(name, std::move(*prepared));
  }
  return volumes;
}

Result<std::vector<Mount>> container_mounts(const Volumes& volumes, const doc::Value& container,
                                            const std::vector<std::string>& environment) {
  std::vector<Mount> mounts;
  const doc::Array* list = find_array(container, "volumeMounts");
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const doc::Value& entry = (*list)[i];
    const std::string_view name = doc::find_string(entry, "name");
    const auto volume = volumes.find(name);
    if (volume == volumes.end()) {
      return fail(ErrorCode::invalid,
                  fmt::format("volumeMounts[{}].name: Not found: \"{}\"", i, name));
    }
    Mount mount;
    mount.source = volume->second.source;
    mount.read_only = volume->second.read_only || flag(entry, "readOnly");
    std::string sub(doc::find_string(entry, "subPath"));
    if (const std::string_view expression = doc::find_string(entry, "subPathExpr");
        !expression.empty()) {
      sub = expand(expression, environment);
    }
    const auto target = clean_path(doc::find_string(entry, "mountPath"));
    const auto clean_sub = clean_path(sub);
    if (!target || !clean_sub || sub.starts_with('/')) {
      return fail(ErrorCode::invalid,
                  fmt::format("failed to prepare subPath for volumeMount \"{}\": must not contain "
                              "'..'",
                              name));
    }
    mount.target = *target;
    mount.sub_path = clean_sub->substr(1);
    mounts.push_back(std::move(mount));
  }
  // Outer mounts first, or they would cover the inner ones.
  std::sort(mounts.begin(), mounts.end(),
            [](const Mount& a, const Mount& b) { return a.target < b.target; });
  return mounts;
}

}  // namespace tiphys::node

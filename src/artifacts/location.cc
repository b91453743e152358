#include "artifacts/location.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace tiphys::artifacts {
namespace {

struct Type {
  std::string_view name;
  std::string_view key;                        ///< the member that is the key; empty: has no keys
  std::array<std::string_view, 3> required{};  ///< members of a complete location, "" = none
};

/// In the order in which upstream looks for them.
constexpr std::array kTypes{
    Type{"artifactory", "", {"url"}},
    Type{"azure", "blob", {"container", "blob"}},
    Type{"git", "", {"repo"}},
    Type{"gcs", "key", {"bucket", "key"}},
    Type{"hdfs", "path", {"addresses", "path"}},
    Type{"http", "", {"url"}},
    Type{"oss", "key", {"bucket", "endpoint", "key"}},
    Type{"plugin", "key", {"name", "key"}},
    Type{"raw", "", {}},
    Type{"s3", "key", {"endpoint", "bucket", "key"}},
};

const Type* find_type(std::string_view name) {
  const auto* found = std::ranges::find(kTypes, name, &Type::name);
  return found == kTypes.end() ? nullptr : found;
}

/// The type of a location and its body; the body is null when there is none.
std::pair<const Type*, const doc::Value*> look(const doc::Value& location) {
  for (const Type& type : kTypes) {
    if (const doc::Value* body = doc::find(location, type.name); body && body->is_object()) {
      return {&type, body};
    }
  }
  return {nullptr, nullptr};
}

bool is_filled(const doc::Value* member) {
  if (member == nullptr || member->is_null()) {
    return false;
  }
  if (member->is_array()) {
    return !member->get_array().empty();
  }
  return !member->is_string() || !member->get_string().empty();
}

/// The parts of a slash-separated path, empty ones left out.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) {
      parts.push_back(path.substr(0, slash));
    }
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

/// Go's path.Clean.
std::string clean_path(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string_view> kept;
  for (const std::string_view part : split(path)) {
    if (part == ".") {
      continue;
    }
    if (part != "..") {
      kept.push_back(part);
    } else if (!kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!rooted) {
      kept.push_back(part);
    }
  }
  std::string cleaned = fmt::format("{}{}", rooted ? "/" : "", fmt::join(kept, "/"));
  return cleaned.empty() ? "." : cleaned;
}

}  // namespace

std::string_view type_of(const doc::Value& location) {
  const auto [type, body] = look(location);
  return type == nullptr ? std::string_view{} : type->name;
}

bool is_known_type(std::string_view type) { return find_type(type) != nullptr; }

std::optional<std::string> key_of(const doc::Value& location) {
  const auto [type, body] = look(location);
  if (type == nullptr || type->key.empty()) {
    return std::nullopt;
  }
  const std::string_view key = doc::find_string(*body, type->key);
  return key.empty() ? std::nullopt : std::optional<std::string>(key);
}

bool is_complete(const doc::Value& location) {
  const auto [type, body] = look(location);
  if (type == nullptr) {
    return false;
  }
  return std::ranges::all_of(type->required, [body](std::string_view member) {
    return member.empty() || is_filled(doc::find(*body, member));
  });
}

bool has_location_or_key(const doc::Value& location) {
  return is_complete(location) || key_of(location).has_value();
}

std::string file_name(std::string_view artifact_name, std::string_view path, Archive archive) {
  switch (archive) {
    case Archive::zip:
      return fmt::format("{}.zip", artifact_name);
    case Archive::none: {
      const std::vector<std::string_view> parts = split(path);
      return parts.empty() ? std::string(artifact_name) : std::string(parts.back());
    }
    case Archive::sniff:
    case Archive::tar:
      break;
  }
  return fmt::format("{}.tgz", artifact_name);
}

std::string default_key(std::string_view archive_key, std::string_view file) {
  return clean_path(archive_key.empty() ? std::string(file)
                                        : fmt::format("{}/{}", archive_key, file));
}

Result<doc::Value> complete(const doc::Value& location, const Repository& repository,
                            std::string_view file) {
  if (is_complete(location)) {
    return location;
  }
  const auto [type, body] = look(repository.location);
  if (type == nullptr) {
    return fail(ErrorCode::bad_request,
                "You need to configure artifact storage. More information on how to do this can be "
                "found in the docs: "
                "https://argo-workflows.readthedocs.io/en/latest/configure-artifact-repository/");
  }
  if (type->key.empty()) {
    return fail(ErrorCode::bad_request,
                fmt::format("the default artifact repository is of type {}, which has no keys",
                            type->name));
  }
  const std::string key = key_of(location).value_or(default_key(repository.archive_key, file));
  doc::Object filled = body->get_object();
  filled.stable_erase("keyFormat");
  filled[type->key] = key;
  return doc::Value(doc::Object{{type->name, std::move(filled)}});
}

doc::Value without_store_details(const doc::Value& location) {
  const auto [type, body] = look(location);
  const std::optional<std::string> key = key_of(location);
  if (type == nullptr || !key) {
    return location;
  }
  return doc::Value(doc::Object{{type->name, doc::Object{{type->key, *key}}}});
}

Result<std::string> clean_key(std::string_view key) {
  const auto refuse = [key](std::string_view why) {
    return fail(ErrorCode::invalid,
                fmt::format("artifact key {} {}", doc::to_json(doc::Value(key)), why));
  };
  if (key.size() > kMaximumKeyBytes) {
    return fail(ErrorCode::invalid, fmt::format("artifact key of {} bytes is longer than {}",
                                                key.size(), kMaximumKeyBytes));
  }
  if (key.find('\0') != std::string_view::npos) {
    return refuse("holds a NUL byte");
  }
  if (key.starts_with('/')) {
    return refuse("is absolute");
  }
  const std::vector<std::string_view> parts = split(key);
  if (parts.empty()) {
    return refuse("is empty");
  }
  for (const std::string_view part : parts) {
    if (part == "." || part == "..") {
      return refuse(fmt::format("has the part \"{}\"", part));
    }
    if (part.size() > 255) {
      return refuse("has a part longer than 255 bytes");
    }
    if (part == kSelfName) {
      return refuse(fmt::format("has the reserved part {}", kSelfName));
    }
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

Result<std::string> clean_bucket(std::string_view bucket) {
  TRY(std::string name, clean_key(bucket));
  if (name != bucket || name.find('/') != std::string::npos) {
    return fail(ErrorCode::invalid,
                fmt::format("bucket name {} holds a slash", doc::to_json(doc::Value(bucket))));
  }
  return name;
}

Result<std::string> clean_container_path(std::string_view artifact_name, std::string_view path) {
  if (path.empty()) {
    return fail(ErrorCode::invalid,
                fmt::format("Artifact '{}' did not specify a path", artifact_name));
  }
  if (path.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::invalid,
                fmt::format("artifact '{}' has a path with a NUL byte", artifact_name));
  }
  std::string cleaned = clean_path(path);
  std::string_view safe;
  if (const std::size_t at = path.find("/../"); at != std::string_view::npos) {
    safe = path.substr(0, at);
  } else if (path.ends_with("/..")) {
    safe = path.substr(0, path.size() - 3);
  }
  const bool outside = !safe.empty() && (!cleaned.starts_with(fmt::format("{}/", safe)) ||
                                         cleaned.size() <= safe.size() + 1);
  if (outside || cleaned == ".." || cleaned.starts_with("../")) {
    return fail(ErrorCode::invalid,
                fmt::format("Artifact '{}' attempted to use a path containing '..'. Directory "
                            "traversal is not permitted",
                            artifact_name));
  }
  if (cleaned == ".") {
    return "/";
  }
  return cleaned.starts_with('/') ? cleaned : "/" + cleaned;
}

}  // namespace tiphys::artifacts

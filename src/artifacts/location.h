#pragma once
/// The rules of artifact locations, without any I/O: what type a location is of, where its key
/// stands, which keys a store may be asked for, and how a location that is not complete is filled
/// from the default repository (upstream: ArtifactLocation in workflow_types.go; reference,
/// workflows 3.3 step 4).

#include "artifacts/artifacts.h"

#include <optional>
#include <string>
#include <string_view>

namespace tiphys::artifacts {

/// The longest key, as S3 has it.
inline constexpr std::size_t kMaximumKeyBytes = 1024;

/// The default place of a workflow's artifacts.
struct Repository {
  doc::Value location;      ///< e.g. {"s3": {"bucket": ...}}; the key in it is ignored
  std::string archive_key;  ///< keyFormat with its tags replaced; see kDefaultKeyFormat
};

/// Used when a repository has no keyFormat.
inline constexpr std::string_view kDefaultKeyFormat = "{{workflow.name}}/{{pod.name}}";

/// The type of a location: its one member that names a store ("s3", "raw", "gcs", ...), or empty
/// when it has none. Where there are several, upstream's order decides.
std::string_view type_of(const doc::Value& location);
/// Whether `type` is a store Argo knows.
bool is_known_type(std::string_view type);
/// The key of a location, or nothing when it has none or its type has no keys (git, raw, http).
std::optional<std::string> key_of(const doc::Value& location);
/// True when the location names its store and object completely (upstream's HasLocation).
bool is_complete(const doc::Value& location);
/// True when a location names at least a key: it can be completed (HasLocationOrKey).
bool has_location_or_key(const doc::Value& location);

/// The file name of an output artifact: <name>.tgz, <name>.zip, or for `none` the last part of its
/// path.
std::string file_name(std::string_view artifact_name, std::string_view path, Archive archive);
/// Joins as Go's path.Join does: cleaned, without empty parts.
std::string default_key(std::string_view archive_key, std::string_view file);

/// The complete location: unchanged if it is complete; else the repository's with the location's
/// key, or with default_key(archive_key, file) if it has none. Error bad_request when neither
/// names a store.
Result<doc::Value> complete(const doc::Value& location, const Repository& repository,
                            std::string_view file);
/// Only the type and the key: what a status reports, free of credentials. A location without a key
/// is returned unchanged.
doc::Value without_store_details(const doc::Value& location);

/// A key as a path below a store's folder: without double or trailing slashes. Error invalid for
/// keys that are empty, longer than kMaximumKeyBytes, absolute, hold a NUL or a part that is "." or
/// "..", longer than 255 bytes, or reserved (kSelfName).
Result<std::string> clean_key(std::string_view key);
/// A bucket's name as one folder name. Error invalid for names that are none.
Result<std::string> clean_bucket(std::string_view bucket);

/// The name of a file object whose key is at the same time a prefix of other keys.
inline constexpr std::string_view kSelfName = ".tiphys-self";  // a literal: its bytes end in NUL

/// A path of a container, cleaned as upstream's Artifact.CleanPath does: lexically, and never above
/// the part before the first "..". Error invalid with upstream's words.
Result<std::string> clean_container_path(std::string_view artifact_name, std::string_view path);

}  // namespace tiphys::artifacts

#pragma once
/// Artifact stores. Three nouns: a `location`, the document by which Argo names an artifact ("s3":
/// {"key": ...}); a `Store`, which turns locations into bytes and back; `Repository`, the default
/// place that completes a location which names no store, and the format of the keys it gives out.
///
/// The local store is a folder: it presents itself with `s3` locations and keeps the object of key
/// K at <folder>/K. Objects are immutable once stored: loading may therefore hand out hard links.

#include "base/error.h"
#include "doc/json.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tiphys::artifacts {

struct Stored {
  std::string digest;  ///< SHA-256 of the bytes, hex; of a folder: over the sorted names, modes and
                       ///< digests of its files
  std::uint64_t size = 0;
};

/// Whether a source file may be consumed by storing it.
enum class Source { keep, may_move };

class Store {
 public:
  virtual ~Store() = default;
  /// Puts the object (file or folder) at `location` to the path `destination`, which must not
  /// exist; parents are made. The result must be treated as read-only: it may share its bytes with
  /// the store. not_found when there is no object.
  virtual Result<> load(const doc::Value& location, const std::filesystem::path& destination) = 0;
  /// Stores a file or folder under `location`, replacing what was there. Complete or not at all.
  virtual Result<Stored> save(const doc::Value& location, const std::filesystem::path& source,
                              Source mode) = 0;
  /// Whether the object is there and, where the store knows, its digest.
  virtual Result<Stored> stat(const doc::Value& location) = 0;
  /// Makes the object of `from` available under `to` as well, without copying where that can be.
  virtual Result<> link(const doc::Value& from, const doc::Value& to) = 0;
  virtual Result<> remove(const doc::Value& location) = 0;
};

}  // namespace tiphys::artifacts

#pragma once
/// Artifact stores. Three nouns: a `location`, the document by which Argo names an artifact ("s3":
/// {"key": ...}); a `Store`, which turns locations into bytes and back; `Repository`, the default
/// place that completes a location which names no store, and the keys it gives out (location.h).
///
/// The local store is a folder that presents itself with `s3` locations (local_store.h). Objects
/// are immutable once stored: loading may therefore hand out hard links.
///
/// Stores block (they copy, hash and unlink): call them from the pool, not from the loop. All of
/// them may be called from several threads at once.

#include "base/error.h"
#include "doc/json.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tiphys::artifacts {

/// How the bytes of an artifact are wrapped (Argo's `archive`).
enum class Archive {
  sniff,  ///< inputs only: unpack what looks like gzip and tar, keep anything else
  none,
  tar,  ///< gzip-compressed tar
  zip,
};

struct Stored {
  std::string digest;  ///< SHA-256 of the bytes, hex; of a folder: over the sorted names, kinds,
                       ///< executable bits and digests of its files (tree.h)
  std::uint64_t size = 0;  ///< bytes of content; of a folder the sum over its files
  bool folder = false;
  bool operator==(const Stored&) const = default;
};

/// Whether a source file may be consumed by storing it.
enum class Source { keep, may_move };

/// Whether what is loaded may share its bytes with the store. Whoever lets a program write to the
/// loaded file in place, or changes its mode, must ask for a copy of its own; a file that is only
/// read, or read through a copy-on-write layer, may be shared.
enum class Sharing { allowed, own_copy };

class Store {
 public:
  virtual ~Store() = default;
  /// Puts the object (file or folder) at `location` to the path `destination`, which must not
  /// exist; parents are made. With Sharing::allowed the files are read-only and must stay so; with
  /// own_copy they are writable by their owner. not_found when there is no object.
  virtual Result<> load(const doc::Value& location, const std::filesystem::path& destination,
                        Sharing sharing) = 0;
  /// Stores a file or folder under `location`, replacing what was there. Complete or not at all.
  /// `source` itself must not be a symbolic link. With Source::may_move it may be gone afterwards,
  /// also when storing failed.
  virtual Result<Stored> save(const doc::Value& location, const std::filesystem::path& source,
                              Source mode) = 0;
  /// What the object is. Cheap: digests of stored objects are kept, not computed anew.
  virtual Result<Stored> stat(const doc::Value& location) = 0;
  /// Makes the object of `from` available under `to` as well, without copying where that can be.
  virtual Result<> link(const doc::Value& from, const doc::Value& to) = 0;
  /// Removes the object, of a folder all that is in it. not_found when there is none.
  virtual Result<> remove(const doc::Value& location) = 0;
  /// A folder from which save() with Source::may_move need not copy. Callers choose their own
  /// unique names in it and remove what they do not store.
  virtual std::filesystem::path scratch() const = 0;
};

}  // namespace tiphys::artifacts

#pragma once
/// Content digests: SHA-256 in hex, of bytes in memory, of a stream, of an open file; and
/// `FileDigests`, which remembers the digests of files by their identity so that no file is read
/// twice.

#include "base/error.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

struct stat;

namespace tiphys::artifacts {

using RawDigest = std::array<unsigned char, 32>;

std::string to_hex(const RawDigest& digest);

/// A running SHA-256.
class Sha256 final {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);
  /// Appends the length and then the bytes, so that a sequence of texts is hashed unambiguously.
  void update_text(std::string_view text);
  /// The digest; the object must not be used any more.
  RawDigest finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string sha256_hex(std::string_view bytes);
/// The digest of a file open for reading, from its start. Does not move the file's offset.
Result<RawDigest> sha256_of(int file);

/// Digests of files, kept by (device, inode, size, modification time, change time): a file that was
/// written, replaced or touched is hashed anew. The change time is the kernel's, so a program that
/// sets a file's times back is seen. Thread-safe.
class FileDigests final {
 public:
  FileDigests() = default;
  FileDigests(const FileDigests&) = delete;
  FileDigests& operator=(const FileDigests&) = delete;

  /// The digest of the regular file at `path` in hex; symbolic links are followed. not_found, or io
  /// when it is no regular file.
  Result<std::string> digest_of(const std::filesystem::path& path);
  /// The same for a file that is open for reading.
  Result<RawDigest> digest_of(int file, const struct stat& status);
  std::size_t size() const;

 private:
  struct Identity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified = 0;  ///< nanoseconds
    std::int64_t changed = 0;   ///< nanoseconds
    bool operator==(const Identity&) const = default;
  };

  struct IdentityHash {
    std::size_t operator()(const Identity& identity) const;
  };

  mutable std::mutex mutex_;
  std::unordered_map<Identity, RawDigest, IdentityHash> known_;
};

}  // namespace tiphys::artifacts

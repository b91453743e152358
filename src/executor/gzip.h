#pragma once
/// Gzip streams over open files. The writer's output depends on nothing but the bytes and the
/// level: no name, no time in the header. The reader reads members one after another, as Go's does.

#include "base/error.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace tiphys::executor {

/// Whether a gzip level is one that Go's compress/gzip takes: -2 (Huffman only), -1 (default) to 9.
bool is_gzip_level(int level);

class GzipWriter final {
 public:
  /// Writes to the open `file`, which must outlive the writer.
  static Result<std::unique_ptr<GzipWriter>> open(int file, int level);
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  Result<> write(std::string_view bytes);
  /// Ends the stream; nothing may be written afterwards.
  Result<> finish();

 private:
  struct Impl;
  explicit GzipWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class GzipReader final {
 public:
  /// Reads the open `file` from its start; it must outlive the reader.
  explicit GzipReader(int file);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// The next bytes, at most a buffer full, valid until the next call; empty at the end. Error
  /// invalid for what is no gzip, is damaged or ends early.
  Result<std::string_view> read();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tiphys::executor

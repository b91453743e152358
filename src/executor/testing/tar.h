#pragma once
/// For tests: tar archives with any entries, also such as no honest program writes.

#include <zlib.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::executor::testing {

struct TarEntry {
  std::string name;
  char type =
      '0';  ///< '0' file, '1' hard link, '2' symbolic link, '3' device, '5' folder, '6' pipe
  std::string content{};
  std::string link{};
  unsigned mode = 0644;
};

inline std::string gzip(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string tar(const std::vector<TarEntry>& entries) {
  std::string out;
  for (const TarEntry& entry : entries) {
    std::array<char, 512> block{};
    entry.name.copy(&block[0], 100);
    std::snprintf(&block[100], 8, "%07o", entry.mode);
    std::snprintf(&block[124], 12, "%011zo", entry.content.size());
    std::snprintf(&block[136], 12, "%011o", 1'600'000'000);
    block[156] = entry.type;
    entry.link.copy(&block[157], 100);
    std::memcpy(&block[257], "ustar\00000", 8);
    std::memset(&block[148], ' ', 8);
    unsigned sum = 0;
    for (const char c : block) {
      sum += static_cast<unsigned char>(c);
    }
    std::snprintf(&block[148], 8, "%06o", sum);
    out.append(block.data(), block.size());
    out += entry.content;
    out.append((512 - entry.content.size() % 512) % 512, '\0');
  }
  return out.append(1024, '\0');
}

inline std::string tar_gzip(const std::vector<TarEntry>& entries) { return gzip(tar(entries)); }

}  // namespace tiphys::executor::testing

#include "executor/gzip.h"

#include "artifacts/files.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <unistd.h>
#include <vector>

namespace tiphys::executor {
namespace {

/// Below malloc's limit for memory of its own from the kernel: most artifacts are small.
constexpr std::size_t kBuffer = 1 << 16;
/// The largest window, and a gzip frame instead of zlib's.
constexpr int kGzipWindow = 15 + 16;

Bytef* bytes_of(std::vector<char>& buffer) { return reinterpret_cast<Bytef*>(buffer.data()); }

}  // namespace

bool is_gzip_level(int level) { return level >= -2 && level <= 9; }

struct GzipWriter::Impl {
  int file = -1;
  z_stream stream{};
  std::vector<char> out = std::vector<char>(kBuffer);

  ~Impl() { deflateEnd(&stream); }

  Result<> run(std::string_view bytes, int flush) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream.next_out = bytes_of(out);
      stream.avail_out = static_cast<uInt>(out.size());
      CHECK(deflate(&stream, flush) != Z_STREAM_ERROR, "deflate was set up");
      TRY_VOID(artifacts::write_all(file, {out.data(), out.size() - stream.avail_out}));
    } while (stream.avail_out == 0);
    return {};
  }
};

GzipWriter::GzipWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GzipWriter::~GzipWriter() = default;

Result<std::unique_ptr<GzipWriter>> GzipWriter::open(int file, int level) {
  if (!is_gzip_level(level)) {
    return fail(ErrorCode::invalid, fmt::format("gzip: invalid compression level: {}", level));
  }
  auto impl = std::make_unique<Impl>();
  impl->file = file;
  const bool huffman = level == -2;
  if (deflateInit2(&impl->stream, huffman ? Z_DEFAULT_COMPRESSION : level, Z_DEFLATED, kGzipWindow,
                   8, huffman ? Z_HUFFMAN_ONLY : Z_DEFAULT_STRATEGY) != Z_OK) {
    return fail(ErrorCode::internal, "gzip: out of memory");
  }
  return std::unique_ptr<GzipWriter>(new GzipWriter(std::move(impl)));
}

Result<> GzipWriter::write(std::string_view bytes) {
  constexpr std::size_t kMost = 1U << 30U;
  while (!bytes.empty()) {
    const std::string_view some = bytes.substr(0, kMost);
    TRY_VOID(impl_->run(some, Z_NO_FLUSH));
    bytes.remove_prefix(some.size());
  }
  return {};
}

Result<> GzipWriter::finish() { return impl_->run({}, Z_FINISH); }

struct GzipReader::Impl {
  int file = -1;
  z_stream stream{};
  std::vector<char> in = std::vector<char>(kBuffer);
  std::vector<char> out = std::vector<char>(kBuffer);
  off_t offset = 0;
  bool ready = false;   ///< inflate is set up
  bool inside = false;  ///< within a member
  bool any = false;     ///< a member has ended

  ~Impl() {
    if (ready) {
      inflateEnd(&stream);
    }
  }

  /// Reads more input when there is none; false at the end of the file.
  Result<bool> fill() {
    while (stream.avail_in == 0) {
      const ssize_t got = ::pread(file, in.data(), in.size(), offset);
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        return fail_errno("read", errno);
      }
      if (got == 0) {
        return false;
      }
      offset += got;
      stream.next_in = bytes_of(in);
      stream.avail_in = static_cast<uInt>(got);
    }
    return true;
  }
};

GzipReader::GzipReader(int file) : impl_(std::make_unique<Impl>()) {
  impl_->file = file;
  impl_->ready = inflateInit2(&impl_->stream, kGzipWindow) == Z_OK;
}

GzipReader::~GzipReader() = default;

Result<std::string_view> GzipReader::read() {
  Impl& self = *impl_;
  if (!self.ready) {
    return fail(ErrorCode::internal, "gzip: out of memory");
  }
  z_stream& stream = self.stream;
  stream.next_out = bytes_of(self.out);
  stream.avail_out = static_cast<uInt>(self.out.size());
  while (stream.avail_out > 0) {
    TRY(const bool more, self.fill());
    if (!more) {
      if (self.inside || !self.any) {
        return fail(ErrorCode::invalid, "gzip: unexpected end of file");
      }
      break;
    }
    self.inside = true;
    const int result = inflate(&stream, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      self.inside = false;
      self.any = true;
      inflateReset(&stream);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return fail(ErrorCode::invalid,
                  fmt::format("gzip: {}", stream.msg != nullptr ? stream.msg : "invalid data"));
    }
  }
  return std::string_view(self.out.data(), self.out.size() - stream.avail_out);
}

}  // namespace tiphys::executor

#include "artifacts/files.h"
#include "executor/archive.h"
#include "executor/gzip.h"

#include <archive.h>
#include <archive_entry.h>
#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace tiphys::executor {
namespace {

using artifacts::Fd;
using artifacts::kMaximumFolderDepth;

struct WriterCloser {
  void operator()(struct archive* writer) const { archive_write_free(writer); }
};

struct EntryCloser {
  void operator()(struct archive_entry* entry) const { archive_entry_free(entry); }
};

using Entry = std::unique_ptr<struct archive_entry, EntryCloser>;

/// Where libarchive's output goes: through gzip, or straight into the file.
struct Output {
  int file = -1;
  std::unique_ptr<GzipWriter> gzip;
  std::optional<Error> error;
};

la_ssize_t write_output(struct archive*, void* context, const void* data, std::size_t size) {
  auto* output = static_cast<Output*>(context);
  const std::string_view bytes(static_cast<const char*>(data), size);
  auto written =
      output->gzip ? output->gzip->write(bytes) : artifacts::write_all(output->file, bytes);
  if (!written) {
    output->error = std::move(written).error();
    return -1;
  }
  return static_cast<la_ssize_t>(size);
}

/// Walks a file or folder and writes it as an archive.
class Packer {
 public:
  Packer(struct archive* writer, Output& output, Archive kind)
      : writer_(writer), output_(output), kind_(kind), buffer_(1 << 16) {}

  Result<> add(int parent, const std::string& name, const std::string& path, int depth) {
    struct stat status{};
    const int flags = depth == 0 ? 0 : AT_SYMLINK_NOFOLLOW;
    if (::fstatat(parent, name.c_str(), &status, flags) != 0) {
      return errno == ENOENT ? fail(ErrorCode::not_found, path + ": no such file or directory")
                             : fail_errno(path, errno);
    }
    if (S_ISREG(status.st_mode)) {
      return add_file(parent, name, path, status, depth);
    }
    if (S_ISDIR(status.st_mode)) {
      return add_folder(parent, name, path, status, depth);
    }
    if (S_ISLNK(status.st_mode)) {
      return add_link(parent, name, path, status);
    }
    return fail(ErrorCode::invalid, fmt::format("{} is not a regular file or directory", path));
  }

 private:
  Result<Entry> header(const std::string& path, const struct stat& status) {
    Entry entry(archive_entry_new());
    archive_entry_copy_pathname(entry.get(), path.c_str());
    archive_entry_set_mode(entry.get(), status.st_mode & (S_IFMT | 0777U));
    archive_entry_set_size(entry.get(), S_ISREG(status.st_mode) ? status.st_size : 0);
    // A zip's times would depend on the machine's time zone; without one it gets zip's first day.
    if (kind_ == Archive::tar) {
      archive_entry_set_mtime(entry.get(), kArchiveTime, 0);
    }
    return entry;
  }

  Result<> write_header(const Entry& entry) {
    return archive_write_header(writer_, entry.get()) >= ARCHIVE_WARN ? Result<>{} : failure();
  }

  std::unexpected<Error> failure() const {
    if (output_.error) {
      return std::unexpected(*output_.error);
    }
    const char* text = archive_error_string(writer_);
    return fail(ErrorCode::io, fmt::format("archive: {}", text != nullptr ? text : "failed"));
  }

  Result<> add_file(int parent, const std::string& name, const std::string& path,
                    const struct stat& status, int depth) {
    const int no_follow = depth == 0 ? 0 : O_NOFOLLOW;
    const Fd file(::openat(parent, name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | no_follow));
    if (!file) {
      return fail_errno(path, errno);
    }
    TRY(const Entry entry, header(path, status));
    TRY_VOID(write_header(entry));
    auto left = static_cast<std::uint64_t>(status.st_size);
    while (left > 0) {
      const ssize_t got =
          ::read(file.get(), buffer_.data(), std::min<std::uint64_t>(left, buffer_.size()));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got <= 0) {
        return got < 0 ? fail_errno(path, errno)
                       : fail(ErrorCode::io, path + ": became shorter while it was read");
      }
      if (archive_write_data(writer_, buffer_.data(), static_cast<std::size_t>(got)) != got) {
        return failure();
      }
      left -= static_cast<std::uint64_t>(got);
    }
    return {};
  }

  Result<> add_folder(int parent, const std::string& name, const std::string& path,
                      const struct stat& status, int depth) {
    if (depth > kMaximumFolderDepth) {
      return fail(ErrorCode::invalid,
                  fmt::format("{}: folders are nested deeper than {}", path, kMaximumFolderDepth));
    }
    TRY(const Entry entry, header(path + "/", status));
    TRY_VOID(write_header(entry));
    const int no_follow = depth == 0 ? 0 : O_NOFOLLOW;
    const Fd folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | no_follow));
    if (!folder) {
      return fail_errno(path, errno);
    }
    TRY(const std::vector<std::string> names, artifacts::names_in(folder.get()));
    for (const std::string& child : names) {
      TRY_VOID(add(folder.get(), child, path + "/" + child, depth + 1));
    }
    return {};
  }

  Result<> add_link(int parent, const std::string& name, const std::string& path,
                    const struct stat& status) {
    std::string target(PATH_MAX, '\0');
    const ssize_t length = ::readlinkat(parent, name.c_str(), target.data(), target.size());
    if (length < 0) {
      return fail_errno(path, errno);
    }
    target.resize(static_cast<std::size_t>(length));
    TRY(const Entry entry, header(path, status));
    archive_entry_copy_symlink(entry.get(), target.c_str());
    return write_header(entry);
  }

  struct archive* writer_;
  Output& output_;
  Archive kind_;
  std::vector<char> buffer_;
};

Result<> write_archive(const std::filesystem::path& source, std::string_view name, Archive kind,
                       Output& output) {
  const std::unique_ptr<struct archive, WriterCloser> writer(archive_write_new());
  // GNU's format keeps names as the bytes they are; pax would need to know their encoding.
  const int format = kind == Archive::zip ? archive_write_set_format_zip(writer.get())
                                          : archive_write_set_format_gnutar(writer.get());
  archive_write_set_bytes_per_block(writer.get(), 0);
  if (format != ARCHIVE_OK ||
      archive_write_open(writer.get(), &output, nullptr, write_output, nullptr) != ARCHIVE_OK) {
    return fail(ErrorCode::internal, "archive: cannot be set up");
  }
  Packer packer(writer.get(), output, kind);
  TRY_VOID(packer.add(AT_FDCWD, source.string(), std::string(name), 0));
  if (archive_write_close(writer.get()) != ARCHIVE_OK) {
    return output.error ? std::unexpected(*output.error)
                        : fail(ErrorCode::io, "archive: cannot be finished");
  }
  return output.gzip ? output.gzip->finish() : Result<>{};
}

}  // namespace

Result<> pack(const std::filesystem::path& source, std::string_view name, Archive archive,
              int compression_level, const std::filesystem::path& destination) {
  CHECK(archive == Archive::tar || archive == Archive::zip, "pack writes tar and zip");
  const Fd file(::open(destination.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) {
    return fail_errno(destination.string(), errno);
  }
  Output output{file.get(), nullptr, std::nullopt};
  auto packed = Result<>{};
  if (archive == Archive::tar) {
    auto gzip = GzipWriter::open(file.get(), compression_level);
    if (!gzip) {
      packed = std::unexpected(std::move(gzip).error());
    } else {
      output.gzip = *std::move(gzip);
    }
  }
  if (packed) {
    packed = write_archive(source, name, archive, output);
  }
  if (!packed) {
    ::unlink(destination.c_str());
  }
  return packed;
}

}  // namespace tiphys::executor

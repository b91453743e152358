#include "artifacts/raw_source.h"

#include "artifacts/digest.h"
#include "artifacts/files.h"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tiphys::artifacts {
namespace {

/// The data as a value: absent is empty, as in Go; anything but a string is refused.
Result<std::string_view> data_of(const doc::Value& location) {
  const doc::Value* raw = doc::find(location, "raw");
  if (raw == nullptr || !raw->is_object()) {
    return fail(ErrorCode::bad_request, "not a raw location");
  }
  const doc::Value* data = doc::find(*raw, "data");
  if (data != nullptr && !data->is_string() && !data->is_null()) {
    return fail(ErrorCode::invalid, "raw.data is not a string");
  }
  return doc::find_string(*raw, "data");
}

std::unexpected<Error> read_only() {
  return fail(ErrorCode::bad_request, "raw artifacts (field raw) can only be read");
}

}  // namespace

Result<> RawSource::load(const doc::Value& location, const std::filesystem::path& destination,
                         Sharing) {
  TRY(const std::string_view data, data_of(location));
  std::error_code failure;
  std::filesystem::create_directories(destination.parent_path(), failure);
  const Fd file(::open(destination.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) {
    return fail_errno(destination.string(), errno);
  }
  TRY_VOID(write_all(file.get(), data));
  return ::fchmod(file.get(), 0644) == 0 ? Result<>{} : fail_errno(destination.string(), errno);
}

Result<Stored> RawSource::save(const doc::Value&, const std::filesystem::path&, Source) {
  return read_only();
}

Result<Stored> RawSource::stat(const doc::Value& location) {
  TRY(const std::string_view data, data_of(location));
  return Stored{sha256_hex(data), data.size(), false};
}

Result<> RawSource::link(const doc::Value&, const doc::Value&) { return read_only(); }

Result<> RawSource::remove(const doc::Value&) { return read_only(); }

std::filesystem::path RawSource::scratch() const { return {}; }

}  // namespace tiphys::artifacts

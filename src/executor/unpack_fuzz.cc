/// Any bytes as an archive: nothing may be written outside, and nothing crash or run away.

#include "artifacts/files.h"
#include "executor/archive.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <string>

namespace {

/// One folder for the whole run; a file beside the destination tells whether anything got out.
const std::filesystem::path& fuzz_folder() {
  static const std::filesystem::path folder = [] {
    std::string name = (std::filesystem::temp_directory_path() / "tiphys-fuzz-XXXXXX").string();
    const std::filesystem::path made = ::mkdtemp(name.data());
    std::filesystem::create_directories(made / "inside");
    return made;
  }();
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tiphys::executor::Archive;
  const std::filesystem::path& folder = fuzz_folder();
  std::ofstream(folder / "archive", std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  static_cast<void>(tiphys::executor::looks_like_tarball(folder / "archive"));
  for (const Archive kind : {Archive::tar, Archive::zip}) {
    const std::filesystem::path out = folder / "inside" / "out";
    const auto done =
        tiphys::executor::unpack(folder / "archive", kind, out, {.bytes = 1 << 20, .entries = 100});
    static_cast<void>(tiphys::artifacts::remove_all_at(AT_FDCWD, out.string()));
    CHECK(std::filesystem::is_empty(folder / "inside"), "only the destination was written");
    CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 2, "nothing got out");
  }
  return 0;
}

/// Keys and paths of any bytes: what is accepted must stay inside.

#include "artifacts/location.h"

#include <cstddef>
#include <cstdint>

namespace {

void check_inside(std::string_view path) {
  CHECK(!path.empty() && path.find('\0') == std::string_view::npos, "a usable path");
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    CHECK(!part.empty() && part != "." && part != "..", "only names");
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto key = tiphys::artifacts::clean_key(text)) {
    check_inside(*key);
    CHECK(tiphys::artifacts::clean_key(*key) == *key, "cleaning twice changes nothing");
  }
  if (const auto bucket = tiphys::artifacts::clean_bucket(text)) {
    check_inside(*bucket);
  }
  if (const auto path = tiphys::artifacts::clean_container_path("fuzz", text)) {
    CHECK(path->starts_with('/'), "absolute");
    if (*path != "/") {
      check_inside(std::string_view(*path).substr(1));
    }
  }
  return 0;
}

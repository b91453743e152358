#include "cluster/node/host_mounts.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view kState = "/home/a/state";
  const auto mounts = tiphys::node::sort_mounts(text, kState);
  for (const auto& other : mounts.others) {
    // Only whole paths may get into a container's root, and the state folder never.
    if (!other.path.starts_with('/') ||
        (other.path == kState && tiphys::node::is_writable(other.kind))) {
      __builtin_trap();
    }
  }
  return 0;
}

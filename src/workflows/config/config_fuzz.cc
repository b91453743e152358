#include "kube/types/types.h"
#include "workflows/config/config.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tiphys::doc::Schema types(tiphys::kube::built_in_types());
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = tiphys::workflows::parse_config(text, types);
  if (config && !config->workflow_defaults.is_null() && !config->workflow_defaults.is_object()) {
    std::abort();
  }
  return 0;
}

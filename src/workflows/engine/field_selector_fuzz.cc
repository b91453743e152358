#include "workflows/engine/field_selector.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto selector = tiphys::workflows::FieldSelector::parse(text)) {
    static_cast<void>(selector->matches({{"displayName", "a"}, {"phase", "Failed"}}));
  }
  return 0;
}

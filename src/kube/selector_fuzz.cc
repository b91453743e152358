#include "kube/selector.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto selector = tiphys::kube::LabelSelector::parse(text)) {
    static_cast<void>(selector->matches({{"app", "web"}, {"tier", "5"}}));
  }
  return 0;
}

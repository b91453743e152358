#include "lang/when/when.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(tiphys::lang::should_execute(text));
  static_cast<void>(tiphys::lang::should_execute_strict(text));
  return 0;
}

/// Any text as an entry of a cache: what is read must be written back to the same.

#include "workflows/engine/memo.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto entry = tiphys::workflows::MemoEntry::parse(text)) {
    const std::string written = entry->to_json();
    const auto again = tiphys::workflows::MemoEntry::parse(written);
    CHECK(again.has_value() && again->to_json() == written, "the same after writing and reading");
  }
  return 0;
}

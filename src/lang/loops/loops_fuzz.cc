#include "lang/loops/format_int.h"
#include "lang/loops/loops.h"

#include <cstdint>

using namespace tiphys::lang;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(any_string(text));
  static_cast<void>(go_format_int(text, -42));
  auto items = ItemList::from_json(text);
  if (!items) {
    return 0;
  }
  const std::size_t count = std::min<std::size_t>(items->size(), 20);
  const auto loop = Loop::make({.name = "a",
                                .when = "",
                                .body = R"({"v":"{{item}} {{item.k}} {{=item}}"})",
                                .loop_fields = text},
                               *std::move(items));
  for (std::size_t i = 0; loop && i < count; ++i) {
    static_cast<void>(loop->child(i, Scope()));
  }
  return 0;
}

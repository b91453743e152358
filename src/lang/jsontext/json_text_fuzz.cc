#include "lang/jsontext/json_text.h"

#include <cstdint>

using namespace std::string_view_literals;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (tiphys::lang::json_problem(text)) {
    return 0;
  }
  std::string compact;
  tiphys::lang::append_compact_json(compact, text);
  if (tiphys::lang::json_problem(compact)) {
    __builtin_trap();
  }
  const std::string_view kind = tiphys::lang::json_kind(text);
  if (kind == "array"sv) {
    for (const auto element : tiphys::lang::json_elements(text)) {
      if (tiphys::lang::json_problem(element)) {
        __builtin_trap();
      }
    }
  } else if (kind == "object"sv) {
    static_cast<void>(tiphys::lang::json_members(text));
  }
  return 0;
}

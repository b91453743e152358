#include "lang/jsontext/json_text.h"
#include "lang/tags/tag_text.h"

#include <cstdint>

using tiphys::lang::Scope;
using tiphys::lang::Strictness;
using tiphys::lang::TagText;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  Scope scope;
  scope.set("a", "plain");
  scope.set("a.b", "quote\" \a \xff");
  scope.set("item", "{\"k\":[1]}");
  scope.set_absent("nil");
  for (const auto format : {TagText::Format::json, TagText::Format::text}) {
    const auto scanned = TagText::scan(text, format);
    if (!scanned) {
      continue;
    }
    for (const auto& strictness : {Strictness::lenient(), Strictness::everything()}) {
      const auto filled = scanned->replace(scope, {.strictness = strictness});
      if (filled && format == TagText::Format::json && tiphys::lang::json_problem(*filled)) {
        __builtin_trap();
      }
    }
  }
  static_cast<void>(tiphys::lang::resolve_tag(text, scope));
  return 0;
}

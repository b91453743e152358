// Any text through the manifest reader, and what it gives through the writer and back.
#include "doc/yaml.h"

#include <algorithm>
#include <cstdint>

namespace {

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }) &&
         text.find("-0") == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tiphys::doc;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& document : parse_manifests(text, {.duplicate_keys = DuplicateKeys::error})) {
    if (!document) {
      continue;
    }
    document->positions.find("a.b[0].c");
    const std::string json = to_json(document->value);
    const std::string yaml = to_yaml(document->value);
    const auto again = parse_yaml(yaml);
    if (is_plain(yaml) && is_plain(json)) {
      CHECK(again, "written YAML does not read: " + yaml);
      const JsonStyle sorted{.sort_keys = true};
      CHECK(to_json(again->value, sorted) == to_json(document->value, sorted), yaml);
    }
  }
  return 0;
}

// Any text through the JSON reader; what it gives must survive writing and reading again, with and
// without positions.
#include "doc/json.h"
#include "doc/yaml.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tiphys::doc;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = parse_json(text);
  const auto located = parse_located_json(text);
  CHECK(value.has_value() == located.has_value(), "the readers disagree");
  if (!value) {
    return 0;
  }
  CHECK(located->positions.value_of(located->positions.root()).line > 0, "the root has a place");
  const std::string written = to_json(*value);
  CHECK(to_json(located->value) == written, "the readers disagree");
  const auto again = parse_json(written);
  // The double -0 is written as Go writes it, and that reads as an integer.
  CHECK(again && (to_json(*again) == written || written.find("-0") != std::string::npos), written);
  return 0;
}

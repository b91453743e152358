/// Any text as a plan, outputs or a step key: what is read must be written back to the same.

#include "executor/fingerprint.h"
#include "executor/step_plan.h"

#include <cstddef>
#include <cstdint>

namespace {

template <class Document>
void check(std::string_view text) {
  if (const auto document = Document::from_json(text)) {
    // As text: a location's 1e2 is read as a double and, written as 100, then as an integer.
    const std::string written = document->to_json();
    const auto again = Document::from_json(written);
    CHECK(again.has_value() && again->to_json() == written, "the same after writing and reading");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check<tiphys::executor::StepPlan>(text);
  check<tiphys::executor::StepOutputs>(text);
  check<tiphys::executor::StepKey>(text);
  return 0;
}

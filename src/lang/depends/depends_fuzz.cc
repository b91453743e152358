#include "lang/depends/depends.h"

#include <cstdint>

using tiphys::lang::ContinueOn;
using tiphys::lang::Depends;
using tiphys::lang::TaskOutcome;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(tiphys::lang::check_task_results(text));
  const auto depends = Depends::parse(text, [](std::string_view task) -> std::optional<ContinueOn> {
    if (task.size() > 3) {
      return std::nullopt;
    }
    return ContinueOn{.error = task.size() == 2, .failed = task.size() == 3};
  });
  if (depends) {
    static_cast<void>(depends->evaluate(
        [](std::string_view task) { return TaskOutcome{.succeeded = task.size() == 1}; }));
  }
  return 0;
}

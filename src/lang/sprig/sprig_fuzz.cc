#include "lang/sprig/sprig.h"

#include <algorithm>
#include <cstdint>

/// Runs whatever calls of functions come; small budgets keep each input short.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tiphys::lang;
  static const ExprTable environment = [] {
    ExprTable table;
    table.set("l", ExprValue::list({ExprValue::integer(3), ExprValue::string("x"), ExprValue()}));
    table.set("m", ExprValue::map({{"a", ExprValue::number(1.5)}, {"b", ExprValue()}}));
    add_sprig(table, {.now = [] { return Instant{.unix_seconds = 1'709'029'053}; },
                      .random =
                          [](std::span<unsigned char> bytes) {
                            std::ranges::fill(bytes, static_cast<unsigned char>(7));
                          },
                      .lookup_host = {}});
    return table;
  }();
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  // Making keys and hashing passwords takes long by design.
  for (const std::string_view slow : {"gen", "htpasswd", "bcrypt", "derive"}) {
    if (source.find(slow) != std::string_view::npos) {
      return 0;
    }
  }
  ExprRuntime runtime;
  runtime.memory_budget = 20'000;
  runtime.step_budget = 100'000;
  runtime.text_budget = 1U << 20U;
  if (const auto expression = Expr::parse(source)) {
    if (const auto value = expression->run(environment, runtime)) {
      static_cast<void>(value->typed_text());
    }
  }
  return 0;
}

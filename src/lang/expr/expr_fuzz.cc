#include "lang/expr/expr.h"

#include <cstddef>
#include <cstdint>

/// Parses, checks and runs whatever comes; small budgets keep each input short.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tiphys::lang;
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  static const ExprTable values = [] {
    ExprTable table;
    table.set("i", ExprValue::integer(42));
    table.set("s", ExprValue::string("text"));
    table.set("l", ExprValue::list({ExprValue::integer(3), ExprValue::string("x"), ExprValue()}));
    table.set("m", ExprValue::map({{"a", ExprValue::number(1.5)}, {"b", ExprValue()}}));
    table.set("nothing", ExprValue());
    return table;
  }();
  const ExprOverlay environment(argo_functions(), values);
  ExprRuntime runtime;
  runtime.memory_budget = 20'000;
  runtime.step_budget = 100'000;
  runtime.text_budget = 1U << 20U;
  runtime.now = [] { return Instant::zero(); };
  if (const auto expression = Expr::parse(source)) {
    if (const auto value = expression->run(environment, runtime)) {
      (void)value->typed_text();
      (void)value->to_json_text();
    }
  }
  const std::string_view path = source.substr(0, source.find('\n'));
  (void)query_json_path(R"({"a":[{"b":1,"c":"x"},{"b":2}],"d":{"e":[1,2,3]}})", path);
  return 0;
}

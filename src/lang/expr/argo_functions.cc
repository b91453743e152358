/// The functions Argo Workflows adds to the language.
#include "lang/expr/builtins.h"
#include "lang/expr/expr.h"

namespace tiphys::lang {
namespace {

ExprTable make_argo_functions() {
  using enum ExprKind;
  const ExprType conversion = ExprType::function({any}, false, {any});
  ExprTable table;
  table.set({"asInt", conversion,
             [](ExprRun&, ExprArguments arguments) { return convert_to_int(arguments[0]); }});
  table.set({"asFloat", conversion,
             [](ExprRun&, ExprArguments arguments) { return convert_to_float(arguments[0]); }});
  table.set({"toJson", ExprType::function({any}, false, {string}),
             [](ExprRun& run, ExprArguments arguments) -> Result<ExprValue> {
               TRY(std::string text, arguments[0].to_json_text());
               TRY_VOID(run.charge_text(text.size()));
               return ExprValue::string(std::move(text));
             }});
  table.set({"jsonpath", ExprType::function({string, string}, false, {any}),
             [](ExprRun& run, ExprArguments arguments) -> Result<ExprValue> {
               TRY_VOID(run.step(arguments[0].as_string().size() / 4));
               return query_json_path(arguments[0].as_string(), arguments[1].as_string());
             }});
  return table;
}

}  // namespace

const ExprTable& argo_functions() {
  static const ExprTable table = make_argo_functions();
  return table;
}

}  // namespace tiphys::lang

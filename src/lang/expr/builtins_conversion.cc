/// Functions that turn values into other values or texts.
#include "lang/expr/builtins.h"
#include "lang/expr/go_json.h"
#include "lang/expr/methods.h"
#include "lang/expr/operators.h"
#include "lang/expr/parts.h"
#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::lang {
namespace {

using Body = Result<ExprValue>;

bool is_numeric(const std::optional<ExprType>& type) {
  return type &&
         (type->is_number() || type->kind() == ExprKind::duration || is_named_integer(*type));
}

Result<ExprType> check_number(ArgumentTypes types, std::string_view function, ExprKind result) {
  TRY_VOID(expect_count(types.size(), 1));
  const ExprKind kind = argument_kind(types[0]);
  if (!is_numeric(types[0]) && kind != ExprKind::string && kind != ExprKind::any) {
    return run_error(
        fmt::format("invalid argument for {} (type {})", function, argument_name(types[0])));
  }
  return ExprType(result);
}

Result<ExprType> check_int(ArgumentTypes types) {
  return check_number(types, "int", ExprKind::int_);
}

Result<ExprType> check_float(ArgumentTypes types) {
  return check_number(types, "float", ExprKind::float64);
}

Body int_of(ExprRun&, ExprArguments arguments) { return convert_to_int(arguments[0]); }

Body float_of(ExprRun&, ExprArguments arguments) { return convert_to_float(arguments[0]); }

Body string_of(ExprRun& run, ExprArguments arguments) {
  std::string out;
  append_text(out, arguments[0], std::min(kExprTextLimit, run.text_left()));
  if (out.size() > kExprTextLimit) {
    return run_error("memory budget exceeded");
  }
  TRY_VOID(run.charge_text(out.size()));
  return ExprValue::string(std::move(out));
}

Body type_of(ExprRun&, ExprArguments arguments) {
  return ExprValue::string(arguments[0].type_name());
}

Body to_json(ExprRun& run, ExprArguments arguments) {
  TRY(std::string text, arguments[0].to_json_text(2));
  TRY_VOID(run.charge_text(text.size()));
  return ExprValue::string(std::move(text));
}

Body from_json(ExprRun& run, ExprArguments arguments) {
  TRY(const std::string_view text, text_argument(arguments[0]));
  TRY_VOID(run.step(text.size() / 4));
  return parse_go_json(text);
}

Body to_base64(ExprRun& run, ExprArguments arguments) {
  TRY(const std::string_view text, text_argument(arguments[0]));
  TRY_VOID(run.charge_text(text.size() * 2));
  return ExprValue::string(base64_encode(text));
}

Body from_base64(ExprRun& run, ExprArguments arguments) {
  TRY(const std::string_view text, text_argument(arguments[0]));
  TRY_VOID(run.charge_text(text.size()));
  TRY(std::string bytes, base64_decode(text));
  return ExprValue::string(std::move(bytes));
}

}  // namespace

Result<ExprValue> convert_to_int(const ExprValue& value) {
  if (value.is_number()) {
    TRY(const std::int64_t number, to_int(value));
    return ExprValue::integer(number);
  }
  if (value.kind() == ExprKind::string) {
    const Result<std::int64_t> number = parse_integer(value.as_string(), 10);
    if (!number) {
      return run_error(fmt::format("invalid operation: int({})", value.as_string()));
    }
    return ExprValue::integer(*number);
  }
  if (value.kind() == ExprKind::duration) {
    return ExprValue::integer(value.as_duration().count());
  }
  if (const auto named = named_integer(value)) {
    return ExprValue::integer(*named);
  }
  if (value.is_nil()) {
    return run_error("reflect: call of reflect.Value.Type on zero Value");
  }
  return run_error(fmt::format("invalid operation: int({})", type_text(value)));
}

Result<ExprValue> convert_to_float(const ExprValue& value) {
  if (value.is_number()) {
    return ExprValue::number(value.as_number());
  }
  if (value.kind() == ExprKind::string) {
    const Result<double> number = parse_float(value.as_string());
    if (!number) {
      return run_error(fmt::format("invalid operation: float({})", value.as_string()));
    }
    return ExprValue::number(*number);
  }
  return run_error(fmt::format("invalid operation: float({})", type_text(value)));
}

std::vector<Builtin> conversion_builtins() {
  using enum ExprKind;
  const std::vector text_of_any = {ExprType::function({any}, false, {string})};
  const std::vector text_of_text = {ExprType::function({string}, false, {string})};
  return {
      {.name = "int", .validate = check_int, .body = int_of},
      {.name = "float", .validate = check_float, .body = float_of},
      {.name = "string", .overloads = text_of_any, .body = string_of},
      {.name = "type", .overloads = text_of_any, .body = type_of},
      {.name = "toJSON", .overloads = text_of_any, .body = to_json},
      {.name = "fromJSON",
       .overloads = {ExprType::function({string}, false, {any})},
       .body = from_json},
      {.name = "toBase64", .overloads = text_of_text, .body = to_base64},
      {.name = "fromBase64", .overloads = text_of_text, .body = from_base64},
  };
}

}  // namespace tiphys::lang

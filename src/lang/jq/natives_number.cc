// Numbers and operators.

#include "lang/jq/json_form.h"
#include "lang/jq/native.h"
#include "lang/jq/operators.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tiphys::lang::jq {
namespace {

template <Outcome (*operation)(const Value&, const Value&, Budget&)>
Outcome with_budget(const NativeCall& call) {
  return operation(call.argument(0), call.argument(1), call.budget);
}

Outcome plus_sign(const NativeCall& call) {
  return call.value.is_number() ? Outcome(call.value)
                                : problem("cannot plus: " + preview_with_type(call.value));
}

Outcome minus_sign(const NativeCall& call) { return negate(call.value); }

Outcome alternative(const NativeCall& call) {
  return call.argument(0).truthy() ? call.argument(0) : call.argument(1);
}

template <bool (*holds)(int)>
Outcome compared(const NativeCall& call) {
  return Value::boolean(holds(compare(call.argument(0), call.argument(1), call.budget)));
}

bool is_equal(int order) { return order == 0; }

bool is_other(int order) { return order != 0; }

bool is_greater(int order) { return order > 0; }

bool is_less(int order) { return order < 0; }

bool is_at_least(int order) { return order >= 0; }

bool is_at_most(int order) { return order <= 0; }

// Functions of the mathematical library by name.

double significand(double x) {
  int exponent = 0;
  return std::frexp(x, &exponent) * 2;
}

double exp10(double x) { return std::pow(10.0, x); }

double go_logb(double x) { return x == 0 ? -HUGE_VAL : std::logb(x); }

double drem(double x, double y) {
  const double rest = std::remainder(x, y);
  return rest == 0.0 ? std::copysign(rest, x) : rest;
}

double fdim(double x, double y) {
  const double difference = x - y;
  return difference <= 0 ? 0 : difference;
}

int to_order(double x) { return static_cast<int>(std::clamp(std::isnan(x) ? 0.0 : x, -1e6, 1e6)); }

double go_ldexp(double x, double y) { return std::ldexp(x, to_order(y)); }

double go_jn(double x, double y) { return ::jn(to_order(x), y); }

double go_yn(double x, double y) { return ::yn(to_order(x), y); }

struct Unary {
  std::string_view name;
  double (*function)(double);
};

constexpr Unary kUnary[] = {{"sin", std::sin},
                            {"cos", std::cos},
                            {"tan", std::tan},
                            {"asin", std::asin},
                            {"acos", std::acos},
                            {"atan", std::atan},
                            {"sinh", std::sinh},
                            {"cosh", std::cosh},
                            {"tanh", std::tanh},
                            {"asinh", std::asinh},
                            {"acosh", std::acosh},
                            {"atanh", std::atanh},
                            {"floor", std::floor},
                            {"round", std::round},
                            {"nearbyint", std::nearbyint},
                            {"rint", std::nearbyint},
                            {"ceil", std::ceil},
                            {"trunc", std::trunc},
                            {"significand", significand},
                            {"fabs", std::fabs},
                            {"sqrt", std::sqrt},
                            {"cbrt", std::cbrt},
                            {"exp", std::exp},
                            {"exp10", exp10},
                            {"exp2", std::exp2},
                            {"expm1", std::expm1},
                            {"log", std::log},
                            {"log10", std::log10},
                            {"log1p", std::log1p},
                            {"log2", std::log2},
                            {"logb", go_logb},
                            {"gamma", std::tgamma},
                            {"tgamma", std::tgamma},
                            {"lgamma", std::lgamma},
                            {"erf", std::erf},
                            {"erfc", std::erfc},
                            {"j0", ::j0},
                            {"j1", ::j1},
                            {"y0", ::y0},
                            {"y1", ::y1}};

struct Binary {
  std::string_view name;
  double (*function)(double, double);
};

constexpr Binary kBinary[] = {{"atan2", std::atan2},
                              {"copysign", std::copysign},
                              {"drem", drem},
                              {"fdim", fdim},
                              {"fmax", std::fmax},
                              {"fmin", std::fmin},
                              {"fmod", std::fmod},
                              {"hypot", std::hypot},
                              {"jn", go_jn},
                              {"nextafter", std::nextafter},
                              {"nexttoward", std::nextafter},
                              {"remainder", std::remainder},
                              {"ldexp", go_ldexp},
                              {"scalb", go_ldexp},
                              {"scalbln", go_ldexp},
                              {"yn", go_yn},
                              {"pow", std::pow}};

template <std::size_t index>
Outcome unary(const NativeCall& call) {
  const auto x = to_double(call.value);
  return x ? Outcome(Value::number(kUnary[index].function(*x)))
           : not_for(kUnary[index].name, call.value);
}

template <std::size_t index>
Outcome binary(const NativeCall& call) {
  const auto x = to_double(call.argument(0));
  if (!x) {
    return not_for(kBinary[index].name, call.argument(0));
  }
  const auto y = to_double(call.argument(1));
  return y ? Outcome(Value::number(kBinary[index].function(*x, *y)))
           : not_for(kBinary[index].name, call.argument(1));
}

Outcome fma(const NativeCall& call) {
  double numbers[3] = {};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto number = to_double(call.argument(i));
    if (!number) {
      return not_for("fma", call.argument(i));
    }
    numbers[i] = *number;
  }
  return Value::number(std::fma(numbers[0], numbers[1], numbers[2]));
}

Outcome frexp(const NativeCall& call) {
  const auto x = to_double(call.value);
  if (!x) {
    return not_for("frexp", call.value);
  }
  int exponent = 0;
  const double fraction = std::frexp(*x, &exponent);
  return Value::list({Value::number(fraction), Value::integer(std::isfinite(*x) ? exponent : 0)});
}

Outcome modf(const NativeCall& call) {
  const auto x = to_double(call.value);
  if (!x) {
    return not_for("modf", call.value);
  }
  double whole = 0;
  const double fraction = std::modf(*x, &whole);
  return Value::list({Value::number(fraction), Value::number(whole)});
}

Outcome infinite(const NativeCall& /*call*/) { return Value::number(HUGE_VAL); }

Outcome nan(const NativeCall& /*call*/) { return Value::number(std::nan("")); }

Outcome isfinite(const NativeCall& call) {
  const auto x = to_double(call.value);
  return Value::boolean(x && !std::isinf(*x));
}

Outcome isinfinite(const NativeCall& call) {
  const auto x = to_double(call.value);
  return Value::boolean(x && std::isinf(*x));
}

Outcome isnan(const NativeCall& call) {
  const auto x = to_double(call.value);
  if (!x && !call.value.is_null()) {
    return not_for("isnan", call.value);
  }
  return Value::boolean(x && std::isnan(*x));
}

Outcome isnormal(const NativeCall& call) {
  const auto x = to_double(call.value);
  return Value::boolean(x && std::isnormal(*x));
}

constexpr Native kNamed[] = {
    {"_plus", 0, plus_sign},
    {"_negate", 0, minus_sign},
    {"_add", 2, with_budget<add>},
    {"_subtract", 2, with_budget<subtract>},
    {"_multiply", 2, with_budget<multiply>},
    {"_divide", 2, with_budget<divide>},
    {"_modulo", 2, with_budget<modulo>},
    {"_alternative", 2, alternative},
    {"_equal", 2, compared<is_equal>},
    {"_notequal", 2, compared<is_other>},
    {"_greater", 2, compared<is_greater>},
    {"_less", 2, compared<is_less>},
    {"_greatereq", 2, compared<is_at_least>},
    {"_lesseq", 2, compared<is_at_most>},
    {"fma", 3, fma},
    {"frexp", 0, frexp},
    {"modf", 0, modf},
    {"infinite", 0, infinite},
    {"nan", 0, nan},
    {"isfinite", 0, isfinite},
    {"isinfinite", 0, isinfinite},
    {"isnan", 0, isnan},
    {"isnormal", 0, isnormal},
};

template <std::size_t... index>
void add_unary(std::vector<Native>& out, std::index_sequence<index...> /*all*/) {
  (out.push_back({kUnary[index].name, 0, unary<index>}), ...);
}

template <std::size_t... index>
void add_binary(std::vector<Native>& out, std::index_sequence<index...> /*all*/) {
  (out.push_back({kBinary[index].name, 2, binary<index>}), ...);
}

}  // namespace

std::span<const Native> number_natives() {
  static const std::vector<Native> kNatives = [] {
    std::vector<Native> out(std::begin(kNamed), std::end(kNamed));
    add_unary(out, std::make_index_sequence<std::size(kUnary)>());
    add_binary(out, std::make_index_sequence<std::size(kBinary)>());
    return out;
  }();
  return kNatives;
}

}  // namespace tiphys::lang::jq

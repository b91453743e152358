/// Conversions and arithmetic.
#include "lang/gotext/gotext.h"
#include "lang/sprig/decimal.h"
#include "lang/sprig/functions.h"

#include <cmath>

namespace tiphys::lang::sprig {
namespace {

std::uint64_t bits(std::int64_t value) { return static_cast<std::uint64_t>(value); }

/// Go's int64 arithmetic wraps around.
Answer wide(std::uint64_t value) { return int64_value(static_cast<std::int64_t>(value)); }

Answer number(double value) { return ExprValue::number(value); }

Answer add(const Call& call) {
  std::uint64_t sum = 0;
  for (const ExprValue& value : call.arguments) {
    sum += bits(to_int64(value));
  }
  return wide(sum);
}

Answer mul(const Call& call) {
  std::uint64_t product = 1;
  for (const ExprValue& value : call.arguments) {
    product *= bits(to_int64(value));
  }
  return wide(product);
}

Answer div(const Call& call) {
  const std::int64_t by = to_int64(call[1]);
  if (by == 0) {
    return go_panic("integer divide by zero");
  }
  // The lowest number has no positive twin: Go gives it back.
  return by == -1 ? wide(0 - bits(to_int64(call[0]))) : wide(bits(to_int64(call[0]) / by));
}

Answer mod(const Call& call) {
  const std::int64_t by = to_int64(call[1]);
  if (by == 0) {
    return go_panic("integer divide by zero");
  }
  return by == -1 ? wide(0) : wide(bits(to_int64(call[0]) % by));
}

Answer max(const Call& call) {
  std::int64_t best = to_int64(call[0]);
  for (const ExprValue& value : call.rest(1)) {
    best = std::max(best, to_int64(value));
  }
  return wide(bits(best));
}

Answer min(const Call& call) {
  std::int64_t best = to_int64(call[0]);
  for (const ExprValue& value : call.rest(1)) {
    best = std::min(best, to_int64(value));
  }
  return wide(bits(best));
}

/// Go's math.Max and math.Min: infinities first, then NaN wins, and -0 is below 0.
double larger(double a, double b) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (a == kInfinity || b == kInfinity) {
    return kInfinity;
  }
  if (std::isnan(a) || std::isnan(b)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (a == 0 && b == 0) {
    return std::signbit(a) ? b : a;
  }
  return std::max(a, b);
}

Answer maxf(const Call& call) {
  double best = to_float64(call[0]);
  for (const ExprValue& value : call.rest(1)) {
    best = larger(best, to_float64(value));
  }
  return number(best);
}

Answer minf(const Call& call) {
  double best = to_float64(call[0]);
  for (const ExprValue& value : call.rest(1)) {
    best = -larger(-best, -to_float64(value));
  }
  return number(best);
}

/// `digit` at the place counts up from `roundOn` (0.5) on, for negative numbers too.
Answer round(const Call& call) {
  const double limit = call.size() > 2 ? call[2].as_number() : 0.5;
  const double power = std::pow(10.0, static_cast<double>(call.integer(1)));
  const double shifted = power * to_float64(call[0]);
  double whole = 0;
  const double fraction = std::modf(shifted, &whole);
  return number((fraction >= limit ? std::ceil(shifted) : std::floor(shifted)) / power);
}

/// Reads the number as if its digits were octal.
Answer to_decimal(const Call& call) {
  return wide(bits(parse_integer(call[0].text(), 8).value_or(0)));
}

using Operation = Result<Decimal> (*)(const Decimal& a, const Decimal& b);

Answer fold_decimals(const Call& call, double start, ExprArguments operands, Operation operation) {
  TRY(Decimal total, Decimal::from(start));
  for (const ExprValue& value : operands) {
    TRY(const Decimal operand, Decimal::from(to_float64(value)));
    TRY_VOID(call.run.step(1 + total.bytes() * (1 + operand.bytes()) / 16));
    TRY(Decimal next, operation(total, operand));
    total = std::move(next);
  }
  return number(total.to_double());
}

Result<Decimal> plus(const Decimal& a, const Decimal& b) { return Decimal::add(a, b); }

Result<Decimal> minus(const Decimal& a, const Decimal& b) { return Decimal::subtract(a, b); }

Result<Decimal> times(const Decimal& a, const Decimal& b) { return Decimal::multiply(a, b); }

Answer from_first(const Call& call, Operation operation) {
  return fold_decimals(call, to_float64(call[0]), call.rest(1), operation);
}

constexpr std::string_view kInt64s = "func(interface {}, ...interface {}) int64";
constexpr std::string_view kFloats = "func(interface {}, ...interface {}) float64";

constexpr Function kFunctions[] = {
    {"atoi", "func(string) int",
     [](const Call& call) -> Answer { return ExprValue::integer(lenient_integer(call.text(0))); }},
    {"int64", "func(interface {}) int64",
     [](const Call& call) { return wide(bits(to_int64(call[0]))); }},
    {"int", "func(interface {}) int",
     [](const Call& call) -> Answer { return ExprValue::integer(to_int64(call[0])); }},
    {"float64", "func(interface {}) float64",
     [](const Call& call) { return number(to_float64(call[0])); }},
    {"toDecimal", "func(interface {}) int64", to_decimal},
    {"add1", "func(interface {}) int64",
     [](const Call& call) { return wide(bits(to_int64(call[0])) + 1); }},
    {"add", "func(...interface {}) int64", add},
    {"sub", "func(interface {}, interface {}) int64",
     [](const Call& call) { return wide(bits(to_int64(call[0])) - bits(to_int64(call[1]))); }},
    {"div", "func(interface {}, interface {}) int64", div},
    {"mod", "func(interface {}, interface {}) int64", mod},
    {"mul", kInt64s, mul},
    {"add1f", "func(interface {}) float64",
     [](const Call& call) {
       const ExprValue one = ExprValue::integer(1);
       return fold_decimals(call, to_float64(call[0]), {&one, 1}, plus);
     }},
    {"addf", "func(...interface {}) float64",
     [](const Call& call) { return fold_decimals(call, 0, call.arguments, plus); }},
    {"subf", kFloats, [](const Call& call) { return from_first(call, minus); }},
    {"divf", kFloats, [](const Call& call) { return from_first(call, Decimal::divide); }},
    {"mulf", kFloats, [](const Call& call) { return from_first(call, times); }},
    {"biggest", kInt64s, max},
    {"max", kInt64s, max},
    {"min", kInt64s, min},
    {"maxf", kFloats, maxf},
    {"minf", kFloats, minf},
    {"ceil", "func(interface {}) float64",
     [](const Call& call) { return number(std::ceil(to_float64(call[0]))); }},
    {"floor", "func(interface {}) float64",
     [](const Call& call) { return number(std::floor(to_float64(call[0]))); }},
    {"round", "func(interface {}, int, ...float64) float64", round},
};

}  // namespace

std::span<const Function> number_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig

/// Functions on numbers.
#include "lang/expr/builtins.h"
#include "lang/expr/methods.h"
#include "lang/expr/operators.h"
#include "lang/expr/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tiphys::lang {
namespace {

using Body = Result<ExprValue>;

std::unexpected<Error> bad_argument(std::string_view function, const ExprValue& value) {
  return run_error(fmt::format("invalid argument for {} (type {})", function, type_text(value)));
}

bool is_number_type(const std::optional<ExprType>& type) {
  return type &&
         (type->is_number() || type->kind() == ExprKind::duration || is_named_integer(*type));
}

Result<ExprType> one_number(ArgumentTypes types, std::string_view function) {
  TRY_VOID(expect_count(types.size(), 1));
  if (!is_number_type(types[0]) && argument_kind(types[0]) != ExprKind::any) {
    return run_error(
        fmt::format("invalid argument for {} (type {})", function, argument_name(types[0])));
  }
  return *types[0];
}

Result<ExprType> check_abs(ArgumentTypes types) { return one_number(types, "abs"); }

Result<ExprType> rounded(ArgumentTypes types, std::string_view function) {
  TRY_VOID(one_number(types, function));
  return ExprType(ExprKind::float64);
}

Result<ExprType> check_ceil(ArgumentTypes types) { return rounded(types, "ceil"); }

Result<ExprType> check_floor(ArgumentTypes types) { return rounded(types, "floor"); }

Result<ExprType> check_round(ArgumentTypes types) { return rounded(types, "round"); }

Body abs(ExprRun&, ExprArguments arguments) {
  const ExprValue& value = arguments[0];
  if (!value.is_number()) {
    return bad_argument("abs", value);
  }
  const bool unsigned_value = value.kind() >= ExprKind::uint && value.kind() <= ExprKind::uint64;
  return !unsigned_value && value.as_number() < 0 ? negate(value) : Body(value);
}

Body with_rounding(std::string_view function, const ExprValue& value, double (*round)(double)) {
  if (!value.is_number()) {
    return bad_argument(function, value);
  }
  return ExprValue::number(value.is_float() ? round(value.as_number()) : value.as_number());
}

Body ceil(ExprRun&, ExprArguments arguments) {
  return with_rounding("ceil", arguments[0], std::ceil);
}

Body floor(ExprRun&, ExprArguments arguments) {
  return with_rounding("floor", arguments[0], std::floor);
}

Body round(ExprRun&, ExprArguments arguments) {
  return with_rounding("round", arguments[0], std::round);
}

Result<ExprType> aggregate(ArgumentTypes types, std::string_view function) {
  if (types.empty()) {
    return run_error(fmt::format("not enough arguments to call {}", function));
  }
  for (const auto& type : types) {
    const ExprKind kind = argument_kind(type);
    if (kind == ExprKind::any || kind == ExprKind::list) {
      return ExprType(ExprKind::any);
    }
    if (!is_number_type(type)) {
      return run_error(
          fmt::format("invalid argument for {} (type {})", function, argument_name(type)));
    }
  }
  return *types[0];
}

Result<ExprType> check_max(ArgumentTypes types) { return aggregate(types, "max"); }

Result<ExprType> check_min(ArgumentTypes types) { return aggregate(types, "min"); }

Result<ExprType> check_mean(ArgumentTypes types) { return aggregate(types, "mean"); }

Result<ExprType> check_median(ArgumentTypes types) { return aggregate(types, "median"); }

/// The largest or smallest number in the arguments and, through all levels, in their lists; nil
/// when there is none.
class Extreme {
 public:
  Extreme(ExprRun& run, std::string_view function, Op replaces)
      : run_(run), function_(function), replaces_(replaces) {}

  Body of(ExprArguments arguments) {
    if (arguments.size() == 1 && !arguments[0].is_number() &&
        arguments[0].kind() != ExprKind::list) {
      return arguments[0];
    }
    for (const ExprValue& argument : arguments) {
      TRY_VOID(look_at(argument));
    }
    return best_.value_or(ExprValue());
  }

 private:
  Result<> look_at(const ExprValue& value) {
    TRY_VOID(run_.step());
    if (value.kind() == ExprKind::list) {
      for (const ExprValue& item : value.as_list()) {
        TRY_VOID(look_at(item));
      }
      return {};
    }
    if (!value.is_number()) {
      return bad_argument(function_, value);
    }
    if (best_) {
      TRY(const bool better, ordered(replaces_, *best_, value));
      if (!better) {
        return {};
      }
    }
    best_ = value;
    return {};
  }

  ExprRun& run_;
  std::string_view function_;
  Op replaces_;
  std::optional<ExprValue> best_;
};

Body max(ExprRun& run, ExprArguments arguments) {
  return Extreme(run, "max", Op::less).of(arguments);
}

Body min(ExprRun& run, ExprArguments arguments) {
  return Extreme(run, "min", Op::greater).of(arguments);
}

Result<> collect(ExprRun& run, std::string_view function, const ExprValue& value,
                 std::vector<double>& out) {
  TRY_VOID(run.step());
  if (value.kind() == ExprKind::list) {
    for (const ExprValue& item : value.as_list()) {
      TRY_VOID(collect(run, function, item, out));
    }
    return {};
  }
  if (value.kind() == ExprKind::duration) {
    out.push_back(static_cast<double>(value.as_duration().count()));
    return {};
  }
  if (!value.is_number()) {
    return bad_argument(function, value);
  }
  TRY_VOID(run.charge_text(sizeof(double)));
  out.push_back(value.as_number());
  return {};
}

Result<std::vector<double>> collected(ExprRun& run, std::string_view function,
                                      ExprArguments arguments) {
  std::vector<double> out;
  for (const ExprValue& argument : arguments) {
    TRY_VOID(collect(run, function, argument, out));
  }
  return out;
}

Body mean(ExprRun& run, ExprArguments arguments) {
  TRY(const auto numbers, collected(run, "mean", arguments));
  double sum = 0;
  for (const double number : numbers) {
    sum += number;
  }
  return ExprValue::number(numbers.empty() ? 0 : sum / static_cast<double>(numbers.size()));
}

Body median(ExprRun& run, ExprArguments arguments) {
  TRY(auto numbers, collected(run, "median", arguments));
  if (numbers.empty()) {
    return ExprValue::number(0);
  }
  // NaN stands before all others, as in Go's sort.Float64s.
  std::ranges::sort(numbers,
                    [](double a, double b) { return a < b || (std::isnan(a) && !std::isnan(b)); });
  const std::size_t half = numbers.size() / 2;
  const bool odd = numbers.size() % 2 == 1;
  return ExprValue::number(odd ? numbers[half] : (numbers[half - 1] + numbers[half]) / 2);
}

Result<std::int64_t> bit_argument(std::string_view function, const ExprValue& value) {
  if (!value.is_integer()) {
    return run_error(
        fmt::format("cannot use {} as argument (type int) to call {}", type_text(value), function));
  }
  return value.as_integer();
}

enum class Bits : std::uint8_t { both, either, exclusive, without, left, right, unsigned_right };

Result<std::int64_t> shifted(Bits operation, std::int64_t value, std::int64_t count) {
  if (count < 0) {
    return run_error(fmt::format("invalid operation: negative shift count {} (type int)", count));
  }
  const auto bits = static_cast<std::uint64_t>(value);
  if (count >= 64) {
    return operation == Bits::right && value < 0 ? -1 : 0;
  }
  if (operation == Bits::right) {
    return value >> count;
  }
  return static_cast<std::int64_t>(operation == Bits::left ? bits << count : bits >> count);
}

template <Bits Operation>
Body bits(std::string_view function, ExprArguments arguments) {
  TRY(const std::int64_t x, bit_argument(function, arguments[0]));
  TRY(const std::int64_t y, bit_argument(function, arguments[1]));
  switch (Operation) {
    case Bits::both:
      return ExprValue::integer(x & y);
    case Bits::either:
      return ExprValue::integer(x | y);
    case Bits::exclusive:
      return ExprValue::integer(x ^ y);
    case Bits::without:
      return ExprValue::integer(x & ~y);
    default: {
      TRY(const std::int64_t result, shifted(Operation, x, y));
      return ExprValue::integer(result);
    }
  }
}

Body bit_not(ExprRun&, ExprArguments arguments) {
  TRY(const std::int64_t x, bit_argument("bitnot", arguments[0]));
  return ExprValue::integer(~x);
}

}  // namespace

std::vector<Builtin> number_builtins() {
  using enum ExprKind;
  const std::vector two = {ExprType::function({int_, int_}, false, {int_})};
  const std::vector one = {ExprType::function({int_}, false, {int_})};
  using R = ExprRun&;
  using A = ExprArguments;
  return {
      {.name = "abs", .validate = check_abs, .body = abs},
      {.name = "ceil", .validate = check_ceil, .body = ceil},
      {.name = "floor", .validate = check_floor, .body = floor},
      {.name = "round", .validate = check_round, .body = round},
      {.name = "max", .validate = check_max, .body = max},
      {.name = "min", .validate = check_min, .body = min},
      {.name = "mean", .validate = check_mean, .body = mean},
      {.name = "median", .validate = check_median, .body = median},
      {.name = "bitand",
       .overloads = two,
       .body = [](R, A a) { return bits<Bits::both>("bitand", a); }},
      {.name = "bitor",
       .overloads = two,
       .body = [](R, A a) { return bits<Bits::either>("bitor", a); }},
      {.name = "bitxor",
       .overloads = two,
       .body = [](R, A a) { return bits<Bits::exclusive>("bitxor", a); }},
      {.name = "bitnand",
       .overloads = two,
       .body = [](R, A a) { return bits<Bits::without>("bitnand", a); }},
      {.name = "bitshl",
       .overloads = two,
       .body = [](R, A a) { return bits<Bits::left>("bitshl", a); }},
      {.name = "bitshr",
       .overloads = two,
       .body = [](R, A a) { return bits<Bits::right>("bitshr", a); }},
      {.name = "bitushr",
       .overloads = two,
       .body = [](R, A a) { return bits<Bits::unsigned_right>("bitushr", a); }},
      {.name = "bitnot", .overloads = one, .body = bit_not},
  };
}

}  // namespace tiphys::lang

#include "lang/expr/operators.h"

#include "lang/expr/builtins.h"
#include "lang/expr/parts.h"
#include "lang/goregex/goregex.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <compare>
#include <limits>

namespace tiphys::lang {
namespace {

std::unexpected<Error> bad_operation(std::string_view op, const ExprValue& left,
                                     const ExprValue& right) {
  return run_error(
      fmt::format("invalid operation: {} {} {}", type_text(left), op, type_text(right)));
}

bool both(const ExprValue& left, const ExprValue& right, ExprKind kind) {
  return left.kind() == kind && right.kind() == kind;
}

std::int64_t wrap(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }

std::uint64_t bits(const ExprValue& value) {
  return static_cast<std::uint64_t>(value.kind() == ExprKind::duration ? value.as_duration().count()
                                                                       : value.as_integer());
}

/// Below, equal, above or neither (NaN) of two values that can be ordered.
std::optional<std::partial_ordering> order_of(const ExprValue& left, const ExprValue& right) {
  if (left.is_number() && right.is_number()) {
    if (left.is_float() || right.is_float()) {
      return left.as_number() <=> right.as_number();
    }
    return left.as_integer() <=> right.as_integer();
  }
  if (both(left, right, ExprKind::string)) {
    return left.as_string() <=> right.as_string();
  }
  if (both(left, right, ExprKind::time)) {
    return compare(left.as_time(), right.as_time()) <=> 0;
  }
  if (both(left, right, ExprKind::duration)) {
    return left.as_duration() <=> right.as_duration();
  }
  return std::nullopt;
}

/// Go slices whose elements are compared one by one: those of texts, numbers and interface{}.
bool is_plain_slice(const ExprType& type) {
  const ExprType element = type.element();
  return !type.array_length() && (element.is_number() || element.kind() == ExprKind::string ||
                                  element.kind() == ExprKind::any);
}

/// Go's reflect.DeepEqual; gives up with false when `steps` run out.
class DeepEqual {
 public:
  explicit DeepEqual(std::size_t steps) : steps_(steps) {}

  bool operator()(const ExprValue& a, const ExprValue& b) {
    if (steps_ == 0 || a.type() != b.type()) {
      return false;
    }
    --steps_;
    switch (a.kind()) {
      case ExprKind::any:
      case ExprKind::nil:
        return true;
      case ExprKind::string:
        return a.as_string() == b.as_string();
      case ExprKind::boolean:
        return a.as_bool() == b.as_bool();
      case ExprKind::float32:
      case ExprKind::float64:
        return a.as_number() == b.as_number();
      case ExprKind::time:
        return compare(a.as_time(), b.as_time()) == 0 &&
               a.as_time().zone->name() == b.as_time().zone->name();
      case ExprKind::duration:
        return a.as_duration() == b.as_duration();
      case ExprKind::function:
        return false;
      case ExprKind::object:
        return a.as_object() == b.as_object() || a.as_object()->text() == b.as_object()->text();
      case ExprKind::list:
        return lists(ExprParts::list(a), ExprParts::list(b));
      case ExprKind::map:
        return maps(a, b);
      default:
        return a.as_integer() == b.as_integer();
    }
  }

 private:
  bool lists(const ListPart& a, const ListPart& b) {
    if (a.nil != b.nil || a.items.size() != b.items.size()) {
      return false;
    }
    for (std::size_t i = 0; i < a.items.size(); ++i) {
      if (!(*this)(a.items[i], b.items[i])) {
        return false;
      }
    }
    return true;
  }

  bool maps(const ExprValue& a, const ExprValue& b) {
    if (a.as_map() == nullptr) {
      const AnyMapPart& left = *ExprParts::any_map(a);
      const AnyMapPart& right = *ExprParts::any_map(b);
      return left.entries.size() == right.entries.size() &&
             std::ranges::all_of(left.entries, [&](const auto& entry) {
               const auto found = right.index.find(*hash_key(entry.first));
               return found != right.index.end() &&
                      (*this)(entry.second, right.entries[found->second].second);
             });
    }
    if (a.as_map()->size() != b.as_map()->size()) {
      return false;
    }
    bool same = true;
    a.as_map()->each([&](std::string_view key, const ExprValue& value) {
      const auto other = b.as_map()->find(key);
      same = other && (*this)(value, *other);
      return same;
    });
    return same;
  }

  std::size_t steps_;
};

constexpr std::size_t kDeepSteps = 2'000'000;

Result<bool> equal_lists(ExprRun& run, const ExprValue& left, const ExprValue& right) {
  const ExprList& a = left.as_list();
  const ExprList& b = right.as_list();
  if (a.size() != b.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    TRY(const bool same, equal(run, a[i], b[i]));
    if (!same) {
      return false;
    }
  }
  return true;
}

Result<ExprValue> concatenated(ExprRun& run, std::string_view left, std::string_view right) {
  TRY_VOID(run.charge_text(left.size() + right.size()));
  return ExprValue::string(std::string(left).append(right));
}

Result<ExprValue> add(ExprRun& run, const ExprValue& left, const ExprValue& right) {
  if (both(left, right, ExprKind::string)) {
    return concatenated(run, left.as_string(), right.as_string());
  }
  if (left.kind() == ExprKind::time && right.kind() == ExprKind::duration) {
    return ExprValue::time(left.as_time().plus(right.as_duration()));
  }
  if (left.kind() == ExprKind::duration && right.kind() == ExprKind::time) {
    return ExprValue::time(right.as_time().plus(left.as_duration()));
  }
  if (both(left, right, ExprKind::duration)) {
    return ExprValue::duration(Nanos{wrap(bits(left) + bits(right))});
  }
  return bad_operation("+", left, right);
}

Result<ExprValue> subtract(const ExprValue& left, const ExprValue& right) {
  if (both(left, right, ExprKind::time)) {
    return ExprValue::duration(left.as_time().minus(right.as_time()));
  }
  if (left.kind() == ExprKind::time && right.kind() == ExprKind::duration) {
    return ExprValue::time(left.as_time().plus(Nanos{wrap(0 - bits(right))}));
  }
  if (both(left, right, ExprKind::duration)) {
    return ExprValue::duration(Nanos{wrap(bits(left) - bits(right))});
  }
  return bad_operation("-", left, right);
}

Result<ExprValue> multiply(const ExprValue& left, const ExprValue& right) {
  const auto scalable = [](const ExprValue& value) {
    return value.is_number() || value.kind() == ExprKind::duration;
  };
  if (!scalable(left) || !scalable(right)) {
    return bad_operation("*", left, right);
  }
  const auto as_number = [](const ExprValue& value) {
    return value.is_number() ? value.as_number() : static_cast<double>(value.as_duration().count());
  };
  if (left.is_float() || right.is_float()) {
    return ExprValue::number(as_number(left) * as_number(right));
  }
  return ExprValue::duration(Nanos{wrap(bits(left) * bits(right))});
}

Result<double> to_float(const ExprValue& value) {
  if (!value.is_number()) {
    return run_error(fmt::format("invalid operation: float({})", type_text(value)));
  }
  return value.as_number();
}

Result<ExprValue> modulo(const ExprValue& left, const ExprValue& right) {
  if (!left.is_integer() || !right.is_integer()) {
    return bad_operation("%", left, right);
  }
  if (right.as_integer() == 0) {
    return run_error("runtime error: integer divide by zero");
  }
  const bool minus_one = right.as_integer() == -1;
  return ExprValue::integer(minus_one ? 0 : left.as_integer() % right.as_integer());
}

double float_result(Op op, double left, double right) {
  switch (op) {
    case Op::add:
      return left + right;
    case Op::subtract:
      return left - right;
    case Op::multiply:
      return left * right;
    default:
      return left / right;
  }
}

ExprValue number_result(Op op, const ExprValue& left, const ExprValue& right) {
  if (op == Op::divide || left.is_float() || right.is_float()) {
    return ExprValue::number(float_result(op, left.as_number(), right.as_number()));
  }
  const std::uint64_t a = bits(left);
  const std::uint64_t b = bits(right);
  return ExprValue::integer(wrap(op == Op::add ? a + b : (op == Op::subtract ? a - b : a * b)));
}

bool order_holds(Op op, std::partial_ordering order) {
  switch (op) {
    case Op::less:
      return order < 0;
    case Op::greater:
      return order > 0;
    case Op::less_equal:
      return order <= 0;
    default:
      return order >= 0;
  }
}

std::string_view order_text(Op op) {
  switch (op) {
    case Op::less:
      return "<";
    case Op::greater:
      return ">";
    case Op::less_equal:
      return "<=";
    default:
      return ">=";
  }
}

}  // namespace

std::unexpected<Error> run_error(std::string message) {
  return fail(ErrorCode::invalid, std::move(message));
}

bool ExprValue::deep_equal(const ExprValue& other) const {
  return DeepEqual(kDeepSteps)(*this, other);
}

Result<bool> equal(ExprRun& run, const ExprValue& left, const ExprValue& right) {
  TRY_VOID(run.step());
  if (left.kind() == ExprKind::boolean && right.kind() == ExprKind::boolean) {
    return left.as_bool() == right.as_bool();
  }
  if (const auto order = order_of(left, right)) {
    return *order == 0;
  }
  if (both(left, right, ExprKind::list)) {
    const ExprType a = left.type();
    const ExprType b = right.type();
    const bool any = a.element().kind() == ExprKind::any || b.element().kind() == ExprKind::any;
    if (is_plain_slice(a) && is_plain_slice(b) && (any || a == b)) {
      return equal_lists(run, left, right);
    }
  }
  if (is_nil(left) && is_nil(right)) {
    return true;
  }
  TRY_VOID(run.step(left.kind() == ExprKind::map ? 100 : 1));
  return left.deep_equal(right);
}

Result<bool> ordered(Op op, const ExprValue& left, const ExprValue& right) {
  if (const auto order = order_of(left, right)) {
    return order_holds(op, *order);
  }
  return bad_operation(order_text(op), left, right);
}

Result<ExprValue> arithmetic(ExprRun& run, Op op, const ExprValue& left, const ExprValue& right) {
  if (op == Op::modulo) {
    return modulo(left, right);
  }
  if (op == Op::power) {
    TRY(const double base, to_float(left));
    TRY(const double exponent, to_float(right));
    return ExprValue::number(std::pow(base, exponent));
  }
  if (left.is_number() && right.is_number()) {
    return number_result(op, left, right);
  }
  switch (op) {
    case Op::add:
      return add(run, left, right);
    case Op::subtract:
      return subtract(left, right);
    case Op::multiply:
      return multiply(left, right);
    default:
      return bad_operation("/", left, right);
  }
}

Result<ExprValue> negate(const ExprValue& value) {
  if (value.kind() == ExprKind::float32) {
    return ExprValue::float32(static_cast<float>(-value.as_number()));
  }
  if (value.is_float()) {
    return ExprValue::number(-value.as_number());
  }
  if (value.is_integer()) {
    return ExprValue::sized_integer(value.kind(), wrap(0 - bits(value)));
  }
  return run_error("invalid operation: - " + type_text(value));
}

std::int64_t truncated(double value) {
  constexpr double kBound = 9223372036854775808.0;
  if (!(value > -kBound && value < kBound)) {
    return std::numeric_limits<std::int64_t>::min();
  }
  return static_cast<std::int64_t>(value);
}

Result<std::int64_t> to_int(const ExprValue& value) {
  if (value.is_integer()) {
    return value.as_integer();
  }
  if (value.is_float()) {
    return truncated(value.as_number());
  }
  return run_error(fmt::format("invalid operation: int({})", type_text(value)));
}

Result<ExprValue> make_range(ExprRun& run, const ExprValue& from, const ExprValue& to) {
  TRY(const std::int64_t first, to_int(from));
  TRY(const std::int64_t last, to_int(to));
  const std::int64_t size =
      wrap(static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) + 1);
  TRY_VOID(run.charge(size > 0 ? static_cast<std::size_t>(size) : 0));
  ExprList items;
  for (std::int64_t i = 0; i < size; ++i) {
    items.push_back(ExprValue::integer(first + i));
  }
  return ExprValue::list(std::move(items), ExprKind::int_);
}

Result<bool> is_in(ExprRun& run, const ExprValue& needle, const ExprValue& collection) {
  switch (collection.kind()) {
    case ExprKind::nil:
      return false;
    case ExprKind::list:
      for (const ExprValue& item : collection.as_list()) {
        TRY(const bool same, equal(run, item, needle));
        if (same) {
          return true;
        }
      }
      return false;
    case ExprKind::map: {
      TRY(const auto entry, map_entry(collection, needle));
      return entry.has_value();
    }
    case ExprKind::time:
    case ExprKind::object:
      if (needle.kind() != ExprKind::string) {
        return run_error(fmt::format("cannot use {} as field name of {}", type_text(needle),
                                     type_text(collection)));
      }
      return collection.kind() == ExprKind::object &&
             collection.as_object()->field_type(needle.as_string()).has_value();
    default:
      return run_error(fmt::format(R"(operator "in" not defined on {})", type_text(collection)));
  }
}

Result<bool> text_test(Op op, const ExprValue& left, const ExprValue& right) {
  if (is_nil(left) || is_nil(right)) {
    return false;
  }
  TRY(const std::string_view text, text_argument(left));
  TRY(const std::string_view part, text_argument(right));
  switch (op) {
    case Op::contains:
      return text.find(part) != std::string_view::npos;
    case Op::starts_with:
      return text.starts_with(part);
    default:
      return text.ends_with(part);
  }
}

Result<bool> matches(const ExprValue& left, const ExprValue& right, const re2::RE2* pattern) {
  if (is_nil(left) || is_nil(right)) {
    return false;
  }
  std::shared_ptr<const RE2> compiled;
  if (pattern == nullptr) {
    TRY(const std::string_view text, text_argument(right));
    TRY(compiled, compile_regex(text));
    pattern = compiled.get();
  }
  if (left.kind() == ExprKind::string) {
    return RE2::PartialMatch(left.as_string(), *pattern);
  }
  if (const auto bytes = bytes_of(left)) {
    return RE2::PartialMatch(*bytes, *pattern);
  }
  return failed_assertion(left, "[]uint8");
}

}  // namespace tiphys::lang

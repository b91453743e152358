#include "lang/jq/operators.h"

#include "lang/gotext/gotext.h"
#include "lang/jq/json_form.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tiphys::lang::jq {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::unexpected<Problem> cannot(std::string_view verb, const Value& a, const Value& b,
                                std::string_view between = " and ") {
  return problem("cannot " + std::string(verb) + ": " + preview_with_type(a) +
                 std::string(between) + preview_with_type(b));
}

std::unexpected<Problem> by_zero(std::string_view verb, const Value& a, const Value& b) {
  return problem("cannot " + std::string(verb) + " " + preview_with_type(a) +
                 " by: " + preview_with_type(b));
}

/// Two numbers in the kind that both can be: integers, else bigs, else doubles.
struct Numbers {
  enum class Kind { integers, bigs, doubles } kind = Kind::integers;
  Value a;
  Value b;

  std::int64_t integer_a() const { return a.as_integer(); }

  std::int64_t integer_b() const { return b.as_integer(); }

  double double_a() const { return *to_double(a); }

  double double_b() const { return *to_double(b); }

  static BigInteger as_big(const Value& value) {
    return value.is(jq::Kind::big) ? value.as_big() : BigInteger(value.as_integer());
  }
};

std::optional<Numbers> numbers_of(const Value& a, const Value& b) {
  if (!a.is_number() || !b.is_number()) {
    return std::nullopt;
  }
  Numbers out{.a = a.normalized(), .b = b.normalized()};
  if (out.a.is(Kind::number) || out.b.is(Kind::number)) {
    out.kind = Numbers::Kind::doubles;
  } else if (out.a.is(Kind::big) || out.b.is(Kind::big)) {
    out.kind = Numbers::Kind::bigs;
  }
  return out;
}

bool is_less(double a, double b) { return a < b || std::isnan(a); }

int order(std::int64_t a, std::int64_t b) { return a < b ? -1 : a == b ? 0 : 1; }

int type_order(const Value& value) {
  switch (value.kind()) {
    case Kind::null:
    case Kind::gone:
      return 0;
    case Kind::boolean:
      return value.as_boolean() ? 2 : 1;
    case Kind::text:
      return 4;
    case Kind::list:
      return 5;
    case Kind::map:
      return 6;
    default:
      return 3;
  }
}

int compare_numbers(const Numbers& both) {
  if (both.kind == Numbers::Kind::integers) {
    return order(both.integer_a(), both.integer_b());
  }
  if (both.kind == Numbers::Kind::bigs) {
    return BigInteger::compare(Numbers::as_big(both.a), Numbers::as_big(both.b));
  }
  const double a = both.double_a();
  const double b = both.double_b();
  return is_less(a, b) ? -1 : a == b ? 0 : 1;
}

int compare_maps(const Map& a, const Map& b, Budget& budget) {
  auto left = a.begin();
  auto right = b.begin();
  for (; left != a.end() && right != b.end(); ++left, ++right) {
    if (const int keys = left->first.compare(right->first); keys != 0) {
      return keys < 0 ? -1 : 1;
    }
  }
  if (a.size() != b.size()) {
    return a.size() < b.size() ? -1 : 1;
  }
  for (left = a.begin(), right = b.begin(); left != a.end(); ++left, ++right) {
    if (const int held = compare(left->second, right->second, budget); held != 0) {
      return held;
    }
  }
  return 0;
}

Outcome big_result(BigInteger value) {
  constexpr std::size_t kMaximumBits = BigInteger::kMaximumDigits * 10 / 3;
  if (value.bits() > kMaximumBits) {
    return over_limit("a number has too many digits");
  }
  return Value::big(std::move(value));
}

bool charge_big(Budget& budget, const Numbers& both) {
  const std::size_t words = (Numbers::as_big(both.a).bits() + Numbers::as_big(both.b).bits()) / 64;
  return budget.spend(1 + words * words / 64);
}

Value merged_deeply(const Map& a, const Map& b, Budget& budget) {
  Map out = a;
  for (const auto& [key, value] : b) {
    budget.spend(1);
    if (budget.exhausted()) {
      break;
    }
    const auto held = out.find(key);
    if (held != out.end() && held->second.is(Kind::map) && value.is(Kind::map)) {
      held->second = merged_deeply(held->second.as_map(), value.as_map(), budget);
    } else {
      out.insert_or_assign(key, value);
    }
  }
  return Value::map(std::move(out));
}

Outcome repeated(const Value& text, double count, Budget& budget) {
  if (is_less(count, 0)) {
    return Value();
  }
  constexpr double kMostTimes = std::numeric_limits<std::int32_t>::max();
  const auto times = static_cast<std::uint64_t>(std::min(count, kMostTimes));
  const std::string& piece = text.as_text();
  if (static_cast<double>(piece.size()) * static_cast<double>(times) >= kMostTimes) {
    return problem("repeat string result too large: " + preview(text) + " * " +
                   preview(Value::number(count)));
  }
  std::string out;
  if (budget.spend_bytes(piece.size() * times)) {
    out.reserve(piece.size() * times);
    for (std::uint64_t i = 0; i < times && !piece.empty(); ++i) {
      out += piece;
    }
  }
  return Value::text(std::move(out));
}

std::int64_t saturated(double value) {
  if (value >= -0x1p63 && value < 0x1p63) {
    return static_cast<std::int64_t>(value);
  }
  return value > 0 ? kMost : kLeast;
}

}  // namespace

int compare(const Value& a, const Value& b, Budget& budget) {
  if (!budget.spend(1)) {
    return 0;
  }
  if (const auto both = numbers_of(a, b)) {
    return compare_numbers(*both);
  }
  if (a.kind() != b.kind() || a.is(Kind::boolean)) {
    return order(type_order(a), type_order(b));
  }
  if (a.is(Kind::text)) {
    budget.spend_bytes(std::min(a.as_text().size(), b.as_text().size()));
    return order(a.as_text().compare(b.as_text()), 0);
  }
  if (a.is(Kind::list)) {
    const List& left = a.as_list();
    const List& right = b.as_list();
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
      if (const int held = compare(left[i], right[i], budget); held != 0) {
        return held;
      }
    }
    return order(static_cast<std::int64_t>(left.size()), static_cast<std::int64_t>(right.size()));
  }
  return a.is(Kind::map) ? compare_maps(a.as_map(), b.as_map(), budget) : 0;
}

Outcome add(const Value& a, const Value& b, Budget& budget) {
  if (const auto both = numbers_of(a, b)) {
    if (both->kind == Numbers::Kind::doubles) {
      return Value::number(both->double_a() + both->double_b());
    }
    std::int64_t sum = 0;
    if (both->kind == Numbers::Kind::integers &&
        !__builtin_add_overflow(both->integer_a(), both->integer_b(), &sum)) {
      return Value::integer(sum);
    }
    charge_big(budget, *both);
    return big_result(Numbers::as_big(both->a) + Numbers::as_big(both->b));
  }
  if (a.is_null() || b.is_null()) {
    return a.is_null() ? b : a;
  }
  if (a.is(Kind::text) && b.is(Kind::text)) {
    return budget.spend_bytes(a.as_text().size() + b.as_text().size())
               ? Value::text(a.as_text() + b.as_text())
               : a;
  }
  if (a.is(Kind::list) && b.is(Kind::list)) {
    if (a.as_list().empty() || b.as_list().empty()) {
      return a.as_list().empty() ? b : a;
    }
    if (!budget.spend_bytes((a.as_list().size() + b.as_list().size()) * sizeof(Value))) {
      return a;
    }
    List out = a.as_list();
    out.insert(out.end(), b.as_list().begin(), b.as_list().end());
    return Value::list(std::move(out));
  }
  if (a.is(Kind::map) && b.is(Kind::map)) {
    if (a.as_map().empty() || b.as_map().empty()) {
      return a.as_map().empty() ? b : a;
    }
    if (!budget.spend((a.as_map().size() + b.as_map().size()) * 2)) {
      return a;
    }
    Map out = a.as_map();
    for (const auto& [key, value] : b.as_map()) {
      out.insert_or_assign(key, value);
    }
    return Value::map(std::move(out));
  }
  return cannot("add", a, b);
}

Outcome subtract(const Value& a, const Value& b, Budget& budget) {
  if (const auto both = numbers_of(a, b)) {
    if (both->kind == Numbers::Kind::doubles) {
      return Value::number(both->double_a() - both->double_b());
    }
    std::int64_t difference = 0;
    if (both->kind == Numbers::Kind::integers &&
        !__builtin_sub_overflow(both->integer_a(), both->integer_b(), &difference)) {
      return Value::integer(difference);
    }
    charge_big(budget, *both);
    return big_result(Numbers::as_big(both->a) - Numbers::as_big(both->b));
  }
  if (!a.is(Kind::list) || !b.is(Kind::list)) {
    return cannot("subtract", a, b);
  }
  List out;
  for (const Value& element : a.as_list()) {
    const bool is_there = std::ranges::any_of(
        b.as_list(), [&](const Value& other) { return compare(element, other, budget) == 0; });
    if (budget.exhausted()) {
      break;
    }
    if (!is_there) {
      out.push_back(element);
    }
  }
  return Value::list(std::move(out));
}

Outcome multiply(const Value& a, const Value& b, Budget& budget) {
  if (const auto both = numbers_of(a, b)) {
    if (both->kind == Numbers::Kind::doubles) {
      return Value::number(both->double_a() * both->double_b());
    }
    std::int64_t product = 0;
    if (both->kind == Numbers::Kind::integers &&
        !__builtin_mul_overflow(both->integer_a(), both->integer_b(), &product)) {
      return Value::integer(product);
    }
    charge_big(budget, *both);
    return big_result(Numbers::as_big(both->a) * Numbers::as_big(both->b));
  }
  if (a.is(Kind::map) && b.is(Kind::map)) {
    budget.spend((a.as_map().size() + b.as_map().size()) * 2);
    return merged_deeply(a.as_map(), b.as_map(), budget);
  }
  if (a.is(Kind::text) && b.is_number()) {
    if (const auto count = to_double(b)) {
      return repeated(a, *count, budget);
    }
  }
  if (b.is(Kind::text) && a.is_number()) {
    if (const auto count = to_double(a)) {
      return repeated(b, *count, budget);
    }
  }
  return cannot("multiply", a, b);
}

Outcome divide(const Value& a, const Value& b, Budget& budget) {
  const auto both = numbers_of(a, b);
  if (!both) {
    if (!a.is(Kind::text) || !b.is(Kind::text)) {
      return cannot("divide", a, b);
    }
    return a.as_text().empty() ? Value::list({}) : split_text(a.as_text(), b.as_text(), budget);
  }
  if (both->kind == Numbers::Kind::doubles) {
    if (both->double_b() == 0.0) {
      return by_zero("divide", both->a.is(Kind::number) ? both->a : Value::number(both->double_a()),
                     both->b.is(Kind::number) ? both->b : Value::number(both->double_b()));
    }
    return Value::number(both->double_a() / both->double_b());
  }
  if (both->kind == Numbers::Kind::integers) {
    const std::int64_t left = both->integer_a();
    const std::int64_t right = both->integer_b();
    if (right == 0) {
      return by_zero("divide", both->a, both->b);
    }
    if (right == -1) {
      return negate(both->a);
    }
    return left % right == 0
               ? Value::integer(left / right)
               : Value::number(static_cast<double>(left) / static_cast<double>(right));
  }
  const BigInteger left = Numbers::as_big(both->a);
  const BigInteger right = Numbers::as_big(both->b);
  if (right.sign() == 0) {
    return by_zero("divide", both->a, both->b);
  }
  charge_big(budget, *both);
  if (BigInteger::remainder(left, right).sign() == 0) {
    return Value::big(BigInteger::quotient(left, right));
  }
  return Value::number(left.to_double() / right.to_double());
}

Outcome modulo(const Value& a, const Value& b, Budget& budget) {
  const auto both = numbers_of(a, b);
  if (!both) {
    return cannot("modulo", a, b);
  }
  if (both->kind == Numbers::Kind::bigs) {
    const BigInteger right = Numbers::as_big(both->b);
    if (right.sign() == 0) {
      return by_zero("modulo", both->a, both->b);
    }
    charge_big(budget, *both);
    return Value::big(BigInteger::remainder(Numbers::as_big(both->a), right));
  }
  std::int64_t left = 0;
  std::int64_t right = 0;
  if (both->kind == Numbers::Kind::doubles) {
    if (std::isnan(both->double_a()) || std::isnan(both->double_b())) {
      return Value::number(std::nan(""));
    }
    left = saturated(both->double_a());
    right = saturated(both->double_b());
  } else {
    left = both->integer_a();
    right = both->integer_b();
  }
  if (right == 0) {
    const auto shown = [&](const Value& value) {
      return both->kind == Numbers::Kind::doubles ? Value::number(*to_double(value)) : value;
    };
    return by_zero("modulo", shown(both->a), shown(both->b));
  }
  return Value::integer(right == -1 ? 0 : left % right);
}

Outcome negate(const Value& value) {
  switch (value.kind()) {
    case Kind::integer:
      return value.as_integer() == kLeast ? Value::big(BigInteger(kLeast).negated())
                                          : Value::integer(-value.as_integer());
    case Kind::number:
      return Value::number(-value.as_number());
    case Kind::big:
      return Value::big(value.as_big().negated());
    case Kind::literal:
      return Value::literal(value.as_text().starts_with('-') ? value.as_text().substr(1)
                                                             : "-" + value.as_text());
    default:
      return problem("cannot negate: " + preview_with_type(value));
  }
}

std::optional<std::int64_t> to_integer(const Value& value) {
  const Value number = value.normalized();
  switch (number.kind()) {
    case Kind::integer:
      return number.as_integer();
    case Kind::number:
      return saturated(number.as_number());
    case Kind::big:
      return number.as_big().to_int64().value_or(number.as_big().sign() > 0 ? kMost : kLeast);
    default:
      return std::nullopt;
  }
}

std::optional<std::int64_t> to_integer_up(const Value& value) {
  return value.is(Kind::number) ? saturated(std::ceil(value.as_number())) : to_integer(value);
}

std::optional<double> to_double(const Value& value) {
  switch (value.kind()) {
    case Kind::integer:
      return static_cast<double>(value.as_integer());
    case Kind::number:
      return value.as_number();
    case Kind::big:
      return value.as_big().to_double();
    case Kind::literal: {
      const auto number = parse_float(value.as_text());
      return number ? std::optional(*number) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

Value split_text(std::string_view text, std::string_view separator, Budget& budget) {
  List out;
  budget.spend_bytes(text.size());
  const auto put = [&](std::string_view piece) {
    budget.spend(2);
    out.push_back(Value::text(std::string(piece)));
  };
  while (separator.empty() && !text.empty() && !budget.exhausted()) {
    const std::size_t size = first_rune(text).size;
    put(text.substr(0, size));
    text.remove_prefix(size);
  }
  while (!separator.empty() && !budget.exhausted()) {
    const std::size_t end = text.find(separator);
    put(text.substr(0, end));
    if (end == std::string_view::npos) {
      break;
    }
    text.remove_prefix(end + separator.size());
  }
  return Value::list(std::move(out));
}

}  // namespace tiphys::lang::jq

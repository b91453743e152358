#include "lang/when/evaluate.h"

#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

namespace tiphys::lang::when {
namespace {

using std::get;
using std::get_if;
using std::holds_alternative;

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::bad_request, std::move(message));
}

bool is_number(const Value& value) { return holds_alternative<double>(value.data); }

bool is_bool(const Value& value) { return holds_alternative<bool>(value.data); }

bool is_string(const Value& value) { return holds_alternative<std::string>(value.data); }

bool is_nil(const Value& value) { return holds_alternative<std::monostate>(value.data); }

bool is(const Value& value, bool wanted) {
  const bool* held = get_if<bool>(&value.data);
  return held != nullptr && *held == wanted;
}

/// What a kind of operator is called in an error, and what it wanted.
struct Complaint {
  std::string_view operator_name;
  std::string_view wanted;
};

Complaint complaint_of(std::string_view symbol) {
  if (symbol == "&&" || symbol == "||") {
    return {"logical operator", ", it is not a bool"};
  }
  if (symbol == "?") {
    return {"ternary operator", ", it is not a bool"};
  }
  if (symbol == ">" || symbol == ">=" || symbol == "<" || symbol == "<=" || symbol == "=~" ||
      symbol == "!~" || symbol == "in") {
    return {"comparator", ", it is not a number"};
  }
  return {"modifier", ", it is not a number"};
}

std::unexpected<Error> mismatch(const Value& value, std::string_view symbol) {
  const Complaint complaint = complaint_of(symbol);
  return refuse(fmt::format("Value '{}' cannot be used with the {} '{}'{}", text_of(value),
                            complaint.operator_name, symbol, complaint.wanted));
}

/// Go's reflect.DeepEqual on the values of this language.
bool deep_equal(const Value& a, const Value& b) {
  if (a.data.index() != b.data.index()) {
    return false;
  }
  if (const List* left = get_if<List>(&a.data)) {
    const List& right = get<List>(b.data);
    return left->size() == right.size() &&
           std::equal(left->begin(), left->end(), right.begin(), deep_equal);
  }
  if (is_number(a)) {
    return get<double>(a.data) == get<double>(b.data);
  }
  if (is_bool(a)) {
    return get<bool>(a.data) == get<bool>(b.data);
  }
  if (is_string(a)) {
    return get<std::string>(a.data) == get<std::string>(b.data);
  }
  return is_nil(a);
}

/// Conversions as amd64 does them: what does not fit becomes the smallest number.
std::int64_t to_int(double number) {
  constexpr double kEdge = 9223372036854775808.0;
  return number >= -kEdge && number < kEdge ? static_cast<std::int64_t>(number) : INT64_MIN;
}

std::uint64_t to_unsigned(double number) {
  constexpr double kEdge = 9223372036854775808.0;
  if (number < kEdge) {
    return static_cast<std::uint64_t>(to_int(number));
  }
  return static_cast<std::uint64_t>(to_int(number - kEdge)) ^ (std::uint64_t{1} << 63U);
}

double shift(std::string_view symbol, double left, double right) {
  const std::uint64_t bits = to_unsigned(left);
  const std::uint64_t count = to_unsigned(right);
  if (count >= 64) {
    return 0;
  }
  return static_cast<double>(symbol == "<<" ? bits << count : bits >> count);
}

/// Powers as Go computes them, to the last digit: the whole part of the exponent by repeated
/// squaring of the mantissa, the rest through the logarithm.
double power(double base, double exponent) {
  const double size = std::fabs(exponent);
  if (!std::isfinite(base) || !std::isfinite(exponent) || base == 0 || size >= 9.2e18 ||
      size == 0.5 || size == 1) {
    return std::pow(base, exponent);
  }
  double whole = 0;
  double rest = std::modf(size, &whole);
  if (rest != 0 && base < 0) {
    return std::nan("");
  }
  double mantissa = 1;
  std::int64_t scale = 0;
  if (rest != 0) {
    if (rest > 0.5) {
      rest -= 1;
      whole += 1;
    }
    mantissa = std::exp(rest * std::log(base));
  }
  int base_scale = 0;
  double factor = std::frexp(base, &base_scale);
  std::int64_t factor_scale = base_scale;
  constexpr std::int64_t kBeyond = 1 << 12;
  for (auto left = static_cast<std::int64_t>(whole); left != 0; left >>= 1) {
    if (factor_scale < -kBeyond || factor_scale > kBeyond) {
      scale += factor_scale;
      break;
    }
    if ((left & 1) != 0) {
      mantissa *= factor;
      scale += factor_scale;
    }
    factor *= factor;
    factor_scale *= 2;
    if (factor < 0.5) {
      factor += factor;
      --factor_scale;
    }
  }
  if (exponent < 0) {
    mantissa = 1 / mantissa;
    scale = -scale;
  }
  return std::scalbln(mantissa, static_cast<long>(scale));
}

double arithmetic(std::string_view symbol, double left, double right) {
  if (symbol == "+") {
    return left + right;
  }
  if (symbol == "-") {
    return left - right;
  }
  if (symbol == "*") {
    return left * right;
  }
  if (symbol == "/") {
    return left / right;
  }
  if (symbol == "%") {
    return std::fmod(left, right);
  }
  if (symbol == "**") {
    return power(left, right);
  }
  if (symbol == "&") {
    return static_cast<double>(to_int(left) & to_int(right));
  }
  if (symbol == "|") {
    return static_cast<double>(to_int(left) | to_int(right));
  }
  if (symbol == "^") {
    return static_cast<double>(to_int(left) ^ to_int(right));
  }
  return shift(symbol, left, right);
}

template <class T>
bool ordered(std::string_view symbol, const T& left, const T& right) {
  if (symbol == ">") {
    return left > right;
  }
  if (symbol == ">=") {
    return left >= right;
  }
  return symbol == "<" ? left < right : left <= right;
}

Result<Value> compare(std::string_view symbol, const Value& left, const Value& right) {
  if (is_number(left) && is_number(right)) {
    return Value{ordered(symbol, get<double>(left.data), get<double>(right.data))};
  }
  if (is_string(left) && is_string(right)) {
    return Value{ordered(symbol, get<std::string>(left.data), get<std::string>(right.data))};
  }
  return mismatch(left, symbol);
}

Result<Value> match(std::string_view symbol, const Value& left, const Value& right) {
  if (!is_string(left)) {
    return mismatch(left, symbol);
  }
  const auto found = [&](const GoRegexp& regexp) {
    return Value{regexp.matches(get<std::string>(left.data)) == (symbol == "=~")};
  };
  if (const auto* compiled = get_if<GoRegexp>(&right.data)) {
    return found(*compiled);
  }
  if (!is_string(right)) {
    return mismatch(right, symbol);
  }
  const std::string& pattern = get<std::string>(right.data);
  const auto regexp = GoRegexp::compile(pattern);
  if (!regexp) {
    return refuse(
        fmt::format("Unable to compile regexp pattern '{}': {}", pattern, regexp.error().message));
  }
  return found(*regexp);
}

Result<Value> contains(const Value& left, const Value& right) {
  const List* list = get_if<List>(&right.data);
  if (list == nullptr) {
    return mismatch(right, "in");
  }
  for (const Value& element : *list) {
    if (holds_alternative<List>(left.data) && holds_alternative<List>(element.data)) {
      return refuse("lists cannot be compared by 'in'");
    }
    if (deep_equal(left, element)) {
      return Value{true};
    }
  }
  return Value{false};
}

Result<Value> calculate(std::string_view symbol, const Value& left, const Value& right) {
  if (symbol == "+" && (is_string(left) || is_string(right))) {
    return Value{text_of(left) + text_of(right)};
  }
  // Addition complains about its left side, whichever is at fault.
  if (!is_number(left) || (symbol == "+" && !is_number(right))) {
    return mismatch(left, symbol);
  }
  if (!is_number(right)) {
    return mismatch(right, symbol);
  }
  return Value{arithmetic(symbol, get<double>(left.data), get<double>(right.data))};
}

/// Whether the left side alone decides; then `left` is the result.
bool is_decided(std::string_view symbol, const Value& left) {
  if (symbol == "&&") {
    return is(left, false);
  }
  if (symbol == "||") {
    return is(left, true);
  }
  return (symbol == "??" || symbol == ":") && !is_nil(left);
}

Result<Value> apply(std::string_view symbol, Value left, Value right) {
  if (symbol == "==" || symbol == "!=") {
    return Value{deep_equal(left, right) == (symbol == "==")};
  }
  if (symbol == "&&" || symbol == "||") {
    if (!is_bool(left) || !is_bool(right)) {
      return mismatch(is_bool(left) ? right : left, symbol);
    }
    return right;
  }
  if (symbol == "??" || symbol == ":") {
    return right;
  }
  if (symbol == "?") {
    if (!is_bool(left)) {
      return mismatch(left, symbol);
    }
    return is(left, true) ? std::move(right) : Value{};
  }
  if (symbol == "in") {
    return contains(left, right);
  }
  if (symbol == "=~" || symbol == "!~") {
    return match(symbol, left, right);
  }
  if (symbol.starts_with('>') || symbol.starts_with('<')) {
    return symbol == ">>" || symbol == "<<" ? calculate(symbol, left, right)
                                            : compare(symbol, left, right);
  }
  if (symbol == ",") {
    List list;
    if (List* begun = get_if<List>(&left.data)) {
      list = std::move(*begun);
    } else {
      list.push_back(std::move(left));
    }
    list.push_back(std::move(right));
    return Value{std::move(list)};
  }
  return calculate(symbol, left, right);
}

Result<Value> evaluate_chain(const Node& node) {
  TRY(Value left, evaluate(node.first));
  for (const Link& link : node.links) {
    if (is_decided(link.symbol, left)) {
      continue;
    }
    Value right;
    if (link.symbol != "?" || !is(left, false)) {
      TRY(right, evaluate(link.right));
    }
    TRY(left, apply(link.symbol, std::move(left), std::move(right)));
  }
  return left;
}

Result<Value> evaluate_prefix(const Node& node) {
  TRY(const Value right, evaluate(node.first));
  const bool fits = node.name == "!" ? is_bool(right) : is_number(right);
  if (!fits) {
    return refuse(
        fmt::format("Value '{}' cannot be used with the prefix '{}'", text_of(right), node.name));
  }
  if (node.name == "!") {
    return Value{!get<bool>(right.data)};
  }
  const double number = get<double>(right.data);
  return Value{node.name == "-" ? -number : static_cast<double>(~to_int(number))};
}

}  // namespace

std::string text_of(const Value& value) {
  struct Print {
    std::string operator()(std::monostate) const { return "<nil>"; }

    std::string operator()(double number) const { return float_text(number); }

    std::string operator()(bool held) const { return held ? "true" : "false"; }

    std::string operator()(const std::string& text) const { return text; }

    std::string operator()(const List& list) const {
      std::string out;
      for (const Value& element : list) {
        out += out.empty() ? "[" : " ";
        out += text_of(element);
      }
      return out + "]";
    }

    std::string operator()(const GoRegexp& regexp) const { return regexp.pattern(); }
  };

  return std::visit(Print{}, value.data);
}

Result<Value> evaluate(const NodePtr& node) {
  if (!node) {
    return Value{};
  }
  switch (node->type) {
    case Node::Type::literal:
      return node->value;
    case Node::Type::group:
      return evaluate(node->first);
    case Node::Type::chain:
      return evaluate_chain(*node);
    case Node::Type::prefix:
      return evaluate_prefix(*node);
    case Node::Type::accessor:
      TRY_VOID(evaluate(node->first));
      break;
    case Node::Type::variable:
      break;
  }
  return refuse(fmt::format("No parameter '{}' found.", node->name));
}

}  // namespace tiphys::lang::when

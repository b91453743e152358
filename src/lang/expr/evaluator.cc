#include "lang/expr/evaluator.h"

#include "lang/expr/builtins.h"
#include "lang/expr/methods.h"
#include "lang/expr/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tiphys::lang {
namespace {

/// Signatures upstream calls without reflection; wrong arguments are failed type assertions there.
bool is_called_directly(const std::string& signature) {
  constexpr std::array<std::string_view, 48> kSignatures = {
      "func(time.Duration) time.Duration",
      "func(time.Duration) time.Time",
      "func(time.Time) time.Duration",
      "func(time.Time) bool",
      "func([]interface {}) []interface {}",
      "func([]interface {}) interface {}",
      "func([]interface {}) map[string]interface {}",
      "func([]interface {}, string) string",
      "func([]uint8) string",
      "func([]string, string) string",
      "func(bool) bool",
      "func(bool) float64",
      "func(bool) int",
      "func(bool) string",
      "func(bool, bool) bool",
      "func(float32) float64",
      "func(float64) bool",
      "func(float64) float32",
      "func(float64) float64",
      "func(float64) int",
      "func(float64) string",
      "func(float64, float64) bool",
      "func(int) bool",
      "func(int) float64",
      "func(int) int",
      "func(int) string",
      "func(int, int) bool",
      "func(int, int) int",
      "func(int, int) string",
      "func(int16) int32",
      "func(int32) float64",
      "func(int32) int",
      "func(int32) int64",
      "func(int64) time.Time",
      "func(int8) int",
      "func(int8) int16",
      "func(string) []uint8",
      "func(string) []string",
      "func(string) bool",
      "func(string) float64",
      "func(string) int",
      "func(string) string",
      "func(string, int) int",
      "func(string, string) bool",
      "func(string, string) string",
      "func(uint) float64",
      "func(uint64) float64",
      "func(uint64) int64",
  };
  return std::ranges::find(kSignatures, signature) != kSignatures.end();
}

ExprType parameter_at(const ExprType& type, std::size_t i) {
  const auto& parameters = type.parameters();
  const bool rest = type.variadic() && i + 1 >= parameters.size();
  return rest ? parameters.back().element() : parameters[i];
}

bool fits(const ExprValue& value, const ExprType& wanted) {
  return wanted.kind() == ExprKind::any || value.type() == wanted;
}

}  // namespace

std::unexpected<Error> Evaluator::located(std::uint32_t at, const Error& error) const {
  return fail(ErrorCode::invalid, with_snippet(source_, at, error.message));
}

std::unexpected<Error> Evaluator::error_at(const Node& node, std::string message) const {
  return fail(ErrorCode::invalid, with_snippet(source_, node.at, message));
}

Result<bool> Evaluator::condition(const Node& owner, const ExprValue& value) const {
  if (value.kind() != ExprKind::boolean) {
    return located(owner.at, failed_assertion(value, "bool").error());
  }
  return value.as_bool();
}

Result<ExprValue> Evaluator::shallow(const Node& node, ExprValue value) const {
  if (value.depth() > kExprDepthLimit) {
    return error_at(node, "the value is nested too deeply");
  }
  return value;
}

Result<ExprValue> Evaluator::eval(const Node& node) {
  if (Result<> step = run_.step(); !step) {
    return located(node.at, step.error());
  }
  switch (node.kind) {
    case NodeKind::nil:
      return ExprValue();
    case NodeKind::identifier:
      return identifier(node);
    case NodeKind::integer:
      return node.nature.is_typed() && node.nature.type.is_integer()
                 ? ExprValue::sized_integer(node.nature.kind(), node.integer)
                 : ExprValue::integer(node.integer);
    case NodeKind::number:
      return node.nature.kind() == ExprKind::float32
                 ? ExprValue::float32(static_cast<float>(node.number))
                 : ExprValue::number(node.number);
    case NodeKind::boolean:
      return ExprValue::boolean(node.integer != 0);
    case NodeKind::string:
      return ExprValue::string(node.text);
    case NodeKind::bytes:
      return bytes_value(node.text);
    case NodeKind::constant:
      return node.constant;
    case NodeKind::unary:
      return unary(node);
    case NodeKind::binary:
      return binary(node);
    case NodeKind::chain:
      return chain(node);
    case NodeKind::member:
      return member(node);
    case NodeKind::slice:
      return slice_of(node);
    case NodeKind::call:
      return call(node);
    case NodeKind::builtin:
      return builtin(node);
    case NodeKind::predicate:
      return eval(node.kid(0));
    case NodeKind::pointer:
      return pointer(node);
    case NodeKind::declaration:
      return declaration(node);
    case NodeKind::sequence: {
      ExprValue last;
      for (const NodePtr& kid : node.kids) {
        TRY(last, eval(*kid));
      }
      return last;
    }
    case NodeKind::conditional: {
      TRY(const ExprValue value, eval(node.kid(0)));
      TRY(const bool holds, condition(node, value));
      return eval(node.kid(holds ? 1 : 2));
    }
    case NodeKind::list:
      return list(node);
    case NodeKind::map:
      return map(node);
    case NodeKind::pair:
      break;
  }
  return error_at(node, "unknown expression");
}

Result<ExprValue> Evaluator::identifier(const Node& node) {
  if (node.slot < 0) {
    return node.text == "$env" ? whole_environment() : ExprValue();
  }
  const auto slot = static_cast<std::size_t>(node.slot);
  return node.variable ? variables_[slot] : names_[slot];
}

Result<ExprValue> Evaluator::whole_environment() const {
  ExprEntries entries;
  for (std::string& name : environment_.names()) {
    if (auto value = environment_.lookup(name)) {
      entries.insert_or_assign(std::move(name), *std::move(value));
    }
  }
  return ExprValue::map(std::move(entries));
}

Result<ExprValue> Evaluator::unary(const Node& node) {
  TRY(ExprValue operand, eval(node.kid(0)));
  if (node.op == Op::logical_not) {
    TRY(const bool holds, condition(node, operand));
    return ExprValue::boolean(!holds);
  }
  return node.op == Op::minus ? at(node, negate(operand)) : Result<ExprValue>(std::move(operand));
}

Result<ExprValue> Evaluator::logical(const Node& node) {
  TRY(ExprValue left, eval(node.kid(0)));
  if (node.op == Op::coalesce) {
    return is_nil(left) ? eval(node.kid(1)) : Result<ExprValue>(std::move(left));
  }
  TRY(const bool holds, condition(node, left));
  const bool decided = holds == (node.op == Op::logical_or);
  return decided ? Result<ExprValue>(std::move(left)) : eval(node.kid(1));
}

Result<ExprValue> Evaluator::binary(const Node& node) {
  if (node.op == Op::logical_and || node.op == Op::logical_or || node.op == Op::coalesce) {
    return logical(node);
  }
  TRY(const ExprValue left, eval(node.kid(0)));
  if (node.op == Op::matches && node.pattern) {
    TRY(const bool holds, at(node, matches(left, ExprValue::boolean(true), node.pattern.get())));
    return ExprValue::boolean(holds);
  }
  TRY(const ExprValue right, eval(node.kid(1)));
  return apply(node, left, right);
}

/// Where both sides are known to be ints or texts, upstream asserts that they are.
Result<ExprValue> Evaluator::equality(const Node& node, const ExprValue& left,
                                      const ExprValue& right) {
  const ExprKind kind = node.kid(0).nature.kind();
  if (kind == node.kid(1).nature.kind() && (kind == ExprKind::int_ || kind == ExprKind::string)) {
    for (const ExprValue* side : {&left, &right}) {
      if (side->kind() != kind) {
        return located(node.at, failed_assertion(*side, ExprType(kind).go_name()).error());
      }
    }
  }
  TRY(const bool same, at(node, equal(run_, left, right)));
  return ExprValue::boolean(same == (node.op == Op::equal));
}

Result<ExprValue> Evaluator::apply(const Node& node, const ExprValue& left,
                                   const ExprValue& right) {
  Result<bool> answer = false;
  switch (node.op) {
    case Op::equal:
    case Op::not_equal:
      return equality(node, left, right);
    case Op::less:
    case Op::greater:
    case Op::less_equal:
    case Op::greater_equal:
      answer = ordered(node.op, left, right);
      break;
    case Op::in:
      answer = is_in(run_, left, right);
      break;
    case Op::matches: {
      // A pattern that is not known before has to be compiled each time.
      constexpr std::size_t kCompileSteps = 500;
      if (Result<> steps = run_.step(kCompileSteps); !steps) {
        return located(node.at, steps.error());
      }
      answer = matches(left, right, nullptr);
      break;
    }
    case Op::contains:
    case Op::starts_with:
    case Op::ends_with:
      answer = text_test(node.op, left, right);
      break;
    case Op::range:
      return at(node, make_range(run_, left, right));
    default:
      return at(node, arithmetic(run_, node.op, left, right));
  }
  TRY(const bool holds, at(node, std::move(answer)));
  return ExprValue::boolean(holds);
}

Result<ExprValue> Evaluator::chain(const Node& node) {
  TRY(ExprValue value, eval(node.kid(0)));
  cut_ = false;
  return is_nil(value) ? ExprValue() : std::move(value);
}

Result<ExprValue> Evaluator::member(const Node& node) {
  TRY(const ExprValue object, eval(node.kid(0)));
  if (cut_) {
    return ExprValue();
  }
  if (node.optional && is_nil(object)) {
    cut_ = true;
    return ExprValue();
  }
  TRY(const ExprValue key, eval(node.kid(1)));
  return at(node, fetch(object, key));
}

Result<ExprValue> Evaluator::slice_of(const Node& node) {
  TRY(const ExprValue object, eval(node.kid(0)));
  if (cut_) {
    return ExprValue();
  }
  ExprValue to;
  if (node.kids[2]) {
    TRY(to, eval(node.kid(2)));
  } else {
    TRY(const std::int64_t length, at(node, go_length(object)));
    to = ExprValue::integer(length);
  }
  ExprValue from = ExprValue::integer(0);
  if (node.kids[1]) {
    TRY(from, eval(node.kid(1)));
  }
  if (object.kind() == ExprKind::list) {
    if (Result<> steps = run_.step(object.as_list().size() / 4); !steps) {
      return located(node.at, steps.error());
    }
  } else if (object.kind() == ExprKind::string) {
    if (Result<> text = run_.charge_text(object.as_string().size()); !text) {
      return located(node.at, text.error());
    }
  }
  return at(node, slice(object, from, to));
}

Result<ExprValue> Evaluator::declaration(const Node& node) {
  TRY(ExprValue value, eval(node.kid(0)));
  if (node.slot >= 0) {
    variables_[static_cast<std::size_t>(node.slot)] = std::move(value);
  }
  return eval(node.kid(1));
}

Result<ExprValue> Evaluator::list(const Node& node) {
  ExprList items;
  items.reserve(node.kids.size());
  for (const NodePtr& kid : node.kids) {
    TRY(ExprValue item, eval(*kid));
    items.push_back(std::move(item));
  }
  if (Result<> charged = run_.charge(items.size()); !charged) {
    return located(node.at, charged.error());
  }
  return shallow(node, ExprValue::list(std::move(items)));
}

/// Of two pairs with the same key the first one counts; keys are looked at from the last.
Result<ExprValue> Evaluator::map(const Node& node) {
  std::vector<std::pair<ExprValue, ExprValue>> pairs;
  for (const NodePtr& pair : node.kids) {
    TRY(ExprValue key, eval(pair->kid(0)));
    TRY(ExprValue value, eval(pair->kid(1)));
    pairs.emplace_back(std::move(key), std::move(value));
  }
  if (Result<> charged = run_.charge(pairs.size()); !charged) {
    return located(node.at, charged.error());
  }
  ExprEntries entries;
  for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) {
    TRY(const std::string_view key, at(node, text_argument(pair->first)));
    entries.insert_or_assign(std::string(key), std::move(pair->second));
  }
  return shallow(node, ExprValue::map(std::move(entries)));
}

Result<ExprValue> Evaluator::pointer(const Node& node) {
  if (scopes_.empty()) {
    return ExprValue();
  }
  if (node.text == "index") {
    return ExprValue::integer(scopes_.back().index);
  }
  return node.text == "acc" ? Result<ExprValue>(scopes_.back().accumulator) : item(node);
}

Result<ExprValue> Evaluator::call(const Node& node) {
  ExprList arguments;
  for (std::size_t i = 1; i < node.kids.size(); ++i) {
    TRY(ExprValue argument, eval(node.kid(i)));
    arguments.push_back(std::move(argument));
  }
  TRY(const ExprValue callee, eval(node.kid(0)));
  if (cut_) {
    return ExprValue();
  }
  if (callee.is_nil()) {
    return error_at(node, "invalid operation: cannot call nil");
  }
  if (callee.kind() != ExprKind::function) {
    return error_at(node,
                    "invalid operation: cannot call non-function of type " + type_text(callee));
  }
  const ExprFunction& function = callee.as_function();
  TRY_VOID(fit_arguments(node, function.type, arguments));
  TRY(ExprValue result, at(node, function.body(run_, arguments)));
  return shallow(node, std::move(result));
}

/// Counts and types as Go's reflection wants them; nil becomes the zero value of its parameter.
Result<> Evaluator::fit_arguments(const Node& node, const ExprType& type,
                                  ExprList& arguments) const {
  const std::size_t wanted = type.parameters().size();
  const bool few = type.variadic() && arguments.size() + 1 < wanted;
  if (few || (!type.variadic() && arguments.size() != wanted)) {
    return error_at(
        node, fmt::format("invalid number of arguments: expected {}{}, got {}",
                          few ? "at least " : "", few ? wanted - 1 : wanted, arguments.size()));
  }
  const bool all_fit = [&] {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!fits(arguments[i], parameter_at(type, i))) {
        return false;
      }
    }
    return true;
  }();
  if (all_fit) {
    return {};
  }
  const bool known = node.kid(0).nature.kind() == ExprKind::function;
  if (known && !type.variadic() && is_called_directly(type.go_name())) {
    for (std::size_t i = arguments.size(); i-- > 0;) {
      if (!fits(arguments[i], type.parameters()[i])) {
        return located(node.at,
                       failed_assertion(arguments[i], type.parameters()[i].go_name()).error());
      }
    }
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const ExprType parameter = parameter_at(type, i);
    if (arguments[i].is_nil()) {
      arguments[i] = zero_value(parameter);
    } else if (!fits(arguments[i], parameter)) {
      const bool rest = type.variadic() && i + 1 >= wanted;
      return error_at(node, rest ? fmt::format("reflect: cannot use {} as type {} in Call",
                                               type_text(arguments[i]), parameter.go_name())
                                 : fmt::format("reflect: Call using {} as type {}",
                                               type_text(arguments[i]), parameter.go_name()));
    }
  }
  return {};
}

Result<ExprValue> Evaluator::builtin(const Node& node) {
  const Builtin* known = node.builtin != nullptr ? node.builtin : find_builtin(node.text);
  if (known == nullptr) {
    return error_at(node, "unknown builtin " + node.text);
  }
  if (known->body == nullptr) {
    return with_predicate(node);
  }
  ExprList arguments;
  for (const NodePtr& kid : node.kids) {
    TRY(ExprValue argument, eval(*kid));
    arguments.push_back(std::move(argument));
  }
  if (!node.nature.is_typed() && known->validate == nullptr && !known->overloads.empty()) {
    // The check was skipped here; a wrong count would be a panic upstream.
    const bool fitting = std::ranges::any_of(known->overloads, [&](const ExprType& overload) {
      return overload.parameters().size() == arguments.size();
    });
    if (!fitting) {
      return error_at(node, fmt::format("invalid number of arguments for {}", node.text));
    }
  }
  TRY(ExprValue result, at(node, known->body(run_, arguments)));
  return shallow(node, std::move(result));
}

}  // namespace tiphys::lang

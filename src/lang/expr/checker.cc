#include "lang/expr/checker.h"

#include "lang/expr/builtins.h"
#include "lang/expr/checker_state.h"
#include "lang/expr/methods.h"
#include "lang/goregex/goregex.h"

#include <fmt/format.h>

namespace tiphys::lang {
namespace {

Nature list_nature(Nature element) {
  Nature out = Nature::of(ExprKind::list);
  out.element = std::make_shared<const Nature>(std::move(element));
  return out;
}

Nature bool_nature() { return Nature::of(ExprKind::boolean); }

Nature promoted(const Nature& left, const Nature& right) {
  if (left.is_unknown() || right.is_unknown()) {
    return {};
  }
  const bool floats = left.type.is_float() || right.type.is_float();
  return Nature::of(floats ? ExprKind::float64 : ExprKind::int_);
}

/// Sets of kinds an operator works on, for the case that one side is unknown.
enum KindSet : unsigned {
  kBools = 1,
  kStrings = 2,
  kIntegers = 4,
  kNumbers = 8,
  kTimes = 16,
  kDurations = 32,
};

bool in_set(const Nature& nature, unsigned set) {
  if (!nature.is_typed()) {
    return false;
  }
  switch (nature.type.kind()) {
    case ExprKind::boolean:
      return (set & kBools) != 0;
    case ExprKind::string:
      return (set & kStrings) != 0;
    case ExprKind::time:
      return (set & kTimes) != 0;
    case ExprKind::duration:
      return (set & kDurations) != 0;
    default:
      return ((set & kIntegers) != 0 && nature.type.is_integer()) ||
             ((set & kNumbers) != 0 && nature.type.is_number());
  }
}

bool may_fit(const Nature& left, const Nature& right, unsigned set) {
  const bool left_unknown = left.is_unknown();
  const bool right_unknown = right.is_unknown();
  return (left_unknown && right_unknown) || (left_unknown && in_set(right, set)) ||
         (right_unknown && in_set(left, set));
}

bool both(const Nature& left, const Nature& right, ExprKind kind) {
  return left.kind() == kind && right.kind() == kind;
}

bool numbers(const Nature& left, const Nature& right) {
  return left.type.is_number() && right.type.is_number();
}

bool comparable(const Nature& left, const Nature& right) {
  return left.is_unknown() || right.is_unknown() || left.is_nil() || right.is_nil() ||
         numbers(left, right) || both(left, right, ExprKind::duration) ||
         both(left, right, ExprKind::time) || both(left, right, ExprKind::list) ||
         assignable(left, right);
}

std::optional<Nature> sum_nature(const Nature& l, const Nature& r) {
  using enum ExprKind;
  if (numbers(l, r)) {
    return promoted(l, r);
  }
  if (both(l, r, string)) {
    return Nature::of(string);
  }
  if ((l.kind() == time && r.kind() == duration) || (l.kind() == duration && r.kind() == time)) {
    return Nature::of(time);
  }
  if (both(l, r, duration)) {
    return Nature::of(duration);
  }
  return may_fit(l, r, kNumbers | kStrings | kTimes | kDurations) ? std::optional(Nature{})
                                                                  : std::nullopt;
}

std::optional<Nature> difference_nature(const Nature& l, const Nature& r) {
  using enum ExprKind;
  if (numbers(l, r)) {
    return promoted(l, r);
  }
  if (both(l, r, time) || both(l, r, duration)) {
    return Nature::of(duration);
  }
  if (l.kind() == time && r.kind() == duration) {
    return Nature::of(time);
  }
  return may_fit(l, r, kNumbers | kTimes | kDurations) ? std::optional(Nature{}) : std::nullopt;
}

std::optional<Nature> product_nature(const Nature& l, const Nature& r) {
  using enum ExprKind;
  if (numbers(l, r)) {
    return promoted(l, r);
  }
  const bool scaled =
      (l.type.is_number() || l.kind() == duration) && (r.type.is_number() || r.kind() == duration);
  if (scaled) {
    return Nature::of(duration);
  }
  return may_fit(l, r, kNumbers | kDurations) ? std::optional(Nature{}) : std::nullopt;
}

std::optional<Nature> order_nature(const Nature& l, const Nature& r) {
  using enum ExprKind;
  const bool good = numbers(l, r) || both(l, r, string) || both(l, r, time) ||
                    both(l, r, duration) ||
                    may_fit(l, r, kNumbers | kStrings | kTimes | kDurations);
  return good ? std::optional(bool_nature()) : std::nullopt;
}

Nature coalesce_nature(const Nature& l, const Nature& r) {
  if (l.is_nil() && r.is_nil()) {
    return Nature::nothing();
  }
  if (l.is_nil()) {
    return r;
  }
  return r.is_nil() || assignable(r, l) ? l : Nature{};
}

/// What an operator gives, or nothing when the sides do not fit.
std::optional<Nature> operator_nature(Op op, const Nature& l, const Nature& r) {
  using enum ExprKind;
  const auto when = [](bool good, Nature nature) {
    return good ? std::optional(std::move(nature)) : std::nullopt;
  };
  switch (op) {
    case Op::equal:
    case Op::not_equal:
      return when(comparable(l, r), bool_nature());
    case Op::logical_or:
    case Op::logical_and:
      return when(both(l, r, boolean) || may_fit(l, r, kBools), bool_nature());
    case Op::less:
    case Op::greater:
    case Op::less_equal:
    case Op::greater_equal:
      return order_nature(l, r);
    case Op::add:
      return sum_nature(l, r);
    case Op::subtract:
      return difference_nature(l, r);
    case Op::multiply:
      return product_nature(l, r);
    case Op::divide:
    case Op::power:
      return when(numbers(l, r) || may_fit(l, r, kNumbers), Nature::of(float64));
    case Op::modulo:
      return when((l.type.is_integer() && r.type.is_integer()) || may_fit(l, r, kIntegers),
                  Nature::of(int_));
    case Op::range:
      return when((l.type.is_integer() && r.type.is_integer()) || may_fit(l, r, kIntegers),
                  list_nature(Nature::of(int_)));
    case Op::contains:
    case Op::starts_with:
    case Op::ends_with:
      return when(both(l, r, string) || may_fit(l, r, kStrings), bool_nature());
    case Op::matches: {
      const bool bytes = l.is_typed() && l.type == ExprType::list_of(uint8);
      return when(((l.kind() == string || bytes) && r.kind() == string) || may_fit(l, r, kStrings),
                  bool_nature());
    }
    case Op::coalesce:
      return coalesce_nature(l, r);
    default:
      return std::nullopt;
  }
}

}  // namespace

bool assignable(const Nature& from, const Nature& to) {
  if (!to.is_typed()) {
    return false;
  }
  if (from.is_nil()) {
    const bool pointer = to.kind() == ExprKind::object && to.name().starts_with('*');
    return pointer || to.kind() == ExprKind::any || to.kind() == ExprKind::function ||
           to.kind() == ExprKind::map || (to.kind() == ExprKind::list && !to.type.array_length());
  }
  return from.is_typed() && (to.kind() == ExprKind::any || from.type == to.type);
}

Nature element_of(const Nature& nature) {
  if (nature.kind() == ExprKind::list) {
    return nature.element ? *nature.element : Nature::of(nature.type.element());
  }
  return nature.kind() == ExprKind::map ? Nature::of(nature.type.element()) : Nature{};
}

Nature list_of(Nature element) { return list_nature(std::move(element)); }

Nature Checker::error(const Node& node, std::string message) {
  return error(SourceError{node.at, std::move(message)});
}

Nature Checker::error(SourceError error) {
  if (!error_ && lenient_ == 0) {
    error_ = std::move(error);
  }
  return {};
}

Nature Checker::visit(Node& node) {
  node.nature = nature_of(node);
  return node.nature;
}

Nature Checker::nature_of(Node& node) {
  switch (node.kind) {
    case NodeKind::nil:
      return Nature::nothing();
    case NodeKind::identifier:
      return identifier(node);
    case NodeKind::integer:
      return Nature::of(ExprKind::int_);
    case NodeKind::number:
      return Nature::of(ExprKind::float64);
    case NodeKind::boolean:
      return bool_nature();
    case NodeKind::string:
      return Nature::of(ExprKind::string);
    case NodeKind::bytes:
      return Nature::of(ExprType::list_of(ExprKind::uint8));
    case NodeKind::constant:
      return Nature::of(node.constant.type());
    case NodeKind::unary:
      return unary(node);
    case NodeKind::binary:
      return binary(node);
    case NodeKind::chain:
    case NodeKind::predicate:
      return visit(*node.kids[0]);
    case NodeKind::member:
      return member(node);
    case NodeKind::slice:
      return slice(node);
    case NodeKind::call:
      return call(node);
    case NodeKind::builtin:
      return builtin(node);
    case NodeKind::pointer:
      return pointer(node);
    case NodeKind::declaration:
      return declaration(node);
    case NodeKind::conditional:
      return conditional(node);
    case NodeKind::list:
      return list(node);
    case NodeKind::map:
    case NodeKind::pair:
    case NodeKind::sequence: {
      Nature last;
      for (const NodePtr& kid : node.kids) {
        last = visit(*kid);
      }
      if (node.kind == NodeKind::sequence) {
        return last;
      }
      return node.kind == NodeKind::map ? Nature::of(ExprKind::map) : Nature::nothing();
    }
  }
  return {};
}

int Checker::slot_of(std::string_view name) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].name == name) {
      return static_cast<int>(i);
    }
  }
  std::optional<ExprType> type;
  if (const auto value = environment_.lookup(name)) {
    type = value->type();
  }
  names_.push_back({std::string(name), std::move(type)});
  return static_cast<int>(names_.size()) - 1;
}

std::optional<Nature> Checker::environment_nature(std::string_view name) {
  const CheckedName& known = names_[static_cast<std::size_t>(slot_of(name))];
  if (!known.type) {
    return std::nullopt;
  }
  return known.type->kind() == ExprKind::nil ? Nature::nothing() : Nature::of(*known.type);
}

Nature Checker::identifier(Node& node) {
  for (auto variable = variables_.rbegin(); variable != variables_.rend(); ++variable) {
    if (variable->name == node.text) {
      node.variable = true;
      node.slot = variable->slot;
      return variable->nature;
    }
  }
  if (node.text == "$env") {
    return {};
  }
  node.slot = slot_of(node.text);
  if (auto nature = environment_nature(node.text)) {
    return *std::move(nature);
  }
  if (const Builtin* builtin = find_builtin(node.text)) {
    Nature nature = Nature::of(builtin->type());
    nature.builtin = builtin;
    return nature;
  }
  return error(node, "unknown name " + node.text);
}

Nature Checker::unary(Node& node) {
  Nature operand = visit(*node.kids[0]);
  if (node.op == Op::logical_not) {
    if (operand.kind() == ExprKind::boolean || operand.is_unknown()) {
      return bool_nature();
    }
  } else if (operand.type.is_number() && operand.is_typed()) {
    return operand;
  } else if (operand.is_unknown()) {
    return {};
  }
  return error(
      node, fmt::format("invalid operation: {} (mismatched type {})", node.text, operand.name()));
}

Nature Checker::binary(Node& node) {
  const Nature left = visit(*node.kids[0]);
  const Nature right = visit(*node.kids[1]);
  if (node.op == Op::in) {
    return in(node, left, right);
  }
  if (node.op == Op::matches && node.kid(1).kind == NodeKind::string) {
    auto compiled = compile_regex(node.kid(1).text);
    if (!compiled) {
      return error(node, compiled.error().message);
    }
    node.pattern = *std::move(compiled);
  }
  if (auto nature = operator_nature(node.op, left, right)) {
    return *std::move(nature);
  }
  return mismatch(node, left, right);
}

Nature Checker::mismatch(const Node& node, const Nature& left, const Nature& right) {
  return error(node, fmt::format("invalid operation: {} (mismatched types {} and {})", node.text,
                                 left.name(), right.name()));
}

Nature Checker::in(Node& node, const Nature& left, const Nature& right) {
  const bool structure = right.kind() == ExprKind::time || right.kind() == ExprKind::object;
  if (structure && (left.kind() == ExprKind::string || left.is_unknown())) {
    return bool_nature();
  }
  if (right.kind() == ExprKind::map) {
    const Nature key = Nature::of(right.type.key());
    if (!left.is_unknown() && !assignable(left, key)) {
      return error(node,
                   fmt::format("cannot use {} as type {} in map key", left.name(), key.name()));
    }
    return bool_nature();
  }
  if (right.kind() == ExprKind::list) {
    const Nature element = element_of(right);
    if (!comparable(left, element)) {
      return error(node,
                   fmt::format("cannot use {} as type {} in array", left.name(), element.name()));
    }
    return bool_nature();
  }
  if ((left.is_unknown() && right.kind() == ExprKind::string) || right.is_unknown()) {
    return bool_nature();
  }
  return mismatch(node, left, right);
}

Nature Checker::member(Node& node) {
  const Node& object = node.kid(0);
  const Node& property = node.kid(1);
  const bool named = property.kind == NodeKind::string;
  if (object.kind == NodeKind::identifier && object.text == "$env") {
    if (!named) {
      visit(*node.kids[1]);
      return {};
    }
    if (auto nature = environment_nature(property.text)) {
      return *std::move(nature);
    }
    return node.optional ? Nature{} : error(node, "unknown name " + property.text);
  }
  const Nature base = visit(*node.kids[0]);
  const Nature key = visit(*node.kids[1]);
  if (base.is_unknown()) {
    return {};
  }
  if (named && base.is_nil()) {
    return error(node, "type nil has no field " + property.text);
  }
  if (named) {
    auto method = method_type(base.kind(), property.text);
    method = method ? method : base.type.field_type(property.text);
    if (method) {
      return Nature::of(*std::move(method));
    }
  }
  return element_member(node, base, key);
}

Nature Checker::element_member(const Node& node, const Nature& base, const Nature& key) {
  const Node& property = node.kid(1);
  if (base.kind() == ExprKind::map) {
    if (!assignable(key, Nature::of(base.type.key())) && !key.is_unknown()) {
      return error(property,
                   fmt::format("cannot use {} to get an element from {}", key.name(), base.name()));
    }
    return element_of(base);
  }
  if (base.kind() == ExprKind::list) {
    if (!key.type.is_integer() && !key.is_unknown()) {
      return error(
          property,
          fmt::format("array elements can only be selected using an integer (got {})", key.name()));
    }
    return element_of(base);
  }
  std::string name = base.name();
  name.erase(0, name.starts_with('*') ? 1 : 0);
  if (property.kind == NodeKind::string) {
    return error(node, fmt::format("type {} has no {} {}", name, node.method ? "method" : "field",
                                   property.text));
  }
  return error(node, fmt::format("type {}[{}] is undefined", name, key.name()));
}

Nature Checker::slice(Node& node) {
  const Nature base = visit(*node.kids[0]);
  const bool sliceable = base.kind() == ExprKind::string || base.kind() == ExprKind::list;
  if (!base.is_unknown() && !sliceable) {
    return error(node, "cannot slice " + base.name());
  }
  for (std::size_t i = 1; i < 3; ++i) {
    if (!node.kids[i]) {
      continue;
    }
    const Nature bound = visit(*node.kids[i]);
    if (base.is_unknown()) {
      continue;
    }
    if (!bound.type.is_integer() && !bound.is_unknown()) {
      return error(node.kid(i), "non-integer slice index " + bound.name());
    }
  }
  return base.is_unknown() ? Nature{} : base;
}

Nature Checker::pointer(const Node& node) {
  if (scopes_.empty()) {
    return error(node, "cannot use pointer accessor outside predicate");
  }
  const PredicateScope& scope = scopes_.back();
  if (node.text.empty()) {
    return scope.collection.is_unknown() ? Nature{} : element_of(scope.collection);
  }
  if (node.text == "index" && scope.has_index) {
    return Nature::of(ExprKind::int_);
  }
  if (node.text == "acc" && scope.has_accumulator) {
    return {};
  }
  return error(node, "unknown pointer #" + node.text);
}

Nature Checker::declaration(Node& node) {
  if (environment_nature(node.text)) {
    return error(node, "cannot redeclare " + node.text);
  }
  if (find_builtin(node.text) != nullptr) {
    return error(node, "cannot redeclare builtin " + node.text);
  }
  for (const Variable& variable : variables_) {
    if (variable.name == node.text) {
      return error(node, "cannot redeclare variable " + node.text);
    }
  }
  Nature value = visit(*node.kids[0]);
  node.slot = variable_count_++;
  variables_.push_back({node.text, std::move(value), node.slot});
  Nature body = visit(*node.kids[1]);
  variables_.pop_back();
  return body;
}

Nature Checker::conditional(Node& node) {
  const Nature condition = visit(*node.kids[0]);
  if (condition.kind() != ExprKind::boolean && !condition.is_unknown()) {
    return error(node.kid(0),
                 fmt::format("non-bool expression (type {}) used as condition", condition.name()));
  }
  const Nature then = visit(*node.kids[1]);
  const Nature otherwise = visit(*node.kids[2]);
  if (then.is_nil()) {
    return otherwise;
  }
  if (otherwise.is_nil()) {
    return then;
  }
  if (!assignable(then, otherwise)) {
    return {};
  }
  if (both(then, otherwise, ExprKind::list)) {
    const Nature first = element_of(then);
    const Nature second = element_of(otherwise);
    if (!assignable(first, second) || !assignable(second, first)) {
      return Nature::of(ExprKind::list);
    }
  }
  return then;
}

Nature Checker::list(Node& node) {
  Nature previous;
  bool same = true;
  for (std::size_t i = 0; i < node.kids.size(); ++i) {
    Nature current = visit(*node.kids[i]);
    const bool same_kind =
        current.kind() == previous.kind() &&
        (current.kind() != ExprKind::any || current.is_typed() == previous.is_typed());
    same = same && (i == 0 || same_kind);
    previous = std::move(current);
  }
  return same ? list_nature(std::move(previous)) : Nature::of(ExprKind::list);
}

Result<CheckedTree> check_tree(std::string_view source, NodePtr root,
                               const ExprEnvironment& environment) {
  Checker checker(environment);
  checker.visit(*root);
  if (checker.first_error()) {
    const SourceError& error = *checker.first_error();
    return fail(ErrorCode::parse, with_snippet(source, error.at, error.message));
  }
  return CheckedTree{std::move(root), checker.take_names(), checker.variable_count()};
}

}  // namespace tiphys::lang

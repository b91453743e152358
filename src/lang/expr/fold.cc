#include "lang/expr/optimizer.h"

#include <cmath>

namespace tiphys::lang {
namespace {

bool is(const Node& node, NodeKind kind) { return node.kind == kind; }

bool is_boolean(const Node& node, bool value) {
  return is(node, NodeKind::boolean) && (node.integer != 0) == value;
}

NodePtr number_node(double value) {
  NodePtr node = make_node(NodeKind::number, 0);
  node->number = value;
  node->nature = Nature::of(ExprKind::float64);
  return node;
}

NodePtr string_node(std::string value) {
  NodePtr node = make_node(NodeKind::string, 0);
  node->text = std::move(value);
  node->nature = Nature::of(ExprKind::string);
  return node;
}

std::int64_t wrapped(Op op, std::int64_t left, std::int64_t right) {
  const auto a = static_cast<std::uint64_t>(left);
  const auto b = static_cast<std::uint64_t>(right);
  return static_cast<std::int64_t>(op == Op::add ? a + b : (op == Op::subtract ? a - b : a * b));
}

double calculated(Op op, double left, double right) {
  switch (op) {
    case Op::add:
      return left + right;
    case Op::subtract:
      return left - right;
    case Op::multiply:
      return left * right;
    case Op::divide:
      return left / right;
    default:
      return std::pow(left, right);
  }
}

NodePtr folded_arithmetic(const Node& node) {
  const Node& left = node.kid(0);
  const Node& right = node.kid(1);
  const bool integers = is(left, NodeKind::integer) && is(right, NodeKind::integer);
  const bool numbers = (is(left, NodeKind::integer) || is(left, NodeKind::number)) &&
                       (is(right, NodeKind::integer) || is(right, NodeKind::number));
  if (node.op == Op::add && is(left, NodeKind::string) && is(right, NodeKind::string)) {
    return string_node(left.text + right.text);
  }
  if (!numbers) {
    return nullptr;
  }
  const bool exact = node.op == Op::add || node.op == Op::subtract || node.op == Op::multiply;
  if (integers && exact) {
    return integer_node(wrapped(node.op, left.integer, right.integer));
  }
  const auto value = [](const Node& side) {
    return is(side, NodeKind::integer) ? static_cast<double>(side.integer) : side.number;
  };
  return number_node(calculated(node.op, value(left), value(right)));
}

NodePtr folded_equality(const Node& node) {
  const Node& left = node.kid(0);
  const Node& right = node.kid(1);
  if (left.kind != right.kind) {
    return nullptr;
  }
  if (is(left, NodeKind::integer) || is(left, NodeKind::boolean)) {
    return boolean_node(left.integer == right.integer);
  }
  return is(left, NodeKind::string) ? boolean_node(left.text == right.text) : nullptr;
}

class Folder {
 public:
  explicit Folder(std::string_view source) : source_(source) {}

  void visit(NodePtr& node) {
    switch (node->kind) {
      case NodeKind::unary:
        unary(node);
        return;
      case NodeKind::binary:
        binary(node);
        return;
      case NodeKind::list:
        list(node);
        return;
      case NodeKind::builtin:
        filter_of_filter(node);
        return;
      default:
        return;
    }
  }

  Result<bool> result() const {
    return error_ ? Result<bool>(std::unexpected(*error_)) : Result<bool>(changed_);
  }

 private:
  void put(NodePtr& node, NodePtr next) {
    if (next) {
      changed_ = true;
      replace_node(node, std::move(next));
    }
  }

  void put_keeping_nature(NodePtr& node, NodePtr next) {
    changed_ = true;
    replace_keeping_nature(node, std::move(next));
  }

  void unary(NodePtr& node) {
    const Node& operand = node->kid(0);
    if (node->op == Op::logical_not) {
      if (is(operand, NodeKind::boolean)) {
        put(node, boolean_node(operand.integer == 0));
      }
      return;
    }
    const bool negative = node->op == Op::minus;
    if (is(operand, NodeKind::integer)) {
      put(node,
          integer_node(negative ? wrapped(Op::subtract, 0, operand.integer) : operand.integer));
    } else if (is(operand, NodeKind::number)) {
      put(node, number_node(negative ? -operand.number : operand.number));
    }
  }

  void binary(NodePtr& node) {
    switch (node->op) {
      case Op::add:
      case Op::subtract:
      case Op::multiply:
      case Op::divide:
      case Op::power:
        put(node, folded_arithmetic(*node));
        return;
      case Op::modulo:
        modulo(node);
        return;
      case Op::logical_and:
        logical(node, true);
        return;
      case Op::logical_or:
        logical(node, false);
        return;
      case Op::equal:
        put(node, folded_equality(*node));
        return;
      default:
        return;
    }
  }

  void modulo(NodePtr& node) {
    const Node& left = node->kid(0);
    const Node& right = node->kid(1);
    if (!is(left, NodeKind::integer) || !is(right, NodeKind::integer)) {
      return;
    }
    if (right.integer == 0) {
      if (!error_) {
        error_ =
            Error{ErrorCode::parse, with_snippet(source_, node->at, "integer divide by zero"), {}};
      }
      return;
    }
    put(node, integer_node(right.integer == -1 ? 0 : left.integer % right.integer));
  }

  /// `neutral` disappears beside anything, its opposite decides alone.
  void logical(NodePtr& node, bool neutral) {
    if (is_boolean(node->kid(0), neutral)) {
      put_keeping_nature(node, std::move(node->kids[1]));
    } else if (is_boolean(node->kid(1), neutral)) {
      put_keeping_nature(node, std::move(node->kids[0]));
    } else if (is_boolean(node->kid(0), !neutral) || is_boolean(node->kid(1), !neutral)) {
      put(node, boolean_node(!neutral));
    }
  }

  void list(NodePtr& node) {
    if (node->kids.empty()) {
      return;
    }
    ExprList items;
    for (const NodePtr& kid : node->kids) {
      switch (kid->kind) {
        case NodeKind::integer:
          items.push_back(ExprValue::integer(kid->integer));
          break;
        case NodeKind::number:
          items.push_back(ExprValue::number(kid->number));
          break;
        case NodeKind::string:
          items.push_back(ExprValue::string(kid->text));
          break;
        case NodeKind::boolean:
          items.push_back(ExprValue::boolean(kid->integer != 0));
          break;
        default:
          return;
      }
    }
    NodePtr constant = make_node(NodeKind::constant, 0);
    constant->constant = ExprValue::list(std::move(items));
    constant->nature = Nature::of(ExprKind::list);
    put(node, std::move(constant));
  }

  /// filter(filter(x, p), q) becomes filter(x, p && q).
  void filter_of_filter(NodePtr& node) {
    if (node->text != "filter" || node->kids.size() != 2) {
      return;
    }
    Node& base = *node->kids[0];
    if (!is(base, NodeKind::builtin) || base.text != "filter") {
      return;
    }
    NodePtr both = make_node(NodeKind::binary, 0);
    both->op = Op::logical_and;
    both->text = "&&";
    both->nature = Nature::of(ExprKind::boolean);
    add_kid(*both, std::move(base.kids[1]->kids[0]));
    add_kid(*both, std::move(node->kids[1]->kids[0]));
    NodePtr predicate = make_node(NodeKind::predicate, 0);
    add_kid(*predicate, std::move(both));
    NodePtr filter = make_node(NodeKind::builtin, 0);
    filter->text = "filter";
    filter->builtin = node->builtin;
    add_kid(*filter, std::move(base.kids[0]));
    add_kid(*filter, std::move(predicate));
    put_keeping_nature(node, std::move(filter));
  }

  std::string_view source_;
  bool changed_ = false;
  std::optional<Error> error_;
};

}  // namespace

Result<bool> fold_constants(std::string_view source, NodePtr& root) {
  Folder folder(source);
  walk(root, [&](NodePtr& node) { folder.visit(node); });
  return folder.result();
}

}  // namespace tiphys::lang

#include "lang/expr/optimizer.h"

#include "lang/expr/builtins.h"
#include "lang/expr/parts.h"

#include <algorithm>

namespace tiphys::lang {

void replace_node(NodePtr& node, NodePtr next) {
  next->at = node->at;
  node = std::move(next);
}

void replace_keeping_nature(NodePtr& node, NodePtr next) {
  next->nature = node->nature;
  replace_node(node, std::move(next));
}

NodePtr boolean_node(bool value) {
  NodePtr node = make_node(NodeKind::boolean, 0);
  node->integer = value ? 1 : 0;
  node->nature = Nature::of(ExprKind::boolean);
  return node;
}

NodePtr integer_node(std::int64_t value) {
  NodePtr node = make_node(NodeKind::integer, 0);
  node->integer = value;
  node->nature = Nature::of(ExprKind::int_);
  return node;
}

namespace {

bool is_builtin(const Node& node, std::string_view name, std::size_t arguments) {
  return node.kind == NodeKind::builtin && node.text == name && node.kids.size() == arguments;
}

bool is_integer(const Node& node, std::int64_t value) {
  return node.kind == NodeKind::integer && node.integer == value;
}

bool is_plain_pointer(const Node& node, std::string_view name) {
  return node.kind == NodeKind::pointer && node.text == name;
}

NodePtr binary_node(Op op, std::string text, NodePtr left, NodePtr right) {
  NodePtr node = make_node(NodeKind::binary, 0);
  node->op = op;
  node->text = std::move(text);
  add_kid(*node, std::move(left));
  add_kid(*node, std::move(right));
  return node;
}

NodePtr builtin_node(std::string name, std::vector<NodePtr> arguments) {
  NodePtr node = make_node(NodeKind::builtin, 0);
  node->builtin = find_builtin(name);
  node->text = std::move(name);
  for (NodePtr& argument : arguments) {
    add_kid(*node, std::move(argument));
  }
  return node;
}

/// x in ["a", "b"] becomes a look-up in a set.
void in_array(NodePtr& node) {
  if (node->kind != NodeKind::binary || node->op != Op::in || node->kid(1).kind != NodeKind::list ||
      node->kid(1).kids.empty()) {
    return;
  }
  const auto& items = node->kid(1).kids;
  const auto all = [&items](NodeKind kind) {
    return std::ranges::all_of(items, [kind](const NodePtr& item) { return item->kind == kind; });
  };
  NodePtr set = make_node(NodeKind::constant, 0);
  if (node->kid(0).nature.kind() == ExprKind::int_ && all(NodeKind::integer)) {
    AnyMapPart part;
    part.type = ExprType::map_of(ExprKind::int_, ExprKind::any);
    for (const NodePtr& item : items) {
      ExprValue key = ExprValue::integer(item->integer);
      if (part.index.emplace(*hash_key(key), part.entries.size()).second) {
        part.entries.emplace_back(std::move(key), ExprValue());
      }
    }
    set->constant = ExprParts::make(std::move(part));
  } else if (all(NodeKind::string)) {
    ExprEntries entries;
    for (const NodePtr& item : items) {
      entries.emplace(item->text, ExprValue());
    }
    set->constant = ExprValue::map(std::move(entries));
  } else {
    return;
  }
  replace_keeping_nature(node, binary_node(Op::in, "in", std::move(node->kids[0]), std::move(set)));
}

/// i in 1..3 becomes i >= 1 and i <= 3.
void in_range(NodePtr& node) {
  if (node->kind != NodeKind::binary || node->op != Op::in ||
      node->kid(0).nature.kind() != ExprKind::int_) {
    return;
  }
  Node& range = *node->kids[1];
  if (range.kind != NodeKind::binary || range.op != Op::range ||
      range.kid(0).kind != NodeKind::integer || range.kid(1).kind != NodeKind::integer) {
    return;
  }
  NodePtr again = clone(node->kid(0));
  NodePtr from = binary_node(Op::greater_equal, ">=", std::move(again), std::move(range.kids[0]));
  NodePtr to =
      binary_node(Op::less_equal, "<=", std::move(node->kids[0]), std::move(range.kids[1]));
  replace_keeping_nature(node, binary_node(Op::logical_and, "and", std::move(from), std::move(to)));
}

bool uses_index(const Node& node) {
  return is_plain_pointer(node, "index") ||
         std::ranges::any_of(node.kids, [](const NodePtr& kid) { return kid && uses_index(*kid); });
}

/// map(filter(x, p), f) becomes one loop.
void filter_map(NodePtr& node) {
  if (!is_builtin(*node, "map", 2) || uses_index(node->kid(1))) {
    return;
  }
  Node& filter = *node->kids[0];
  if (filter.kind != NodeKind::builtin || filter.text != "filter" || filter.mapping) {
    return;
  }
  NodePtr mapping = std::move(node->kids[1]->kids[0]);
  NodePtr joined = builtin_node("filter", std::move(filter.kids));
  joined->mapping = std::move(mapping);
  replace_keeping_nature(node, std::move(joined));
}

void filter_len(NodePtr& node) {
  if (is_builtin(*node, "len", 1) && is_builtin(node->kid(0), "filter", 2)) {
    NodePtr count = builtin_node("count", std::move(node->kids[0]->kids));
    replace_keeping_nature(node, std::move(count));
  }
}

void find_instead(NodePtr& node, std::string name, bool throws) {
  Node& filter = *node->kids[0];
  NodePtr mapping = std::move(filter.mapping);
  NodePtr find = builtin_node(std::move(name), std::move(filter.kids));
  find->mapping = std::move(mapping);
  find->throws = throws;
  replace_keeping_nature(node, std::move(find));
}

/// filter(x, p)[0] and first(filter(x, p)) stop at the first hit; the same from behind.
void filter_end(NodePtr& node, std::int64_t index, std::string_view shortcut,
                const std::string& find) {
  const bool indexed = node->kind == NodeKind::member && !node->optional &&
                       is_integer(node->kid(1), index) && is_builtin(node->kid(0), "filter", 2);
  if (indexed) {
    find_instead(node, find, true);
  } else if (is_builtin(*node, shortcut, 1) && is_builtin(node->kid(0), "filter", 2)) {
    find_instead(node, find, false);
  }
}

/// all(x, p) && all(x, q) becomes all(x, p && q); likewise any with ||, none with && (then ||).
void combine_predicates(NodePtr& node) {
  const bool logical =
      node->kind == NodeKind::binary && (node->op == Op::logical_and || node->op == Op::logical_or);
  if (!logical) {
    return;
  }
  Node& left = *node->kids[0];
  Node& right = *node->kids[1];
  if (left.kind != NodeKind::builtin || right.kind != NodeKind::builtin ||
      left.text != right.text) {
    return;
  }
  const bool both = node->op == Op::logical_and;
  const bool fits = both ? left.text == "all" || left.text == "none" : left.text == "any";
  if (!fits || source_of(left.kid(0)) != source_of(right.kid(0))) {
    return;
  }
  const bool inverted = left.text == "none";
  NodePtr body = binary_node(inverted ? Op::logical_or : node->op, inverted ? "||" : node->text,
                             std::move(left.kids[1]->kids[0]), std::move(right.kids[1]->kids[0]));
  combine_predicates(body);
  NodePtr predicate = make_node(NodeKind::predicate, 0);
  add_kid(*predicate, std::move(body));
  std::vector<NodePtr> arguments;
  arguments.push_back(std::move(left.kids[0]));
  arguments.push_back(std::move(predicate));
  replace_keeping_nature(node, builtin_node(left.text, std::move(arguments)));
}

using Word = std::uint64_t;

Word word(std::int64_t value) { return static_cast<Word>(value); }

/// The sum of sum(m..n, # * k) and its like, computed with wrap-around as Go does.
std::optional<Word> series_sum(const Node& predicate, Word sum, Word count) {
  const Node& body = predicate.kid(0);
  if (is_plain_pointer(body, "")) {
    return sum;
  }
  if (body.kind != NodeKind::binary) {
    return std::nullopt;
  }
  const bool pointer_left =
      is_plain_pointer(body.kid(0), "") && body.kid(1).kind == NodeKind::integer;
  const bool pointer_right =
      is_plain_pointer(body.kid(1), "") && body.kid(0).kind == NodeKind::integer;
  if (!pointer_left && !pointer_right) {
    return std::nullopt;
  }
  const Word constant = word(body.kid(pointer_left ? 1 : 0).integer);
  switch (body.op) {
    case Op::multiply:
      return constant * sum;
    case Op::add:
      return sum + count * constant;
    case Op::subtract:
      return pointer_left ? sum - count * constant : count * constant - sum;
    default:
      return std::nullopt;
  }
}

bool adds_to_accumulator(const Node& predicate) {
  const Node& body = predicate.kid(0);
  return body.kind == NodeKind::binary && body.op == Op::add &&
         ((is_plain_pointer(body.kid(0), "") && is_plain_pointer(body.kid(1), "acc")) ||
          (is_plain_pointer(body.kid(0), "acc") && is_plain_pointer(body.kid(1), "")));
}

void sum_range(NodePtr& node) {
  const bool sums =
      node->kind == NodeKind::builtin && (node->text == "sum" || node->text == "reduce");
  if (!sums || node->kid(0).kind != NodeKind::binary || node->kid(0).op != Op::range) {
    return;
  }
  const Node& range = node->kid(0);
  if (range.kid(0).kind != NodeKind::integer || range.kid(1).kind != NodeKind::integer ||
      range.kid(1).integer < range.kid(0).integer) {
    return;
  }
  const Word from = word(range.kid(0).integer);
  const Word to = word(range.kid(1).integer);
  const Word count = to - from + 1;
  const auto twice = static_cast<std::int64_t>(count * (from + to));
  const Word sum = word(twice / 2);
  std::optional<Word> total;
  if (node->text == "sum") {
    total = node->kids.size() == 1 ? sum : series_sum(node->kid(1), sum, count);
  } else if (adds_to_accumulator(node->kid(1))) {
    if (node->kids.size() == 2) {
      total = sum;
    } else if (node->kid(2).kind == NodeKind::integer) {
      total = word(node->kid(2).integer) + sum;
    }
  }
  if (total) {
    replace_node(node, integer_node(static_cast<std::int64_t>(*total)));
  }
}

/// sum([a, b, c]) means a + (b + c); the evaluator adds from the right.
void sum_array(NodePtr& node) {
  if (is_builtin(*node, "sum", 1) && node->kid(0).kind == NodeKind::list &&
      node->kid(0).kids.size() >= 2) {
    node->from_right = true;
  }
}

void sum_map(NodePtr& node) {
  if (is_builtin(*node, "sum", 1) && is_builtin(node->kid(0), "map", 2)) {
    NodePtr sum = builtin_node("sum", std::move(node->kids[0]->kids));
    replace_keeping_nature(node, std::move(sum));
  }
}

bool counts(const Node& node) {
  return node.kind == NodeKind::binary && is_builtin(node.kid(0), "count", 2) &&
         node.kid(1).kind == NodeKind::integer;
}

/// count(x, p) > 0 becomes any(x, p).
void count_any(NodePtr& node) {
  if (!counts(*node)) {
    return;
  }
  const bool any = (node->op == Op::greater && is_integer(node->kid(1), 0)) ||
                   (node->op == Op::greater_equal && is_integer(node->kid(1), 1));
  if (any) {
    NodePtr replacement = builtin_node("any", std::move(node->kids[0]->kids));
    replace_keeping_nature(node, std::move(replacement));
  }
}

/// count(x, p) > 3 need not count beyond four.
void count_threshold(NodePtr& node) {
  if (!counts(*node)) {
    return;
  }
  const std::int64_t limit = node->kid(1).integer;
  const bool beyond = node->op == Op::greater || node->op == Op::less_equal;
  const bool reach = node->op == Op::greater_equal || node->op == Op::less;
  if (limit < 0 || limit == INT64_MAX || (!beyond && !reach)) {
    return;
  }
  const std::int64_t threshold = beyond ? limit + 1 : limit;
  if (threshold > 1) {
    node->kids[0]->threshold = threshold;
  }
}

}  // namespace

Result<> optimize(std::string_view source, NodePtr& root) {
  walk(root, in_array);
  constexpr int kRounds = 1000;
  for (int round = 0; round < kRounds; ++round) {
    TRY(const bool changed, fold_constants(source, root));
    if (!changed) {
      break;
    }
  }
  walk(root, in_range);
  walk(root, filter_map);
  walk(root, filter_len);
  walk(root, [](NodePtr& node) { filter_end(node, -1, "last", "findLast"); });
  walk(root, [](NodePtr& node) { filter_end(node, 0, "first", "find"); });
  walk(root, combine_predicates);
  walk(root, sum_range);
  walk(root, sum_array);
  walk(root, sum_map);
  walk(root, count_any);
  walk(root, count_threshold);
  return {};
}

}  // namespace tiphys::lang

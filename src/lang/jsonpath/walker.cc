#include "lang/jsonpath/walker.h"

#include "doc/go_text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace tiphys::lang {
namespace {

using Kind = JsonPathNode::Kind;

constexpr std::size_t kMaximumSteps = 1'000'000;

Error problem(std::string message) { return {ErrorCode::invalid, std::move(message), {}}; }

const doc::Value* value_of(const JsonPathItem& item) {
  const auto* held = std::get_if<const doc::Value*>(&item);
  return held == nullptr ? nullptr : *held;
}

bool is_null(const JsonPathItem& item) {
  const doc::Value* value = value_of(item);
  return value != nullptr && value->is_null();
}

const doc::Array* list_of(const JsonPathItem& item) {
  const doc::Value* value = value_of(item);
  return value == nullptr ? nullptr : value->if_array();
}

std::optional<std::string_view> text_of(const JsonPathItem& item) {
  if (const auto* text = std::get_if<const std::string*>(&item)) {
    return **text;
  }
  const doc::Value* value = value_of(item);
  if (value != nullptr && value->is_string()) {
    return doc::text_of(value->get_string());
  }
  return std::nullopt;
}

/// How Go names the type in "X is not array or slice".
std::string_view go_type(const JsonPathItem& item) {
  const doc::Value* value = value_of(item);
  if (value != nullptr && value->is_object()) {
    return "map[string]interface {}";
  }
  if (text_of(item)) {
    return "string";
  }
  if (std::holds_alternative<bool>(item) || (value != nullptr && value->is_bool())) {
    return "bool";
  }
  if (std::holds_alternative<unsigned char>(item)) {
    return "uint8";
  }
  if (std::holds_alternative<std::int64_t>(item)) {
    return "int";
  }
  return value != nullptr && value->is_int64() ? "int64" : "float64";
}

std::string go_shown(const JsonPathItem& item) {
  if (const doc::Value* value = value_of(item)) {
    return doc::go_text(*value);
  }
  if (const auto text = text_of(item)) {
    return std::string(*text);
  }
  if (const auto* integer = std::get_if<std::int64_t>(&item)) {
    return std::to_string(*integer);
  }
  if (const auto* number = std::get_if<double>(&item)) {
    return doc::go_text(doc::Value(*number));
  }
  if (const auto* flag = std::get_if<bool>(&item)) {
    return *flag ? "true" : "false";
  }
  if (const auto* byte = std::get_if<unsigned char>(&item)) {
    return std::to_string(*byte);
  }
  return "<invalid reflect.Value>";
}

/// The members, elements or bytes of a value; the members by key.
JsonPathItems contents(const JsonPathItem& item) {
  JsonPathItems out;
  if (const doc::Array* list = list_of(item)) {
    for (const doc::Value& element : *list) {
      out.emplace_back(&element);
    }
  } else if (const auto text = text_of(item)) {
    for (const char c : *text) {
      out.emplace_back(static_cast<unsigned char>(c));
    }
  } else if (const doc::Value* value = value_of(item); value != nullptr && value->is_object()) {
    std::vector<std::pair<std::string_view, const doc::Value*>> members;
    for (const auto& member : value->get_object()) {
      members.emplace_back(std::string_view(member.key().data(), member.key().size()),
                           &member.value());
    }
    std::ranges::sort(members, {}, &std::pair<std::string_view, const doc::Value*>::first);
    for (const auto& [key, held] : members) {
      out.emplace_back(held);
    }
  }
  return out;
}

// Comparisons: values of the same kind only; bytes are integers too.

using Operand = std::variant<std::int64_t, double, bool, std::string_view>;

std::optional<Operand> operand(const JsonPathItem& item) {
  if (const auto text = text_of(item)) {
    return *text;
  }
  if (const auto* integer = std::get_if<std::int64_t>(&item)) {
    return *integer;
  }
  if (const auto* number = std::get_if<double>(&item)) {
    return *number;
  }
  if (const auto* flag = std::get_if<bool>(&item)) {
    return *flag;
  }
  if (const auto* byte = std::get_if<unsigned char>(&item)) {
    return static_cast<std::int64_t>(*byte);
  }
  const doc::Value* value = value_of(item);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (value->is_bool()) {
    return value->get_bool();
  }
  if (value->is_int64()) {
    return value->get_int64();
  }
  return value->is_number() ? std::optional<Operand>(value->to_number<double>()) : std::nullopt;
}

template <class Compare>
Result<bool> compare(const Operand& a, const Operand& b, Compare relation) {
  if (a.index() != b.index()) {
    return fail(ErrorCode::invalid, "incompatible types for comparison");
  }
  return std::visit(
      [&](const auto& left) { return relation(left, std::get<std::decay_t<decltype(left)>>(b)); },
      a);
}

Result<bool> less(const Operand& a, const Operand& b) {
  if (std::holds_alternative<bool>(a) && std::holds_alternative<bool>(b)) {
    return fail(ErrorCode::invalid, "invalid type for comparison");
  }
  return compare(a, b, std::less<>());
}

Result<bool> equal(const Operand& a, const Operand& b) { return compare(a, b, std::equal_to<>()); }

Result<bool> related(std::string_view relation, const Operand& a, const Operand& b) {
  if (relation == "==" || relation == "!=") {
    TRY(const bool same, equal(a, b));
    return same == (relation == "==");
  }
  if (relation == "<" || relation == ">=") {
    TRY(const bool is_less, less(a, b));
    return is_less == (relation == "<");
  }
  TRY(const bool is_less, less(a, b));
  TRY(const bool same, equal(a, b));
  return (is_less || same) == (relation == "<=");
}

bool is_relation(std::string_view text) {
  return text == "==" || text == "!=" || text == "<" || text == ">" || text == "<=" || text == ">=";
}

/// The indexes of a slice over a list: from, to, step. Nothing when it is empty.
struct Range {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::int64_t step = 1;
};

Result<std::optional<Range>> range_of(const JsonPathNode& node, std::int64_t size) {
  const auto out_of_bounds = [size](std::int64_t index) {
    return fail(ErrorCode::invalid,
                fmt::format("array index out of bounds: index {}, length {}", index, size));
  };
  const auto& [first, last, step] = node.slice;
  Range range;
  range.from = first.known ? first.value : 0;
  range.from += range.from < 0 ? size : 0;
  range.to = last.known ? last.value : size;
  range.to += range.to < 0 || (range.to == 0 && last.derived) ? size : 0;
  if (range.to == range.from) {
    return std::nullopt;
  }
  if (range.from >= size || range.from < 0) {
    return out_of_bounds(range.from);
  }
  if (range.to > size || range.to < 0) {
    return out_of_bounds(range.to - 1);
  }
  if (range.from > range.to) {
    return fail(ErrorCode::invalid, fmt::format("starting index {} is greater than ending index {}",
                                                range.from, range.to));
  }
  if (step.known && step.value <= 0) {
    return fail(ErrorCode::invalid, "step must be > 0");
  }
  range.step = step.known ? step.value : 1;
  return range;
}

}  // namespace

Result<> JsonPathWalker::step(std::size_t count) {
  steps_ += count;
  if (steps_ > kMaximumSteps) {
    return fail(ErrorCode::invalid, "the template takes too many steps");
  }
  return {};
}

Result<std::vector<JsonPathItems>> JsonPathWalker::run(const doc::Value& document) {
  return find(&document, 0);
}

/// Executes the nodes of the root from `first` on, over one value, until the end of the range.
Result<std::vector<JsonPathItems>> JsonPathWalker::find(const JsonPathItem& input,
                                                        std::size_t first) {
  std::vector<JsonPathItems> out;
  for (std::size_t i = first; i < root_.children.size(); ++i) {
    TRY_VOID(step(1));
    Found found = walk({input}, root_.children[i]);
    if (found.error) {
      return std::unexpected(*std::move(found.error));
    }
    if (ended_ > 0 && ended_ <= inside_) {
      --ended_;
      last_end_ = i;
      break;
    }
    if (begun_ > 0) {
      --begun_;
      TRY_VOID(run_range(found.items, i + 1, out));
      if (last_end_ && *last_end_ >= i) {
        i = *last_end_;
      }
      continue;
    }
    out.push_back(std::move(found.items));
  }
  return out;
}

Result<> JsonPathWalker::run_range(const JsonPathItems& inputs, std::size_t body,
                                   std::vector<JsonPathItems>& out) {
  ++inside_;
  for (const JsonPathItem& input : inputs) {
    TRY(auto round, find(input, body));
    out.insert(out.end(), std::make_move_iterator(round.begin()),
               std::make_move_iterator(round.end()));
  }
  if (inputs.empty()) {
    // To find where the range ends.
    TRY_VOID(find(std::monostate(), body));
  }
  --inside_;
  return {};
}

JsonPathWalker::Found JsonPathWalker::walk(const JsonPathItems& inputs, const JsonPathNode& node) {
  if (auto stepped = step(1 + inputs.size()); !stepped) {
    return {{}, stepped.error()};
  }
  switch (node.kind) {
    case Kind::list:
      return walk_list(inputs, node);
    case Kind::text:
      return {{&node.text}, {}};
    case Kind::identifier:
      return walk_identifier(inputs, node);
    case Kind::integer:
      return {JsonPathItems(inputs.size(), node.integer), {}};
    case Kind::number:
      return {JsonPathItems(inputs.size(), node.number), {}};
    case Kind::boolean:
      return {JsonPathItems(inputs.size(), node.boolean), {}};
    case Kind::field:
      return walk_field(inputs, node);
    case Kind::slice:
      return walk_slice(inputs, node);
    case Kind::filter:
      return walk_filter(inputs, node);
    case Kind::each_of:
      return walk_union(inputs, node);
    case Kind::wildcard:
    case Kind::recursive:
      break;
  }
  Found found;
  if (node.kind == Kind::recursive) {
    descend(inputs, found.items);
  } else {
    for (const JsonPathItem& input : inputs) {
      for (JsonPathItem& item : contents(input)) {
        found.items.push_back(item);
      }
    }
  }
  if (auto stepped = step(found.items.size()); !stepped) {
    found.error = stepped.error();
  }
  return found;
}

JsonPathWalker::Found JsonPathWalker::walk_list(JsonPathItems inputs, const JsonPathNode& node) {
  Found found{std::move(inputs), {}};
  for (const JsonPathNode& child : node.children) {
    found = walk(found.items, child);
    if (found.error) {
      break;
    }
  }
  return found;
}

JsonPathWalker::Found JsonPathWalker::walk_identifier(const JsonPathItems& inputs,
                                                      const JsonPathNode& node) {
  if (node.text == "range") {
    ++begun_;
    return {inputs, {}};
  }
  if (node.text != "end") {
    return {inputs, problem("unrecognized identifier " + node.text)};
  }
  if (inside_ == 0) {
    return {{}, problem("not in range, nothing to end")};
  }
  ++ended_;
  return {};
}

JsonPathWalker::Found JsonPathWalker::walk_field(const JsonPathItems& inputs,
                                                 const JsonPathNode& node) {
  Found found;
  for (const JsonPathItem& input : inputs) {
    const doc::Value* value = value_of(input);
    const doc::Value* held = value == nullptr ? nullptr : doc::find(*value, node.text);
    if (held != nullptr) {
      found.items.emplace_back(held);
    }
  }
  if (found.items.empty() && !inputs.empty() && missing_ == MissingKeys::refuse) {
    found.error = problem(node.text + " is not found");
  }
  return found;
}

JsonPathWalker::Found JsonPathWalker::walk_slice(const JsonPathItems& inputs,
                                                 const JsonPathNode& node) {
  Found found;
  for (const JsonPathItem& input : inputs) {
    if (is_null(input)) {
      continue;
    }
    const doc::Array* list = list_of(input);
    if (list == nullptr) {
      return {inputs, problem(std::string(go_type(input)) + " is not array or slice")};
    }
    auto range = range_of(node, static_cast<std::int64_t>(list->size()));
    if (!range) {
      return {inputs, std::move(range).error()};
    }
    if (!*range) {
      // An empty slice ends the walk, whatever inputs are left.
      return found;
    }
    for (std::int64_t i = (*range)->from; i < (*range)->to;) {
      found.items.emplace_back(&(*list)[static_cast<std::size_t>(i)]);
      if ((*range)->step >= (*range)->to - i) {
        break;
      }
      i += (*range)->step;
    }
  }
  return found;
}

JsonPathWalker::Found JsonPathWalker::walk_union(const JsonPathItems& inputs,
                                                 const JsonPathNode& node) {
  Found found;
  for (const JsonPathNode& part : node.children) {
    Found one = walk(inputs, part);
    if (one.error) {
      return {inputs, std::move(one.error)};
    }
    found.items.insert(found.items.end(), one.items.begin(), one.items.end());
  }
  return found;
}

/// The values that hold others, from the outside to the inside.
void JsonPathWalker::descend(const JsonPathItems& inputs, JsonPathItems& out) {
  for (const JsonPathItem& input : inputs) {
    const JsonPathItems inner = contents(input);
    if (inner.empty() || !step(inner.size())) {
      continue;
    }
    out.push_back(input);
    descend(inner, out);
  }
}

Result<bool> JsonPathWalker::passes(const JsonPathItem& element, const JsonPathNode& node) {
  Found left = walk({element}, node.children[0]);
  TRY_VOID(step(0));
  if (node.text == "exists") {
    return !left.items.empty();
  }
  const auto several = [] {
    return fail(ErrorCode::invalid, "can only compare one element at a time");
  };
  if (left.error) {
    return std::unexpected(*std::move(left.error));
  }
  if (left.items.size() != 1) {
    return left.items.empty() ? Result<bool>(false) : several();
  }
  Found right = walk({element}, node.children[1]);
  if (right.error) {
    return std::unexpected(*std::move(right.error));
  }
  if (right.items.size() != 1) {
    return right.items.empty() ? Result<bool>(false) : several();
  }
  if (!is_relation(node.text)) {
    return fail(ErrorCode::invalid, "unrecognized filter operator " + node.text);
  }
  const auto a = operand(left.items[0]);
  const auto b = operand(right.items[0]);
  if (!a || !b) {
    return fail(ErrorCode::invalid, "invalid type for comparison");
  }
  return related(node.text, *a, *b);
}

JsonPathWalker::Found JsonPathWalker::walk_filter(const JsonPathItems& inputs,
                                                  const JsonPathNode& node) {
  Found found;
  for (const JsonPathItem& input : inputs) {
    const doc::Array* list = list_of(input);
    if (list == nullptr) {
      return {inputs, problem(go_shown(input) + " is not array or slice and cannot be filtered")};
    }
    for (const doc::Value& element : *list) {
      auto passed = passes(&element, node);
      if (!passed) {
        found.error = std::move(passed).error();
        return found;
      }
      if (*passed) {
        found.items.emplace_back(&element);
      }
    }
  }
  return found;
}

}  // namespace tiphys::lang

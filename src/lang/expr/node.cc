#include "lang/expr/node.h"

#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::lang {

NodePtr make_node(NodeKind kind, std::uint32_t at) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->at = at;
  return node;
}

void add_kid(Node& node, NodePtr kid) {
  if (kid) {
    node.size += kid->size;
    node.depth = std::max(node.depth, kid->depth + 1);
  }
  node.kids.push_back(std::move(kid));
}

NodePtr clone(const Node& node) {
  auto copy = make_node(node.kind, node.at);
  copy->op = node.op;
  copy->optional = node.optional;
  copy->method = node.method;
  copy->ternary = node.ternary;
  copy->throws = node.throws;
  copy->from_right = node.from_right;
  copy->size = node.size;
  copy->depth = node.depth;
  copy->text = node.text;
  copy->integer = node.integer;
  copy->number = node.number;
  copy->nature = node.nature;
  copy->constant = node.constant;
  copy->slot = node.slot;
  copy->variable = node.variable;
  copy->builtin = node.builtin;
  copy->threshold = node.threshold;
  copy->pattern = node.pattern;
  copy->mapping = node.mapping ? clone(*node.mapping) : nullptr;
  copy->kids.reserve(node.kids.size());
  for (const NodePtr& kid : node.kids) {
    copy->kids.push_back(kid ? clone(*kid) : nullptr);
  }
  return copy;
}

namespace {

std::string joined(const Node& node, std::size_t from) {
  std::string out;
  for (std::size_t i = from; i < node.kids.size(); ++i) {
    out += (i == from ? "" : ", ") + (node.kids[i] ? source_of(*node.kids[i]) : "");
  }
  return out;
}

}  // namespace

std::string source_of(const Node& node) {
  switch (node.kind) {
    case NodeKind::nil:
      return "nil";
    case NodeKind::identifier:
      return node.text;
    case NodeKind::integer:
      return std::to_string(node.integer);
    case NodeKind::number:
      return float_text(node.number) + "f";
    case NodeKind::boolean:
      return node.integer != 0 ? "true" : "false";
    case NodeKind::string:
      return quote(node.text);
    case NodeKind::bytes:
      return "b" + quote(node.text);
    case NodeKind::constant:
      return node.constant.typed_text();
    case NodeKind::pointer:
      return "#" + node.text;
    case NodeKind::call:
      return source_of(node.kid(0)) + "(" + joined(node, 1) + ")";
    case NodeKind::member:
      return fmt::format("({}){}[{}]", source_of(node.kid(0)), node.optional ? "?." : "",
                         source_of(node.kid(1)));
    default:
      return fmt::format("{}:{}{}({})", static_cast<int>(node.kind), node.text,
                         node.mapping ? source_of(*node.mapping) : "", joined(node, 0));
  }
}

std::string with_snippet(std::string_view source, std::uint32_t at, std::string_view message) {
  std::size_t line = 1;
  std::size_t column = 0;
  std::size_t line_start = 0;
  std::size_t byte = 0;
  for (std::uint32_t rune = 0; rune < at && byte < source.size(); ++rune) {
    const DecodedRune next = first_rune(source.substr(byte));
    byte += next.size;
    ++column;
    if (next.rune == '\n') {
      ++line;
      column = 0;
      line_start = byte;
    }
  }
  std::string text(source.substr(line_start, source.find('\n', line_start) - line_start));
  if (text.empty()) {
    return std::string(message);
  }
  std::ranges::replace(text, '\t', ' ');
  return fmt::format("{} ({}:{})\n | {}\n | {}^", message, line, column + 1, text,
                     std::string(column, '.'));
}

}  // namespace tiphys::lang

#include "lang/expr/syntax.h"
#include "lang/gotext/gotext.h"

#include <fmt/format.h>

namespace tiphys::lang {
namespace {

std::string_view base_name(std::string_view low) {
  if (low.starts_with("0x")) {
    return "hex";
  }
  if (low.starts_with("0b")) {
    return "binary";
  }
  return low.starts_with("0o") ? "octal" : "integer";
}

}  // namespace

Result<NodePtr> number_literal(const Token& token) {
  std::string text;
  std::ranges::copy_if(token.text, std::back_inserter(text), [](char c) { return c != '_'; });
  const std::string low = lower(text);
  if (!low.starts_with("0x") && low.find_first_of(".e") != std::string::npos) {
    const Result<double> value = parse_float(text);
    if (!value) {
      return fail(ErrorCode::parse, "invalid float literal: " + value.error().message);
    }
    NodePtr node = make_node(NodeKind::number, token.at);
    node->number = *value;
    return node;
  }
  const std::string_view name = base_name(low);
  const Result<std::int64_t> value = parse_integer(text, name == "integer" ? 10 : 0);
  if (!value) {
    return fail(ErrorCode::parse,
                fmt::format("invalid {} literal: {}", name, value.error().message));
  }
  NodePtr node = make_node(NodeKind::integer, token.at);
  node->integer = *value;
  return node;
}

}  // namespace tiphys::lang

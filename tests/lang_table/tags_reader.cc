// Table template-tags.

#include "lang/tags/tag_text.h"
#include "reader.h"

#include <boost/json.hpp>

namespace tiphys::table {
namespace {

using namespace lang;

Scope scope_of(const doc::Value& in) {
  Scope scope;
  if (const doc::Value* vars = doc::find(in, "vars"); vars != nullptr && vars->is_object()) {
    for (const auto& member : vars->get_object()) {
      scope.set_value(std::string(member.key()), go_value(member.value()));
    }
  }
  return scope;
}

Outcome replace_case(const doc::Value& in, Strictness strictness, int passes) {
  const Scope scope = scope_of(in);
  const TagRules rules{
      .strictness = std::move(strictness), .functions = &functions(), .runtime = runtime()};
  std::string text = text_at(in, "doc");
  for (int i = 0; i < passes; ++i) {
    auto filled = replace_tags(std::move(text), scope, rules);
    if (!filled) {
      return failed(filled.error());
    }
    text = *std::move(filled);
  }
  return text_value(text);
}

Outcome strict_case(const doc::Value& in) {
  std::vector<std::string> prefixes;
  if (const doc::Value* list = doc::find(in, "prefixes"); list != nullptr && list->is_array()) {
    for (const doc::Value& prefix : list->get_array()) {
      prefixes.emplace_back(doc::text_of(prefix.as_string()));
    }
  }
  return replace_case(in, Strictness::prefixes(std::move(prefixes)), 1);
}

std::string typed(const ExprValue& value) {
  if (value.kind() == ExprKind::object) {
    return value.as_object()->go_name() + "(" + value.as_object()->text() + ")";
  }
  return value.typed_text();
}

Outcome resolve_case(const doc::Value& in) {
  const auto resolved = resolve_tag(text_at(in, "tag"), scope_of(in), runtime());
  if (!resolved) {
    return failed(resolved.error());
  }
  return doc::Object{{"tag", text_value(resolved->tag)},
                     {"value", text_value(typed(resolved->value))}};
}

Outcome list_case(const doc::Value& in) {
  const auto text = TagText::scan(text_at(in, "text"), TagText::Format::text);
  if (!text) {
    return failed(text.error());
  }
  doc::Array out;
  for (const std::string_view tag : text->simple_tags()) {
    out.push_back(text_value(tag));
  }
  return out;
}

}  // namespace

Outcome read_tags(const Case& one) {
  const std::string op = text_at(one.in, "op");
  const auto strictness = [&one] {
    return flag_at(one.in, "allowUnresolved") ? Strictness::lenient() : Strictness::everything();
  };
  if (op == "replace") {
    return replace_case(one.in, strictness(), 1);
  }
  if (op == "replaceTwice") {
    return replace_case(one.in, strictness(), 2);
  }
  if (op == "replaceStrict") {
    return strict_case(one.in);
  }
  if (op == "resolveVar") {
    return resolve_case(one.in);
  }
  if (op == "listTags") {
    return list_case(one.in);
  }
  if (op == "expand") {
    const auto json = expand_scope(scope_of(one.in)).to_json();
    return json ? Outcome(*json) : failed(json.error());
  }
  return std::unexpected("no reader for op " + op);
}

}  // namespace tiphys::table

// Table expr.

#include "lang/gotext/gotext.h"
#include "lang/jsontext/json_text.h"
#include "lang/tags/tag_text.h"
#include "reader.h"

#include <boost/json.hpp>

#include <fstream>
#include <iterator>

namespace tiphys::table {
namespace {

using namespace lang;

/// The side file of the folder, read once.
const doc::Value& side_file(const std::filesystem::path& folder) {
  static const doc::Value kFile = [&folder] {
    std::ifstream file(folder / "expr-env.json");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    return doc::parse_json(text).value_or(doc::Value());
  }();
  return kFile;
}

const doc::Value* find_path(const doc::Value& value, std::string_view first,
                            std::string_view second) {
  const doc::Value* held = doc::find(value, first);
  return held == nullptr ? nullptr : doc::find(*held, second);
}

Scope scope_of(const Case& one) {
  Scope scope;
  const doc::Value* environment =
      find_path(side_file(one.folder), "environments", text_at(one.in, "env"));
  if (environment != nullptr) {
    for (const auto& member : environment->as_object()) {
      scope.set_value(std::string(member.key()), go_value(member.value()));
    }
  }
  return scope;
}

Outcome with_prefix(std::string_view prefix, const Error& error) {
  return std::unexpected(std::string(prefix) + error.message);
}

/// The text that a tag with the expression leaves, or its error.
void add_tag(doc::Object& out, const std::string& expression, const Scope& scope) {
  std::string text;
  doc::append_json_string(text, "{{=" + expression + "}}");
  const TagRules rules{
      .strictness = Strictness::everything(), .functions = &functions(), .runtime = runtime()};
  const auto filled = replace_tags(std::move(text), scope, rules);
  if (filled) {
    out["tag"] = text_value(json_unescape(*filled));
  } else {
    out["tagError"] = text_value(filled.error().message);
  }
}

/// The tables' notation; of a text they write every byte that is no UTF-8 as an escape.
std::string typed_of(const ExprValue& value) {
  if (value.kind() != ExprKind::string) {
    return value.typed_text();
  }
  std::string out = "\"";
  for (std::string_view text = value.as_string(); !text.empty();) {
    const DecodedRune rune = first_rune(text);
    if (rune.rune == kReplacementRune && rune.size == 1) {
      out += "\\ufffd";
    } else {
      std::string quoted;
      doc::append_json_string(quoted, text.substr(0, rune.size), false);
      out += quoted.substr(1, quoted.size() - 2);
    }
    text.remove_prefix(rune.size);
  }
  return out + "\"";
}

std::string type_word(const ExprValue& value) {
  switch (value.kind()) {
    case ExprKind::time:
      return "time";
    case ExprKind::duration:
      return "duration";
    case ExprKind::int64:
      return "int64";
    case ExprKind::object:
      return value.type().go_name();
    default:
      return value.type_name();
  }
}

Outcome value_case(const Case& one) {
  const Scope scope = scope_of(one);
  const ScopeEnvironment environment(scope, functions());
  const std::string expression = text_at(one.in, "expr");
  const auto compiled = Expr::compile(expression, environment);
  if (!compiled) {
    return with_prefix("compile: ", compiled.error());
  }
  const auto value = compiled->run(environment, runtime());
  if (!value) {
    return with_prefix("run: ", value.error());
  }
  doc::Object out{{"type", text_value(type_word(*value))}, {"typed", text_value(typed_of(*value))}};
  const auto wants = [&one](std::string_view key) {
    return one.expected != nullptr && doc::find(*one.expected, key) != nullptr;
  };
  if (const auto json = value->to_json(); json && wants("json")) {
    out["json"] = *json;
  }
  if (wants("tag") || wants("tagError")) {
    add_tag(out, expression, scope);
  }
  return out;
}

Outcome decision_case(const Case& one) {
  const Scope scope = scope_of(one);
  const ScopeEnvironment environment(scope, functions());
  const auto parsed = Expr::parse(text_at(one.in, "expr"));
  if (!parsed) {
    return failed(parsed.error());
  }
  const auto decision = parsed->run_bool(environment, runtime());
  return decision ? Outcome(*decision) : failed(decision.error());
}

Outcome json_path_case(const Case& one) {
  ExprTable names;
  names.set("doc", ExprValue::string(std::string(doc::find_string(
                       *doc::find(side_file(one.folder), "documents"), text_at(one.in, "doc")))));
  names.set("path", ExprValue::string(text_at(one.in, "path")));
  const ExprOverlay environment(functions(), names);
  const auto parsed = Expr::parse("jsonpath(doc, path)");
  const auto value = parsed->run(environment, runtime());
  if (!value) {
    return failed(value.error());
  }
  return doc::Object{{"typed", text_value(value->typed_text())}};
}

}  // namespace

Outcome read_expr(const Case& one) {
  const std::string op = text_at(one.in, "op");
  if (op.empty()) {
    return value_case(one);
  }
  if (op == "evalBool") {
    return decision_case(one);
  }
  if (op == "jsonpath") {
    return json_path_case(one);
  }
  return std::unexpected("no reader for op " + op);
}

}  // namespace tiphys::table

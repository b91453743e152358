// Table items. Upstream decodes steps and tasks into Go structs before and after a loop; the forms
// that leaves in the tables are made here.

#include "lang/duration/api_values.h"
#include "lang/gotext/gotext.h"
#include "lang/jsontext/json_text.h"
#include "lang/loops/loops.h"
#include "reader.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace tiphys::table {
namespace {

using namespace lang;

std::string json_quoted(std::string_view text) {
  std::string out;
  doc::append_json_string(out, text);
  return out;
}

std::string compact(std::string_view json) {
  std::string out;
  append_compact_json(out, json);
  return out;
}

using Members = std::map<std::string, std::string, std::less<>>;

Members members_of(std::string_view json) {
  Members members;
  for (JsonMember& member : json_members(json)) {
    members.insert_or_assign(std::move(member.key), std::string(member.value));
  }
  return members;
}

std::string object_of(const Members& members) {
  std::string out = "{";
  for (const auto& [key, value] : members) {
    out += fmt::format("{}{}:{}", out.size() > 1 ? "," : "", json_quoted(key), compact(value));
  }
  return out + "}";
}

/// Parameters carry any scalar as a text.
Result<std::string> normal_parameters(std::string_view list) {
  std::string out = "[";
  for (const std::string_view element : json_elements(list)) {
    Members parameter = members_of(element);
    for (const char* key : {"value", "default"}) {
      if (const auto place = parameter.find(key); place != parameter.end()) {
        TRY(const std::string text, any_string(place->second));
        place->second = json_quoted(text);
      }
    }
    out += fmt::format("{}{}", out.size() > 1 ? "," : "", object_of(parameter));
  }
  return out + "]";
}

Result<std::string> normal_arguments(std::string_view json) {
  Members arguments = members_of(json);
  if (const auto place = arguments.find("parameters"); place != arguments.end()) {
    TRY(place->second, normal_parameters(place->second));
  }
  return object_of(arguments);
}

/// Structs without omitempty show even when nothing is in them.
std::string normal_template(std::string_view json) {
  Members spec = members_of(json);
  for (const char* key : {"inputs", "outputs", "metadata"}) {
    spec.try_emplace(key, "{}");
  }
  if (const auto place = spec.find("container"); place != spec.end()) {
    Members container = members_of(place->second);
    container.try_emplace("name", "\"\"");
    container.try_emplace("resources", "{}");
    place->second = object_of(container);
  }
  return object_of(spec);
}

/// A step or task as the Go struct writes it.
Result<Members> normal_step(std::string_view json) {
  Members step = members_of(json);
  TRY(std::string arguments,
      normal_arguments(step.contains("arguments") ? step["arguments"] : "{}"));
  step["arguments"] = std::move(arguments);
  if (const auto place = step.find("inline"); place != step.end()) {
    place->second = normal_template(place->second);
  }
  if (const auto place = step.find("when"); place != step.end() && place->second == "\"\"") {
    step.erase(place);
  }
  return step;
}

std::string text_in(const Members& members, std::string_view key) {
  const auto place = members.find(key);
  return place == members.end() ? "" : json_unescape(place->second);
}

std::optional<std::string> number_text(const Members& members, std::string_view key) {
  const auto place = members.find(key);
  if (place == members.end() || place->second == "null") {
    return std::nullopt;
  }
  const auto value = IntOrString::from_json(place->second);
  return value ? std::optional(value->text()) : std::optional(place->second);
}

Result<LoopFields> fields_of(const Members& step, std::string_view type) {
  LoopFields fields;
  if (const auto place = step.find("withItems"); place != step.end()) {
    const std::string_view kind = json_kind(place->second);
    if (kind != "array" && kind != "null") {
      return fail(ErrorCode::invalid,
                  fmt::format("json: cannot unmarshal {} into Go struct field {}.withItems of type "
                              "[]v1alpha1.Item",
                              kind, type));
    }
    fields.items = place->second;
  }
  fields.param = text_in(step, "withParam");
  if (const auto place = step.find("withSequence"); place != step.end()) {
    const Members sequence = members_of(place->second);
    fields.sequence = Sequence{.start = number_text(sequence, "start"),
                               .end = number_text(sequence, "end"),
                               .count = number_text(sequence, "count"),
                               .format = text_in(sequence, "format")};
  }
  fields.when = text_in(step, "when");
  return fields;
}

doc::Value as_document(std::string_view json) {
  return doc::parse_json(json).value_or(doc::Value());
}

Scope scope_of(const doc::Value& in) {
  Scope scope;
  if (const doc::Value* names = doc::find(in, "scope"); names != nullptr && names->is_object()) {
    for (const auto& member : names->get_object()) {
      scope.set_value(std::string(member.key()), go_value(member.value()));
    }
  }
  if (const doc::Value* names = doc::find(in, "inputs"); names != nullptr && names->is_object()) {
    for (const auto& member : names->get_object()) {
      scope.set_value("inputs.parameters." + std::string(member.key()), go_value(member.value()));
    }
  }
  return scope;
}

Result<doc::Array> expand(const Loop& loop, const Members& step, const Scope& scope) {
  doc::Array out;
  for (std::size_t i = 0; i < loop.size(); ++i) {
    TRY(const LoopChild child, loop.child(i, scope, functions(), runtime()));
    TRY(Members made, normal_step(child.json));
    made["name"] = json_quoted(child.name);
    if (const auto place = step.find("template"); place != step.end()) {
      made["template"] = place->second;
    }
    out.push_back(as_document(object_of(made)));
  }
  return out;
}

Result<doc::Array> expand_step(const doc::Value& in, std::string_view key, std::string_view type) {
  const std::string text = text_at(in, key);
  if (auto problem = json_problem(text)) {
    return fail(ErrorCode::invalid, *std::move(problem));
  }
  TRY(Members step, normal_step(text));
  TRY(const LoopFields fields, fields_of(step, type));
  TRY(std::optional<ItemList> items, loop_items(fields));
  Members loop_fields;
  for (const char* field : {"withItems", "withParam", "withSequence"}) {
    if (auto node = step.extract(field)) {
      loop_fields.insert(std::move(node));
    }
  }
  if (!items) {
    return doc::Array{as_document(object_of(step))};
  }
  TRY(const Loop loop,
      Loop::make({.name = text_in(step, "name"),
                  .when = fields.when,
                  .body = object_of(step),
                  .loop_fields = type == "DAGTask" ? object_of(loop_fields) : std::string()},
                 *std::move(items)));
  return expand(loop, step, scope_of(in));
}

Outcome item_case(const doc::Value& in) {
  const std::string json = text_at(in, "json");
  if (const auto problem = json_problem(json)) {
    return std::unexpected(*problem);
  }
  const Item item(json);
  return doc::Object{{"json", text_value(item.compact())},
                     {"strVal", text_value(item.string_value())},
                     {"text", text_value(item.text())},
                     {"type", text_value(text_of(item.type()))}};
}

Outcome any_string_case(const doc::Value& in) {
  const auto text = any_string(text_at(in, "json"));
  if (!text) {
    return failed(text.error());
  }
  return doc::Object{{"json", text_value(json_quoted(*text))}, {"text", text_value(*text)}};
}

}  // namespace

Outcome read_items(const Case& one) {
  const std::string op = text_at(one.in, "op");
  if (op == "item") {
    return item_case(one.in);
  }
  if (op == "anyString") {
    return any_string_case(one.in);
  }
  if (op != "expandTask" && op != "expandStep") {
    return std::unexpected("no reader for op " + op);
  }
  const auto children = op == "expandTask" ? expand_step(one.in, "task", "DAGTask")
                                           : expand_step(one.in, "step", "WorkflowStep");
  return children ? Outcome(*children) : failed(children.error());
}

}  // namespace tiphys::table

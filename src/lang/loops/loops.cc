#include "lang/loops/loops.h"

#include "doc/json.h"
#include "lang/jsontext/json_text.h"
#include "lang/names/names.h"
#include "lang/when/when.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace tiphys::lang {
namespace {

bool is_false(std::string_view when) {
  const auto runs = should_execute(when);
  return runs && !*runs;
}

/// The tags of a text, each different one once, as a JSON string; all of the text where tags reach
/// from one string into another.
std::string different_tags(const std::string& text, std::string_view containing) {
  std::set<std::string_view> seen;
  std::string out = "\"";
  for (std::size_t at = text.find("{{"); at != std::string::npos;) {
    const std::size_t end = text.find("}}", at);
    if (end == std::string::npos) {
      return text;
    }
    const std::string_view tag = std::string_view(text).substr(at, end + 2 - at);
    if (tag.find("\",") != std::string_view::npos || tag.find("\":") != std::string_view::npos) {
      return text;
    }
    if (tag.find(containing) != std::string_view::npos && seen.insert(tag).second) {
      out += tag;
    }
    at = text.find("{{", end + 2);
  }
  return out + "\"";
}

std::string bind_map(Scope& scope, std::string_view json) {
  std::map<std::string, std::string_view> entries;
  for (JsonMember& member : json_members(json)) {
    entries.insert_or_assign(std::move(member.key), member.value);
  }
  std::vector<std::string> descriptions;
  std::string whole = "{";
  for (const auto& [key, value] : entries) {
    const Item entry(value);
    std::string text = entry.text();
    descriptions.push_back(fmt::format("{}:{}", key, text));
    whole += whole.size() > 1 ? "," : "";
    doc::append_json_string(whole, key);
    whole += ':';
    whole += entry.compact();
    scope.set("item." + key, std::move(text));
  }
  scope.set("item", whole + "}");
  std::ranges::sort(descriptions);
  return fmt::format("{}", fmt::join(descriptions, ","));
}

std::string bind_list(Scope& scope, std::string_view json, const Item& item) {
  scope.set("item", item.compact());
  if (json_kind(json) == "null") {
    return "[]";
  }
  std::vector<std::string> texts;
  for (const std::string_view element : json_elements(json)) {
    texts.push_back(Item(element).text());
  }
  return fmt::format("[{}]", fmt::join(texts, " "));
}

}  // namespace

std::string bind_item(Scope& scope, const Item& item) {
  switch (item.type()) {
    case ItemType::map:
      return bind_map(scope, item.json());
    case ItemType::list:
      return bind_list(scope, item.json(), item);
    case ItemType::string:
      scope.set("item", item.string_value());
      return item.text();
    case ItemType::number:
    case ItemType::boolean:
      break;
  }
  std::string text = item.text();
  scope.set("item", text);
  return text;
}

Loop::Loop(Source source, ItemList items, TagText body, TagText fields, TagText item_fields)
    : name_(std::move(source.name)),
      is_lenient_(is_false(source.when)),
      items_(std::move(items)),
      body_(std::move(body)),
      fields_(std::move(fields)),
      item_fields_(std::move(item_fields)) {}

Result<Loop> Loop::make(Source source, ItemList items, ExpressionCache* cache) {
  constexpr auto kOurs = TagText::Format::own_json;
  TRY(TagText body, TagText::scan(std::move(source.body), kOurs, cache));
  source.body.clear();
  TRY(TagText fields, TagText::scan(different_tags(source.loop_fields, ""), kOurs, cache));
  TRY(TagText item_fields, TagText::scan(different_tags(source.loop_fields, "item"), kOurs, cache));
  return Loop(std::move(source), std::move(items), std::move(body), std::move(fields),
              std::move(item_fields));
}

Result<LoopChild> Loop::child(std::size_t index, const Scope& scope,
                              const ExprEnvironment& functions, const ExprRuntime& runtime) const {
  TRY(const std::string json, items_.json_at(index));
  Scope item_scope(&scope);
  const std::string description = bind_item(item_scope, Item(json));
  TRY(std::string name, loop_child_name(name_, index, description));
  const TagRules rules{
      .strictness = is_lenient_ ? Strictness::lenient() : Strictness::everything(),
      .nil = is_lenient_ ? ScopeEnvironment::Nil::hide : ScopeEnvironment::Nil::keep,
      .functions = &functions,
      .runtime = runtime,
      .complaint = TagRules::Complaint::exact,
  };
  TRY(std::string filled, body_.replace(item_scope, rules));
  const TagText& fields = index == 0 ? fields_ : item_fields_;
  if (fields.has_tags()) {
    TRY_VOID(fields.replace(item_scope, rules));
  }
  return LoopChild{std::move(name), std::move(filled)};
}

}  // namespace tiphys::lang

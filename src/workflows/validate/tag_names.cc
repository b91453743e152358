#include "workflows/validate/tag_names.h"

#include "lang/gotext/gotext.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace tiphys::workflows {
namespace {

/// Tags that start otherwise are not the workflow's.
constexpr std::array<std::string_view, 7> kRoots = {"item.", "steps.",    "inputs.", "outputs.",
                                                    "pod.",  "workflow.", "tasks."};
/// Filled when the workflow runs, whatever follows. `outputs.` is how metrics name a node's own.
constexpr std::array<std::string_view, 7> kLate = {"outputs.",
                                                   "workflow.creationTimestamp",
                                                   "workflow.scheduledTime",
                                                   "workflow.duration",
                                                   "tasks.name",
                                                   "steps.name",
                                                   "node.name"};

bool starts_with_any(std::string_view tag, std::span<const std::string_view> prefixes) {
  return std::ranges::any_of(prefixes, [&](std::string_view p) { return tag.starts_with(p); });
}

bool has_wildcard(std::string_view tag, const TagRulesOfPlace& rules) {
  const auto allows = [&](std::string_view wildcard) {
    return tag.starts_with(wildcard.substr(0, wildcard.size() - 1)) &&
           (rules.names.contains(wildcard) || rules.globals.find(wildcard) != nullptr);
  };
  return allows(kAnyItem) || allows(kAnyGlobalParameter) || allows(kAnyGlobalArtifact);
}

bool is_resolvable(std::string_view tag, const TagRulesOfPlace& rules) {
  tag = lang::trim_space(tag);
  return !starts_with_any(tag, kRoots) || rules.names.contains(tag) ||
         rules.globals.find(tag) != nullptr || has_wildcard(tag, rules) ||
         starts_with_any(tag, kLate) ||
         (rules.is_template_alone && tag.starts_with("workflow.parameters")) ||
         (rules.more && rules.more(tag));
}

/// Whether a JSON string (escaped, without quotes) holds the tag or, when the tag goes on behind
/// the string because nothing closes it there, its beginning.
bool holds(std::string_view text, std::string_view tag) {
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
    at += 2;
    const std::string_view rest = text.substr(at);
    if ((rest.starts_with(tag) && rest.substr(tag.size()).starts_with("}}")) ||
        (tag.size() > rest.size() && tag.starts_with(rest))) {
      return true;
    }
  }
  return false;
}

bool holds_escaped(std::string_view text, std::string_view tag) {
  if (text.find("{{") == std::string_view::npos) {
    return false;
  }
  std::string escaped;
  doc::append_json_string(escaped, text);
  return holds(std::string_view(escaped).substr(1, escaped.size() - 2), tag);
}

/// The path below `document` of the first string or key that holds the tag.
std::optional<std::string> path_of_tag(const doc::Value& document, std::string_view tag) {
  if (const auto* text = document.if_string()) {
    return holds_escaped(doc::text_of(*text), tag) ? std::optional<std::string>("") : std::nullopt;
  }
  if (const auto* list = document.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (auto below = path_of_tag((*list)[i], tag)) {
        return "[" + std::to_string(i) + "]" + *below;
      }
    }
  }
  if (const auto* object = document.if_object()) {
    for (const auto& [key, value] : *object) {
      const std::string name(key.data(), key.size());
      if (holds_escaped(name, tag)) {
        return "." + name;
      }
      if (auto below = path_of_tag(value, tag)) {
        return "." + name + *below;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

bool TagNames::contains(std::string_view name) const {
  return names_.contains(name) || (below_ != nullptr && below_->contains(name));
}

Result<> check_tags(const doc::Value& document, const Place& place, const TagRulesOfPlace& rules,
                    lang::ExpressionCache& expressions) {
  std::string text = doc::to_json(document);
  if (text.find("{{") == std::string::npos) {
    return {};
  }
  auto scanned = lang::TagText::scan(std::move(text), lang::TagText::Format::text, &expressions);
  if (!scanned) {
    return moved_to(place, "", std::move(scanned).error());
  }
  for (const std::string_view tag : scanned->simple_tags()) {
    if (!is_resolvable(tag, rules)) {
      return fail_at(place, path_of_tag(document, tag).value_or(""),
                     "failed to resolve {{" + std::string(tag) + "}}");
    }
  }
  return {};
}

}  // namespace tiphys::workflows

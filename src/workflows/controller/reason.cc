#include "workflows/controller/reason.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace tiphys::workflows {
namespace {

using Kind = Reason::Kind;

constexpr std::array<std::pair<Kind, std::string_view>, 8> kNames = {{
    {Kind::reused, "reused"},
    {Kind::first_time, "firstTime"},
    {Kind::changed, "changed"},
    {Kind::not_asked, "notAsked"},
    {Kind::failed_before, "failedBefore"},
    {Kind::not_kept, "notKept"},
    {Kind::unusable, "unusable"},
    {Kind::not_comparable, "notComparable"},
}};

void set_text(doc::Object& out, std::string_view key, const std::string& text) {
  if (!text.empty()) {
    out[{key.data(), key.size()}] = text;
  }
}

std::optional<std::string> text_at(const doc::Value& value, std::string_view key) {
  const doc::Value* text = doc::find(value, key);
  return text != nullptr && text->is_string()
             ? std::optional(std::string(doc::text_of(text->get_string())))
             : std::nullopt;
}

}  // namespace

std::string Reason::to_json() const {
  doc::Object out;
  const auto* const name =
      std::ranges::find(kNames, kind, &std::pair<Kind, std::string_view>::first);
  out["kind"] = name->second;
  set_text(out, "run", run);
  set_text(out, "node", node);
  set_text(out, "detail", detail);
  if (!differences.empty()) {
    doc::Array& list = out["differences"].emplace_array();
    for (const executor::KeyDifference& difference : differences) {
      doc::Object entry{{"name", difference.name}};
      if (difference.before) {
        entry["before"] = *difference.before;
      }
      if (difference.after) {
        entry["after"] = *difference.after;
      }
      list.push_back(std::move(entry));
    }
  }
  if (further != 0) {
    out["further"] = further;
  }
  if (again) {
    out["again"] = true;
  }
  return doc::to_json(out, {.escape_html = false});
}

std::optional<Reason> Reason::from_json(std::string_view text) {
  const auto document = doc::parse_json(text);
  if (!document) {
    return std::nullopt;
  }
  const auto* const name = std::ranges::find(kNames, doc::find_string(*document, "kind"),
                                             &std::pair<Kind, std::string_view>::second);
  if (name == kNames.end()) {
    return std::nullopt;
  }
  Reason out;
  out.kind = name->first;
  out.run = doc::find_string(*document, "run");
  out.node = doc::find_string(*document, "node");
  out.detail = doc::find_string(*document, "detail");
  if (const doc::Value* list = doc::find(*document, "differences");
      list != nullptr && list->is_array()) {
    for (const doc::Value& entry : list->get_array()) {
      out.differences.push_back({std::string(doc::find_string(entry, "name")),
                                 text_at(entry, "before"), text_at(entry, "after")});
    }
  }
  if (const doc::Value* further = doc::find(*document, "further");
      further != nullptr && further->is_int64() && further->get_int64() > 0) {
    out.further = static_cast<std::size_t>(further->get_int64());
  }
  const doc::Value* again = doc::find(*document, "again");
  out.again = again != nullptr && again->is_bool() && again->get_bool();
  return out;
}

std::string reason_key(std::string_view workflow_uid, std::string_view node_id) {
  return "why/" + std::string(workflow_uid) + "/" + std::string(node_id);
}

}  // namespace tiphys::workflows

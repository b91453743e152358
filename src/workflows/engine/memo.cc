#include "workflows/engine/memo.h"

#include "workflows/engine/globals.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

using doc::Object;
using doc::Value;

constexpr std::string_view kTypeLabel = "workflows.argoproj.io/configmap-type";
constexpr std::string_view kCacheType = "Cache";

std::unexpected<Error> malformed(std::string_view why) {
  return fail(
      ErrorCode::invalid,
      "malformed cache entry: could not unmarshal JSON; unable to parse: " + std::string(why));
}

/// A time member; absent and null are no time.
Result<TimePoint> time_member(const Value& entry, std::string_view key) {
  const Value* value = doc::find(entry, key);
  if (value == nullptr || value->is_null()) {
    return kNoTime;
  }
  const TimePoint time = value->is_string() ? time_of(doc::text_of(value->get_string())) : kNoTime;
  if (time == kNoTime) {
    return malformed(std::string(key) + " is no time: " + doc::to_json(*value));
  }
  return time;
}

Value time_value(TimePoint time) { return time == kNoTime ? Value() : Value(time_text(time)); }

/// Error: the ConfigMap does not say that it is a cache.
Result<> check_label(const Value& config_map) {
  const Value* metadata = doc::find(config_map, "metadata");
  const Value* labels = metadata == nullptr ? nullptr : doc::find(*metadata, "labels");
  const Value* label = labels == nullptr ? nullptr : doc::find(*labels, kTypeLabel);
  if (label == nullptr) {
    return fail(ErrorCode::bad_request, "memoization configmap doesn't have " +
                                            std::string(kTypeLabel) + " label, refusing to use it");
  }
  if (!label->is_string() || doc::text_of(label->get_string()) != kCacheType) {
    return fail(ErrorCode::bad_request, "memoization configmap doesn't have label " +
                                            std::string(kTypeLabel) + " = " +
                                            std::string(kCacheType) + ", refusing to use it");
  }
  return {};
}

Object& object_at(Object& object, std::string_view key) {
  Value& value = object[{key.data(), key.size()}];
  if (!value.is_object()) {
    value.emplace_object();
  }
  return value.get_object();
}

}  // namespace

Result<MemoEntry> MemoEntry::parse(std::string_view json) {
  const auto entry = doc::parse_json(json);
  if (!entry) {
    return malformed(entry.error().message);
  }
  if (!entry->is_object()) {
    return malformed("not an object");
  }
  MemoEntry out;
  if (const Value* id = doc::find(*entry, "nodeID"); id != nullptr && !id->is_null()) {
    if (!id->is_string()) {
      return malformed("nodeID is no string");
    }
    out.node_id = doc::text_of(id->get_string());
  }
  if (const Value* outputs = doc::find(*entry, "outputs");
      outputs != nullptr && !outputs->is_null()) {
    auto decoded = decode_outputs(*outputs);
    if (!decoded) {
      return malformed(decoded.error().message);
    }
    out.outputs = doc::to_json(encode_outputs(*decoded), {.escape_html = false});
  }
  TRY(out.created, time_member(*entry, "creationTimestamp"));
  TRY(out.last_hit, time_member(*entry, "lastHitTimestamp"));
  return out;
}

std::string MemoEntry::to_json() const {
  Value values;
  if (outputs) {
    if (auto parsed = doc::parse_json(*outputs)) {
      values = std::move(*parsed);
    }
  }
  return doc::to_json(Object{{"nodeID", node_id},
                             {"outputs", std::move(values)},
                             {"creationTimestamp", time_value(created)},
                             {"lastHitTimestamp", time_value(last_hit)}});
}

bool is_memo_key(std::string_view key) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !key.empty() && is_plain(key.front()) &&
         std::ranges::all_of(key, [&](char c) { return is_plain(c) || c == '-'; });
}

Result<std::optional<MemoEntry>> find_memo_entry(const References& references,
                                                 std::string_view config_map,
                                                 std::string_view key) {
  if (!is_memo_key(key)) {
    return fail(ErrorCode::bad_request, "invalid cache key: " + std::string(key));
  }
  const Value* cache = references.current_config_map(config_map);
  if (cache == nullptr) {
    return std::nullopt;
  }
  TRY_VOID(check_label(*cache));
  const Value* data = doc::find(*cache, "data");
  const std::string_view text = data == nullptr ? "" : doc::find_string(*data, key);
  if (text.empty()) {
    return std::nullopt;
  }
  TRY(MemoEntry entry, MemoEntry::parse(text));
  return entry;
}

Value with_cache_entries(const Value* stored, std::string_view namespace_name,
                         std::string_view name, std::span<const CacheEntry> entries) {
  Value out =
      stored != nullptr
          ? *stored
          : Value(Object{{"apiVersion", "v1"},
                         {"kind", "ConfigMap"},
                         {"metadata", Object{{"name", name}, {"namespace", namespace_name}}}});
  Object& object = out.as_object();
  Object& metadata = object_at(object, "metadata");
  metadata.erase("resourceVersion");
  object_at(metadata, "labels")[{kTypeLabel.data(), kTypeLabel.size()}] = kCacheType;
  Object& data = object_at(object, "data");
  for (const CacheEntry& entry : entries) {
    if (entry.config_map == name) {
      data[entry.key] = entry.json;
    }
  }
  return out;
}

}  // namespace tiphys::workflows

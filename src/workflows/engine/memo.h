#pragma once
/// Caches of outputs (memoize): ConfigMaps that hold, under a step's key, what it came to.
///
/// Rules: upstream v4.1.2 workflow/controller/cache.

#include "workflows/engine/engine.h"

namespace tiphys::workflows {

/// What a cache holds under a key, upstream's JSON shape: nodeID, outputs, creationTimestamp,
/// lastHitTimestamp.
struct MemoEntry {
  std::string node_id;
  std::optional<std::string> outputs;  ///< JSON in upstream's shape; nothing = null
  TimePoint created = kNoTime;
  TimePoint last_hit = kNoTime;

  /// Errors in upstream's words: the text is no such entry.
  static Result<MemoEntry> parse(std::string_view json);
  std::string to_json() const;
};

/// Whether a text may be a key.
bool is_memo_key(std::string_view key);

/// The entry of a key; nothing when the cache or the entry is not there. Errors in upstream's
/// words: the key is none, the ConfigMap is no cache, the entry is damaged.
Result<std::optional<MemoEntry>> find_memo_entry(const References& references,
                                                 std::string_view config_map, std::string_view key);

/// The ConfigMap `name` with the entries that are its own; `stored` is what it is now, null when it
/// is not there.
doc::Value with_cache_entries(const doc::Value* stored, std::string_view namespace_name,
                              std::string_view name, std::span<const CacheEntry> entries);

}  // namespace tiphys::workflows

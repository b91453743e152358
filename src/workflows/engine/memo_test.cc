#include "workflows/engine/memo.h"

#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

using testing::DocumentReferences;

constexpr std::string_view kEntry =
    R"({"nodeID":"memoized-1","outputs":{"parameters":[{"name":"hello","value":"world","valueFrom":{"path":"/tmp/x"}}],"exitCode":"0"},)"
    R"("creationTimestamp":"2021-10-12T15:14:04Z","lastHitTimestamp":"2021-10-12T15:14:04Z"})";

TEST(Memo, reads_and_writes_upstreams_entries) {
  const auto entry = MemoEntry::parse(kEntry);
  ASSERT_TRUE(entry) << entry.error().message;
  EXPECT_EQ(entry->node_id, "memoized-1");
  EXPECT_EQ(entry->to_json(), kEntry);
  EXPECT_EQ(MemoEntry::parse(R"({"nodeID":"a","outputs":null})")->to_json(),
            R"({"nodeID":"a","outputs":null,"creationTimestamp":null,"lastHitTimestamp":null})");
}

TEST(Memo, refuses_damaged_entries) {
  for (const std::string_view text :
       {"", "7", "{", R"({"nodeID":1})", R"({"nodeID":"a","outputs":[]})",
        R"({"nodeID":"a","creationTimestamp":"yesterday"})"}) {
    const auto entry = MemoEntry::parse(text);
    ASSERT_FALSE(entry) << text;
    EXPECT_TRUE(entry.error().message.starts_with(
        "malformed cache entry: could not unmarshal JSON; unable to parse: "))
        << entry.error().message;
  }
}

TEST(Memo, keys_are_letters_digits_and_dashes) {
  for (const std::string_view key : {"a", "0", "A-b-9", "a-"}) {
    EXPECT_TRUE(is_memo_key(key)) << key;
  }
  for (const std::string_view key : {"", "-a", "a b", "a.b", "a_b", "{{x}}", "\xc3\xa4"}) {
    EXPECT_FALSE(is_memo_key(key)) << key;
  }
}

std::string problem(const DocumentReferences& references, std::string_view cache,
                    std::string_view key) {
  const auto found = find_memo_entry(references, cache, key);
  return !found ? found.error().message : *found ? "found" : "missed";
}

TEST(Memo, only_labelled_config_maps_are_caches) {
  DocumentReferences references;
  const auto add = [&](std::string_view name, const doc::Value& labels) {
    doc::Object data;
    data["k"] = kEntry;
    data["empty"] = "";
    references.add(doc::Object{{"kind", "ConfigMap"},
                               {"metadata", doc::Object{{"name", name}, {"labels", labels}}},
                               {"data", data}});
  };
  add("plain", doc::Object{});
  add("other", doc::Object{{"workflows.argoproj.io/configmap-type", "Parameter"}});
  add("cache", doc::Object{{"workflows.argoproj.io/configmap-type", "Cache"}});
  EXPECT_EQ(problem(references, "none", "k"), "missed");
  EXPECT_EQ(problem(references, "cache", "k"), "found");
  EXPECT_EQ(problem(references, "cache", "l"), "missed");
  EXPECT_EQ(problem(references, "cache", "empty"), "missed");
  EXPECT_EQ(problem(references, "cache", "a b"), "invalid cache key: a b");
  EXPECT_EQ(problem(references, "plain", "k"),
            "memoization configmap doesn't have workflows.argoproj.io/configmap-type label, "
            "refusing to use it");
  EXPECT_EQ(problem(references, "other", "k"),
            "memoization configmap doesn't have label workflows.argoproj.io/configmap-type = "
            "Cache, refusing to use it");
}

TEST(Memo, entries_go_into_a_new_or_a_known_config_map) {
  const std::vector<CacheEntry> entries{{"c", "k", "1"}, {"other", "k", "2"}, {"c", "l", "3"}};
  const doc::Value fresh = with_cache_entries(nullptr, "ns", "c", entries);
  EXPECT_EQ(
      doc::to_json(fresh, {.sort_keys = true}),
      R"({"apiVersion":"v1","data":{"k":"1","l":"3"},"kind":"ConfigMap","metadata":{"labels":)"
      R"({"workflows.argoproj.io/configmap-type":"Cache"},"name":"c","namespace":"ns"}})");
  const std::vector<CacheEntry> again{{"c", "k", "9"}};
  EXPECT_EQ(doc::to_json(with_cache_entries(&fresh, "ns", "c", again).at("data")),
            R"({"k":"9","l":"3"})");
}

}  // namespace
}  // namespace tiphys::workflows

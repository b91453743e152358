#include "doc/json_patch.h"
#include "doc/merge_patch.h"
#include "doc/pointer.h"

#include <gtest/gtest.h>

#include <fstream>

namespace tiphys::doc {
namespace {

TEST(Pointer, finds_what_rfc_6901_says) {
  const Value document =
      parse_json(R"({"foo":["bar","baz"],"":0,"a/b":1,"m~n":8,"k\"l":6})").value();
  EXPECT_EQ(at_pointer(document, ""), &document);
  EXPECT_EQ(*at_pointer(document, "/foo/0"), "bar");
  EXPECT_EQ(*at_pointer(document, "/"), 0);
  EXPECT_EQ(*at_pointer(document, "/a~1b"), 1);
  EXPECT_EQ(*at_pointer(document, "/m~0n"), 8);
  for (const std::string_view nothing :
       {"foo", "/foo/2", "/foo/01", "/foo/-", "/foo/0/x", "/~2", "/foo/1e0", "/foo/ 1"}) {
    EXPECT_EQ(at_pointer(document, nothing), nullptr) << nothing;
  }
  EXPECT_EQ(escape_pointer_token("a/b~c"), "a~1b~0c");
}

std::string merged(std::string_view target, std::string_view patch) {
  return to_json(merge_patch(parse_json(target).value(), parse_json(patch).value()));
}

TEST(MergePatch, agrees_with_the_examples_of_rfc_7386) {
  EXPECT_EQ(merged(R"({"a":"b","c":1})", R"({"a":null,"d":{"e":null,"f":2}})"),
            R"({"c":1,"d":{"f":2}})");
  EXPECT_EQ(merged(R"({"a":[{"b":"c"}]})", R"({"a":[1]})"), R"({"a":[1]})");
  EXPECT_EQ(merged(R"({"a":"foo"})", "null"), "null");
  EXPECT_EQ(merged("[1,2]", R"({"a":"b","c":null})"), R"({"a":"b"})");
  EXPECT_EQ(merged("{}", R"({"a":{"bb":{"ccc":null}}})"), R"({"a":{"bb":{}}})");
}

TEST(MergePatch, agrees_with_upstreams_table) {
  std::ifstream table(TIPHYS_SOURCE_DIR "/../shared/conformance/lang/merge.jsonl");
  if (!table) {
    GTEST_SKIP() << "no conformance tables";
  }
  int compared = 0;
  for (std::string line; std::getline(table, line);) {
    const Value row = parse_json(line).value();
    const Value& in = *find(row, "in");
    const auto op = find_string(in, "op");
    const auto document = [&in](std::string_view key) { return parse_json(find_string(in, key)); };
    std::string got;
    if (find(row, "out") == nullptr) {
      continue;
    }
    if (op == "mergePatch") {
      got = to_json(merge_patch(document("doc").value(), document("patch").value()),
                    {.sort_keys = true});
    } else if (op == "createMergePatch") {
      got = to_json(create_merge_patch(document("from").value(), document("to").value()),
                    {.sort_keys = true});
    } else if (op == "threeWayJSON") {
      got = to_json(three_way_merge_patch(document("original").value_or(Value()),
                                          document("modified").value_or(Value()),
                                          document("current").value_or(Value())),
                    {.sort_keys = true});
    } else {
      continue;
    }
    ++compared;
    // Numbers keep their spelling upstream; here they keep their value.
    EXPECT_EQ(got, to_json(parse_json(find_string(row, "out")).value(), {.sort_keys = true}))
        << line;
  }
  EXPECT_GT(compared, 20);
}

TEST(JsonPatch, agrees_with_upstreams_table) {
  std::ifstream table(TIPHYS_SOURCE_DIR "/../shared/conformance/lang/merge.jsonl");
  if (!table) {
    GTEST_SKIP() << "no conformance tables";
  }
  int compared = 0;
  for (std::string line; std::getline(table, line);) {
    const Value row = parse_json(line).value();
    const Value& in = *find(row, "in");
    if (find_string(in, "op") != "jsonPatch") {
      continue;
    }
    ++compared;
    const auto document = parse_json(find_string(in, "doc"));
    const auto patch = parse_json(find_string(in, "patch"));
    const std::string_view error = find_string(row, "error");
    if (!document || !patch || error.starts_with("panic: ")) {
      EXPECT_FALSE(error.empty()) << line;
      continue;
    }
    const auto result = apply_json_patch(*document, *patch);
    if (!result) {
      EXPECT_EQ(result.error().message, error) << line;
      continue;
    }
    ASSERT_NE(find(row, "out"), nullptr) << line;
    EXPECT_EQ(to_json(*result, {.sort_keys = true}),
              to_json(parse_json(find_string(row, "out")).value(), {.sort_keys = true}))
        << line;
  }
  EXPECT_GT(compared, 40);
}

TEST(JsonPatch, nesting_is_limited) {
  std::string patch = "[";
  for (int i = 0; i < 600; ++i) {
    patch += R"({"op":"copy","from":"/a","path":"/a/b"},)";
  }
  patch.back() = ']';
  const auto result =
      apply_json_patch(parse_json(R"({"a":{}})").value(), parse_json(patch).value());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "the patched document is nested more than 512 levels deep");
}

TEST(JsonPatch, growth_by_copies_is_limited) {
  std::string patch = "[";
  for (int i = 0; i < 40; ++i) {
    patch += R"({"op":"copy","from":"/a","path":"/a/-"},)";
  }
  patch.back() = ']';
  const auto result =
      apply_json_patch(parse_json(R"({"a":[1]})").value(), parse_json(patch).value());
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().message.starts_with("Unable to complete the copy"));
}

}  // namespace
}  // namespace tiphys::doc

#include "doc/yaml.h"

#include <gtest/gtest.h>

#include <fstream>

namespace tiphys::doc {
namespace {

std::string as_json(std::string_view text) {
  const auto document = parse_yaml(text);
  return document ? to_json(document->value, {.sort_keys = true}) : document.error().message;
}

struct TableOutcome {
  bool passed;
  std::string got;
};

TableOutcome run_case(const Value& input) {
  const auto op = find_string(input, "op");
  if (op == "fromJSON") {
    return {true, to_yaml(parse_json(find_string(input, "json")).value())};
  }
  YamlOptions options;
  if (op == "toJSONStrict") {
    options.duplicate_keys = DuplicateKeys::error;
  }
  const auto document = parse_yaml(find_string(input, "text"), options);
  if (!document) {
    return {false, document.error().message};
  }
  return {true, to_json(document->value, {.sort_keys = true})};
}

TEST(Yaml, agrees_with_upstreams_table) {
  std::ifstream table(TIPHYS_SOURCE_DIR "/../shared/conformance/lang/yaml.jsonl");
  if (!table) {
    GTEST_SKIP() << "no conformance tables";
  }
  for (std::string line; std::getline(table, line);) {
    const Value row = parse_json(line).value();
    const bool succeeds = find(row, "out") != nullptr;
    const TableOutcome outcome = run_case(*find(row, "in"));
    EXPECT_EQ(outcome.passed, succeeds) << line << "\n" << outcome.got;
    EXPECT_EQ(outcome.got, find_string(row, succeeds ? "out" : "error")) << line;
  }
}

TEST(Yaml, knows_where_keys_and_values_stand) {
  const auto document = parse_yaml(
      "# hello\n"
      "metadata:\n"
      "  labels: {a.b/c: x}\n"
      "spec:\n"
      "- name: é\n"
      "  args: [p, q]\n");
  ASSERT_TRUE(document);
  const Positions& positions = document->positions;
  EXPECT_EQ(positions.key_of(positions.find("metadata")), (Position{2, 1}));
  EXPECT_EQ(positions.value_of(positions.find("metadata")), (Position{3, 3}));
  EXPECT_EQ(positions.key_of(positions.find("metadata.labels.a.b/c")), (Position{3, 12}));
  EXPECT_EQ(positions.value_of(positions.find("metadata.labels.a.b/c")), (Position{3, 19}));
  EXPECT_EQ(positions.value_of(positions.find("spec[0].args[1]")), (Position{6, 13}));
  EXPECT_EQ(positions.find("spec[1]"), Positions::kNone);
  EXPECT_EQ(positions.find("spec[0].nope"), Positions::kNone);
  EXPECT_EQ(positions.find("spec["), Positions::kNone);
}

TEST(Yaml, errors_carry_line_and_column) {
  const auto unclosed = parse_yaml("a: 1\nb: [x\n");
  ASSERT_FALSE(unclosed);
  EXPECT_EQ(unclosed.error().causes.at(0).position.line, 3U);
  const auto twice =
      parse_yaml("a:\n  b: 1\n  c: 1\n  b: 2\n  c: 3\n", {.duplicate_keys = DuplicateKeys::error});
  ASSERT_FALSE(twice);
  ASSERT_EQ(twice.error().causes.size(), 2U);
  EXPECT_EQ(twice.error().causes[1].path, "a.c");
  EXPECT_EQ(twice.error().causes[1].position, (Position{5, 3}));
}

TEST(Yaml, anchors_and_merges_are_expanded) {
  EXPECT_EQ(as_json("a: &x {k: 1, l: [2]}\nb: {<<: *x, k: 3}\nc: *x\n"),
            R"({"a":{"k":1,"l":[2]},"b":{"k":3,"l":[2]},"c":{"k":1,"l":[2]}})");
  EXPECT_EQ(as_json("a: &x [*x]\n"), "yaml: anchor 'x' value contains itself");
  EXPECT_EQ(as_json("b: {<<: &y {<<: *y}}\n"), "yaml: anchor 'y' value contains itself");
}

TEST(Yaml, billions_of_laughs_are_refused) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string name = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + name;
    for (int j = 0; j < 9; ++j) {
      bomb += "," + name;
    }
    bomb += "]\n";
  }
  EXPECT_EQ(as_json(bomb), "yaml: document contains excessive aliasing");
  std::string copies = "a: &a " + std::string(1'000'000, 'x') + "\nb:\n";
  for (int i = 0; i < 1000; ++i) {
    copies += "- *a\n";
  }
  EXPECT_EQ(as_json(copies), "yaml: document contains excessive aliasing");
  EXPECT_FALSE(as_json("? " + bomb).starts_with("{"));
}

TEST(Yaml, depth_is_limited) {
  EXPECT_EQ(as_json(std::string(100'000, '[')), "yaml: exceeded max depth of 512");
  std::string deep;
  for (int i = 0; i < 700; ++i) {
    deep += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  }
  EXPECT_EQ(as_json(deep), "yaml: exceeded max depth of 512");
  const std::string open(300, '[');
  const std::string close(300, ']');
  const std::string chain = "a: &a " + open + close + "\nb: " + open + "*a" + close + "\n";
  EXPECT_EQ(as_json(chain), "yaml: exceeded max depth of 512");
}

TEST(Yaml, text_that_is_not_utf8_is_refused) {
  EXPECT_FALSE(parse_yaml("a: \xFF\n"));
  EXPECT_FALSE(parse_yaml("a: \x01\n"));
  EXPECT_EQ(as_json("a: !!binary /w==\n"), "{\"a\":\"\xEF\xBF\xBD\"}");
}

std::vector<std::string> manifests(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& document : parse_manifests(text)) {
    out.push_back(document ? to_json(document->value) : document.error().message);
  }
  return out;
}

TEST(Manifests, a_stream_has_many_documents_and_empty_ones_do_not_count) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(manifests("---\n# nothing\n---\na: 1\n--- {b: 2}\n---\n...\nc: 3\n"),
            (Texts{R"({"a":1})", R"({"b":2})", R"({"c":3})"}));
  EXPECT_EQ(manifests("%YAML 1.1\n---\na: |\n  x\n  --- y\n"), (Texts{R"({"a":"x\n--- y\n"})"}));
  EXPECT_EQ(manifests(""), Texts{});
  EXPECT_EQ(manifests("\xEF\xBB\xBF{\"a\": \"\\ud83d\\ude00\"}\n"), (Texts{"{\"a\":\"😀\"}"}));
  EXPECT_EQ(manifests("{a: 1}\n---\n{\"b\": 2}\n"), (Texts{R"({"a":1})", R"({"b":2})"}));
}

TEST(Manifests, one_broken_document_does_not_hide_the_others) {
  const auto documents = parse_manifests("a: 1\n---\nb: [\n---\nc: 3\n");
  ASSERT_EQ(documents.size(), 3U);
  EXPECT_TRUE(documents[0]);
  ASSERT_FALSE(documents[1]);
  EXPECT_EQ(documents[1].error().causes.at(0).position.line, 4U);
  ASSERT_TRUE(documents[2]);
  const Positions& positions = documents[2]->positions;
  EXPECT_EQ(positions.value_of(positions.find("c")), (Position{5, 4}));
}

TEST(Manifests, json_has_positions_too) {
  const auto documents =
      parse_manifests("{\"a\": [1,\n  {\"b\\u0063\": \"é\", \"d\": true}], \"a\": {}, \"e\": 1}");
  ASSERT_EQ(documents.size(), 1U);
  ASSERT_TRUE(documents[0]);
  const Positions& positions = documents[0]->positions;
  EXPECT_EQ(positions.key_of(positions.find("a")), (Position{2, 33}));
  EXPECT_EQ(positions.value_of(positions.find("e")), (Position{2, 47}));
  const auto strict =
      parse_manifests("{\"a\": 1,\n \"a\": 2}", {.duplicate_keys = DuplicateKeys::error});
  ASSERT_FALSE(strict.at(0));
  EXPECT_EQ(strict[0].error().causes.at(0).position, (Position{2, 2}));
  const auto broken = parse_manifests("{\"a\": 1,\n \"b\": }");
  ASSERT_FALSE(broken.at(0));
  EXPECT_TRUE(broken[0].error().message.starts_with("invalid JSON at line 2"))
      << broken[0].error().message;
}

TEST(YamlWriter, long_texts_are_folded_at_80_columns) {
  const std::string words =
      "word word word word word word word word word word word word word word "
      "word word word word";
  EXPECT_EQ(to_yaml(parse_json("{\"a\":\"" + words + "\"}").value()),
            "a: word word word word word word word word word word word word word word word word\n"
            "  word word\n");
}

TEST(YamlWriter, nested_lists_and_objects_share_lines) {
  const auto value = parse_json(R"({"a":[{"b":[{"c":1,"d":"x\ny\n"}],"e":{}}],"x10":1,"x9":2})");
  EXPECT_EQ(to_yaml(value.value()),
            "a:\n- b:\n  - c: 1\n    d: |\n      x\n      y\n  e: {}\nx9: 2\nx10: 1\n");
}

}  // namespace
}  // namespace tiphys::doc

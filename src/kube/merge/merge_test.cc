#include "doc/json.h"
#include "kube/merge/strategic_merge.h"
#include "kube/types/types.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

namespace tiphys::kube {
namespace {

const doc::Type* type_of_kind(const doc::Schema& schema, std::string_view kind) {
  for (const std::string_view version : {"v1", "apps/v1", "batch/v1", "networking.k8s.io/v1",
                                         "autoscaling/v2", "argoproj.io/v1alpha1"}) {
    if (const auto* type = schema.of_kind(version, kind)) {
      return type;
    }
  }
  return nullptr;
}

std::string sorted_json(const doc::Value& value) {
  return doc::to_json(value, {.sort_keys = true});
}

doc::Value member(const doc::Value& object, std::string_view key) {
  const doc::Value* value = doc::find(object, key);
  return value == nullptr ? doc::Value() : *value;
}

Result<doc::Value> patch_of(const doc::Type& type, const doc::Value& in) {
  if (doc::find_string(in, "op") == "createTwoWay") {
    return strategic_diff(type, member(in, "original"), member(in, "modified"));
  }
  return strategic_three_way_diff(
      type, member(in, "original"), member(in, "modified"), member(in, "current"),
      member(in, "overwrite") == false ? OnConflict::fail : OnConflict::overwrite);
}

/// Compares one row of the table; false for operations of other modules.
bool compare_row(const doc::Schema& schema, const doc::Value& row) {
  const doc::Value in = member(row, "in");
  const auto op = doc::find_string(in, "op");
  const auto id = doc::find_string(row, "id");
  const doc::Type* type = type_of_kind(schema, doc::find_string(in, "kind"));
  if (type == nullptr) {
    return false;
  }
  const auto expected_error = doc::find_string(row, "error");
  const doc::Value out = member(row, "out");
  if (op == "strategicMerge") {
    const auto merged = strategic_merge(*type, member(in, "doc"), member(in, "patch"));
    if (!merged) {
      EXPECT_EQ(merged.error().message, expected_error) << id;
    } else {
      EXPECT_EQ(sorted_json(*merged), sorted_json(out)) << id << expected_error;
    }
    return true;
  }
  const auto patch = patch_of(*type, in);
  if (!patch) {
    EXPECT_EQ(patch.error().message, expected_error) << id;
    return true;
  }
  EXPECT_EQ(sorted_json(*patch), sorted_json(member(out, "patch"))) << id << expected_error;
  const auto start = op == "createTwoWay" ? "original" : "current";
  const auto result = strategic_merge(*type, member(in, start), *patch);
  EXPECT_EQ(result ? sorted_json(*result) : result.error().message,
            sorted_json(member(out, "result")))
      << id;
  return true;
}

TEST(StrategicMerge, agrees_with_upstreams_table) {
  std::ifstream table(TIPHYS_SOURCE_DIR "/../shared/conformance/lang/merge.jsonl");
  if (!table) {
    GTEST_SKIP() << "no conformance tables";
  }
  const doc::Schema schema(built_in_types());
  int compared = 0;
  for (std::string line; std::getline(table, line);) {
    compared += compare_row(schema, doc::parse_json(line).value()) ? 1 : 0;
  }
  EXPECT_GT(compared, 100);
}

std::string merge_workflow(std::string_view original, std::string_view patch) {
  const doc::Schema schema(built_in_types());
  const auto merged =
      strategic_merge(*schema.find("workflows/v1alpha1.WorkflowSpec"),
                      doc::parse_json(original).value(), doc::parse_json(patch).value());
  return merged ? sorted_json(*merged) : merged.error().message;
}

TEST(StrategicMerge, workflow_specs_merge_templates_and_arguments_by_name) {
  EXPECT_EQ(
      merge_workflow(
          R"({"entrypoint":"a","arguments":{"parameters":[{"name":"x","value":"1"}]},)"
          R"("templates":[{"name":"a","container":{"image":"i","args":["p"]}}]})",
          R"({"arguments":{"parameters":[{"name":"y","value":"2"},{"name":"x","value":"3"}]},)"
          R"("templates":[{"name":"b"},{"name":"a","container":{"args":["q"]}}]})"),
      R"({"arguments":{"parameters":[{"name":"y","value":"2"},{"name":"x","value":"3"}]},)"
      R"("entrypoint":"a","templates":[{"name":"b"},)"
      R"({"container":{"args":["q"],"image":"i"},"name":"a"}]})");
}

TEST(StrategicMerge, what_is_no_object_is_an_error) {
  EXPECT_EQ(merge_workflow("[]", "{}"), "invalid JSON document");
  EXPECT_EQ(merge_workflow("{}", "7"), "invalid JSON document");
  EXPECT_FALSE(
      merge_workflow(R"({"templates":[null,null]})", R"({"templates":[null]})").starts_with("{"));
}

}  // namespace
}  // namespace tiphys::kube

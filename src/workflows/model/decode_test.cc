#include "workflows/model/model.h"

#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

doc::Value json(std::string_view text) { return doc::parse_json(text).value(); }

TEST(Model, a_workflow_is_decoded_with_its_templates_and_calls) {
  const auto manifest = decode_manifest(json(R"({
    "kind": "Workflow", "metadata": {"generateName": "a-", "labels": {"x": "y"}},
    "spec": {"entrypoint": "main", "arguments": {"parameters": [{"name": "p", "value": 3}]},
      "templates": [
        {"name": "main", "steps": [[{"name": "a", "template": "t", "withItems": [1, "b"]}], [{"name": "b", "inline": {"container": {"image": "i"}}}]]},
        {"name": "t", "retryStrategy": {"limit": 2, "backoff": {"duration": "1s", "factor": "2"}}, "script": {"source": "x"}},
        {"name": "d", "dag": {"failFast": false, "tasks": [{"name": "x", "template": "t", "depends": "y"}]}}]}})"));
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->metadata.generate_name, "a-");
  EXPECT_EQ(manifest->spec.arguments.parameters.at(0).value, "3");
  const Template& main = manifest->spec.templates.at(0);
  EXPECT_EQ(main.type, TemplateType::steps);
  EXPECT_TRUE(main.steps.at(0).at(0).is_loop());
  EXPECT_EQ(main.steps.at(1).at(0).inline_template->type, TemplateType::container);
  EXPECT_EQ(manifest->spec.templates.at(1).retry_strategy->limit, "2");
  EXPECT_FALSE(manifest->spec.templates.at(2).dag->fail_fast);
}

TEST(Model, a_member_of_the_wrong_type_is_named_with_its_path) {
  const auto manifest =
      decode_manifest(json(R"({"spec": {"templates": [{"name": "a"}, {"name": 5}]}})"));
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().message, "spec.templates[1].name: expected a string, found a number");
}

TEST(Model, scalars_become_the_text_that_upstream_stores) {
  EXPECT_EQ(any_string(json("1.5")), "1.5");
  EXPECT_EQ(any_string(json("true")), "true");
  EXPECT_EQ(any_string(json("\"a\"")), "a");
  EXPECT_EQ(any_string(json("{\"a\":[1]}")), "{\"a\":[1]}");
}

TEST(Model, outputs_survive_encoding) {
  const auto text =
      R"({"parameters":[{"name":"a","value":"1"}],"artifacts":[{"name":"x","path":"/x","s3":{"key":"k"}}],"result":"r","exitCode":"0"})";
  EXPECT_EQ(encode_outputs(decode_outputs(json(text)).value()), json(text));
}

}  // namespace
}  // namespace tiphys::workflows

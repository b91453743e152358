#include "workflows/model/merge.h"

#include "doc/yaml.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

doc::Value yaml(std::string_view text) { return doc::parse_yaml(text).value().value; }

std::string merged(std::string_view own, std::string_view referenced, std::string_view defaults) {
  return doc::to_json(merge_specs(yaml(own), yaml(referenced), yaml(defaults)).value(),
                      {.sort_keys = true});
}

TEST(Merge, lays_the_workflow_over_the_template_over_the_defaults) {
  EXPECT_EQ(merged("{priority: 3}", "{priority: 2, parallelism: 2}",
                   "{priority: 1, parallelism: 1, entrypoint: main}"),
            R"({"entrypoint":"main","parallelism":2,"priority":3})");
}

TEST(Merge, takes_a_parameter_with_a_value_as_a_whole) {
  EXPECT_EQ(merged("{arguments: {parameters: [{name: a, value: 1}]}}",
                   "{arguments: {parameters: [{name: a, enum: [2], value: 2}]}}", "{}"),
            R"({"arguments":{"parameters":[{"name":"a","value":1}]}})");
  EXPECT_EQ(merged("{arguments: {parameters: [{name: a}]}}",
                   "{arguments: {parameters: [{name: a, value: 2}]}}", "{}"),
            R"({"arguments":{"parameters":[{"name":"a","value":2}]}})");
}

TEST(Merge, keeps_what_a_lower_layer_says_of_the_same_store) {
  EXPECT_EQ(merged("{arguments: {artifacts: [{name: a, s3: {key: k}}]}}",
                   "{arguments: {artifacts: [{name: a, s3: {bucket: b, key: x}}]}}", "{}"),
            R"({"arguments":{"artifacts":[{"name":"a","s3":{"bucket":"b","key":"k"}}]}})");
  EXPECT_EQ(merged("{arguments: {artifacts: [{name: a, raw: {data: k}}]}}",
                   "{arguments: {artifacts: [{name: a, s3: {bucket: b}}]}}", "{}"),
            R"({"arguments":{"artifacts":[{"name":"a","raw":{"data":"k"}}]}})");
}

TEST(Merge, never_mixes_two_hooks_of_one_name) {
  EXPECT_EQ(merged("{hooks: {h: {template: own}}}",
                   "{hooks: {h: {template: x, expression: e}, g: {template: other}}}", "{}"),
            R"({"hooks":{"g":{"template":"other"},"h":{"template":"own"}}})");
}

TEST(Merge, puts_defaults_below_metadata_and_spec) {
  const doc::Value defaults =
      yaml("{metadata: {labels: {a: d, b: d}}, spec: {entrypoint: d, priority: 1}}");
  EXPECT_EQ(
      doc::to_json(with_workflow_defaults(
                       yaml("{metadata: {labels: {a: own}}, spec: {entrypoint: own}}"), defaults),
                   {.sort_keys = true}),
      R"({"metadata":{"labels":{"a":"own","b":"d"}},"spec":{"entrypoint":"own","priority":1}})");
  EXPECT_EQ(
      doc::to_json(with_workflow_defaults(
                       yaml("{metadata: {}, spec: {workflowTemplateRef: {name: t}}}"), defaults),
                   {.sort_keys = true}),
      R"({"metadata":{"labels":{"a":"d","b":"d"}},"spec":{"workflowTemplateRef":{"name":"t"}}})");
}

}  // namespace
}  // namespace tiphys::workflows

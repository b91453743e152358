#include "executor/step_plan.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::executor {
namespace {

doc::Value json(std::string_view text) { return doc::parse_json(text).value(); }

TEST(StepPlan, comes_back_from_its_json_as_it_was) {
  StepPlan plan;
  plan.main_container = "work";
  plan.script_source = "print('<&>')\n";
  plan.input_artifacts = {
      {"reads", "/in/reads", json(R"({"s3":{"key":"a/b"}})"), Archive::sniff, 0644, true, true},
      {"plain", "/in/plain", json(R"({"raw":{"data":"x"}})"), Archive::none, {}, false, false},
      {"absent", "/in/absent", nullptr, Archive::zip, {}, false, true}};
  plan.output_parameters = {{"n", "/tmp/n", ""}, {"m", "/tmp/m", std::nullopt}};
  plan.output_artifacts = {{"o", "/out", json(R"({"s3":{"key":"k"}})"), Archive::tar, 0, true},
                           {"p", "/out2", json(R"({"s3":{"key":"l"}})"), Archive::none, -1, false}};
  plan.containers = {{"a", {}, 0, {}}, {"b", {"a", "work"}, 3, std::chrono::milliseconds(250)}};
  plan.capture_result = true;
  const auto back = StepPlan::from_json(plan.to_json());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, plan);
  EXPECT_EQ(StepPlan::from_json(StepPlan{}.to_json()), StepPlan{});
}

TEST(StepPlan, names_the_field_that_is_wrong) {
  const auto message = [](std::string_view text) {
    const auto plan = StepPlan::from_json(text);
    return plan ? "accepted" : plan.error().message;
  };
  EXPECT_EQ(message(R"({"inputArtifacts":[{"name":"a"},{"name":7}]})"),
            "inputArtifacts[1].name: is not a string");
  EXPECT_EQ(message(R"({"inputArtifacts":{}})"), "inputArtifacts: is not a list");
  EXPECT_EQ(message(R"({"inputArtifacts":[{"mode":5000}]})"),
            "inputArtifacts[0].mode: is not between 0 and 4095");
  EXPECT_EQ(message(R"({"outputArtifacts":[{"archive":"rar"}]})"),
            "outputArtifacts[0].archive: is not a way to archive");
  EXPECT_EQ(message(R"({"containers":[{"name":"a","dependencies":"b"}]})"),
            "containers[0].dependencies: is not a list");
  EXPECT_EQ(message(R"({"containers":[{"name":"a","retries":-1}]})"),
            "containers[0].retries: is negative");
  EXPECT_EQ(message(R"({"captureResult":"yes"})"), "captureResult: is not true or false");
  EXPECT_FALSE(StepPlan::from_json("[]"));
  EXPECT_FALSE(StepPlan::from_json("{"));
  EXPECT_TRUE(StepPlan::from_json(R"({"later":1,"inputArtifacts":null})"));
}

TEST(StepOutputs, come_back_from_their_json_as_they_were) {
  StepOutputs outputs;
  outputs.parameters = {{"n", "1"}, {"empty", ""}};
  outputs.artifacts = {{"o", "/out", json(R"({"s3":{"key":"k"}})"), std::string(64, 'a'), 12}};
  outputs.result = "line\n";
  outputs.error = "open x: no such file or directory";
  outputs.peak_memory_bytes = 1 << 20;
  outputs.cpu_microseconds = 1234;
  const auto back = StepOutputs::from_json(outputs.to_json());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, outputs);
  EXPECT_EQ(StepOutputs::from_json("{}"), StepOutputs{});
}

TEST(StepOutputs, look_like_those_of_a_workflow_node) {
  StepOutputs outputs;
  outputs.parameters = {{"n", "1"}};
  outputs.artifacts = {{"o", "/out", json(R"({"s3":{"key":"k"}})"), "d", 1}};
  outputs.result = "r";
  EXPECT_EQ(outputs.to_json(),
            R"({"parameters":[{"name":"n","value":"1"}],)"
            R"("artifacts":[{"name":"o","path":"/out","s3":{"key":"k"},"digest":"d","size":1}],)"
            R"("result":"r"})");
  EXPECT_FALSE(StepOutputs::from_json(R"({"artifacts":[{"size":-1}]})"));
  EXPECT_FALSE(StepOutputs::from_json(R"({"usage":3})"));
}

}  // namespace
}  // namespace tiphys::executor

#include "workflows/config/config.h"

#include "kube/types/types.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

Result<Config> parsed(std::string_view text) {
  static const doc::Schema types(kube::built_in_types());
  return parse_config(text, types);
}

/// "line:column message" of every cause.
std::vector<std::string> causes_of(std::string_view text) {
  std::vector<std::string> out;
  const auto config = parsed(text);
  if (config) {
    return {"no error"};
  }
  for (const FieldError& cause : config.error().causes) {
    out.push_back(std::to_string(cause.position.line) + ":" +
                  std::to_string(cause.position.column) + " " + cause.message);
  }
  return out;
}

constexpr std::string_view kPlain = R"(workflowDefaults:
  metadata:
    labels: {team: blue}
  spec:
    entrypoint: main
    ttlStrategy: {secondsAfterCompletion: 10}
parallelism: 3
retentionPolicy: {completed: 10, failed: 2}
podGCDeleteDelayDuration: 30s
)";

TEST(Config, reads_plain_yaml) {
  const auto config = parsed(kPlain);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(doc::find_string(*doc::find(config->workflow_defaults, "spec"), "entrypoint"), "main");
  EXPECT_EQ(config->parallelism, 3);
  EXPECT_EQ(config->retention_policy->completed, 10);
  EXPECT_EQ(config->retention_policy->errored, std::nullopt);
  EXPECT_EQ(config->pod_gc_delete_delay, std::chrono::seconds(30));
  EXPECT_TRUE(config->main_container.is_null());
  EXPECT_TRUE(config->notices.empty());
}

TEST(Config, reads_a_config_map_that_holds_everything_in_one_text) {
  const auto config = parsed(R"(apiVersion: v1
kind: ConfigMap
metadata:
  name: workflow-controller-configmap
data:
  config: |
    parallelism: 7
    mainContainer:
      imagePullPolicy: IfNotPresent
)");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->parallelism, 7);
  EXPECT_EQ(doc::find_string(config->main_container, "imagePullPolicy"), "IfNotPresent");
}

TEST(Config, reads_a_config_map_with_a_text_for_each_setting) {
  const auto config = parsed(R"(kind: Secret
metadata: {name: other}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: workflow-controller-configmap
data:
  parallelism: "7"
  metricsConfig: |
    enabled: true
  artifactRepository: |
    archiveLogs: true
    s3:
      bucket: b
      endpoint: e
)");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->parallelism, 7);
  EXPECT_EQ(doc::find_string(*doc::find(config->artifact_repository, "s3"), "bucket"), "b");
  ASSERT_EQ(config->notices.size(), 1U);
  EXPECT_EQ(config->notices[0].text,
            "metricsConfig has no meaning for runs on this machine and is passed over");
  EXPECT_EQ(config->notices[0].position.line, 10U);
}

TEST(Config, names_the_places_of_settings_that_nobody_knows) {
  EXPECT_EQ(
      causes_of("parallelism: 1\nparalellism: 2\n"),
      std::vector<std::string>{"2:1 unknown field \"paralellism\": did you mean \"parallelism\"?"});
  EXPECT_EQ(causes_of("workflowDefaults:\n  spec:\n    entryPoint: a\n"),
            std::vector<std::string>{"3:5 unknown field \"workflowDefaults.spec.entryPoint\": did "
                                     "you mean \"entrypoint\"?"});
}

TEST(Config, names_the_places_inside_the_texts_of_a_config_map) {
  EXPECT_EQ(causes_of(R"(kind: ConfigMap
data:
  workflowDefaults: |
    spec:
      podGC:
        nope: 1
)"),
            std::vector<std::string>{"6:9 unknown field \"workflowDefaults.spec.podGC.nope\""});
  EXPECT_EQ(causes_of(R"(kind: ConfigMap
data:
  config: |
    spec: 1
)"),
            std::vector<std::string>{"4:5 unknown field \"spec\""});
}

TEST(Config, refuses_what_is_no_configuration) {
  EXPECT_EQ(parsed("kind: Workflow\n").error().message,
            "expected a ConfigMap or its settings, found a Workflow");
  EXPECT_EQ(parsed("kind: ConfigMap\ndata: {config: '', parallelism: '1'}\n").error().message,
            "if you have an item in your config map named 'config', you must only have one item");
  EXPECT_FALSE(parsed("a: [\n"));
  EXPECT_FALSE(parsed("kind: ConfigMap\ndata: {config: 'a: ['}\n"));
  EXPECT_FALSE(parsed("- a\n"));
  EXPECT_FALSE(parsed("parallelism: -1\n"));
  EXPECT_FALSE(parsed("podGCDeleteDelayDuration: soon\n"));
  EXPECT_FALSE(parsed("a: 1\n---\nb: 1\n"));
  EXPECT_TRUE(parsed(""));
  EXPECT_TRUE(parsed("kind: ConfigMap\n"));
}

}  // namespace
}  // namespace tiphys::workflows

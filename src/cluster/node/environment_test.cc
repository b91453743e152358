#include "cluster/node/environment.h"

#include <gtest/gtest.h>

namespace tiphys::node {
namespace {

TEST(Expansion, replaces_known_names_only) {
  const std::vector<std::string> environment{"A=1", "B=two words", "EMPTY="};
  EXPECT_EQ(expand("$(A)-$(B)-$(EMPTY)|", environment), "1-two words-|");
  EXPECT_EQ(expand("$(NO)", environment), "$(NO)");
  EXPECT_EQ(expand("$$(A)", environment), "$(A)");
  EXPECT_EQ(expand("$$$(A)", environment), "$1");
  EXPECT_EQ(expand("$A ${A} $", environment), "$A ${A} $");
  EXPECT_EQ(expand("$(A", environment), "$(A");
}

TEST(Base64, is_decoded_with_and_without_padding) {
  EXPECT_EQ(*decode_base64("aHVudGVyMg=="), "hunter2");
  EXPECT_EQ(*decode_base64("aHVudGVyMg"), "hunter2");
  EXPECT_EQ(*decode_base64(""), "");
  EXPECT_FALSE(decode_base64("a b!").has_value());
}

TEST(Fields, are_those_of_the_downward_api) {
  const doc::Value pod = *doc::parse_json(
      R"({"metadata":{"name":"p","namespace":"n","uid":"u","labels":{"b":"2","a":"1"}},"spec":{}})");
  const Lookup lookup;
  const PodContext context{pod, lookup, "node-1", "10.0.0.1", 4000, 1 << 30};
  EXPECT_EQ(*field_value(context, "metadata.name"), "p");
  EXPECT_EQ(*field_value(context, "metadata.labels['b']"), "2");
  EXPECT_EQ(*field_value(context, "metadata.labels"), "a=\"1\"\nb=\"2\"");
  EXPECT_EQ(*field_value(context, "spec.nodeName"), "node-1");
  EXPECT_EQ(*field_value(context, "spec.serviceAccountName"), "default");
  EXPECT_EQ(*field_value(context, "status.podIP"), "10.0.0.1");
  EXPECT_FALSE(field_value(context, "spec.containers").has_value());
}

TEST(Resources, fall_back_to_the_node_and_round_up) {
  const doc::Value pod = *doc::parse_json("{}");
  const doc::Value container = *doc::parse_json(R"({"resources":{"requests":{"cpu":"250m"}}})");
  const Lookup lookup;
  const PodContext context{pod, lookup, "", "", 4000, 1 << 30};
  const auto value = [&](const char* text) {
    return *resource_value(context, container, *doc::parse_json(text));
  };
  EXPECT_EQ(value(R"({"resource":"requests.cpu"})"), "1");
  EXPECT_EQ(value(R"({"resource":"requests.cpu","divisor":"1m"})"), "250");
  EXPECT_EQ(value(R"({"resource":"limits.cpu"})"), "4");
  EXPECT_EQ(value(R"({"resource":"limits.memory","divisor":"1Mi"})"), "1024");
}

}  // namespace
}  // namespace tiphys::node

#include "doc/codec.h"

#include "doc/yaml.h"

#include <gtest/gtest.h>

namespace tiphys::doc {
namespace {

enum class Policy { none, always, never };

struct Port {
  std::string name;
  std::int32_t number = 0;
};

template <class V>
void visit_fields(V& v, Port& port) {
  v.field("name", port.name, Empty::kept);
  v.field("number", port.number);
}

struct Pod {
  std::string name;
  bool host = false;
  double share = 0;
  std::optional<std::int64_t> priority;
  std::vector<std::string> args;
  std::map<std::string, std::string> labels;
  std::vector<Port> ports;
  Value extra;
  Policy policy = Policy::none;
  std::optional<IntOrString> surge;
  Port main;
};

template <class V>
void visit_fields(V& v, Pod& pod) {
  v.field("name", pod.name);
  v.field("host", pod.host);
  v.field("share", pod.share);
  v.field("priority", pod.priority);
  v.field("args", pod.args);
  v.field("labels", pod.labels);
  v.field("ports", pod.ports);
  v.field("extra", pod.extra);
  v.field("policy", pod.policy);
  v.field("surge", pod.surge);
  v.field("main", pod.main);
}

}  // namespace

template <>
struct EnumNames<Policy> {
  static constexpr std::array<std::pair<Policy, std::string_view>, 3> kTable = {
      {{Policy::none, ""}, {Policy::always, "Always"}, {Policy::never, "Never"}}};
};

namespace {

TEST(Codec, round_trips_and_leaves_empty_fields_out) {
  constexpr std::string_view kText =
      R"({"name":"a","share":0.5,"priority":0,"args":["x"],"labels":{"k":"v"},)"
      R"("ports":[{"name":"","number":80}],"extra":{"any":[1]},"policy":"Never","surge":"25%",)"
      R"("main":{"name":""}})";
  const auto pod = decode<Pod>(parse_json(kText).value());
  ASSERT_TRUE(pod) << pod.error().message;
  EXPECT_EQ(pod->priority, 0);
  EXPECT_EQ(pod->policy, Policy::never);
  EXPECT_EQ(to_json(encode(*pod)), kText);
  EXPECT_EQ(to_json(encode(Pod())), R"({"main":{"name":""}})");
}

TEST(Codec, unknown_members_and_nulls_are_ignored) {
  const auto pod = decode<Pod>(parse_json(R"({"nope":1,"name":null,"args":null})").value());
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->name, "");
}

TEST(Codec, errors_name_path_expectation_and_place) {
  const auto document = parse_yaml(
                            "name: 5\n"
                            "args: hello\n"
                            "labels: {a: [1]}\n"
                            "ports:\n"
                            "- number: 99999999999\n"
                            "policy: Maybe\n")
                            .value();
  const auto pod = decode<Pod>(document.value, &document.positions);
  ASSERT_FALSE(pod);
  EXPECT_EQ(pod.error().code, ErrorCode::invalid);
  const auto& causes = pod.error().causes;
  ASSERT_EQ(causes.size(), 5U);
  EXPECT_EQ(causes[0].message, "name: expected a string, found a number");
  EXPECT_EQ(causes[1].message, "args: expected a list of strings, found a string");
  EXPECT_EQ(causes[1].position, (Position{2, 7}));
  EXPECT_EQ(causes[2].message, "labels.a: expected a string, found a list");
  EXPECT_EQ(causes[3].message, "ports[0].number: expected an integer, found a number");
  EXPECT_EQ(causes[4].message,
            "policy: Unsupported value: \"Maybe\": supported values: \"\", \"Always\", \"Never\"");
  EXPECT_EQ(decode<Pod>(Value(1)).error().message, "expected an object, found a number");
}

}  // namespace
}  // namespace tiphys::doc

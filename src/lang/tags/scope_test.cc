#include "lang/tags/scope.h"

#include "lang/tags/artifact.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

std::string json_of(const std::optional<ExprValue>& value) {
  return value ? value->to_json_text().value() : "missing";
}

TEST(Scope, layers_add_and_hide_without_copying) {
  Scope below;
  below.set("a", "1");
  below.set("b", "2");
  Scope top(&below);
  top.set("b", "3");
  top.set_absent("c");
  EXPECT_EQ(top.find("a")->as_string(), "1");
  EXPECT_EQ(top.find("b")->as_string(), "3");
  EXPECT_TRUE(top.find("c")->is_nil());
  EXPECT_EQ(top.find("d"), nullptr);
  EXPECT_EQ(below.find("b")->as_string(), "2");
}

TEST(Scope, names_unfold_at_their_dots) {
  Scope scope;
  scope.set("a", "hidden by a.b");
  scope.set("a.b", "1");
  Scope top(&scope);
  top.set("a.c.d", "2");
  top.set("x.", "3");
  top.set("y..z", "4");
  const ScopeEnvironment environment(top, argo_functions());
  EXPECT_EQ(json_of(environment.lookup("a")), R"({"b":"1","c":{"d":"2"}})");
  EXPECT_EQ(json_of(environment.lookup("x")), R"({"":"3"})");
  EXPECT_EQ(json_of(environment.lookup("y")), R"({"":{"z":"4"}})");
  EXPECT_EQ(json_of(environment.lookup("z")), "missing");
  EXPECT_TRUE(environment.has("a.c.d"));
  EXPECT_FALSE(environment.has("a.c.e"));
  EXPECT_FALSE(environment.has("a.b.c"));
  EXPECT_TRUE(environment.has("toJson"));
  EXPECT_EQ(json_of(expand_scope(top)),
            R"({"a":{"b":"1","c":{"d":"2"}},"x":{"":"3"},"y":{"":{"z":"4"}}})");
}

TEST(Scope, absent_optionals_can_be_hidden) {
  Scope scope;
  scope.set_absent("a.b");
  EXPECT_TRUE(ScopeEnvironment(scope, argo_functions()).has("a.b"));
  EXPECT_FALSE(ScopeEnvironment(scope, argo_functions(), ScopeEnvironment::Nil::hide).has("a.b"));
}

TEST(Scope, artifacts_have_gos_field_names_and_their_own_json) {
  Scope scope;
  scope.set_value("t.x", artifact_value(boost::json::parse(R"({"name":"x","s3":{"key":"k"}})")));
  const ScopeEnvironment environment(scope, argo_functions());
  EXPECT_TRUE(environment.has("t.x.S3.Key"));
  EXPECT_TRUE(environment.has("t.x.ArtifactLocation.S3.S3Bucket.Bucket"));
  EXPECT_FALSE(environment.has("t.x.s3"));
  EXPECT_FALSE(environment.has("t.x.GCS.Key"));
  EXPECT_EQ(json_of(environment.lookup("t")), R"({"x":{"name":"x","s3":{"key":"k"}}})");
}

TEST(Scope, placeholders_are_noticed_in_every_layer) {
  Scope scope;
  scope.set("a", "__argo__internal__placeholder-1");
  const Scope top(&scope);
  EXPECT_TRUE(top.has_placeholder());
  scope.set("a", "b");
  EXPECT_FALSE(top.has_placeholder());
}

}  // namespace
}  // namespace tiphys::lang

#include "lang/tags/tag_text.h"

#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

Scope sample() {
  Scope scope;
  scope.set("foo", "bar");
  scope.set("n", "x");
  scope.set("p.x", "px");
  scope.set("bell", "\a");
  scope.set("quote", "say \"hi\"\n");
  scope.set_absent("nil");
  return scope;
}

std::string fill(std::string text, const Strictness& strictness = Strictness::lenient()) {
  const auto result = replace_tags(std::move(text), sample(), {.strictness = strictness});
  return result ? *result : "ERROR " + result.error().message;
}

TEST(TagText, fills_simple_tags) {
  EXPECT_EQ(fill(R"("{{foo}} {{ foo }} {{baz}}")"), R"("bar bar {{baz}}")");
  EXPECT_EQ(fill(R"({"{{foo}}":["{{quote}}"]})"), R"({"bar":["say \"hi\"\n"]})");
  EXPECT_EQ(fill("no tags"), "ERROR cannot do template replacements with invalid JSON");
  EXPECT_EQ(fill("[1]"), "[1]");
}

TEST(TagText, nested_tags_resolve_inside_out_one_level_a_pass) {
  EXPECT_EQ(fill(R"("{{p.{{n}}}}")"), R"("{{p.x}}")");
  EXPECT_EQ(fill(fill(R"("{{p.{{n}}}}")")), R"("px")");
  EXPECT_EQ(fill(R"("{{p.{{ n }}}}")"), R"("{{p.{{ n }}}}")");
  EXPECT_EQ(fill(R"("{{p.{{nil}}}}")"),
            "ERROR unable to substitute nested tag {{p.{{nil}}: \"nil\" is an absent optional");
}

TEST(TagText, strictness_decides_what_must_resolve) {
  const auto some = Strictness::prefixes({"tasks", "steps"});
  EXPECT_EQ(fill(R"("{{baz}}")", Strictness::everything()), "ERROR failed to resolve {{baz}}");
  EXPECT_EQ(fill(R"("{{tasks.a.id}}")", some), "ERROR failed to resolve {{tasks.a.id}}");
  EXPECT_EQ(fill(R"("{{tasksX}}{{item}}")", some), R"("{{tasksX}}{{item}}")");
  EXPECT_EQ(fill(R"("{{tasks.a.outputs.artifacts.x}}")", some),
            R"("{{tasks.a.outputs.artifacts.x}}")");
  EXPECT_EQ(fill(R"("{{nil}}")"),
            "ERROR unable to substitute {{nil}}: output is an absent optional (skipped/omitted "
            "node with no default)");
}

TEST(TagText, what_breaks_the_json_is_refused) {
  EXPECT_EQ(fill(R"("{{bell}}")"),
            "ERROR cannot finish template replacement because the result was invalid JSON");
  EXPECT_EQ(fill(R"({"a":"{{x","b":"y}}"})"), R"({"a":"{{x","b":"y}}"})");
  EXPECT_EQ(fill(R"("{{foo")"),
            R"(ERROR Cannot find end tag="}}" in the template="\"{{foo\"" starting from "foo\"")");
}

TEST(TagText, expressions_are_run_over_the_unfolded_scope) {
  EXPECT_EQ(fill(R"("{{=foo + p.x}} {{=1 + 1}} {{=[foo]}}")"), R"("barpx 2 [\"bar\"]")");
  EXPECT_EQ(fill(R"("{{=foo == \"bar\" \u0026\u0026 true}}")"), R"("true")");
  EXPECT_EQ(fill(R"("{{=q.r}}")"), R"("{{=q.r}}")");
  EXPECT_EQ(fill(R"("{{=q.r}}")", Strictness::everything()),
            "ERROR failed to evaluate expression: q is missing");
  EXPECT_EQ(fill(R"("{{=item}}")"), R"("{{=item}}")");
}

TEST(TagText, one_scan_serves_many_scopes) {
  const auto text = TagText::scan(R"("{{item}}-{{=item}}")").value();
  for (const char* item : {"a", "b"}) {
    Scope scope;
    scope.set("item", item);
    EXPECT_EQ(text.replace(scope).value(), std::string("\"") + item + "-" + item + "\"");
  }
  EXPECT_EQ(text.simple_tags(), (std::vector<std::string_view>{"item"}));
}

TEST(TagText, a_missing_variable_can_be_told_from_other_errors) {
  const Error missing{
      .code = ErrorCode::bad_request, .message = "failed to resolve {{x}}", .causes = {}};
  const Error other{.code = ErrorCode::bad_request, .message = "x", .causes = {}};
  EXPECT_TRUE(is_missing_variable(missing));
  EXPECT_FALSE(is_missing_variable(other));
}

TEST(ResolveTag, looks_up_names_or_runs_an_expression_over_flat_names) {
  const Scope scope = sample();
  EXPECT_EQ(resolve_tag("{{ foo }}", scope).value().value.as_string(), "bar");
  EXPECT_EQ(resolve_tag("{{=foo + n}}", scope).value().value.as_string(), "barx");
  EXPECT_EQ(resolve_tag("{{x}}", scope).error().message, "Unable to resolve: \"x\"");
  EXPECT_EQ(resolve_tag("{{=p.x}}", scope).error().message, "Unable to compile: \"p.x\"");
}

}  // namespace
}  // namespace tiphys::lang

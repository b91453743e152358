#include "lang/expr/expr.h"

#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

ExprTable sample() {
  ExprTable table;
  table.set("item", ExprValue::string("21"));
  table.set("i64", ExprValue::sized_integer(ExprKind::int64, 7));
  table.set("list",
            ExprValue::list({ExprValue::integer(3), ExprValue::integer(1), ExprValue::integer(2)}));
  table.set("m", ExprValue::map({{"a", ExprValue::integer(1)}, {"c", ExprValue()}}));
  table.set("nothing", ExprValue());
  return table;
}

Result<ExprValue> run(std::string_view source, const ExprRuntime& runtime = {}) {
  const ExprTable table = sample();
  const ExprOverlay environment(argo_functions(), table);
  TRY(const Expr expression, Expr::parse(source));
  return expression.run(environment, runtime);
}

std::string typed(std::string_view source) {
  const auto value = run(source);
  return value ? value->typed_text()
               : value.error().message.substr(0, value.error().message.find('\n'));
}

TEST(Expr, keeps_ints_and_floats_apart) {
  EXPECT_EQ(typed("asInt(item) * 2"), "42");
  EXPECT_EQ(typed("7 / 2"), "3.5");
  EXPECT_EQ(typed("2 ** 3 ** 2"), "512.0");
  EXPECT_EQ(typed("9223372036854775807 + 1"), "-9223372036854775808");
  EXPECT_EQ(typed("i64 % 4"), "3");
  EXPECT_EQ(typed("1 == 1.0"), "true");
  EXPECT_EQ(typed("i64"), "int64(7)");
}

TEST(Expr, errors_show_the_place) {
  EXPECT_EQ(Expr::parse("1 +").error().message, "unexpected token EOF (1:3)\n | 1 +\n | ..^");
  const auto missing = run("a.b\n+ unknown");
  EXPECT_EQ(missing.error().message, "unknown name a (1:1)\n | a.b\n | ^");
  EXPECT_EQ(missing.error().code, ErrorCode::parse);
  EXPECT_EQ(run("list[9]").error().code, ErrorCode::invalid);
}

TEST(Expr, predicates_see_their_element) {
  EXPECT_EQ(typed("filter(list, # > 1) | map(# * 10) | sum()"), "50");
  EXPECT_EQ(typed("map(list, let y = #; map(1..2, # + y))"), "[[4, 5], [2, 3], [3, 4]]");
  EXPECT_EQ(typed("reduce(list, #acc + #index, 0)"), "3");
  EXPECT_EQ(typed("sortBy([{k: 2}, {k: 1}], .k)[0].k"), "1");
}

TEST(Expr, optional_chains_end_in_nil) {
  EXPECT_EQ(typed("m?.zz?.y.z ?? 'd'"), "\"d\"");
  EXPECT_EQ(typed("m.c?.d"), "nil");
  EXPECT_EQ(typed("m.c.d"), "cannot fetch d from <nil> (1:5)");
}

TEST(Expr, environment_hides_functions_of_the_language) {
  ExprTable table;
  table.set({"len", ExprType::function({ExprKind::any}, false, {ExprKind::string}),
             [](ExprRun&, ExprArguments) { return Result<ExprValue>(ExprValue::string("own")); }});
  const Expr expression = Expr::parse("len('abc')").value();
  EXPECT_EQ(expression.run(table)->typed_text(), "\"own\"");
  EXPECT_EQ(expression.run(ExprTable())->typed_text(), "3");
  EXPECT_EQ(expression.run(table)->typed_text(), "\"own\"");
}

TEST(Expr, one_parsed_expression_serves_environments_of_other_types) {
  const Expr expression = Expr::parse("x + x").value();
  ExprTable numbers;
  numbers.set("x", ExprValue::integer(2));
  ExprTable texts;
  texts.set("x", ExprValue::string("ab"));
  ExprTable wrong;
  wrong.set("x", ExprValue::boolean(true));
  EXPECT_EQ(expression.run(numbers)->typed_text(), "4");
  EXPECT_EQ(expression.run(texts)->typed_text(), "\"abab\"");
  EXPECT_EQ(expression.run(wrong).error().code, ErrorCode::parse);
  EXPECT_EQ(expression.run(numbers)->typed_text(), "4");
}

TEST(Expr, functions_in_a_namespace_are_checked_when_they_are_called) {
  ExprTable table;
  table.set(
      "sprig",
      function_namespace(
          {{"upper", ExprType::function({ExprKind::string}, false, {ExprKind::string}),
            [](ExprRun&, ExprArguments) { return Result<ExprValue>(ExprValue::string("X")); }}}));
  EXPECT_EQ(Expr::parse("sprig.upper('x')")->run(table)->typed_text(), "\"X\"");
  const auto wrong = Expr::parse("sprig.upper(1)")->run(table);
  EXPECT_TRUE(wrong.error().message.starts_with("reflect: Call using int as type string (1:7)"));
}

TEST(Expr, references_tell_guarded_paths_from_plain_ones) {
  const auto references =
      Expr::parse("(a.b.c ?? (x?.y + m['k'].z)) + inputs.p.q?.r + asInt(item)")->references();
  std::map<std::string, bool> found;
  for (const ExprReference& reference : references) {
    std::string path;
    for (const std::string& part : reference.path) {
      path += path.empty() ? part : "." + part;
    }
    found[path] = reference.optional;
  }
  const std::map<std::string, bool> wanted = {
      {"a", false},        {"a.b", true},        {"a.b.c", true},  {"x", false},
      {"m", false},        {"m.k", false},       {"m.k.z", false}, {"inputs", false},
      {"inputs.p", false}, {"inputs.p.q", true}, {"asInt", false}, {"item", false}};
  EXPECT_EQ(found, wanted);
}

TEST(Expr, lazy_maps_are_asked_only_for_what_is_read) {
  class Scope final : public ExprMap {
   public:
    std::optional<ExprValue> find(std::string_view key) const override {
      return key == "x" ? std::optional(ExprValue::integer(1)) : std::nullopt;
    }

    std::size_t size() const override { return 1; }

    void each(const std::function<bool(std::string_view, const ExprValue&)>&) const override {
      ADD_FAILURE() << "the whole map was read";
    }
  };

  ExprTable table;
  table.set("scope", ExprValue::map(std::make_shared<const Scope>()));
  EXPECT_EQ(Expr::parse("scope.x + 1")->run(table)->typed_text(), "2");
  EXPECT_EQ(Expr::parse("'y' in scope")->run(table)->typed_text(), "false");
}

TEST(Expr, objects_have_go_fields_and_their_own_json) {
  class Artifact final : public ExprObject {
   public:
    std::string go_name() const override { return "v1alpha1.Artifact"; }

    std::optional<ExprType> field_type(std::string_view name) const override {
      return name == "Path" ? std::optional<ExprType>(ExprKind::string) : std::nullopt;
    }

    std::optional<ExprValue> field(std::string_view name) const override {
      return name == "Path" ? std::optional(ExprValue::string("/tmp")) : std::nullopt;
    }

    doc::Value to_json() const override { return doc::parse_json(R"({"path":"/tmp"})").value(); }

    std::string text() const override { return "{/tmp}"; }
  };

  ExprTable table;
  table.set("artifact", ExprValue::object(std::make_shared<const Artifact>()));
  EXPECT_EQ(Expr::parse("artifact.Path")->run(table)->typed_text(), "\"/tmp\"");
  EXPECT_EQ(Expr::parse("[artifact]")->run(table)->to_json_text(), R"([{"path":"/tmp"}])");
  EXPECT_TRUE(Expr::parse("artifact.path")
                  ->run(table)
                  .error()
                  .message.starts_with("type v1alpha1.Artifact has no field path (1:10)"));
}

TEST(Expr, hostile_expressions_end_in_errors) {
  EXPECT_FALSE(run(std::string(100'000, '(')));
  EXPECT_FALSE(run(std::string(100'000, '-') + "1"));
  std::string chain = "1";
  std::string ternary = "true";
  for (int i = 0; i < 5'000; ++i) {
    chain += "+i64";
    ternary = i < 100 ? "(" + ternary + " ?: true)" : ternary;
  }
  EXPECT_FALSE(run(chain));
  EXPECT_FALSE(run(ternary));
  EXPECT_FALSE(run("1..10000001"));
  EXPECT_FALSE(run("reduce(1..100000, [#acc])"));
  EXPECT_FALSE(run("reduce(1..60, #acc + #acc, 'text')"));
  EXPECT_FALSE(run("reduce(1..60, [#acc, #acc], [1]) | flatten()"));
  EXPECT_FALSE(run("toJSON(reduce(1..60, [#acc, #acc], [1]))"));
  ExprRuntime runtime;
  runtime.step_budget = 100'000;
  EXPECT_FALSE(run("all(1..900000, all(1..1000, true))", runtime));
  runtime.text_budget = 1'000'000;
  EXPECT_FALSE(run("len(string(reduce(1..60, [#acc, #acc], [1])))", runtime));
  EXPECT_FALSE(run("replace(repeat('a', 999999), 'a', repeat('b', 99))"));
}

TEST(Expr, now_needs_a_clock) {
  EXPECT_FALSE(run("now()"));
  ExprRuntime runtime;
  runtime.now = [] { return Instant::zero(); };
  EXPECT_EQ(run("now().Year()", runtime)->typed_text(), "1");
}

TEST(Expr, texts_are_cut_by_bytes_and_stay_printable) {
  EXPECT_EQ(typed("'漢'[1:]"), R"("\ufffd\ufffd")");
  EXPECT_EQ(run("'漢x'[2:]")->to_json_text(), R"("\ufffdx")");
}

TEST(Expr, values_compare_as_go_compares_them) {
  const ExprValue one = ExprValue::integer(1);
  EXPECT_TRUE(ExprValue::list({one}).deep_equal(ExprValue::list({one})));
  EXPECT_FALSE(ExprValue::list({one}).deep_equal(ExprValue::list({ExprValue::number(1)})));
  EXPECT_EQ(typed("[1] == [1.0]"), "true");
  EXPECT_EQ(typed("{a: 1} == {a: 1.0}"), "false");
}

TEST(JsonPath, queries_and_errors) {
  const std::string document = R"({"a":[{"b":1,"c":"x"},{"b":2}],"d":{"e":[1,2,3]}})";
  const auto query = [&](std::string_view path) {
    const auto value = query_json_path(document, path);
    return value ? value->typed_text() : value.error().message;
  };
  EXPECT_EQ(query("$.a[?(@.b > 1)].b"), "[2.0]");
  EXPECT_EQ(query("$.d.e[::2]"), "[1.0, 3.0]");
  EXPECT_EQ(query("$..b"), "[1.0, 2.0]");
  EXPECT_EQ(query("$.d.e[-1]"), "3.0");
  EXPECT_EQ(query("$.x"), "key: invalid token key 'x' not found");
  EXPECT_EQ(query("x"), "invalid JSONPath selector 'x' unexpected token 'x' at index 0");
  EXPECT_FALSE(query_json_path("{", "$"));
  EXPECT_FALSE(query_json_path(document, std::string(5000, '$')));
}

}  // namespace
}  // namespace tiphys::lang

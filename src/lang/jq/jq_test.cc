#include "lang/jq/jq.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

/// The text of a filter's results, or "error: why".
std::string run(std::string_view filter, std::string_view input = "null",
                std::uint64_t steps = 300'000) {
  const auto compiled = JqFilter::compile(filter);
  if (!compiled) {
    return "error: " + compiled.error().message;
  }
  JqOptions options;
  options.now = [] { return Instant{.unix_seconds = 1'700'000'000}; };
  options.steps = steps;
  const auto out = compiled->text(doc::parse_json(input).value(), options);
  return out ? *out : "error: " + out.error().message;
}

TEST(Jq, paths_lead_into_documents) {
  const std::string_view document = R"({"a":[{"b":1},{"b":2}],"c d":"x"})";
  EXPECT_EQ(run(".a[1].b", document), "2");
  EXPECT_EQ(run(".a[].b", document), "1\n2");
  EXPECT_EQ(run(R"jq(."c d", .["c d"], .a[-1:][0].b)jq", document), "x\nx\n2");
  EXPECT_EQ(run(".a.b", document),
            "error: expected an object but got: array ([{\"b\":1},{\"b\":2}])");
  EXPECT_EQ(run("[.a.b?, .a[0].b.c?]", document), "[]");
}

TEST(Jq, operators_bind_as_in_jq) {
  EXPECT_EQ(run("1 + 2 * 3 - 4 / 2"), "5");
  EXPECT_EQ(run("[1, 2 | . * 10]"), "[10,20]");
  EXPECT_EQ(run("1, 2 as $x | $x"), "1\n2");
  EXPECT_EQ(run("false // null // 3"), "3");
  EXPECT_EQ(run("[(1, 2) + (10, 20)]"), "[11,12,21,22]");
  EXPECT_EQ(run("1 == 2 == 3"), "error: unexpected token \"==\"");
}

TEST(Jq, integers_have_any_size) {
  EXPECT_EQ(run("9223372036854775807 + 1"), "9223372036854775808");
  EXPECT_EQ(run("reduce range(1; 31) as $i (1; . * $i)"), "265252859812191058636308480000000");
  EXPECT_EQ(run("100000000000000000000 % 7, -100000000000000000001 / 3"),
            "2\n-33333333333333330000");
  EXPECT_EQ(run("[9007199254740993, 1.5, 1e3, 0.1e-7]"), "[9007199254740993,1.5,1000,1e-8]");
}

TEST(Jq, functions_are_closures) {
  EXPECT_EQ(run("def f(g): [g, g]; def h($x): f($x + 1); h(1, 5)"), "[2,2]\n[6,6]");
  EXPECT_EQ(run("1 as $x | def f: $x; 2 as $x | [f, $x]"), "[1,2]");
  EXPECT_EQ(run("def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; 10 | fac"), "3628800");
  EXPECT_EQ(run("def f(x): def g: x; g; f(3)"), "3");
}

TEST(Jq, reductions_and_loops_are_lazy) {
  EXPECT_EQ(run("[limit(3; repeat(1))]"), "[1,1,1]");
  EXPECT_EQ(run("first(range(10; infinite))"), "10");
  EXPECT_EQ(run("[foreach range(5) as $i (0; . + $i; [$i, .])] | last"), "[4,10]");
  EXPECT_EQ(run("0 | until(. >= 20000; . + 1)"), "20000");
  EXPECT_EQ(run("reduce empty as $x (3; 4)"), "3");
}

TEST(Jq, updates_change_values_at_paths) {
  EXPECT_EQ(run(".a[1] |= . + 1", R"({"a":[1,2]})"), R"({"a":[1,3]})");
  EXPECT_EQ(run(".. |= (numbers |= -.)?", "[1,[2]]"), "[-1,[-2]]");
  EXPECT_EQ(run("(.a, .b) = 1"), R"({"a":1,"b":1})");
  EXPECT_EQ(run(".[] |= empty", "[1,2,3]"), "[]");
  EXPECT_EQ(run("del(.[0, 2])", "[1,2,3]"), "[2]");
  EXPECT_EQ(run(".a += 1 | .b //= 5", R"({"a":1})"), R"({"a":2,"b":5})");
  EXPECT_EQ(run("[paths]", R"({"a":[0]})"), R"([["a"],["a",0]])");
  EXPECT_EQ(run("path(1)"), "error: invalid path against: number (1)");
  EXPECT_EQ(run("[.[2:4] = [\"x\"], (.[1:] |= map(. * 2))]", "[1,2,3,4]"),
            R"([[1,2,"x"],[1,4,6,8]])");
}

TEST(Jq, errors_can_be_caught_where_they_arise) {
  EXPECT_EQ(run("try error(\"x\") catch ."), "x");
  EXPECT_EQ(run("try error({a: 1}) catch .a"), "1");
  EXPECT_EQ(run("[.[] | try tonumber catch \"no\"]", R"(["1","x"])"), R"([1,"no"])");
  EXPECT_EQ(run("(try 1 catch 2) | error"), "error: error: 1");
  EXPECT_EQ(run("error(null)"), "error: error: null");
  EXPECT_EQ(run("label $out | 1, break $out, 2"), "1");
  EXPECT_EQ(run("break $x"), "error: label not defined: $x");
}

TEST(Jq, values_are_taken_apart_by_patterns) {
  EXPECT_EQ(run(". as [$a, {b: $c}] | [$a, $c]", R"([1,{"b":2}])"), "[1,2]");
  EXPECT_EQ(
      run(R"jq(. as {$a, "b": [$c], (1 | "d"): $e} | [$a, $c, $e])jq", R"({"a":1,"b":[2],"d":3})"),
      "[1,2,3]");
  EXPECT_EQ(run("[.[] as [$a] ?// $a | $a]", "[[1],2]"), "[1,2]");
  EXPECT_EQ(run("[[3]] | .[] as [$a] ?// [$b] | [$a, $b]"), "[3,null]");
}

TEST(Jq, texts_hold_filters_and_formats) {
  EXPECT_EQ(run(R"~("a\(1 + 1)b\("c" | ascii_upcase)")~"), "a2bC");
  EXPECT_EQ(run(R"~(@base64 "x\("hi")", @sh "echo \("it's")")~"), "xaGk=\necho 'it'\\''s'");
  EXPECT_EQ(run(R"~([1, "a,b", null] | @csv, @json)~"), "1,\"a,b\",\n[1,\"a,b\",null]");
  EXPECT_EQ(run(R"~("aGk=", "aGk" | @base64d)~"), "hi\nhi");
  EXPECT_EQ(run(R"~("\u00e9\ud83d\ude00" | length, explode)~"), "2\n[233,128512]");
}

TEST(Jq, regular_expressions_are_gos) {
  EXPECT_EQ(run(R"~("a1b22" | [match("[0-9]+"; "g").string])~"), R"(["1","22"])");
  EXPECT_EQ(run(R"~("2024-05" | capture("(?<y>\\d+)-(?<m>\\d+)"))~"), R"({"m":"05","y":"2024"})");
  EXPECT_EQ(run(R"~("aXbX" | gsub("x"; "-"; "i"), sub("(?<l>.)"; "<\(.l)>"))~"), "a-b-\n<a>XbX");
  EXPECT_EQ(run(R"~("a, b,c" | split(", *"; null))~"), R"(["a","b","c"])");
  EXPECT_EQ(
      run(R"~("x" | test("("))~"),
      "error: invalid regular expression \"(\": error parsing regexp: missing closing ): `(`");
}

TEST(Jq, times_are_utc) {
  EXPECT_EQ(run("now | todate"), "2023-11-14T22:13:20Z");
  EXPECT_EQ(run(R"~("2015-03-05T23:51:47Z" | fromdate, strptime("%Y-%m-%dT%H:%M:%SZ"))~"),
            "1425599507\n[2015,2,5,23,51,47,4,63]");
  EXPECT_EQ(run(R"~(0 | strftime("%A %e %B %Y, %j, %U, %I %p, %-d|%_H|%10Y"))~"),
            "Thursday  1 January 1970, 001, 00, 12 AM, 1| 0|0000001970");
  EXPECT_EQ(run(R"~("x" | strptime("%Y"))~"),
            R"~(error: strptime("%Y") cannot be applied to "x": failed to parse "x" with "%Y": )~"
            R"~(cannot parse "%Y")~");
}

TEST(Jq, broken_programs_say_why) {
  EXPECT_EQ(run(".a |"), "error: unexpected EOF");
  EXPECT_EQ(run("# nothing"), "error: missing query (try \".\")");
  EXPECT_EQ(run("f(1)"), "error: function not defined: f/1");
  EXPECT_EQ(run("$x"), "error: variable not defined: $x");
  EXPECT_EQ(run("\"\\q\""), "error: invalid escape sequence \"\\q\" in string literal");
  EXPECT_EQ(run("1a"), "error: invalid token \"1a\"");
  EXPECT_EQ(run("import \"m\" as m; ."), "error: cannot load module: \"m\"");
  EXPECT_EQ(run("inputs"), "error: input(s)/0 is not allowed");
}

TEST(Jq, what_runs_for_ever_or_grows_is_stopped) {
  EXPECT_EQ(run("def f: f; f"), "error: the filter takes too many steps");
  EXPECT_EQ(run("[repeat(1)]"), "error: the filter takes too many steps");
  EXPECT_EQ(run("def f: 1 + f; f", "null", 50'000'000), "error: the filter needs too much memory");
  EXPECT_EQ(run("\"x\" * 1000000000"), "error: the filter takes too many steps");
  EXPECT_EQ(run("[limit(40; repeat(1))] | reduce .[] as $x (\"ab\"; . + .)"),
            "error: the filter takes too many steps");
  EXPECT_EQ(run("reduce range(40) as $x ([]; [., .]) | tojson"),
            "error: the filter takes too many steps");
  EXPECT_EQ(run("reduce range(10000) as $x (0; [.])"), "error: a value is nested too deeply");
  EXPECT_EQ(run("reduce range(40) as $x (10; . * .)"), "error: a number has too many digits");
  EXPECT_EQ(run(".[500000000] = 1"), "error: the filter takes too many steps");
  EXPECT_EQ(run(std::string(100'000, '[')), "error: the filter is nested too deeply");
  std::string sum = "1";
  for (int i = 0; i < 5000; ++i) {
    sum += "+1";
  }
  EXPECT_EQ(run(sum), "error: the filter is nested too deeply");
}

TEST(Jq, updates_of_large_values_are_not_quadratic) {
  const std::string_view list = "[range(10000)]";
  const auto sum = [&](std::string_view update) {
    return run(std::string(list) + " | " + std::string(update) + " | add");
  };
  EXPECT_EQ(sum(".[] |= . * 2"), "99990000");
  EXPECT_EQ(sum(".[] = 1"), "10000");
  EXPECT_EQ(sum(".[range(length) | {start: ., end: (. + 1)}] = [1]"), "10000");
  EXPECT_EQ(sum("del(.[range(1; length) | {start: ., end: (. + 1)}])"), "0");
}

TEST(Jq, one_program_runs_many_times) {
  const JqFilter filter = JqFilter::compile("[.[] | . + 1]").value();
  EXPECT_EQ(filter.text(doc::parse_json("[1]").value()).value(), "[2]");
  const auto values = filter.run(doc::parse_json("[2,3.5]").value()).value();
  ASSERT_EQ(values.size(), 1U);
  EXPECT_EQ(doc::to_json(values[0]), "[3,4.5]");
}

}  // namespace
}  // namespace tiphys::lang

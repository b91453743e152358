#include "lang/jsonpath/template.h"

#include "doc/json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

const doc::Value& document() {
  static const doc::Value kDocument =
      doc::parse_json(
          R"({"kind":"List","n":5,"f":2.5,"none":null,"html":"<a>","data":{"a.b":"dots","c":{"d":1}},
              "items":[{"name":"x","up":true,"n":1},{"name":"y","n":2},{"name":"z","up":false,"n":3}]})")
          .value();
  return kDocument;
}

std::string filled(std::string_view text, MissingKeys missing = MissingKeys::allow) {
  const auto parsed = JsonPathTemplate::parse(text);
  const auto out = parsed ? parsed->execute(document(), missing)
                          : Result<std::string>(std::unexpected(parsed.error()));
  return out ? *out : "error: " + out.error().message;
}

TEST(JsonPath, values_of_an_action_are_separated_by_blanks) {
  EXPECT_EQ(filled("{.kind}: {.items[*].name}"), "List: x y z");
  EXPECT_EQ(filled("{.items[*]['name','n']}"), "x y z 1 2 3");
}

TEST(JsonPath, lists_and_maps_print_as_json) {
  EXPECT_EQ(filled("{.data.c} {.items[0]}"), R"({"d":1} {"n":1,"name":"x","up":true})");
  EXPECT_EQ(filled("{.n} {.f} {.none} {.html}"), "5 2.5 null <a>");
}

TEST(JsonPath, backslashes_take_dots_into_a_name) {
  EXPECT_EQ(filled(R"({.data.a\.b})"), "dots");
  EXPECT_EQ(filled(R"({.data['a\.b']})"), "dots");
}

TEST(JsonPath, slices_count_from_either_end) {
  EXPECT_EQ(filled("{.items[-1].name}"), "z");
  EXPECT_EQ(filled("{.items[0:3:2].name}"), "x z");
  EXPECT_EQ(filled("{.items[1:].name}"), "y z");
  EXPECT_EQ(filled("{.items[7].name}"), "error: array index out of bounds: index 7, length 3");
  EXPECT_EQ(filled("{.items[0:3:9223372036854775807].name}"), "x");
}

TEST(JsonPath, filters_compare_values_of_one_type) {
  EXPECT_EQ(filled(R"({.items[?(@.name=="y")].n})"), "2");
  EXPECT_EQ(filled("{.items[?(@.n>=2)].name}"), "y z");
  EXPECT_EQ(filled("{.items[?(@.up)].name}"), "x z");
  EXPECT_EQ(filled(R"({.items[?(@.n=="2")].name})"), "error: incompatible types for comparison");
}

TEST(JsonPath, a_range_repeats_up_to_its_end) {
  EXPECT_EQ(filled(R"({range .items[*]}[{.name}]{"\n"}{end}done)"), "[x]\n[y]\n[z]\ndone");
  EXPECT_EQ(filled("{range .missing[*]}{.a}{end}done"), "done");
  EXPECT_EQ(filled("{end}"), "error: not in range, nothing to end");
}

TEST(JsonPath, recursive_descent_finds_names_at_any_depth) {
  EXPECT_EQ(filled("{..name}"), "x y z");
}

TEST(JsonPath, missing_keys_are_nothing_or_an_error) {
  EXPECT_EQ(filled("{.missing.deeper}"), "");
  EXPECT_EQ(filled("{.missing.deeper}", MissingKeys::refuse), "error: missing is not found");
}

TEST(JsonPath, ranges_that_multiply_are_stopped) {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += "{range ..}";
  }
  EXPECT_EQ(filled(text), "error: the template takes too many steps");
}

TEST(JsonPath, broken_templates_say_why) {
  EXPECT_EQ(filled("{.kind"), "error: unclosed action");
  EXPECT_EQ(filled("{.items[a]}"), "error: invalid array index a");
  EXPECT_EQ(filled("{&}"), "error: unrecognized character in action: U+0026 '&'");
  EXPECT_EQ(filled(R"({"\q"})"), R"(error: unquote string "\q" error invalid syntax)");
  EXPECT_EQ(filled(std::string(70'000, 'x')), "error: the template is longer than 64 KiB");
}

}  // namespace
}  // namespace tiphys::lang

#include "lang/jsontext/json_text.h"

#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

std::string problem(std::string_view text) { return json_problem(text).value_or("none"); }

TEST(JsonText, accepts_json) {
  for (const char* text : {"1", " [1, {\"a\": null}] ", "\"\\u00e9\\n\"", "-0.5e+3", "{}", "[]"}) {
    EXPECT_EQ(problem(text), "none") << text;
  }
}

TEST(JsonText, says_what_go_says) {
  EXPECT_EQ(problem(""), "unexpected end of JSON input");
  EXPECT_EQ(problem("{"), "unexpected end of JSON input");
  EXPECT_EQ(problem("\"a"), "unexpected end of JSON input");
  EXPECT_EQ(problem("nul"), "invalid character ' ' in literal null (expecting 'l')");
  EXPECT_EQ(problem("01"), "invalid character '1' after top-level value");
  EXPECT_EQ(problem("'a'"), "invalid character '\\'' looking for beginning of value");
  EXPECT_EQ(problem("{{x}}"), "invalid character '{' looking for beginning of object key string");
  EXPECT_EQ(problem("[1,]"), "invalid character ']' looking for beginning of value");
  EXPECT_EQ(problem("{\"a\" 1}"), "invalid character '1' after object key");
  EXPECT_EQ(problem("{\"a\":1 2}"), "invalid character '2' after object key:value pair");
  EXPECT_EQ(problem("[1 2]"), "invalid character '2' after array element");
  EXPECT_EQ(problem("\"\\x\""), "invalid character 'x' in string escape code");
  EXPECT_EQ(problem("\"\\u12g\""), "invalid character 'g' in \\u hexadecimal character escape");
  EXPECT_EQ(problem("\"\n\""), "invalid character '\\n' in string literal");
  EXPECT_EQ(problem("1."), "invalid character ' ' after decimal point in numeric literal");
  EXPECT_EQ(problem("1e"), "invalid character ' ' in exponent of numeric literal");
  EXPECT_EQ(problem("-"), "invalid character ' ' in numeric literal");
}

TEST(JsonText, refuses_bottomless_nesting) {
  EXPECT_EQ(problem(std::string(20000, '[')), "exceeded max depth");
}

TEST(JsonText, splits_lists_and_maps_without_touching_the_spelling) {
  const auto elements = json_elements(R"( [ 1.0 , "a,]" ,{"k":[1, 2]}, [] ] )");
  ASSERT_EQ(elements.size(), 4U);
  EXPECT_EQ(elements[0], "1.0");
  EXPECT_EQ(elements[1], "\"a,]\"");
  EXPECT_EQ(elements[2], "{\"k\":[1, 2]}");
  EXPECT_EQ(elements[3], "[]");
  const auto members = json_members(R"({"a\u0062" : 1e3, "c":{"d":"}"}})");
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].key, "ab");
  EXPECT_EQ(members[0].value, "1e3");
  EXPECT_EQ(members[1].value, "{\"d\":\"}\"}");
  EXPECT_TRUE(json_elements("[]").empty());
}

TEST(JsonText, unescapes_as_go_does) {
  EXPECT_EQ(json_unescape(R"("a\n\u00e9\ud83d\ude00\ud83d\/")"), "a\n\u00e9\U0001F600\uFFFD/");
}

TEST(JsonText, compacts_and_escapes_html) {
  std::string out;
  append_compact_json(out, "{ \"<k>\" : [ 1 , \"a & b\" ] }");
  EXPECT_EQ(out, "{\"\\u003ck\\u003e\":[1,\"a \\u0026 b\"]}");
}

}  // namespace
}  // namespace tiphys::lang

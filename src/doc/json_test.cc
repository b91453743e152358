#include "doc/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace tiphys::doc {
namespace {

std::string round_trip(std::string_view text, const JsonStyle& style = {}) {
  return to_json(parse_json(text).value(), style);
}

TEST(Json, numbers_are_spelled_as_go_spells_them) {
  EXPECT_EQ(round_trip("[1.0,1e3,0.1,1e-7,1e21,123456789012345680000,-0.0,9007199254740993]"),
            "[1,1000,0.1,1e-7,1e+21,123456789012345680000,-0,9007199254740993]");
  EXPECT_EQ(json_number(std::numeric_limits<double>::infinity()), "null");
}

TEST(Json, doubles_are_read_exactly) {
  EXPECT_EQ(round_trip("[0.3,2.675,1e23,5e-324,1.7976931348623157e308,1e-400,-1e-400]"),
            "[0.3,2.675,1e+23,5e-324,1.7976931348623157e+308,0,-0]");
  EXPECT_FALSE(parse_json("1e400"));
  EXPECT_FALSE(parse_json("[-1e999999999999]"));
}

TEST(Json, strings_are_escaped_as_go_escapes_them) {
  EXPECT_EQ(round_trip(R"(["<a>&\u0001\u2028\/\t"])"), R"(["\u003ca\u003e\u0026\u0001\u2028/\t"])");
  EXPECT_EQ(round_trip(R"(["<a>&"])", {.escape_html = false}), R"(["<a>&"])");
}

TEST(Json, keys_are_sorted_when_asked) {
  EXPECT_EQ(round_trip(R"({"b":1,"a":{"d":2,"c":3}})", {.sort_keys = true}),
            R"({"a":{"c":3,"d":2},"b":1})");
}

TEST(Json, indented_output_has_a_line_per_member) {
  EXPECT_EQ(round_trip(R"({"a":[1,2],"b":{}})", {.indent = 2}),
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
}

TEST(Json, errors_name_line_and_column) {
  const auto result = parse_json("{\n  \"a\": tru\n}");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::parse);
  EXPECT_EQ(result.error().causes.at(0).position.line, 2U);
}

TEST(Json, hostile_depth_is_refused) {
  EXPECT_FALSE(parse_json(std::string(100'000, '[')));
  EXPECT_FALSE(parse_json(""));
  EXPECT_FALSE(parse_json("{} x"));
}

}  // namespace
}  // namespace tiphys::doc

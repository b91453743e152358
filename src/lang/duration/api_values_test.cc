#include "lang/duration/api_values.h"

#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

TEST(Duration, is_a_string_in_json) {
  EXPECT_EQ(duration_to_json(duration_from_json("\"90m\"").value()), "\"1h30m0s\"");
  EXPECT_EQ(duration_from_json("5").error().message,
            "json: cannot unmarshal number into Go value of type string");
  EXPECT_EQ(duration_from_json("null").error().message, "time: invalid duration \"\"");
  EXPECT_EQ(seconds_of(parse_duration("1.5s").value()), 1.5);
}

TEST(Time, has_seconds_or_microseconds) {
  const auto back = [](std::string_view json, TimeForm form) {
    const auto instant = time_from_json(json, form);
    return instant ? time_to_json(*instant, form) : instant.error().message;
  };
  EXPECT_EQ(back("\"2024-01-02T03:04:05+02:00\"", TimeForm::seconds), "\"2024-01-02T01:04:05Z\"");
  EXPECT_EQ(back("null", TimeForm::seconds), "null");
  EXPECT_EQ(back("\"0001-01-01T00:00:00Z\"", TimeForm::seconds), "null");
  EXPECT_EQ(back("\"2024-01-02T03:04:05.123456Z\"", TimeForm::microseconds),
            "\"2024-01-02T03:04:05.123456Z\"");
  EXPECT_EQ(back("\"2024-01-02T03:04:05Z\"", TimeForm::microseconds),
            "parsing time \"2024-01-02T03:04:05Z\" as \"2006-01-02T15:04:05.000000Z07:00\": "
            "cannot parse \"Z\" as \".000000\"");
}

TEST(IntOrString, is_either) {
  EXPECT_EQ(IntOrString::from_json("7").value().number(), 7);
  EXPECT_EQ(IntOrString::from_json("null").value(), IntOrString());
  EXPECT_EQ(IntOrString::from_json("\"7\"").value().number(), 7);
  EXPECT_EQ(IntOrString::from_json("\"50%\"").value().to_json(), "\"50%\"");
  EXPECT_EQ(IntOrString::from_json("2147483648").error().message,
            "json: cannot unmarshal number 2147483648 into Go value of type int32");
  EXPECT_EQ(IntOrString::parse("5"), IntOrString::of(5));
}

TEST(IntOrString, percentages_are_of_something) {
  using enum IntOrString::Rounding;
  EXPECT_EQ(IntOrString::parse("25%").scaled(3, up).value(), 1);
  EXPECT_EQ(IntOrString::parse("25%").scaled(3, down).value(), 0);
  EXPECT_EQ(IntOrString::parse("-10%").scaled(1, down).value(), -1);
  EXPECT_EQ(IntOrString::parse("5").scaled(3, up).value(), 5);
  EXPECT_EQ(IntOrString::parse("x%").scaled(3, up).error().message,
            "invalid value for IntOrString: invalid value \"x%\": strconv.Atoi: parsing \"x\": "
            "invalid syntax");
  EXPECT_EQ(IntOrString::parse("x").scaled(3, up).error().message,
            "invalid value for IntOrString: invalid type: string is not a percentage");
}

}  // namespace
}  // namespace tiphys::lang

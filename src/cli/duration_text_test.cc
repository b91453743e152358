#include "cli/duration_text.h"

#include <gtest/gtest.h>

namespace tiphys::cli {
namespace {

TEST(DurationText, ages_are_read_in_all_units) {
  EXPECT_EQ(parse_age("90s").value().count(), 90);
  EXPECT_EQ(parse_age("1h30m").value().count(), 5400);
  EXPECT_EQ(parse_age("7d").value().count(), 7 * 86400);
}

TEST(DurationText, what_is_no_age_is_named) {
  for (const char* text : {"", "5", "m", "5x", "-1s", "99999999999999999999d", "9999999999w"}) {
    const auto age = parse_age(text);
    ASSERT_FALSE(age) << text;
    EXPECT_NE(age.error().message.find("\"" + std::string(text) + "\""), std::string::npos);
  }
}

}  // namespace
}  // namespace tiphys::cli

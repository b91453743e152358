#include "cli/text/humanize.h"

#include <gtest/gtest.h>

namespace tiphys::cli {
namespace {

using std::chrono::seconds;

TEST(Humanize, short_durations_have_one_unit) {
  EXPECT_EQ(short_duration(seconds(0)), "0s");
  EXPECT_EQ(short_duration(seconds(59)), "59s");
  EXPECT_EQ(short_duration(seconds(119)), "1m");
  EXPECT_EQ(short_duration(seconds(7200)), "2h");
  EXPECT_EQ(short_duration(seconds(200000)), "2d");
}

TEST(Humanize, long_durations_have_two_units) {
  EXPECT_EQ(long_duration(seconds(1)), "1 second");
  EXPECT_EQ(long_duration(seconds(72)), "1 minute 12 seconds");
  EXPECT_EQ(long_duration(seconds(3 * 3600 + 300)), "3 hours 5 minutes");
  EXPECT_EQ(long_duration(seconds(90000)), "1 day 1 hours");
}

TEST(Humanize, long_ago_is_told_in_years) {
  const auto day = seconds(86400);
  EXPECT_EQ(long_duration(day * 400), "1 year 0 hours");
  EXPECT_EQ(long_duration(day * 541), "2 years 0 hours");
  EXPECT_EQ(long_duration(day * 1100), "3 years 0 hours");
  EXPECT_EQ(long_duration(day * 20000), "a long while 0 hours");
}

TEST(Humanize, moments_are_read_and_written_in_utc) {
  EXPECT_EQ(format_moment(parse_moment("2026-11-22T20:53:14.25+01:00").value()),
            "2026-11-22T19:53:14Z");
  EXPECT_FALSE(parse_moment("yesterday"));
  EXPECT_FALSE(parse_moment("2026-13-01T00:00:00Z"));
  const Moment moment = parse_moment("2026-11-22T20:53:14Z").value();
  EXPECT_EQ(timestamp(moment, moment + seconds(300)), "Sun Nov 22 20:53:14 +0000 (5 minutes ago)");
}

}  // namespace
}  // namespace tiphys::cli

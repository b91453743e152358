#include "kube/time.h"

#include <gtest/gtest.h>

namespace tiphys::kube {
namespace {

using namespace std::chrono_literals;

TEST(Time, is_written_in_utc_with_whole_seconds) {
  const async::TimePoint moment = std::chrono::sys_days(std::chrono::year{2024} / 2 / 29);
  EXPECT_EQ(format_time(moment + 3h + 4min + 5s + 999ms), "2024-02-29T03:04:05Z");
  EXPECT_EQ(format_micro_time(moment + 5us), "2024-02-29T00:00:00.000005Z");
  EXPECT_EQ(format_time(async::TimePoint(-1ns)), "1969-12-31T23:59:59Z");
}

TEST(Time, is_read_with_fractions_and_offsets) {
  const async::TimePoint moment = std::chrono::sys_days(std::chrono::year{2024} / 2 / 29);
  EXPECT_EQ(parse_time("2024-02-29T00:00:00Z").value(), moment);
  EXPECT_EQ(parse_time("2024-02-29T01:30:00.25+01:30").value(), moment + 250ms);
  EXPECT_EQ(parse_time("2024-02-28T19:00:00-05:00").value(), moment);
  EXPECT_EQ(parse_time("2024-02-29T00:00:00.1234567891234Z").value(), moment + 123456789ns);
}

TEST(Time, refuses_what_is_no_moment) {
  for (const char* text :
       {"", "2024", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00Zx",
        "9999-01-01T00:00:00Z", "2024-01-01T00:00:00+1:00"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

}  // namespace
}  // namespace tiphys::kube

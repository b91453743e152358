#include "lang/gotime/gotime.h"

#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

using namespace std::chrono_literals;

/// A zone file as the tz compiler writes it for `CET-1CEST,M3.5.0,M10.5.0/3` without transitions.
std::string footer_only_zone(const std::string& rule) {
  const auto header = [](char times, char types, char characters) {
    std::string out = "TZif2";
    out.append(15, '\0');
    for (const char count : {'\0', '\0', '\0', times, types, characters}) {
      out.append(3, '\0');
      out.push_back(count);
    }
    return out;
  };
  std::string out = header(0, 1, 4) + std::string(6, '\0') + std::string("LMT\0", 4);
  out += header(0, 1, 4) + std::string(6, '\0') + std::string("LMT\0", 4);
  return out + "\n" + rule + "\n";
}

Instant at(std::string_view text) { return parse_time(kRfc3339, text).value(); }

TEST(GoTime, durations_print_as_go_prints_them) {
  EXPECT_EQ(duration_text(90min), "1h30m0s");
  EXPECT_EQ(duration_text(1500ms), "1.5s");
  EXPECT_EQ(duration_text(1500us), "1.5ms");
  EXPECT_EQ(duration_text(1ns), "1ns");
  EXPECT_EQ(duration_text(1us), "1µs");
  EXPECT_EQ(duration_text(0ns), "0s");
  EXPECT_EQ(duration_text(Nanos::min()), "-2562047h47m16.854775808s");
}

TEST(GoTime, durations_parse_with_the_errors_of_go) {
  EXPECT_EQ(parse_duration("1.5h"), Nanos(90min));
  EXPECT_EQ(parse_duration("-1h2m3s4ms5us6ns"), Nanos(-(1h + 2min + 3s + 4ms + 5us + 6ns)));
  EXPECT_EQ(parse_duration("0"), Nanos(0));
  EXPECT_EQ(parse_duration("").error().message, R"(time: invalid duration "")");
  EXPECT_EQ(parse_duration("3").error().message, R"(time: missing unit in duration "3")");
  EXPECT_EQ(parse_duration("1d").error().message, R"(time: unknown unit "d" in duration "1d")");
  EXPECT_FALSE(parse_duration("9223372036854775808ns"));
  EXPECT_EQ(parse_duration("-9223372036854775808ns"), Nanos::min());
}

TEST(GoTime, layouts_format_every_element) {
  const Instant time = at("2024-02-09T15:04:05.006Z");
  EXPECT_EQ(time.format("Monday, 02-Jan-06 15:04:05 MST"), "Friday, 09-Feb-24 15:04:05 UTC");
  EXPECT_EQ(time.format("_2 2 002 __2 3:4:5 pm PM .000 .999999"),
            " 9 9 040  40 3:4:5 pm PM .006 .006");
  EXPECT_EQ(time.format("Janet Month Z07:00 -0700"), "Janet Month Z +0000");
  EXPECT_EQ(time.rfc3339(), "2024-02-09T15:04:05.006Z");
  EXPECT_EQ(time.text(), "2024-02-09 15:04:05.006 +0000 UTC");
}

TEST(GoTime, parse_errors_name_the_element) {
  EXPECT_EQ(parse_time("2006-01-02", "2024-1-02").error().message,
            R"(parsing time "2024-1-02" as "2006-01-02": cannot parse "1-02" as "01")");
  EXPECT_EQ(parse_time("2006-01-02", "2024-13-02").error().message,
            R"(parsing time "2024-13-02": month out of range)");
  EXPECT_EQ(parse_time("2006-01-02", "2024-02-30").error().message,
            R"(parsing time "2024-02-30": day out of range)");
  EXPECT_EQ(parse_time("2006-01-02", "2024-02-03x").error().message,
            R"(parsing time "2024-02-03x": extra text: "x")");
}

TEST(GoTime, zones_follow_their_yearly_rule) {
  const auto zone =
      Zone::from_tzif("Europe/Paris", footer_only_zone("CET-1CEST,M3.5.0,M10.5.0/3")).value();
  EXPECT_EQ(at("2024-07-01T12:00:00Z").in(zone).text(), "2024-07-01 14:00:00 +0200 CEST");
  EXPECT_EQ(at("2024-01-01T12:00:00Z").in(zone).text(), "2024-01-01 13:00:00 +0100 CET");
  const Instant parsed = parse_time("2006-01-02 15:04", "2024-07-01 14:00", zone).value();
  EXPECT_EQ(parsed.rfc3339(), "2024-07-01T14:00:00+02:00");
  EXPECT_FALSE(Zone::from_tzif("x", "TZif2 short"));
}

TEST(GoTime, dates_roll_over_as_in_go) {
  EXPECT_EQ(at("2024-01-31T00:00:00Z").plus_date(0, 1, 0).rfc3339(), "2024-03-02T00:00:00Z");
  EXPECT_EQ(at("2024-01-01T00:00:00Z").plus_date(0, -13, -1).rfc3339(), "2022-11-30T00:00:00Z");
  EXPECT_EQ(at("2021-01-03T00:00:00Z").iso_week(), (std::pair<std::int64_t, int>{2020, 53}));
  EXPECT_EQ(at("2024-01-01T13:00:00Z").truncate(24h).rfc3339(), "2024-01-01T00:00:00Z");
  EXPECT_EQ(Instant::zero().rfc3339(), "0001-01-01T00:00:00Z");
}

TEST(GoTime, differences_saturate) {
  EXPECT_EQ(Instant::zero().plus_date(2000, 0, 0).minus(Instant::zero()), Nanos::max());
  EXPECT_EQ(Instant::zero().minus(Instant::zero().plus_date(2000, 0, 0)), Nanos::min());
}

}  // namespace
}  // namespace tiphys::lang

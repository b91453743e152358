#include "lang/cron/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <set>

namespace tiphys::lang {
namespace {

/// Zones that exist in name only.
class NamedZones final : public ZoneFiles {
 public:
  std::optional<std::string> load(std::string_view name) const override {
    static const std::set<std::string_view> kUnknown = {"Nope/Zone", "utc", "UTC+1", "+01:00",
                                                        "America/new_york"};
    if (kUnknown.contains(name)) {
      return std::nullopt;
    }
    // The smallest file: version 1, no transitions, one type of local time.
    std::string bytes = "TZif";
    bytes.append(16, '\0');
    for (const char count : {'\0', '\0', '\0', '\0', '\1', '\4'}) {
      bytes.append(3, '\0');
      bytes.push_back(count);
    }
    bytes.append(6, '\0');
    return bytes.append("AAA").append(1, '\0');
  }
};

std::string message_of(std::string_view schedule) {
  const auto parsed = parse_cron(schedule, nullptr);
  return parsed ? "" : parsed.error().message;
}

TEST(Cron, fields_become_sets) {
  const CronSchedule schedule = parse_cron("*/20 8-10 1,15 JAN-mar ?", nullptr).value();
  EXPECT_EQ(schedule.minutes, (1ULL << 0) | (1ULL << 20) | (1ULL << 40));
  EXPECT_EQ(schedule.hours, (1ULL << 8) | (1ULL << 9) | (1ULL << 10));
  EXPECT_EQ(schedule.days, (1ULL << 1) | (1ULL << 15));
  EXPECT_EQ(schedule.months, (1ULL << 1) | (1ULL << 2) | (1ULL << 3));
  EXPECT_EQ(std::popcount(schedule.weekdays), 7);
  EXPECT_FALSE(schedule.days_star);
  EXPECT_TRUE(schedule.weekdays_star);
}

TEST(Cron, a_start_with_a_step_goes_on_to_the_end) {
  EXPECT_EQ(parse_cron("50/5 * * * *", nullptr).value().minutes, (1ULL << 50) | (1ULL << 55));
  EXPECT_FALSE(parse_cron("0 0 */2 * *", nullptr).value().days_star);
}

TEST(Cron, intervals_are_whole_seconds) {
  EXPECT_EQ(parse_cron("@every 1h30m", nullptr).value().every, std::chrono::minutes(90));
  EXPECT_EQ(parse_cron("@every 1500ms", nullptr).value().every, std::chrono::seconds(1));
  EXPECT_EQ(parse_cron("@every -3s", nullptr).value().every, std::chrono::seconds(1));
  EXPECT_EQ(parse_cron("@weekly", nullptr).value().weekdays, 1U);
}

TEST(Cron, errors_are_those_of_robfig) {
  EXPECT_EQ(message_of("* * * *"), "expected exactly 5 fields, found 4: [* * * *]");
  EXPECT_EQ(message_of("1-2-3 * * * *"), "too many hyphens: 1-2-3");
  EXPECT_EQ(message_of("* * * * 5-2"), "beginning of range (5) beyond end of range (2): 5-2");
  EXPECT_EQ(message_of("99999999999 * * * *"),
            "end of range (4294967295) above maximum (59): 99999999999");
  EXPECT_EQ(
      message_of("@every 5 parsecs"),
      "failed to parse duration @every 5 parsecs: time: unknown unit \" parsecs\" in duration "
      "\"5 parsecs\"");
  EXPECT_NE(message_of("TZ=UTC"), "");
}

TEST(Cron, zones_need_files_unless_the_caller_accepts_any) {
  EXPECT_EQ(message_of("TZ=Asia/Tokyo 0 0 * * *"),
            "provided bad location Asia/Tokyo: unknown time zone Asia/Tokyo");
  EXPECT_TRUE(
      parse_cron("TZ=Asia/Tokyo 0 0 * * *", nullptr, CronSyntax::standard, UnknownZones::accept)
          .has_value());
  const NamedZones zones;
  EXPECT_NE(parse_cron("CRON_TZ=Asia/Tokyo @daily", &zones).value().zone, nullptr);
}

std::shared_ptr<const Zone> berlin() {
  // Two transitions of 2024: 31 March 01:00 UTC to +2, 27 October 01:00 UTC to +1.
  const auto bytes = [](std::uint32_t value) {
    std::string out;
    for (const int shift : {24, 16, 8, 0}) {
      out.push_back(static_cast<char>(value >> shift));
    }
    return out;
  };
  std::string file = "TZif" + std::string(16, '\0');
  for (const std::uint32_t count : {0U, 0U, 0U, 2U, 2U, 9U}) {
    file += bytes(count);
  }
  file += bytes(1711846800) + bytes(1729990800) + std::string("\1\0", 2);
  file += bytes(3600) + std::string("\0\0", 2) + bytes(7200) + std::string("\1\4", 2);
  file += std::string("CET\0CEST\0", 9);
  return Zone::from_tzif("Europe/Berlin", file).value();
}

/// The next times of a schedule, in UTC.
std::vector<std::string> due(std::string_view schedule, std::string_view from,
                             std::shared_ptr<const Zone> zone = nullptr, int count = 3) {
  CronSchedule parsed = parse_cron(schedule, nullptr).value();
  parsed.zone = std::move(zone);
  std::vector<std::string> out;
  std::optional<Instant> at = parse_time(kRfc3339, from).value();
  while (count-- > 0 && (at = next_time(parsed, *at))) {
    out.push_back(at->rfc3339());
  }
  return out;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Cron, next_times_are_strictly_later_and_at_second_zero) {
  EXPECT_THAT(due("*/5 * * * *", "2024-02-27T10:15:00.5Z"),
              ElementsAre("2024-02-27T10:20:00Z", "2024-02-27T10:25:00Z", "2024-02-27T10:30:00Z"));
  EXPECT_THAT(due("59 23 31 12 *", "2024-12-31T23:59:00Z", nullptr, 1),
              ElementsAre("2025-12-31T23:59:00Z"));
}

TEST(Cron, either_day_field_suffices_unless_one_is_a_star) {
  EXPECT_THAT(due("0 0 13 * fri", "2024-09-01T00:00:00Z"),
              ElementsAre("2024-09-06T00:00:00Z", "2024-09-13T00:00:00Z", "2024-09-20T00:00:00Z"));
  EXPECT_THAT(due("0 0 * * fri", "2024-09-08T00:00:00Z", nullptr, 1),
              ElementsAre("2024-09-13T00:00:00Z"));
}

TEST(Cron, a_day_that_never_comes_gives_nothing) {
  EXPECT_THAT(due("0 0 30 2 *", "2024-02-27T10:15:00Z"), IsEmpty());
  EXPECT_THAT(due("0 0 29 2 *", "2024-03-01T00:00:00Z", nullptr, 1),
              ElementsAre("2028-02-29T00:00:00Z"));
}

TEST(Cron, an_hour_that_does_not_exist_is_skipped) {
  EXPECT_THAT(due("30 2 * * *", "2024-03-29T12:00:00Z", berlin()),
              ElementsAre("2024-03-30T01:30:00Z", "2024-04-01T00:30:00Z", "2024-04-02T00:30:00Z"));
}

TEST(Cron, intervals_count_from_the_whole_second) {
  EXPECT_THAT(due("@every 90m", "2024-02-27T10:17:33.987Z", nullptr, 2),
              ElementsAre("2024-02-27T11:47:33Z", "2024-02-27T13:17:33Z"));
}

TEST(Cron, a_workflows_zone_is_written_before_its_schedule) {
  EXPECT_EQ(with_zone("@daily", "Asia/Tokyo"), "CRON_TZ=Asia/Tokyo @daily");
  EXPECT_EQ(with_zone("@daily", ""), "@daily");
}

}  // namespace
}  // namespace tiphys::lang

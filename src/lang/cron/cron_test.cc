#include "lang/cron/cron.h"

#include "doc/json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <fstream>
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

/// Whether a schedule is read and, if not, with which words: "next" cases of the table.
void check(const doc::Value& line, const ZoneFiles& zones) {
  const doc::Value& in = line.at("in");
  if (doc::find_string(in, "op") != "next") {
    return;
  }
  const auto parsed =
      parse_cron(doc::find_string(in, "schedule"), &zones,
                 doc::find_string(in, "parser") == "five-fields-only" ? CronSyntax::five_fields
                                                                      : CronSyntax::standard);
  const std::string_view wanted = doc::find_string(line, "error");
  SCOPED_TRACE(doc::find_string(line, "id"));
  ASSERT_EQ(parsed.has_value(), wanted.empty());
  if (!parsed && !wanted.starts_with("panic: ")) {
    EXPECT_EQ(parsed.error().message, wanted);
  }
}

TEST(Cron, conformance_table) {
  std::ifstream table(std::filesystem::path(TIPHYS_SOURCE_DIR) /
                      "../shared/conformance/lang/cron.jsonl");
  if (!table) {
    GTEST_SKIP() << "no conformance data";
  }
  const NamedZones zones;
  std::string line;
  while (std::getline(table, line)) {
    check(doc::parse_json(line).value(), zones);
  }
}

}  // namespace
}  // namespace tiphys::lang

#include "cli/text/humanize.h"

#include <fmt/core.h>

#include <array>
#include <charconv>

namespace tiphys::cli {
namespace {

using std::chrono::seconds;

constexpr long kMinute = 60;
constexpr long kHour = 60 * kMinute;
constexpr long kDay = 24 * kHour;
constexpr long kWeek = 7 * kDay;
constexpr long kMonth = 30 * kDay;
constexpr long kYear = 12 * kMonth;
constexpr long kLongWhile = 37 * kYear;

std::string plural(long count, std::string_view unit) {
  return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
}

/// The largest unit that fits once, rounded down.
std::string one_unit(long count) {
  if (count < kMinute) {
    return plural(count, "second");
  }
  if (count < kHour) {
    return plural(count / kMinute, "minute");
  }
  if (count < kDay) {
    return plural(count / kHour, "hour");
  }
  if (count < kWeek) {
    return plural(count / kDay, "day");
  }
  if (count < kMonth) {
    return plural(count / kWeek, "week");
  }
  if (count < kYear) {
    return plural(count / kMonth, "month");
  }
  if (count >= kLongWhile) {
    return "a long while";
  }
  // From a year and a half on it is two, as in the tables that argo prints with.
  return plural(count >= 18 * kMonth && count < 2 * kYear ? 2 : count / kYear, "year");
}

bool read_number(std::string_view text, std::size_t at, std::size_t width, int& out) {
  if (at + width > text.size()) {
    return false;
  }
  const auto [end, code] = std::from_chars(text.data() + at, text.data() + at + width, out);
  return code == std::errc() && end == text.data() + at + width;
}

}  // namespace

std::optional<Moment> parse_moment(std::string_view text) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!read_number(text, 0, 4, year) || !read_number(text, 5, 2, month) ||
      !read_number(text, 8, 2, day) || !read_number(text, 11, 2, hour) ||
      !read_number(text, 14, 2, minute) || !read_number(text, 17, 2, second)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) {
    return std::nullopt;
  }
  Moment moment = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                  std::chrono::minutes(minute) + seconds(second);
  const std::size_t sign = text.find_first_of("+-", 19);
  int offset_hours = 0;
  int offset_minutes = 0;
  if (sign != std::string_view::npos && read_number(text, sign + 1, 2, offset_hours) &&
      read_number(text, sign + 4, 2, offset_minutes)) {
    const auto offset = std::chrono::hours(offset_hours) + std::chrono::minutes(offset_minutes);
    moment += text[sign] == '-' ? offset : -offset;
  }
  return moment;
}

std::string format_moment(Moment moment) {
  const auto days = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(moment - days);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

std::string short_duration(seconds duration) {
  const long count = duration.count();
  if (count < kMinute) {
    return fmt::format("{}s", count < 0 ? 0 : count);
  }
  if (count < kHour) {
    return fmt::format("{}m", count / kMinute);
  }
  if (count < kDay) {
    return fmt::format("{}h", count / kHour);
  }
  return fmt::format("{}d", count / kDay);
}

std::string long_duration(seconds duration) {
  const long count = duration.count() < 0 ? 0 : duration.count();
  if (count < kMinute) {
    return one_unit(count);
  }
  if (count < kHour) {
    return fmt::format("{} {} seconds", one_unit(count), count % kMinute);
  }
  if (count < kDay) {
    return fmt::format("{} {} minutes", one_unit(count), count % kHour / kMinute);
  }
  return fmt::format("{} {} hours", one_unit(count), count % kDay / kHour);
}

std::string timestamp(Moment moment, Moment now) {
  static constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                            "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto days = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(moment - days);
  const long age = (now - moment).count();
  std::string relative = "now";
  if (age > 0) {
    relative = one_unit(age) + " ago";
  } else if (age < 0) {
    relative = one_unit(-age) + " from now";
  }
  return fmt::format(
      "{} {} {:02} {:02}:{:02}:{:02} +0000 ({})", kDays.at(std::chrono::weekday(days).c_encoding()),
      kMonths.at(static_cast<unsigned>(date.month()) - 1), static_cast<unsigned>(date.day()),
      time.hours().count(), time.minutes().count(), time.seconds().count(), relative);
}

}  // namespace tiphys::cli

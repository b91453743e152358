#include "lang/cron/cron.h"

namespace tiphys::lang {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kYearsAhead = 5;

bool has(std::uint64_t set, int value) { return ((set >> value) & 1) != 0; }

/// The search for the next instant whose local fields are all in the sets. Fields are advanced from
/// the month down; a field that wraps around starts the search again from the month.
class Search {
 public:
  Search(const CronSchedule& schedule, Instant start)
      : schedule_(schedule), at_(std::move(start)), local_(at_.civil()) {}

  std::optional<Instant> run() {
    const std::int64_t last_year = local_.year + kYearsAhead;
    while (local_.year <= last_year) {
      if (find_month() && find_day() && find_hour() && find_minute() && find_second()) {
        return at_;
      }
    }
    return std::nullopt;
  }

 private:
  void move_to(Instant instant) {
    at_ = std::move(instant);
    local_ = at_.civil();
  }

  /// Before the first advance the smaller fields go to their least values, once.
  void begin_at(const CivilTime& least) {
    if (!has_moved_) {
      has_moved_ = true;
      move_to(Instant::from_civil(least, at_.zone));
    }
  }

  bool find_month() {
    while (!has(schedule_.months, local_.month)) {
      begin_at({.year = local_.year, .month = local_.month, .day = 1});
      move_to(at_.plus_date(0, 1, 0));
      if (local_.month == 1) {
        return false;
      }
    }
    return true;
  }

  bool day_matches() const {
    const bool by_month = has(schedule_.days, local_.day);
    const bool by_week = has(schedule_.weekdays, local_.weekday);
    return schedule_.days_star || schedule_.weekdays_star ? by_month && by_week
                                                          : by_month || by_week;
  }

  bool find_day() {
    while (!day_matches()) {
      begin_at({.year = local_.year, .month = local_.month, .day = local_.day});
      move_to(at_.plus_date(0, 0, 1));
      // Where midnight does not exist or comes twice the day began at another hour.
      if (local_.hour != 0) {
        move_to(at_.plus(local_.hour > 12 ? hours(24 - local_.hour) : hours(-local_.hour)));
      }
      if (local_.day == 1) {
        return false;
      }
    }
    return true;
  }

  bool find_hour() {
    while (!has(schedule_.hours, local_.hour)) {
      begin_at(
          {.year = local_.year, .month = local_.month, .day = local_.day, .hour = local_.hour});
      move_to(at_.plus(hours(1)));
      if (local_.hour == 0) {
        return false;
      }
    }
    return true;
  }

  bool find_minute() {
    while (!has(schedule_.minutes, local_.minute)) {
      if (!has_moved_) {
        has_moved_ = true;
        move_to(at_.truncate(minutes(1)));
      }
      move_to(at_.plus(minutes(1)));
      if (local_.minute == 0) {
        return false;
      }
    }
    return true;
  }

  /// Schedules without seconds are due at second 0.
  bool find_second() {
    while (local_.second != 0) {
      has_moved_ = true;
      move_to(at_.plus(seconds(1)));
      if (local_.second == 0) {
        return false;
      }
    }
    return true;
  }

  const CronSchedule& schedule_;
  Instant at_;
  CivilTime local_;
  bool has_moved_ = false;
};

}  // namespace

std::optional<Instant> next_time(const CronSchedule& schedule, const Instant& after) {
  const Nanos fraction(after.nanosecond);
  if (schedule.every) {
    return after.plus(*schedule.every - fraction);
  }
  Instant start = after.plus(Nanos(seconds(1)) - fraction);
  if (schedule.zone != nullptr) {
    start.zone = schedule.zone;
  }
  auto found = Search(schedule, std::move(start)).run();
  return found ? std::optional(found->in(after.zone)) : std::nullopt;
}

std::string with_zone(std::string_view schedule, std::string_view zone) {
  return zone.empty() ? std::string(schedule)
                      : "CRON_TZ=" + std::string(zone) + " " + std::string(schedule);
}

}  // namespace tiphys::lang

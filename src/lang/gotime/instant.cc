#include "lang/gotime/calendar.h"
#include "lang/gotime/gotime.h"

#include <limits>

namespace tiphys::lang {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
/// Seconds from Go's zero time, 0001-01-01, to 1970-01-01.
constexpr std::int64_t kZeroToUnix = 62'135'596'800;
/// Beyond this year arithmetic in seconds could overflow; no clock shows such years.
constexpr std::int64_t kYearLimit = 200'000'000'000;

using Wide = __int128;

/// Time since the zero time in nanoseconds modulo `unit`; never negative.
std::int64_t rest_since_zero(const Instant& instant, std::int64_t unit) {
  const Wide total =
      (Wide{instant.unix_seconds} + kZeroToUnix) * kNanosPerSecond + instant.nanosecond;
  const Wide rest = total % unit;
  return static_cast<std::int64_t>(rest < 0 ? rest + unit : rest);
}

std::int64_t clamped_year(std::int64_t year) {
  return year > kYearLimit ? kYearLimit : (year < -kYearLimit ? -kYearLimit : year);
}

}  // namespace

Instant Instant::zero() { return {.unix_seconds = -kZeroToUnix}; }

Instant Instant::from_civil(const CivilTime& civil, std::shared_ptr<const Zone> zone) {
  const std::int64_t months = civil.month - 1;
  const std::int64_t year = clamped_year(civil.year) + floor_divide(months, 12);
  const int month = static_cast<int>(months - floor_divide(months, 12) * 12) + 1;
  const std::int64_t nanos = civil.nanosecond;
  const std::int64_t days = days_from_civil(year, month, 1) + civil.day - 1;
  const std::int64_t wall = days * kSecondsPerDay + civil.hour * std::int64_t{3600} +
                            civil.minute * std::int64_t{60} + civil.second +
                            floor_divide(nanos, kNanosPerSecond);
  Instant out;
  out.unix_seconds = wall - zone->wall_clock_offset(wall);
  out.nanosecond =
      static_cast<std::int32_t>(nanos - floor_divide(nanos, kNanosPerSecond) * kNanosPerSecond);
  out.zone = std::move(zone);
  return out;
}

CivilTime Instant::civil() const {
  const std::int64_t local = unix_seconds + zone->at(unix_seconds).seconds;
  const std::int64_t days = floor_divide(local, kSecondsPerDay);
  const auto seconds = static_cast<int>(local - days * kSecondsPerDay);
  const CivilDate date = civil_from_days(days);
  CivilTime out;
  out.year = date.year;
  out.month = date.month;
  out.day = date.day;
  out.hour = seconds / 3600;
  out.minute = seconds / 60 % 60;
  out.second = seconds % 60;
  out.nanosecond = nanosecond;
  out.weekday = weekday_of(days);
  out.year_day = static_cast<int>(days - days_from_civil(date.year, 1, 1)) + 1;
  return out;
}

ZoneOffset Instant::offset() const { return zone->at(unix_seconds); }

std::pair<std::int64_t, int> Instant::iso_week() const {
  const CivilTime now = civil();
  // The week belongs to the year of its Thursday.
  const int from_monday = (now.weekday + 6) % 7;
  const std::int64_t thursday = days_from_civil(now.year, now.month, now.day) - from_monday + 3;
  const std::int64_t year = civil_from_days(thursday).year;
  return {year, static_cast<int>((thursday - days_from_civil(year, 1, 1)) / 7) + 1};
}

Instant Instant::in(std::shared_ptr<const Zone> other) const {
  Instant out = *this;
  out.zone = std::move(other);
  return out;
}

Instant Instant::plus(Nanos duration) const {
  const std::int64_t nanos = nanosecond + duration.count() % kNanosPerSecond;
  Instant out = *this;
  const std::int64_t carry = floor_divide(nanos, kNanosPerSecond);
  out.unix_seconds = static_cast<std::int64_t>(
      static_cast<std::uint64_t>(unix_seconds) +
      static_cast<std::uint64_t>(duration.count() / kNanosPerSecond + carry));
  out.nanosecond = static_cast<std::int32_t>(nanos - carry * kNanosPerSecond);
  return out;
}

Instant Instant::plus_date(std::int64_t years, std::int64_t months, std::int64_t days) const {
  constexpr std::int64_t kLimit = 1'000'000'000'000;
  const auto bounded = [](std::int64_t value) {
    return value > kLimit ? kLimit : (value < -kLimit ? -kLimit : value);
  };
  CivilTime now = civil();
  const std::int64_t month_index = now.month - 1 + bounded(months);
  now.year = clamped_year(now.year + bounded(years) + floor_divide(month_index, 12));
  now.month = static_cast<int>(month_index - floor_divide(month_index, 12) * 12) + 1;
  const CivilDate date =
      civil_from_days(days_from_civil(now.year, now.month, now.day) + bounded(days));
  now.year = date.year;
  now.month = date.month;
  now.day = date.day;
  return from_civil(now, zone);
}

Nanos Instant::minus(const Instant& other) const {
  const Wide difference =
      (Wide{unix_seconds} - other.unix_seconds) * kNanosPerSecond + nanosecond - other.nanosecond;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  if (difference > kMost) {
    return Nanos{kMost};
  }
  return Nanos{difference < kLeast ? kLeast : static_cast<std::int64_t>(difference)};
}

Instant Instant::truncate(Nanos unit) const {
  return unit.count() <= 0 ? *this : plus(Nanos{-rest_since_zero(*this, unit.count())});
}

Instant Instant::round(Nanos unit) const {
  if (unit.count() <= 0) {
    return *this;
  }
  const std::int64_t rest = rest_since_zero(*this, unit.count());
  const bool down = rest < unit.count() - rest;
  return plus(Nanos{down ? -rest : unit.count() - rest});
}

int compare(const Instant& a, const Instant& b) {
  if (a.unix_seconds != b.unix_seconds) {
    return a.unix_seconds < b.unix_seconds ? -1 : 1;
  }
  return a.nanosecond == b.nanosecond ? 0 : (a.nanosecond < b.nanosecond ? -1 : 1);
}

}  // namespace tiphys::lang

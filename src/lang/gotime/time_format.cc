#include "lang/gotime/gotime.h"
#include "lang/gotime/layout.h"

#include <fmt/format.h>

#include <cstdlib>

namespace tiphys::lang {
namespace {

enum class Separator : std::uint8_t { none, colon };
enum class Precision : std::uint8_t { hours, minutes, seconds };

std::string offset_text(std::int32_t seconds, Separator separator, Precision precision) {
  const char* colon = separator == Separator::colon ? ":" : "";
  const int distance = std::abs(seconds);
  std::string out = fmt::format("{}{:02}", seconds < 0 ? '-' : '+', distance / 3600);
  if (precision != Precision::hours) {
    out += fmt::format("{}{:02}", colon, distance / 60 % 60);
  }
  if (precision == Precision::seconds) {
    out += fmt::format("{}{:02}", colon, distance % 60);
  }
  return out;
}

std::string fraction_text(int nanosecond, const LayoutPart& part) {
  std::string digits = fmt::format("{:09}", nanosecond);
  digits.resize(std::min<std::size_t>(part.text.size() - 1, 9));
  digits.resize(part.text.size() - 1, '0');
  if (part.element == LayoutElement::fraction_nines) {
    digits.erase(digits.find_last_not_of('0') + 1);
  }
  return digits.empty() ? "" : part.text[0] + digits;
}

std::string zone_text(const ZoneOffset& zone, LayoutElement element) {
  const auto iso = [&zone](Separator separator, Precision precision) {
    return zone.seconds == 0 ? std::string("Z") : offset_text(zone.seconds, separator, precision);
  };
  switch (element) {
    case LayoutElement::zone_name:
      return zone.abbreviation.empty()
                 ? offset_text(zone.seconds, Separator::none, Precision::minutes)
                 : zone.abbreviation;
    case LayoutElement::iso_zone:
      return iso(Separator::none, Precision::minutes);
    case LayoutElement::iso_seconds_zone:
      return iso(Separator::none, Precision::seconds);
    case LayoutElement::iso_short_zone:
      return iso(Separator::none, Precision::hours);
    case LayoutElement::iso_colon_zone:
      return iso(Separator::colon, Precision::minutes);
    case LayoutElement::iso_colon_seconds_zone:
      return iso(Separator::colon, Precision::seconds);
    case LayoutElement::number_zone:
      return offset_text(zone.seconds, Separator::none, Precision::minutes);
    case LayoutElement::number_seconds_zone:
      return offset_text(zone.seconds, Separator::none, Precision::seconds);
    case LayoutElement::number_short_zone:
      return offset_text(zone.seconds, Separator::none, Precision::hours);
    case LayoutElement::number_colon_zone:
      return offset_text(zone.seconds, Separator::colon, Precision::minutes);
    default:
      return offset_text(zone.seconds, Separator::colon, Precision::seconds);
  }
}

std::string date_text(const CivilTime& time, LayoutElement element) {
  const auto month = static_cast<std::size_t>(time.month - 1);
  const auto weekday = static_cast<std::size_t>(time.weekday);
  switch (element) {
    case LayoutElement::long_year:
      return time.year < 0 ? fmt::format("-{:04}", -time.year) : fmt::format("{:04}", time.year);
    case LayoutElement::year:
      return fmt::format("{:02}", time.year < 0 ? 0 : time.year % 100);
    case LayoutElement::long_month:
      return std::string(kMonthNames[month]);
    case LayoutElement::month:
      return std::string(kMonthNames[month].substr(0, 3));
    case LayoutElement::number_month:
      return fmt::format("{}", time.month);
    case LayoutElement::zero_month:
      return fmt::format("{:02}", time.month);
    case LayoutElement::long_weekday:
      return std::string(kWeekdayNames[weekday]);
    case LayoutElement::weekday:
      return std::string(kWeekdayNames[weekday].substr(0, 3));
    case LayoutElement::day:
      return fmt::format("{}", time.day);
    case LayoutElement::space_day:
      return fmt::format("{:2}", time.day);
    case LayoutElement::zero_day:
      return fmt::format("{:02}", time.day);
    case LayoutElement::space_year_day:
      return fmt::format("{:3}", time.year_day);
    default:
      return fmt::format("{:03}", time.year_day);
  }
}

std::string clock_text(const CivilTime& time, LayoutElement element) {
  const int hour12 = time.hour % 12 == 0 ? 12 : time.hour % 12;
  switch (element) {
    case LayoutElement::hour:
      return fmt::format("{:02}", time.hour);
    case LayoutElement::hour12:
      return fmt::format("{}", hour12);
    case LayoutElement::zero_hour12:
      return fmt::format("{:02}", hour12);
    case LayoutElement::minute:
      return fmt::format("{}", time.minute);
    case LayoutElement::zero_minute:
      return fmt::format("{:02}", time.minute);
    case LayoutElement::second:
      return fmt::format("{}", time.second);
    case LayoutElement::zero_second:
      return fmt::format("{:02}", time.second);
    case LayoutElement::upper_pm:
      return time.hour >= 12 ? "PM" : "AM";
    default:
      return time.hour >= 12 ? "pm" : "am";
  }
}

}  // namespace

std::string Instant::format(std::string_view layout) const {
  const CivilTime time = civil();
  const ZoneOffset zone_offset = offset();
  std::string out;
  while (true) {
    const LayoutPart part = next_part(layout);
    out += part.before;
    if (part.element == LayoutElement::none) {
      return out;
    }
    if (part.element >= LayoutElement::fraction_zeros) {
      out += fraction_text(time.nanosecond, part);
    } else if (part.element >= LayoutElement::zone_name) {
      out += zone_text(zone_offset, part.element);
    } else if (part.element >= LayoutElement::hour) {
      out += clock_text(time, part.element);
    } else {
      out += date_text(time, part.element);
    }
    layout = part.after;
  }
}

std::string Instant::text() const { return format("2006-01-02 15:04:05.999999999 -0700 MST"); }

std::string Instant::rfc3339() const { return format("2006-01-02T15:04:05.999999999Z07:00"); }

}  // namespace tiphys::lang

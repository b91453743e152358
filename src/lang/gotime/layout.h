#pragma once
/// Go's time layouts cut into their elements. Private to the module.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::lang {

/// The elements of a layout, named after what they print: dates, then the clock, then zones, then
/// fractions; code relies on these groups.
enum class LayoutElement : std::uint8_t {
  none,
  long_year,                  // 2006
  year,                       // 06
  long_month,                 // January
  month,                      // Jan
  number_month,               // 1
  zero_month,                 // 01
  long_weekday,               // Monday
  weekday,                    // Mon
  day,                        // 2
  space_day,                  // _2
  zero_day,                   // 02
  space_year_day,             // __2
  zero_year_day,              // 002
  hour,                       // 15
  hour12,                     // 3
  zero_hour12,                // 03
  minute,                     // 4
  zero_minute,                // 04
  second,                     // 5
  zero_second,                // 05
  upper_pm,                   // PM
  lower_pm,                   // pm
  zone_name,                  // MST
  iso_zone,                   // Z0700
  iso_seconds_zone,           // Z070000
  iso_short_zone,             // Z07
  iso_colon_zone,             // Z07:00
  iso_colon_seconds_zone,     // Z07:00:00
  number_zone,                // -0700
  number_seconds_zone,        // -070000
  number_short_zone,          // -07
  number_colon_zone,          // -07:00
  number_colon_seconds_zone,  // -07:00:00
  fraction_zeros,             // .000 or ,000
  fraction_nines,             // .999 or ,999
};

/// The first element of a layout with the text around it.
struct LayoutPart {
  std::string_view before;
  LayoutElement element = LayoutElement::none;
  /// The element as written.
  std::string_view text;
  std::string_view after;
};

LayoutPart next_part(std::string_view layout);

/// A double-quoted text as package time writes it in its errors: bytes above ASCII as \xNN.
std::string time_quote(std::string_view text);

inline constexpr std::array<std::string_view, 12> kMonthNames = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
inline constexpr std::array<std::string_view, 7> kWeekdayNames = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

}  // namespace tiphys::lang

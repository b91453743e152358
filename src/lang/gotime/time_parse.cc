#include "lang/gotime/calendar.h"
#include "lang/gotime/gotime.h"
#include "lang/gotime/layout.h"

#include <algorithm>

namespace tiphys::lang {
namespace {

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

bool digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && is_decimal(text[at]);
}

char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [](char a, char b) { return lower_ascii(a) == lower_ascii(b); });
}

bool starts_fraction(std::string_view text) {
  return text.size() >= 2 && (text[0] == '.' || text[0] == ',') && is_decimal(text[1]);
}

/// Length of "+3" or "-12" at the front of a zone name, 0 when there is none.
std::size_t signed_hours(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) {
    return 0;
  }
  std::size_t end = 1;
  int value = 0;
  for (; digit_at(text, end) && value < 1000; ++end) {
    value = value * 10 + (text[end] - '0');
  }
  return end == 1 || value > 23 ? 0 : end;
}

/// Length of the zone abbreviation at the front of a text, 0 when there is none.
std::size_t zone_name_length(std::string_view text) {
  if (text.size() < 3) {
    return 0;
  }
  if (text.starts_with("ChST") || text.starts_with("MeST")) {
    return 4;
  }
  if (text.starts_with("GMT")) {
    return 3 + signed_hours(text.substr(3));
  }
  if (text[0] == '+' || text[0] == '-') {
    return signed_hours(text);
  }
  std::size_t capitals = 0;
  while (capitals < 6 && capitals < text.size() && text[capitals] >= 'A' && text[capitals] <= 'Z') {
    ++capitals;
  }
  switch (capitals) {
    case 5:
      return text[4] == 'T' ? 5 : 0;
    case 4:
      return text[3] == 'T' || text.starts_with("WITA") ? 4 : 0;
    case 3:
      return 3;
    default:
      return 0;
  }
}

enum class Width : std::uint8_t { free, fixed };

class TimeParser {
 public:
  TimeParser(std::string_view layout, std::string_view text, std::shared_ptr<const Zone> zone)
      : layout_(layout), text_(text), rest_(text), default_zone_(std::move(zone)) {}

  Result<Instant> parse() {
    std::string_view layout = layout_;
    while (true) {
      const LayoutPart part = next_part(layout);
      if (!skip(part.before)) {
        return mismatch(part.before, rest_);
      }
      if (part.element == LayoutElement::none) {
        break;
      }
      layout = part.after;
      const std::string_view held = rest_;
      const bool good = take(part, layout);
      if (!out_of_range_.empty()) {
        return problem(": " + out_of_range_ + " out of range");
      }
      if (!good) {
        return mismatch(part.text, held);
      }
    }
    if (!rest_.empty()) {
      return problem(": extra text: " + time_quote(rest_));
    }
    TRY_VOID(settle_day());
    return assemble();
  }

 private:
  std::unexpected<Error> mismatch(std::string_view element, std::string_view at) const {
    return fail(ErrorCode::invalid, "parsing time " + time_quote(text_) + " as " +
                                        time_quote(layout_) + ": cannot parse " + time_quote(at) +
                                        " as " + time_quote(element));
  }

  std::unexpected<Error> problem(const std::string& what) const {
    return fail(ErrorCode::invalid, "parsing time " + time_quote(text_) + what);
  }

  /// Literal text of the layout; any run of blanks matches any run of blanks.
  bool skip(std::string_view prefix) {
    while (!prefix.empty()) {
      if (prefix[0] == ' ') {
        if (!rest_.empty() && rest_[0] != ' ') {
          return false;
        }
        prefix.remove_prefix(std::min(prefix.find_first_not_of(' '), prefix.size()));
        rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
        continue;
      }
      if (rest_.empty() || rest_[0] != prefix[0]) {
        return false;
      }
      prefix.remove_prefix(1);
      rest_.remove_prefix(1);
    }
    return true;
  }

  /// One or two digits; two when fixed.
  bool number(int& out, Width width, std::size_t most = 2) {
    std::size_t length = 0;
    int value = 0;
    for (; length < most && digit_at(rest_, length); ++length) {
      value = value * 10 + (rest_[length] - '0');
    }
    if (length == 0 || (width == Width::fixed && length != most)) {
      return false;
    }
    rest_.remove_prefix(length);
    out = value;
    return true;
  }

  bool ranged(int& out, Width width, int least, int most, const char* name) {
    if (!number(out, width)) {
      return false;
    }
    if (out < least || out > most) {
      out_of_range_ = name;
    }
    return true;
  }

  template <std::size_t Count>
  bool name(const std::array<std::string_view, Count>& names, std::size_t shortened, int& out) {
    for (std::size_t i = 0; i < Count; ++i) {
      const std::string_view wanted = names[i].substr(0, shortened);
      if (starts_with_ignoring_case(rest_, wanted)) {
        rest_.remove_prefix(wanted.size());
        out = static_cast<int>(i) + 1;
        return true;
      }
    }
    return false;
  }

  void skip_blank(std::size_t most) {
    for (std::size_t i = 0; i < most && rest_.starts_with(' '); ++i) {
      rest_.remove_prefix(1);
    }
  }

  bool take(const LayoutPart& part, std::string_view layout_after) {
    if (part.element >= LayoutElement::fraction_zeros) {
      return take_fraction(part);
    }
    if (part.element == LayoutElement::zone_name) {
      return take_zone_name();
    }
    if (part.element > LayoutElement::zone_name) {
      return take_offset(part.element);
    }
    return part.element >= LayoutElement::hour ? take_clock(part.element, layout_after)
                                               : take_date(part.element);
  }

  bool take_date(LayoutElement element) {
    int ignored = 0;
    switch (element) {
      case LayoutElement::long_year:
        return digit_at(rest_, 0) && year_digits(4);
      case LayoutElement::year:
        if (!year_digits(2)) {
          return false;
        }
        year_ += year_ >= 69 ? 1900 : 2000;
        return true;
      case LayoutElement::long_month:
        return name(kMonthNames, std::string_view::npos, month_);
      case LayoutElement::month:
        return name(kMonthNames, 3, month_);
      case LayoutElement::number_month:
        return ranged(month_, Width::free, 1, 12, "month");
      case LayoutElement::zero_month:
        return ranged(month_, Width::fixed, 1, 12, "month");
      case LayoutElement::long_weekday:
        return name(kWeekdayNames, std::string_view::npos, ignored);
      case LayoutElement::weekday:
        return name(kWeekdayNames, 3, ignored);
      case LayoutElement::space_day:
        skip_blank(1);
        return number(day_, Width::free);
      case LayoutElement::day:
        return number(day_, Width::free);
      case LayoutElement::zero_day:
        return number(day_, Width::fixed);
      case LayoutElement::space_year_day:
        skip_blank(2);
        return number(year_day_, Width::free, 3);
      default:
        return number(year_day_, Width::fixed, 3);
    }
  }

  bool year_digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!digit_at(rest_, i)) {
        return false;
      }
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    year_ = value;
    return true;
  }

  bool take_clock(LayoutElement element, std::string_view layout_after) {
    switch (element) {
      case LayoutElement::hour:
        return ranged(hour_, Width::free, 0, 23, "hour");
      case LayoutElement::hour12:
        return ranged(hour_, Width::free, 0, 12, "hour");
      case LayoutElement::zero_hour12:
        return ranged(hour_, Width::fixed, 0, 12, "hour");
      case LayoutElement::minute:
        return ranged(minute_, Width::free, 0, 59, "minute");
      case LayoutElement::zero_minute:
        return ranged(minute_, Width::fixed, 0, 59, "minute");
      case LayoutElement::second:
      case LayoutElement::zero_second:
        return take_second(element, layout_after);
      default:
        return take_half(element == LayoutElement::upper_pm ? "PM" : "pm",
                         element == LayoutElement::upper_pm ? "AM" : "am");
    }
  }

  /// A fraction may follow the seconds although the layout does not name one.
  bool take_second(LayoutElement element, std::string_view layout_after) {
    const Width width = element == LayoutElement::second ? Width::free : Width::fixed;
    if (!ranged(second_, width, 0, 59, "second")) {
      return false;
    }
    if (!out_of_range_.empty() || !starts_fraction(rest_)) {
      return true;
    }
    const LayoutPart next = next_part(layout_after);
    if (next.element >= LayoutElement::fraction_zeros && next.before.empty()) {
      return true;
    }
    take_digits_of_fraction(fraction_run());
    return true;
  }

  bool take_half(std::string_view after_noon, std::string_view before_noon) {
    if (rest_.starts_with(after_noon)) {
      half_ = Half::after_noon;
    } else if (rest_.starts_with(before_noon)) {
      half_ = Half::before_noon;
    } else {
      return false;
    }
    rest_.remove_prefix(2);
    return true;
  }

  std::size_t fraction_run() const {
    std::size_t end = 1;
    while (digit_at(rest_, end)) {
      ++end;
    }
    return end;
  }

  void take_digits_of_fraction(std::size_t length) {
    nanosecond_ = 0;
    for (std::size_t i = 1; i <= 9; ++i) {
      nanosecond_ = nanosecond_ * 10 + (i < length ? rest_[i] - '0' : 0);
    }
    rest_.remove_prefix(length);
  }

  bool take_fraction(const LayoutPart& part) {
    if (part.element == LayoutElement::fraction_nines) {
      if (starts_fraction(rest_)) {
        take_digits_of_fraction(fraction_run());
      }
      return true;
    }
    const std::size_t length = part.text.size();
    if (rest_.size() < length || !starts_fraction(rest_)) {
      return false;
    }
    for (std::size_t i = 1; i < length; ++i) {
      if (!is_decimal(rest_[i])) {
        return false;
      }
    }
    take_digits_of_fraction(length);
    return true;
  }

  bool take_zone_name() {
    if (rest_.starts_with("UTC")) {
      utc_ = true;
      rest_.remove_prefix(3);
      return true;
    }
    const std::size_t length = zone_name_length(rest_);
    zone_name_ = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return length > 0;
  }

  bool take_offset(LayoutElement element) {
    const bool iso = element == LayoutElement::iso_zone ||
                     element == LayoutElement::iso_short_zone ||
                     element == LayoutElement::iso_colon_zone;
    if (iso && rest_.starts_with('Z')) {
      utc_ = true;
      rest_.remove_prefix(1);
      return true;
    }
    const bool colon = element == LayoutElement::iso_colon_zone ||
                       element == LayoutElement::number_colon_zone ||
                       element == LayoutElement::iso_colon_seconds_zone ||
                       element == LayoutElement::number_colon_seconds_zone;
    const bool with_seconds = element == LayoutElement::iso_seconds_zone ||
                              element == LayoutElement::number_seconds_zone ||
                              element == LayoutElement::iso_colon_seconds_zone ||
                              element == LayoutElement::number_colon_seconds_zone;
    const bool hours_only =
        element == LayoutElement::iso_short_zone || element == LayoutElement::number_short_zone;
    if (rest_.empty() || (rest_[0] != '+' && rest_[0] != '-')) {
      return false;
    }
    const bool negative = rest_[0] == '-';
    rest_.remove_prefix(1);
    int hours = 0;
    int minutes = 0;
    int seconds = 0;
    const auto separated = [&](int& out) {
      if (colon) {
        if (!rest_.starts_with(':')) {
          return false;
        }
        rest_.remove_prefix(1);
      }
      return number(out, Width::fixed);
    };
    if (!number(hours, Width::fixed) || (!hours_only && !separated(minutes)) ||
        (with_seconds && !separated(seconds))) {
      return false;
    }
    if (hours > 24) {
      out_of_range_ = "time zone offset hour";
    } else if (minutes > 60) {
      out_of_range_ = "time zone offset minute";
    } else if (seconds > 60) {
      out_of_range_ = "time zone offset second";
    }
    const int distance = (hours * 60 + minutes) * 60 + seconds;
    offset_ = negative ? -distance : distance;
    return true;
  }

  Result<> settle_day() {
    if (half_ == Half::after_noon && hour_ < 12) {
      hour_ += 12;
    } else if (half_ == Half::before_noon && hour_ == 12) {
      hour_ = 0;
    }
    if (year_day_ >= 0) {
      if (year_day_ < 1 || year_day_ > (is_leap(year_) ? 366 : 365)) {
        return problem(": day-of-year out of range");
      }
      const CivilDate date = civil_from_days(days_from_civil(year_, 1, 1) + year_day_ - 1);
      if (month_ >= 0 && month_ != date.month) {
        return problem(": day-of-year does not match month");
      }
      if (day_ >= 0 && day_ != date.day) {
        return problem(": day-of-year does not match day");
      }
      month_ = date.month;
      day_ = date.day;
    }
    month_ = month_ < 0 ? 1 : month_;
    day_ = day_ < 0 ? 1 : day_;
    if (day_ < 1 || day_ > days_in_month(year_, month_)) {
      return problem(": day out of range");
    }
    return {};
  }

  Instant assemble() const {
    CivilTime civil;
    civil.year = year_;
    civil.month = month_;
    civil.day = day_;
    civil.hour = hour_;
    civil.minute = minute_;
    civil.second = second_;
    civil.nanosecond = nanosecond_;
    if (utc_) {
      return Instant::from_civil(civil, Zone::utc());
    }
    if (!offset_ && zone_name_.empty()) {
      return Instant::from_civil(civil, default_zone_);
    }
    Instant out = Instant::from_civil(civil, Zone::utc());
    if (offset_) {
      return with_offset(out);
    }
    return with_zone_name(out);
  }

  /// The default zone where it has this offset, else a zone made up for the purpose.
  Instant with_offset(Instant out) const {
    out.unix_seconds -= *offset_;
    const ZoneOffset here = default_zone_->at(out.unix_seconds);
    const bool fits =
        here.seconds == *offset_ && (zone_name_.empty() || here.abbreviation == zone_name_);
    out.zone = fits ? default_zone_ : Zone::fixed(std::string(zone_name_), *offset_);
    return out;
  }

  Instant with_zone_name(Instant out) const {
    if (const auto known = default_zone_->offset_of(zone_name_, out.unix_seconds)) {
      out.unix_seconds -= *known;
      out.zone = default_zone_;
      return out;
    }
    std::int32_t seconds = 0;
    if (zone_name_.size() > 3 && zone_name_.starts_with("GMT")) {
      for (const char c : zone_name_.substr(4)) {
        seconds = seconds * 10 + (c - '0');
      }
      seconds *= zone_name_[3] == '-' ? -3600 : 3600;
    }
    out.zone = Zone::fixed(std::string(zone_name_), seconds);
    return out;
  }

  enum class Half : std::uint8_t { unknown, before_noon, after_noon };

  std::string_view layout_;
  std::string_view text_;
  std::string_view rest_;
  std::shared_ptr<const Zone> default_zone_;
  std::string out_of_range_;
  int year_ = 0;
  int month_ = -1;
  int day_ = -1;
  int year_day_ = -1;
  int hour_ = 0;
  int minute_ = 0;
  int second_ = 0;
  int nanosecond_ = 0;
  Half half_ = Half::unknown;
  bool utc_ = false;
  std::optional<std::int32_t> offset_;
  std::string_view zone_name_;
};

}  // namespace

Result<Instant> parse_time(std::string_view layout, std::string_view text,
                           std::shared_ptr<const Zone> zone) {
  return TimeParser(layout, text, std::move(zone)).parse();
}

}  // namespace tiphys::lang

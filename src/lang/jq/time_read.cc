#include "lang/gotext/gotext.h"
#include "lang/jq/time_format.h"

#include <array>
#include <optional>
#include <span>

namespace tiphys::lang::jq {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 2> kHalves = {"AM", "PM"};

using Read = std::expected<void, std::string>;

std::unexpected<std::string> cannot(char letter) {
  return std::unexpected("cannot parse \"%" + std::string(1, letter) + "\"");
}

bool is_digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

class Reader {
 public:
  Reader(std::string_view text, std::string_view format) : text_(text), format_(format) {}

  std::expected<Instant, std::string> run() {
    for (std::size_t i = 0; i < format_.size(); ++i) {
      Read done;
      if (format_[i] != '%') {
        done = character(format_[i]);
      } else if (i + 1 == format_.size()) {
        done = std::unexpected(std::string("stray \"%\""));
      } else if (format_[i + 1] == ':') {
        const std::size_t letter = std::min(format_.find_first_not_of(':', i + 1), format_.size());
        const std::size_t colons = letter - i - 1;
        done = colons <= 3 && letter < format_.size() && format_[letter] == 'z'
                   ? zone_offset(colons)
                   : std::unexpected("expected 'z' after \"%" +
                                     std::string(std::min<std::size_t>(colons, 3), ':') + "\"");
        i = letter;
      } else {
        done = directive(format_[++i]);
      }
      if (!done) {
        return std::unexpected(std::move(done).error());
      }
    }
    if (at_ < text_.size()) {
      return std::unexpected("unparsed string " + quote(text_.substr(at_)));
    }
    return assembled();
  }

 private:
  Read character(char c) {
    if (at_ >= text_.size() || text_[at_] != c) {
      std::string shown = quote(std::string_view(&c, 1));
      shown.front() = shown.back() = '\'';
      return std::unexpected("expected " + (c == '"' ? "'\"'" : c == '\'' ? "'\\''" : shown));
    }
    ++at_;
    return {};
  }

  Read number(char letter, std::size_t digits, int least, int most, int& out) {
    const std::size_t begin = at_;
    int value = 0;
    while (at_ - begin < digits && is_digit_at(text_, at_)) {
      value = value * 10 + (text_[at_++] - '0');
    }
    if (at_ == begin || value < least || value > most) {
      return cannot(letter);
    }
    out = value;
    return {};
  }

  Read name(char letter, std::span<const std::string_view> names, std::size_t length, int& out) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string_view wanted = names[i].substr(0, length);
      const std::string_view here = text_.substr(at_, wanted.size());
      bool same = here.size() == wanted.size();
      for (std::size_t k = 0; same && k < wanted.size(); ++k) {
        same = (here[k] | 0x20) == (wanted[k] | 0x20);
      }
      if (same) {
        at_ += wanted.size();
        out = static_cast<int>(i) + 1;
        return {};
      }
    }
    return cannot(letter);
  }

  int sign() {
    if (at_ < text_.size() && text_[at_] == '-') {
      ++at_;
      return -1;
    }
    return 1;
  }

  void skip_blank() { at_ += at_ < text_.size() && text_[at_] == ' ' ? 1 : 0; }

  Read all(std::string_view letters) {
    for (const char c : letters) {
      const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (Read done = is_letter ? directive(c) : character(c); !done) {
        return done;
      }
    }
    return {};
  }

  Read directive(char letter) {
    switch (letter) {
      case 'G':
      case 'Y': {
        has_iso_year_ = has_iso_year_ || letter == 'G';
        const int direction = sign();
        Read done = number(letter, 4, 0, 9999, year_);
        year_ *= direction;
        return done;
      }
      case 'g':
      case 'y': {
        has_iso_year_ = has_iso_year_ || letter == 'g';
        Read done = number(letter, 2, 0, 99, year_);
        year_ += year_ < 69 ? 2000 : 1900;
        return done;
      }
      case 'C':
        if (sign() < 0) {
          return std::unexpected(std::string("negative century is not supported for \"%C\""));
        }
        return number(letter, 2, 0, 99, century_);
      case 'm':
        return number(letter, 2, 1, 12, month_);
      case 'B':
        return name(letter, kMonths, 9, month_);
      case 'b':
      case 'h':
        return name(letter, kMonths, 3, month_);
      case 'A':
        return name(letter, kDays, 9, weekday_);
      case 'a':
        return name(letter, kDays, 3, weekday_);
      case 'w': {
        Read done = number(letter, 1, 0, 6, weekday_);
        ++weekday_;
        return done;
      }
      case 'u': {
        Read done = number(letter, 1, 1, 7, weekday_);
        weekday_ = weekday_ % 7 + 1;
        return done;
      }
      case 'V':
      case 'U':
      case 'W':
        week_kind_ = letter;
        weekday_ = weekday_ != 0 ? weekday_ : letter == 'U' ? 1 : 2;
        return number(letter, 2, letter == 'V' ? 1 : 0, 53, week_);
      case 'e':
        skip_blank();
        return number(letter, 2, 1, 31, day_);
      case 'd':
        return number(letter, 2, 1, 31, day_);
      case 'j':
        return number(letter, 3, 1, 366, year_day_);
      default:
        return clock(letter);
    }
  }

  Read clock(char letter) {
    switch (letter) {
      case 'k':
        skip_blank();
        return number(letter, 2, 0, 23, hour_);
      case 'H':
        return number(letter, 2, 0, 23, hour_);
      case 'l':
      case 'I': {
        if (letter == 'l') {
          skip_blank();
        }
        Read done = number(letter, 2, 1, 12, hour_);
        hour_ %= 12;
        return done;
      }
      case 'P':
      case 'p': {
        int half = 0;
        Read done = name(letter, kHalves, 2, half);
        is_afternoon_ = half == 2;
        return done;
      }
      case 'M':
        return number(letter, 2, 0, 59, minute_);
      case 'S':
        return number(letter, 2, 0, 60, second_);
      case 's':
        return unix_seconds();
      case 'f': {
        const std::size_t begin = at_;
        int micros = 0;
        Read done = number(letter, 6, 0, 999'999, micros);
        for (std::size_t digits = at_ - begin; digits < 6; ++digits) {
          micros *= 10;
        }
        nanosecond_ = micros * 1000;
        return done;
      }
      case 'Z':
        return zone_name();
      case 'z':
        return zone_offset(0);
      default:
        return composite(letter);
    }
  }

  Read composite(char letter) {
    switch (letter) {
      case 't':
      case 'n': {
        const std::size_t begin = at_;
        at_ = std::min(text_.find_first_not_of(" \t\n\v\f\r", at_), text_.size());
        return begin < at_
                   ? Read()
                   : std::unexpected("expected a space for \"%" + std::string(1, letter) + "\"");
      }
      case '%':
        return character('%');
      case 'c':
        return all("a b e H:M:S Y");
      case '+':
        return all("a b e H:M:S Z Y");
      case 'v':
        return all("e-b-Y");
      case 'r':
        return all("I:M:S p");
      case 'F':
        return all("Y-m-d");
      case 'D':
      case 'x':
        return all("m/d/y");
      case 'T':
      case 'X':
        return all("H:M:S");
      case 'R':
        return all("H:M");
      default:
        return std::unexpected("unexpected format \"%" + std::string(1, letter) + "\"");
    }
  }

  Read unix_seconds() {
    constexpr std::size_t kDigits = 18;
    const int direction = sign();
    const std::size_t begin = at_;
    std::int64_t value = 0;
    while (at_ - begin < kDigits && is_digit_at(text_, at_)) {
      value = value * 10 + (text_[at_++] - '0');
    }
    if (at_ == begin) {
      return cannot('s');
    }
    const CivilTime civil = Instant{.unix_seconds = direction * value}.civil();
    year_ = static_cast<int>(civil.year);
    month_ = civil.month;
    day_ = civil.day;
    hour_ = civil.hour;
    minute_ = civil.minute;
    second_ = civil.second;
    return {};
  }

  /// Abbreviations say nothing about the offset, but for UTC.
  Read zone_name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= 'A' && text_[at_] <= 'Z') {
      ++at_;
    }
    const std::string_view name = text_.substr(begin, at_ - begin);
    return parse_time("MST", name)
               ? Read()
               : std::unexpected("cannot parse " + quote(name) + " with \"%Z\"");
  }

  /// Two digits at `at_`, or nothing taken.
  std::optional<int> two_digits(int most) {
    if (!is_digit_at(text_, at_) || !is_digit_at(text_, at_ + 1)) {
      return std::nullopt;
    }
    const int value = (text_[at_] - '0') * 10 + (text_[at_ + 1] - '0');
    if (value > most) {
      return std::nullopt;
    }
    at_ += 2;
    return value;
  }

  /// "Z", or hours, minutes and seconds with as many colons as wanted (0: with or without one).
  Read zone_offset(std::size_t colons) {
    const std::string shown = "\"%" + std::string(colons, ':') + "z\"";
    const auto wrong = [&] { return std::unexpected("cannot parse " + shown); };
    if (at_ >= text_.size()) {
      return wrong();
    }
    if (text_[at_] == 'Z') {
      ++at_;
      offset_ = 0;
      return {};
    }
    const int direction = text_[at_] == '-' ? -1 : 1;
    if (text_[at_] != '-' && text_[at_] != '+') {
      return wrong();
    }
    ++at_;
    const auto hours = two_digits(23);
    if (!hours) {
      return wrong();
    }
    const bool has_colon = at_ < text_.size() && text_[at_] == ':';
    if (!has_colon && (colons == 1 || colons == 2)) {
      return std::unexpected("expected ':' for " + shown);
    }
    const std::size_t before = at_;
    at_ += has_colon ? 1 : 0;
    const auto minutes = two_digits(59);
    if (!minutes && (colons == 1 || colons == 2 || (has_colon && colons == 0))) {
      return wrong();
    }
    if (!minutes) {
      at_ = has_colon ? before + 1 : before;
    }
    std::optional<int> seconds;
    if (minutes && (colons > 1 || (colons == 0 && has_colon))) {
      const std::size_t behind = at_;
      const bool goes_on = at_ < text_.size() && text_[at_] == ':';
      at_ += goes_on ? 1 : 0;
      seconds = goes_on ? two_digits(59) : std::nullopt;
      if (!seconds && colons == 2) {
        return goes_on ? wrong() : std::unexpected("expected ':' for " + shown);
      }
      at_ = seconds ? at_ : behind;
    }
    offset_ = direction * ((*hours * 60 + minutes.value_or(0)) * 60 + seconds.value_or(0));
    return {};
  }

  Instant at_local(int month, int day) const {
    const CivilTime civil{.year = year_,
                          .month = month,
                          .day = day,
                          .hour = hour_ + (is_afternoon_ ? 12 : 0),
                          .minute = minute_,
                          .second = second_,
                          .nanosecond = nanosecond_};
    Instant out = Instant::from_civil(civil, Zone::utc());
    out.unix_seconds -= offset_;
    return out;
  }

  std::expected<Instant, std::string> assembled() {
    if (century_ >= 0) {
      year_ = century_ * 100 + year_ % 100;
    }
    if (day_ > 0) {
      return at_local(month_, day_);
    }
    if (year_day_ > 0) {
      if (has_iso_year_) {
        return std::unexpected(std::string("use \"%Y\" to parse non-ISO year for \"%j\""));
      }
      return at_local(1, year_day_);
    }
    return week_kind_ == '\0' ? at_local(month_, 1) : in_week();
  }

  std::expected<Instant, std::string> in_week() {
    if (week_kind_ == 'V' && !has_iso_year_) {
      return std::unexpected(std::string("use \"%G\" to parse ISO year for \"%V\""));
    }
    if (week_kind_ != 'V' && has_iso_year_) {
      return std::unexpected(std::string("use \"%Y\" to parse non-ISO year for \"%U\" or \"%W\""));
    }
    const int start = week_kind_ == 'V' ? 4 : week_kind_ == 'W' ? 1 : 0;
    week_ += start > 0 && weekday_ == 1 ? 1 : 0;
    const Instant first = at_local(1, -start);
    const Instant local{.unix_seconds = first.unix_seconds + offset_};
    return first.plus_date(0, 0, week_ * 7 - local.civil().weekday + weekday_ - 1);
  }

  std::string_view text_;
  std::string_view format_;
  std::size_t at_ = 0;
  int year_ = 1900;
  int century_ = -1;
  int month_ = 1;
  int day_ = 0;
  int year_day_ = 0;
  int hour_ = 0;
  int minute_ = 0;
  int second_ = 0;
  int nanosecond_ = 0;
  /// 1 = Sunday.
  int weekday_ = 0;
  int week_ = 0;
  /// V, U or W.
  char week_kind_ = '\0';
  int offset_ = 0;
  bool is_afternoon_ = false;
  bool has_iso_year_ = false;
};

}  // namespace

std::expected<Instant, std::string> read_time(std::string_view text, std::string_view format) {
  auto instant = Reader(text, format).run();
  if (!instant) {
    return std::unexpected("failed to parse " + quote(text) + " with " + quote(format) + ": " +
                           instant.error());
  }
  return instant;
}

}  // namespace tiphys::lang::jq

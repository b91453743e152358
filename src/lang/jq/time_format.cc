#include "lang/jq/time_format.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

namespace tiphys::lang::jq {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

constexpr std::size_t kMaximumWidth = 1024;

/// What stands between the percent sign and the letter.
struct Flags {
  std::size_t width = 0;
  /// '-' for none; '\0' while it is the directive's own.
  char padding = '\0';
  bool upper = false;
  bool swap = false;
};

class Formatter {
 public:
  Formatter(const Instant& instant, std::string_view format)
      : instant_(instant), civil_(instant.civil()), format_(format) {}

  std::string run() {
    while (at_ < format_.size()) {
      if (format_[at_] == '%') {
        directive();
      } else {
        out_.push_back(format_[at_++]);
      }
    }
    return std::move(out_);
  }

 private:
  void directive() {
    const std::size_t begin = at_++;
    Flags flags;
    while (at_ < format_.size() &&
           std::string_view("-_^#0").find(format_[at_]) != std::string::npos) {
      const char flag = format_[at_++];
      flags.upper = flags.upper || flag == '^';
      flags.swap = flags.swap || flag == '#';
      if (flag == '-' || flag == '0') {
        flags.padding = flag;
      } else if (flag == '_') {
        flags.padding = ' ';
      }
    }
    while (at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9') {
      flags.width = std::min(flags.width * 10 + static_cast<std::size_t>(format_[at_++] - '0'),
                             kMaximumWidth);
      flags.padding = flags.padding == '-' ? ' ' : flags.padding;
    }
    std::size_t colons = 0;
    while (at_ < format_.size() && format_[at_] == ':' && colons < 3) {
      ++colons;
      ++at_;
    }
    if (at_ == format_.size() || (colons > 0 && format_[at_] != 'z')) {
      out_ += format_.substr(begin, at_ - begin);
      return;
    }
    const char letter = format_[at_++];
    if (letter == 'z') {
      zone_offset(flags, colons);
    } else if (!put(letter, flags)) {
      out_ += format_.substr(begin, at_ - begin);
    }
  }

  void number(std::int64_t value, std::size_t width, const Flags& flags, char padding = '0') {
    std::string digits = std::to_string(std::abs(value));
    const char pad = flags.padding == '\0' ? padding : flags.padding;
    const std::size_t sign = value < 0 ? 1 : 0;
    const std::size_t wanted = pad == '-' ? 0 : std::max(width, flags.width);
    const std::size_t missing = wanted > digits.size() + sign ? wanted - digits.size() - sign : 0;
    if (pad == ' ') {
      out_.append(missing, ' ');
    }
    out_.append(sign, '-');
    if (pad == '0') {
      out_.append(missing, '0');
    }
    out_ += digits;
  }

  void text(std::string_view value, const Flags& flags) {
    if (flags.width > value.size() && flags.padding != '-') {
      out_.append(flags.width - value.size(), flags.padding == '0' ? '0' : ' ');
    }
    const bool lowers = flags.swap && value.size() > 1 && value[1] < 'a';
    for (const char c : value) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      const bool changes = letter && (flags.swap || flags.upper);
      out_.push_back(!changes ? c : static_cast<char>(lowers ? c | 0x20 : c & 0x5F));
    }
  }

  /// Times are in UTC here.
  void zone_offset(const Flags& flags, std::size_t colons) {
    static constexpr std::array<std::string_view, 4> kForms = {"+0000", "+00:00", "+00:00:00",
                                                               "+00"};
    const std::string_view form = kForms.at(colons);
    const std::size_t missing = flags.width > form.size() ? flags.width - form.size() : 0;
    if (flags.padding == ' ') {
      out_.append(missing, ' ').append("+").append(form.substr(1));
    } else {
      out_.append("+").append(missing, '0').append(form.substr(1));
    }
  }

  void all(std::string_view letters, bool upper) {
    for (const char c : letters) {
      const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!is_letter || !put(c, {.upper = upper})) {
        out_.push_back(c);
      }
    }
  }

  bool put(char letter, const Flags& flags) {
    return put_date(letter, flags) || put_clock(letter, flags) || put_composite(letter, flags);
  }

  bool put_date(char letter, const Flags& flags) {
    const auto month = static_cast<std::size_t>(civil_.month - 1);
    const auto day = static_cast<std::size_t>(civil_.weekday);
    switch (letter) {
      case 'Y':
        number(civil_.year, flags.width == 0 ? 4 : 0, flags);
        return true;
      case 'y':
        number(std::abs(civil_.year % 100), 2, flags);
        return true;
      case 'C':
        number(civil_.year / 100, 2, flags);
        return true;
      case 'g':
        number(std::abs(instant_.iso_week().first % 100), 2, flags);
        return true;
      case 'G':
        number(instant_.iso_week().first, flags.width == 0 ? 4 : 0, flags);
        return true;
      case 'm':
        number(civil_.month, 2, flags);
        return true;
      case 'B':
        text(kMonths.at(month), flags);
        return true;
      case 'b':
      case 'h':
        text(kMonths.at(month).substr(0, 3), flags);
        return true;
      case 'A':
        text(kDays.at(day), flags);
        return true;
      case 'a':
        text(kDays.at(day).substr(0, 3), flags);
        return true;
      case 'w':
        number(civil_.weekday, 0, flags);
        return true;
      case 'u':
        number(civil_.weekday == 0 ? 7 : civil_.weekday, 0, flags);
        return true;
      case 'V':
        number(instant_.iso_week().second, 2, flags);
        return true;
      case 'U':
        number((civil_.year_day + 6 - civil_.weekday) / 7, 2, flags);
        return true;
      case 'W':
        number((civil_.year_day + (civil_.weekday > 0 ? 7 - civil_.weekday : 0)) / 7, 2, flags);
        return true;
      case 'e':
        number(civil_.day, 2, flags, ' ');
        return true;
      case 'd':
        number(civil_.day, 2, flags);
        return true;
      case 'j':
        number(civil_.year_day, 3, flags);
        return true;
      default:
        return false;
    }
  }

  bool put_clock(char letter, const Flags& flags) {
    const int hour12 = civil_.hour % 12 == 0 ? 12 : civil_.hour % 12;
    switch (letter) {
      case 'k':
        number(civil_.hour, 2, flags, ' ');
        return true;
      case 'H':
        number(civil_.hour, 2, flags);
        return true;
      case 'l':
        number(hour12, 2, flags, ' ');
        return true;
      case 'I':
        number(hour12, 2, flags);
        return true;
      case 'P':
      case 'p': {
        Flags half = flags;
        half.swap = letter == 'P' ? !flags.upper && !flags.swap : flags.swap;
        text(civil_.hour < 12 ? "AM" : "PM", half);
        return true;
      }
      case 'M':
        number(civil_.minute, 2, flags);
        return true;
      case 'S':
        number(civil_.second, 2, flags);
        return true;
      case 's':
        number(instant_.unix_seconds, 0, flags, ' ');
        return true;
      case 'f':
        number(civil_.nanosecond / 1000, flags.width == 0 ? 6 : 0, flags);
        return true;
      case 'Z':
        text("UTC", flags);
        return true;
      default:
        return false;
    }
  }

  bool put_composite(char letter, const Flags& flags) {
    switch (letter) {
      case 't':
        text("\t", {.width = flags.width, .padding = flags.padding});
        return true;
      case 'n':
        text("\n", {.width = flags.width, .padding = flags.padding});
        return true;
      case '%':
        text("%", {.width = flags.width, .padding = flags.padding});
        return true;
      case 'c':
        all("a b e H:M:S Y", flags.upper);
        return true;
      case '+':
        all("a b e H:M:S Z Y", flags.upper);
        return true;
      case 'v':
        all("e-b-Y", flags.upper);
        return true;
      case 'r':
        all("I:M:S p", flags.upper);
        return true;
      case 'F':
        all("Y-m-d", flags.upper);
        return true;
      case 'D':
      case 'x':
        all("m/d/y", flags.upper);
        return true;
      case 'T':
      case 'X':
        all("H:M:S", flags.upper);
        return true;
      case 'R':
        all("H:M", flags.upper);
        return true;
      default:
        return false;
    }
  }

  const Instant& instant_;
  CivilTime civil_;
  std::string_view format_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string format_time(const Instant& instant, std::string_view format) {
  return Formatter(instant, format).run();
}

}  // namespace tiphys::lang::jq

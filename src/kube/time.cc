#include "kube/time.h"

#include <array>
#include <cstdio>

namespace tiphys::kube {
namespace {

using std::chrono::floor;

std::string format(async::TimePoint moment, bool with_micros) {
  const auto day = floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(floor<std::chrono::microseconds>(moment - day));
  std::array<char, 64> text;
  int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()));
  std::string out(text.data(), static_cast<std::size_t>(size));
  if (with_micros) {
    size = std::snprintf(text.data(), text.size(), ".%06d",
                         static_cast<int>(time.subseconds().count()));
    out.append(text.data(), static_cast<std::size_t>(size));
  }
  return out + "Z";
}

/// Reads a text from left to right; once something does not fit, everything after fails as well.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int number(std::size_t digits, int minimum, int maximum) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      value = value * 10 + digit();
    }
    good_ = good_ && value >= minimum && value <= maximum;
    return value;
  }

  void expect(std::string_view any_of) { good_ = take(any_of) && good_; }

  bool take(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  int digit() {
    const char c = peek();
    if (c < '0' || c > '9') {
      good_ = false;
      return 0;
    }
    rest_.remove_prefix(1);
    return c - '0';
  }

  bool has_digit() const { return peek() >= '0' && peek() <= '9'; }

  bool finished() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

std::chrono::nanoseconds read_fraction(Scanner& scanner) {
  std::chrono::nanoseconds fraction{};
  if (!scanner.take(".")) {
    return fraction;
  }
  std::chrono::nanoseconds unit(100'000'000);
  do {
    fraction += unit * scanner.digit();
    unit /= 10;
  } while (scanner.has_digit());
  return fraction;
}

std::chrono::minutes read_offset(Scanner& scanner) {
  if (scanner.take("Zz")) {
    return {};
  }
  const bool negative = scanner.peek() == '-';
  scanner.expect("+-");
  std::chrono::minutes offset = std::chrono::hours(scanner.number(2, 0, 23));
  scanner.expect(":");
  offset += std::chrono::minutes(scanner.number(2, 0, 59));
  return negative ? -offset : offset;
}

}  // namespace

std::string format_time(async::TimePoint moment) { return format(moment, false); }

std::string format_micro_time(async::TimePoint moment) { return format(moment, true); }

Result<async::TimePoint> parse_time(std::string_view text) {
  Scanner scanner(text);
  const std::chrono::year year(scanner.number(4, 1678, 2261));
  scanner.expect("-");
  const std::chrono::month month(static_cast<unsigned>(scanner.number(2, 1, 12)));
  scanner.expect("-");
  const std::chrono::day day(static_cast<unsigned>(scanner.number(2, 1, 31)));
  scanner.expect("Tt ");
  const std::chrono::hours hours(scanner.number(2, 0, 23));
  scanner.expect(":");
  const std::chrono::minutes minutes(scanner.number(2, 0, 59));
  scanner.expect(":");
  const std::chrono::seconds seconds(scanner.number(2, 0, 60));
  const std::chrono::nanoseconds fraction = read_fraction(scanner);
  const std::chrono::minutes offset = read_offset(scanner);
  const std::chrono::year_month_day date(year, month, day);
  if (!scanner.finished() || !date.ok()) {
    return fail(ErrorCode::parse, "not a time in RFC 3339: \"" + std::string(text) + "\"");
  }
  return async::TimePoint(std::chrono::sys_days(date)) + hours + minutes + seconds + fraction -
         offset;
}

}  // namespace tiphys::kube

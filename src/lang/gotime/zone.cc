#include "lang/gotime/calendar.h"
#include "lang/gotime/gotime.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace tiphys::lang {
namespace {

struct LocalType {
  std::int32_t offset = 0;
  bool daylight = false;
  std::string abbreviation;
};

/// When daylight time starts or ends in a year, as a POSIX TZ string says it.
struct YearlyRule {
  enum class Kind : std::uint8_t { month_week_day, julian_without_leap, zero_based_day };
  Kind kind = Kind::month_week_day;
  int month = 0;
  int week = 0;
  int day = 0;
  /// Seconds after midnight, local time.
  std::int32_t time = 7200;
};

/// The rules after the last transition.
struct Footer {
  LocalType standard;
  std::optional<LocalType> daylight;
  YearlyRule start;
  YearlyRule end;
};

struct Transition {
  std::int64_t at = 0;
  std::size_t type = 0;
};

/// Reads big-endian numbers; past the end everything is zero and `failed` is set.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::string_view take(std::size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      count = rest_.size();
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (const char c : take(width)) {
      value = value << 8U | static_cast<unsigned char>(c);
    }
    return value;
  }

  std::int32_t int32() { return static_cast<std::int32_t>(number(4)); }

  std::string_view rest() const { return rest_; }

  bool failed() const { return failed_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

/// The counts at the head of a TZif block.
struct Counts {
  std::size_t universal;
  std::size_t standard;
  std::size_t leap;
  std::size_t times;
  std::size_t types;
  std::size_t characters;
};

std::optional<Counts> read_header(Reader& reader, char& version) {
  if (reader.take(4) != "TZif") {
    return std::nullopt;
  }
  const std::string_view version_byte = reader.take(1);
  version = version_byte.empty() ? '\0' : version_byte[0];
  reader.take(15);
  Counts counts{};
  counts.universal = reader.number(4);
  counts.standard = reader.number(4);
  counts.leap = reader.number(4);
  counts.times = reader.number(4);
  counts.types = reader.number(4);
  counts.characters = reader.number(4);
  constexpr std::size_t kLimit = 1U << 20U;
  const bool sane = counts.universal < kLimit && counts.standard < kLimit && counts.leap < kLimit &&
                    counts.times < kLimit && counts.types < 257 && counts.characters < kLimit;
  return reader.failed() || !sane ? std::nullopt : std::optional(counts);
}

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

/// Parser of the POSIX TZ string at the end of a zone file: "CET-1CEST,M3.5.0,M10.5.0/3".
class FooterParser {
 public:
  explicit FooterParser(std::string_view text) : rest_(text) {}

  std::optional<Footer> parse() {
    Footer footer;
    footer.standard.abbreviation = name();
    footer.standard.offset = -offset();
    if (failed_ || footer.standard.abbreviation.empty()) {
      return std::nullopt;
    }
    if (rest_.empty()) {
      return footer;
    }
    LocalType daylight;
    daylight.daylight = true;
    daylight.abbreviation = name();
    const bool has_offset = !rest_.empty() && rest_[0] != ',';
    daylight.offset = has_offset ? -offset() : footer.standard.offset + 3600;
    footer.daylight = daylight;
    if (rest_.empty()) {
      rest_ = ",M3.2.0,M11.1.0";
    }
    footer.start = rule();
    footer.end = rule();
    return failed_ || !rest_.empty() ? std::nullopt : std::optional(footer);
  }

 private:
  bool accept(char c) {
    if (rest_.empty() || rest_[0] != c) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  std::string name() {
    std::size_t length = 0;
    if (accept('<')) {
      length = rest_.find('>');
      if (length == std::string_view::npos) {
        failed_ = true;
        return {};
      }
      const std::string quoted(rest_.substr(0, length));
      rest_.remove_prefix(length + 1);
      return quoted;
    }
    while (length < rest_.size() && !is_decimal(rest_[length]) && rest_[length] != ',' &&
           rest_[length] != '-' && rest_[length] != '+') {
      ++length;
    }
    const std::string plain(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return plain;
  }

  int number() {
    int value = 0;
    bool any = false;
    while (!rest_.empty() && is_decimal(rest_[0]) && value < 100'000) {
      value = value * 10 + (rest_[0] - '0');
      rest_.remove_prefix(1);
      any = true;
    }
    failed_ = failed_ || !any;
    return value;
  }

  std::int32_t offset() {
    const bool negative = accept('-');
    if (!negative) {
      accept('+');
    }
    std::int32_t seconds = number() * 3600;
    if (accept(':')) {
      seconds += number() * 60;
    }
    if (accept(':')) {
      seconds += number();
    }
    return negative ? -seconds : seconds;
  }

  YearlyRule rule() {
    YearlyRule out;
    failed_ = failed_ || !accept(',');
    if (accept('M')) {
      out.month = number();
      failed_ = failed_ || !accept('.');
      out.week = number();
      failed_ = failed_ || !accept('.');
      out.day = number();
      failed_ =
          failed_ || out.month < 1 || out.month > 12 || out.week < 1 || out.week > 5 || out.day > 6;
    } else {
      out.kind =
          accept('J') ? YearlyRule::Kind::julian_without_leap : YearlyRule::Kind::zero_based_day;
      out.day = number();
    }
    if (accept('/')) {
      out.time = offset();
    }
    return out;
  }

  std::string_view rest_;
  bool failed_ = false;
};

/// Seconds since the epoch of a yearly rule, on the local clock.
std::int64_t rule_seconds(const YearlyRule& rule, std::int64_t year) {
  std::int64_t day = 0;
  switch (rule.kind) {
    case YearlyRule::Kind::julian_without_leap:
      day = days_from_civil(year, 1, 1) + rule.day - 1;
      day += is_leap(year) && rule.day >= 60 ? 1 : 0;
      break;
    case YearlyRule::Kind::zero_based_day:
      day = days_from_civil(year, 1, 1) + rule.day;
      break;
    case YearlyRule::Kind::month_week_day: {
      const std::int64_t first = days_from_civil(year, rule.month, 1);
      int date = 1 + (rule.day - weekday_of(first) + 7) % 7 + (rule.week - 1) * 7;
      while (date > days_in_month(year, rule.month)) {
        date -= 7;
      }
      day = first + date - 1;
      break;
    }
  }
  return day * kSecondsPerDay + rule.time;
}

const LocalType& type_by_footer(const Footer& footer, std::int64_t unix_seconds) {
  if (!footer.daylight) {
    return footer.standard;
  }
  const std::int64_t local = unix_seconds + footer.standard.offset;
  const std::int64_t year = civil_from_days(floor_divide(local, kSecondsPerDay)).year;
  const std::int64_t start = rule_seconds(footer.start, year) - footer.standard.offset;
  const std::int64_t end = rule_seconds(footer.end, year) - footer.daylight->offset;
  const bool daylight = start <= end ? unix_seconds >= start && unix_seconds < end
                                     : !(unix_seconds >= end && unix_seconds < start);
  return daylight ? *footer.daylight : footer.standard;
}

}  // namespace

struct Zone::Rules {
  std::string name;
  std::vector<LocalType> types;
  std::vector<Transition> transitions;
  std::optional<Footer> footer;

  const LocalType& type_at(std::int64_t unix_seconds) const {
    if (transitions.empty() || unix_seconds < transitions.front().at) {
      if (transitions.empty() && footer) {
        return type_by_footer(*footer, unix_seconds);
      }
      const auto standard = std::ranges::find(types, false, &LocalType::daylight);
      return standard == types.end() ? types.front() : *standard;
    }
    const auto next = std::ranges::upper_bound(transitions, unix_seconds, {}, &Transition::at);
    if (next == transitions.end() && footer) {
      return type_by_footer(*footer, unix_seconds);
    }
    return types[std::prev(next)->type];
  }
};

Zone::Zone() : rules_(std::make_unique<Rules>()) {}

Zone::~Zone() = default;

std::shared_ptr<const Zone> Zone::utc() {
  static const std::shared_ptr<const Zone> zone = fixed("UTC", 0);
  return zone;
}

std::shared_ptr<const Zone> Zone::fixed(std::string name, std::int32_t seconds) {
  auto zone = std::make_shared<Zone>();
  zone->rules_->types.push_back({seconds, false, name});
  zone->rules_->name = std::move(name);
  return zone;
}

Result<std::shared_ptr<const Zone>> Zone::from_tzif(std::string name, std::string_view bytes) {
  const auto malformed = [&] {
    return fail(ErrorCode::invalid, fmt::format("malformed time zone information of {}", name));
  };
  Reader reader(bytes);
  char version = 0;
  std::optional<Counts> counts = read_header(reader, version);
  std::size_t width = 4;
  if (counts && version >= '2') {
    // The first block repeats the second one in 32 bits.
    reader.take(counts->times * 5 + counts->types * 6 + counts->characters + counts->leap * 8 +
                counts->standard + counts->universal);
    counts = read_header(reader, version);
    width = 8;
  }
  if (!counts || counts->types == 0) {
    return malformed();
  }
  auto zone = std::make_shared<Zone>();
  Rules& rules = *zone->rules_;
  for (std::size_t i = 0; i < counts->times; ++i) {
    const std::uint64_t raw = reader.number(width);
    rules.transitions.push_back(
        {.at = width == 8 ? static_cast<std::int64_t>(raw) : static_cast<std::int32_t>(raw)});
  }
  for (Transition& transition : rules.transitions) {
    transition.type = reader.number(1);
    if (transition.type >= counts->types) {
      return malformed();
    }
  }
  std::vector<std::size_t> name_starts;
  for (std::size_t i = 0; i < counts->types; ++i) {
    LocalType type;
    type.offset = reader.int32();
    type.daylight = reader.number(1) != 0;
    name_starts.push_back(reader.number(1));
    rules.types.push_back(std::move(type));
  }
  const std::string_view names = reader.take(counts->characters);
  for (std::size_t i = 0; i < rules.types.size(); ++i) {
    const std::string_view tail = names.substr(std::min(name_starts[i], names.size()));
    rules.types[i].abbreviation = std::string(tail.substr(0, tail.find('\0')));
  }
  reader.take(counts->leap * (width + 4) + counts->standard + counts->universal);
  if (reader.failed()) {
    return malformed();
  }
  const std::string_view footer = reader.rest();
  if (width == 8 && footer.size() > 2 && footer.front() == '\n' && footer.back() == '\n') {
    rules.footer = FooterParser(footer.substr(1, footer.size() - 2)).parse();
  }
  rules.name = std::move(name);
  return zone;
}

const std::string& Zone::name() const { return rules_->name; }

ZoneOffset Zone::at(std::int64_t unix_seconds) const {
  const LocalType& type = rules_->type_at(unix_seconds);
  return {type.offset, type.abbreviation, type.daylight};
}

std::int32_t Zone::wall_clock_offset(std::int64_t wall_seconds) const {
  // Guess with the offset at the reading taken as UTC; where that lands on the other side of a
  // transition, the offset there is the one in force.
  const std::int32_t guess = at(wall_seconds).seconds;
  if (guess == 0) {
    return 0;
  }
  const std::int64_t candidate = wall_seconds - guess;
  const std::int32_t actual = at(candidate).seconds;
  if (actual == guess) {
    return guess;
  }
  return at(wall_seconds - actual).seconds == actual ? actual : at(wall_seconds - actual).seconds;
}

std::optional<std::int32_t> Zone::offset_of(std::string_view abbreviation,
                                            std::int64_t wall_seconds) const {
  const auto named = [&](const LocalType& type) { return type.abbreviation == abbreviation; };
  for (const LocalType& type : rules_->types) {
    if (named(type) && named(rules_->type_at(wall_seconds - type.offset))) {
      return rules_->type_at(wall_seconds - type.offset).offset;
    }
  }
  const auto any = std::ranges::find_if(rules_->types, named);
  return any == rules_->types.end() ? std::nullopt : std::optional(any->offset);
}

Result<std::shared_ptr<const Zone>> load_zone(std::string_view name, const ZoneFiles* files) {
  if (name.empty() || name == "UTC") {
    return Zone::utc();
  }
  if (name == "Local") {
    static const std::shared_ptr<const Zone> local = Zone::fixed("Local", 0);
    return local;
  }
  const bool hostile = name.find("..") != std::string_view::npos || name.starts_with('/') ||
                       name.find('\\') != std::string_view::npos ||
                       name.find('\0') != std::string_view::npos;
  if (hostile) {
    return fail(ErrorCode::invalid, "time: invalid location name");
  }
  const std::optional<std::string> bytes = files == nullptr ? std::nullopt : files->load(name);
  if (!bytes) {
    return fail(ErrorCode::invalid, fmt::format("unknown time zone {}", name));
  }
  return Zone::from_tzif(std::string(name), *bytes);
}

}  // namespace tiphys::lang

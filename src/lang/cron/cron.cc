#include "lang/cron/cron.h"

#include "lang/gotext/gotext.h"

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tiphys::lang {
namespace {

struct NamedValue {
  std::string_view name;
  std::uint32_t value;
};

constexpr std::array<NamedValue, 12> kMonths = {{{"jan", 1},
                                                 {"feb", 2},
                                                 {"mar", 3},
                                                 {"apr", 4},
                                                 {"may", 5},
                                                 {"jun", 6},
                                                 {"jul", 7},
                                                 {"aug", 8},
                                                 {"sep", 9},
                                                 {"oct", 10},
                                                 {"nov", 11},
                                                 {"dec", 12}}};
constexpr std::array<NamedValue, 7> kWeekdays = {
    {{"sun", 0}, {"mon", 1}, {"tue", 2}, {"wed", 3}, {"thu", 4}, {"fri", 5}, {"sat", 6}}};

struct FieldRange {
  std::uint32_t least;
  std::uint32_t most;
  std::span<const NamedValue> names = {};
};

constexpr std::array<FieldRange, 5> kFields = {
    {{0, 59}, {0, 23}, {1, 31}, {1, 12, kMonths}, {0, 6, kWeekdays}}};

struct FieldSet {
  std::uint64_t values = 0;
  bool star = false;
};

std::string text(std::string_view view) { return std::string(view); }

std::vector<std::string_view> split(std::string_view whole, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = whole.find(separator);
    parts.push_back(whole.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    whole.remove_prefix(end + 1);
  }
}

/// The words between white space, Go's strings.Fields.
std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  std::size_t begin = 0;
  bool inside = false;
  for (std::size_t at = 0; at < line.size();) {
    const DecodedRune rune = first_rune(line.substr(at));
    if (is_space(rune.rune) == inside) {
      if (inside) {
        found.push_back(line.substr(begin, at - begin));
      }
      begin = at;
      inside = !inside;
    }
    at += rune.size;
  }
  if (inside) {
    found.push_back(line.substr(begin));
  }
  return found;
}

Result<std::uint32_t> parse_number(std::string_view digits) {
  auto number = parse_integer(digits, 10, "Atoi");
  if (!number) {
    return fail(ErrorCode::invalid,
                "failed to parse int from " + text(digits) + ": " + number.error().message);
  }
  if (*number < 0) {
    return fail(ErrorCode::invalid,
                "negative number (" + std::to_string(*number) + ") not allowed: " + text(digits));
  }
  // Go has 64 bits here; what does not fit in 32 is out of every range all the same.
  return static_cast<std::uint32_t>(std::min<std::int64_t>(*number, UINT32_MAX));
}

Result<std::uint32_t> parse_value(std::string_view word, const FieldRange& range) {
  for (const NamedValue& named : range.names) {
    if (lower(word) == named.name) {
      return named.value;
    }
  }
  return parse_number(word);
}

std::uint64_t bits_of(std::uint32_t first, std::uint32_t last, std::uint32_t step) {
  std::uint64_t bits = 0;
  for (std::uint64_t value = first; value <= last; value += step) {
    bits |= std::uint64_t{1} << value;
  }
  return bits;
}

/// `*`, `?`, `n`, `n-m`, each with an optional `/step`; `n/step` goes on to the end of the range.
Result<FieldSet> parse_range(std::string_view expression, const FieldRange& range) {
  const auto parts = split(expression, '/');
  const auto ends = split(parts[0], '-');
  const std::string shown = ": " + text(expression);
  FieldSet out;
  std::uint32_t first = range.least;
  std::uint32_t last = range.most;
  if (ends[0] == "*" || ends[0] == "?") {
    out.star = true;
  } else {
    TRY(first, parse_value(ends[0], range));
    last = first;
    if (ends.size() > 2) {
      return fail(ErrorCode::invalid, "too many hyphens" + shown);
    }
    if (ends.size() == 2) {
      TRY(last, parse_value(ends[1], range));
    }
  }
  std::uint32_t step = 1;
  if (parts.size() > 2) {
    return fail(ErrorCode::invalid, "too many slashes" + shown);
  }
  if (parts.size() == 2) {
    TRY(step, parse_number(parts[1]));
    if (ends.size() == 1) {
      last = range.most;
    }
    // A star with a step is no star: the field chooses.
    out.star = out.star && step <= 1;
  }
  if (first < range.least) {
    return fail(ErrorCode::invalid, "beginning of range (" + std::to_string(first) +
                                        ") below minimum (" + std::to_string(range.least) + ")" +
                                        shown);
  }
  if (last > range.most) {
    return fail(ErrorCode::invalid, "end of range (" + std::to_string(last) + ") above maximum (" +
                                        std::to_string(range.most) + ")" + shown);
  }
  if (first > last) {
    return fail(ErrorCode::invalid, "beginning of range (" + std::to_string(first) +
                                        ") beyond end of range (" + std::to_string(last) + ")" +
                                        shown);
  }
  if (step == 0) {
    return fail(ErrorCode::invalid, "step of range should be a positive number" + shown);
  }
  out.values = bits_of(first, last, step);
  return out;
}

Result<FieldSet> parse_field(std::string_view field, const FieldRange& range) {
  FieldSet out;
  for (const std::string_view expression : split(field, ',')) {
    if (expression.empty()) {
      continue;
    }
    TRY(const FieldSet part, parse_range(expression, range));
    out.values |= part.values;
    out.star = out.star || part.star;
  }
  return out;
}

Result<CronSchedule> from_fields(const std::vector<std::string_view>& fields) {
  std::array<FieldSet, kFields.size()> sets;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    TRY(sets.at(i), parse_field(fields[i], kFields.at(i)));
  }
  CronSchedule out;
  out.minutes = sets[0].values;
  out.hours = sets[1].values;
  out.days = sets[2].values;
  out.months = sets[3].values;
  out.weekdays = sets[4].values;
  out.days_star = sets[2].star;
  out.weekdays_star = sets[4].star;
  return out;
}

Result<CronSchedule> parse_descriptor(std::string_view descriptor) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kDescriptors = {
      {{"@yearly", "0 0 1 1 *"},
       {"@annually", "0 0 1 1 *"},
       {"@monthly", "0 0 1 * *"},
       {"@weekly", "0 0 * * 0"},
       {"@daily", "0 0 * * *"},
       {"@midnight", "0 0 * * *"},
       {"@hourly", "0 * * * *"}}};
  for (const auto& [name, fields] : kDescriptors) {
    if (descriptor == name) {
      return from_fields(words(fields));
    }
  }
  constexpr std::string_view kEvery = "@every ";
  if (!descriptor.starts_with(kEvery)) {
    return fail(ErrorCode::invalid, "unrecognized descriptor: " + text(descriptor));
  }
  auto interval = parse_duration(descriptor.substr(kEvery.size()));
  if (!interval) {
    return fail(ErrorCode::invalid,
                "failed to parse duration " + text(descriptor) + ": " + interval.error().message);
  }
  CronSchedule out;
  constexpr Nanos kSecond = std::chrono::seconds(1);
  out.every = *interval < kSecond ? kSecond : *interval - *interval % kSecond;
  return out;
}

}  // namespace

Result<CronSchedule> parse_cron(std::string_view schedule, const ZoneFiles* files,
                                CronSyntax syntax, UnknownZones unknown_zones) {
  if (schedule.empty()) {
    return fail(ErrorCode::invalid, "empty spec string");
  }
  std::shared_ptr<const Zone> zone;
  if (schedule.starts_with("TZ=") || schedule.starts_with("CRON_TZ=")) {
    const std::size_t begin = schedule.find('=') + 1;
    const std::size_t end = schedule.find(' ');
    if (end == std::string_view::npos) {
      return fail(ErrorCode::invalid, "no schedule behind the time zone: " + text(schedule));
    }
    const std::string_view name = schedule.substr(begin, end - begin);
    auto loaded = load_zone(name, files);
    if (loaded) {
      zone = std::move(*loaded);
    } else if (files != nullptr || unknown_zones == UnknownZones::refuse) {
      return fail(ErrorCode::invalid,
                  "provided bad location " + text(name) + ": " + loaded.error().message);
    }
    schedule = trim_space(schedule.substr(end));
  }
  CronSchedule out;
  if (schedule.starts_with('@')) {
    if (syntax == CronSyntax::five_fields) {
      return fail(ErrorCode::invalid, "parser does not accept descriptors: " + text(schedule));
    }
    TRY(out, parse_descriptor(schedule));
  } else {
    const auto fields = words(schedule);
    if (fields.size() != kFields.size()) {
      std::string shown;
      for (const std::string_view field : fields) {
        shown += shown.empty() ? text(field) : " " + text(field);
      }
      return fail(ErrorCode::invalid, "expected exactly 5 fields, found " +
                                          std::to_string(fields.size()) + ": [" + shown + "]");
    }
    TRY(out, from_fields(fields));
  }
  out.zone = std::move(zone);
  return out;
}

}  // namespace tiphys::lang

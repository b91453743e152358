/// Dates and durations. The local zone is UTC.
#include "lang/gotext/gotext.h"
#include "lang/gotime/gotime.h"
#include "lang/sprig/functions.h"

#include <fmt/format.h>

#include <array>

namespace tiphys::lang::sprig {
namespace {

/// A time, or whole seconds since 1970; anything else is the present.
Result<Instant> instant_of(const Call& call, const ExprValue& value, bool takes_int32) {
  if (value.kind() == ExprKind::time) {
    return value.as_time();
  }
  const bool seconds = value.kind() == ExprKind::int_ || value.kind() == ExprKind::int64 ||
                       (takes_int32 && value.kind() == ExprKind::int32);
  return seconds ? Instant{.unix_seconds = value.as_integer()} : present(call);
}

Answer formatted(const Call& call, std::string_view layout, const ExprValue& date,
                 std::string_view zone_name) {
  TRY(const Instant instant, instant_of(call, date, true));
  const auto zone = load_zone(zone_name, call.run.runtime().zones);
  return text_answer(call, instant.in(zone ? *zone : Zone::utc()).format(layout));
}

constexpr std::string_view kHtmlDate = "2006-01-02";

Answer date(const Call& call) { return formatted(call, call.text(0), call[1], "UTC"); }

Answer date_in_zone(const Call& call) {
  return formatted(call, call.text(0), call[1], call.text(2));
}

Answer date_modify(const Call& call) {
  const auto by = parse_duration(call.text(0));
  return by ? ExprValue::time(call[1].as_time().plus(*by)) : call[1];
}

Answer must_date_modify(const Call& call) {
  TRY(const Nanos by, parse_duration(call.text(0)));
  return ExprValue::time(call[1].as_time().plus(by));
}

Answer must_to_date(const Call& call) {
  TRY(Instant instant, parse_time(call.text(0), call.text(1)));
  return ExprValue::time(std::move(instant));
}

Answer to_date(const Call& call) {
  auto instant = parse_time(call.text(0), call.text(1));
  return ExprValue::time(instant ? *std::move(instant) : Instant::zero());
}

Answer ago(const Call& call) {
  TRY(const Instant then, instant_of(call, call[0], false));
  TRY(const Instant now, present(call));
  return text_answer(call, duration_text(round_duration(now.minus(then), std::chrono::seconds(1))));
}

/// Seconds as text or int64; anything else, an int too, is none.
Answer duration(const Call& call) {
  std::int64_t seconds = 0;
  if (call[0].kind() == ExprKind::string) {
    seconds = lenient_integer(call.text(0));
  } else if (call[0].kind() == ExprKind::int64) {
    seconds = call.integer(0);
  }
  constexpr std::uint64_t kNanosInSecond = 1'000'000'000;
  const std::uint64_t nanos = static_cast<std::uint64_t>(seconds) * kNanosInSecond;
  return text_answer(call, duration_text(Nanos{static_cast<std::int64_t>(nanos)}));
}

/// Nanoseconds of a duration in text, an int64 or the time since a date; anything else is none.
Result<std::int64_t> nanos_of(const Call& call) {
  const ExprValue& value = call[0];
  if (value.kind() == ExprKind::string) {
    return parse_duration(value.as_string()).value_or(Nanos{0}).count();
  }
  if (value.kind() == ExprKind::time) {
    TRY(const Instant now, present(call));
    return now.minus(value.as_time()).count();
  }
  return value.kind() == ExprKind::int64 ? value.as_integer() : 0;
}

/// In the largest unit it is longer than one of.
Answer duration_round(const Call& call) {
  TRY(const std::int64_t nanos, nanos_of(call));
  const auto bits = static_cast<std::uint64_t>(nanos);
  const std::uint64_t size = nanos < 0 ? 0 - bits : bits;
  constexpr std::uint64_t kSecond = 1'000'000'000;
  constexpr std::uint64_t kDay = 86'400 * kSecond;
  constexpr std::array<std::pair<std::uint64_t, std::string_view>, 6> kUnits = {{
      {365 * kDay, "y"},
      {30 * kDay, "mo"},
      {kDay, "d"},
      {3'600 * kSecond, "h"},
      {60 * kSecond, "m"},
      {kSecond, "s"},
  }};
  for (const auto& [unit, name] : kUnits) {
    if (size > unit) {
      return text_answer(call, fmt::format("{}{}", size / unit, name));
    }
  }
  return text_answer(call, "0s");
}

Answer now(const Call& call) {
  TRY(Instant instant, present(call));
  return ExprValue::time(std::move(instant));
}

constexpr std::string_view kInZone = "func(string, interface {}, string) string";
constexpr std::string_view kModify = "func(string, time.Time) time.Time";
constexpr std::string_view kMustModify = "func(string, time.Time) (time.Time, error)";

constexpr Function kFunctions[] = {
    {"ago", "func(interface {}) string", ago},
    {"date", "func(string, interface {}) string", date},
    {"date_in_zone", kInZone, date_in_zone},
    {"dateInZone", kInZone, date_in_zone},
    {"date_modify", kModify, date_modify},
    {"dateModify", kModify, date_modify},
    {"must_date_modify", kMustModify, must_date_modify},
    {"mustDateModify", kMustModify, must_date_modify},
    {"duration", "func(interface {}) string", duration},
    {"durationRound", "func(interface {}) string", duration_round},
    {"htmlDate", "func(interface {}) string",
     [](const Call& call) { return formatted(call, kHtmlDate, call[0], "UTC"); }},
    {"htmlDateInZone", "func(interface {}, string) string",
     [](const Call& call) { return formatted(call, kHtmlDate, call[0], call.text(1)); }},
    {"now", "func() time.Time", now},
    {"toDate", "func(string, string) time.Time", to_date},
    {"mustToDate", "func(string, string) (time.Time, error)", must_to_date},
    {"unixEpoch", "func(time.Time) string",
     [](const Call& call) {
       return text_answer(call, std::to_string(call[0].as_time().unix_seconds));
     }},
};

}  // namespace

std::span<const Function> date_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig

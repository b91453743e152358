#include "lang/jq/json_form.h"
#include "lang/jq/native.h"
#include "lang/jq/operators.h"
#include "lang/jq/time_format.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace tiphys::lang::jq {
namespace {

/// Years that a time of this kind may have; beyond, arithmetic would overflow.
constexpr double kMaximumSeconds = 1e15;
constexpr std::int64_t kMaximumPart = 1'000'000'000;

Instant instant_of(double seconds) {
  const double bounded =
      std::isnan(seconds) ? 0 : std::clamp(seconds, -kMaximumSeconds, kMaximumSeconds);
  return {.unix_seconds = static_cast<std::int64_t>(bounded),
          .nanosecond = static_cast<std::int32_t>((bounded - std::floor(bounded)) * 1e9)};
}

double seconds_of(const Instant& instant) {
  return static_cast<double>(instant.unix_seconds) + instant.nanosecond / 1e9;
}

/// "Broken down time": year, month from 0, day, hour, minute, seconds, weekday, day of the year
/// from 0.
Value parts_of(const Instant& instant) {
  const CivilTime civil = instant.civil();
  return Value::list({Value::integer(civil.year), Value::integer(civil.month - 1),
                      Value::integer(civil.day), Value::integer(civil.hour),
                      Value::integer(civil.minute),
                      Value::number(civil.second + civil.nanosecond / 1e9),
                      Value::integer(civil.weekday), Value::integer(civil.year_day - 1)});
}

std::optional<Instant> instant_of(const List& parts) {
  std::int64_t numbers[8] = {};
  int nanosecond = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(8, parts.size()); ++i) {
    const auto number = to_integer(parts[i]);
    if (!number) {
      return std::nullopt;
    }
    numbers[i] = std::clamp(*number, -kMaximumPart, kMaximumPart);
    if (const auto seconds = to_double(parts[i]); i == 5 && seconds && std::isfinite(*seconds)) {
      nanosecond = static_cast<int>((*seconds - std::floor(*seconds)) * 1e9);
    }
  }
  return Instant::from_civil({.year = numbers[0],
                              .month = static_cast<int>(numbers[1]) + 1,
                              .day = static_cast<int>(numbers[2]),
                              .hour = static_cast<int>(numbers[3]),
                              .minute = static_cast<int>(numbers[4]),
                              .second = static_cast<int>(numbers[5]),
                              .nanosecond = nanosecond},
                             Zone::utc());
}

constexpr std::string_view kNotParts = "expected an array of 8 numbers";

Outcome broken_down(const NativeCall& call, std::string_view name) {
  const auto seconds = to_double(call.value);
  return seconds ? Outcome(parts_of(instant_of(*seconds))) : not_for(name, call.value);
}

Outcome gmtime(const NativeCall& call) { return broken_down(call, "gmtime"); }

// The local zone of a program is UTC.
Outcome localtime(const NativeCall& call) { return broken_down(call, "localtime"); }

Outcome mktime(const NativeCall& call) {
  if (!call.value.is(Kind::list)) {
    return not_for("mktime", call.value);
  }
  const auto instant = instant_of(call.value.as_list());
  return instant ? Outcome(Value::number(seconds_of(*instant)))
                 : failed_for("mktime", preview(call.value), kNotParts);
}

Outcome formatted(const NativeCall& call, std::string_view name) {
  const auto seconds = to_double(call.value);
  const Value value = seconds ? parts_of(instant_of(*seconds)) : call.value;
  const Value& format = call.argument(0);
  if (!value.is(Kind::list) || !format.is(Kind::text)) {
    return not_for(name, format, value);
  }
  const auto instant = instant_of(value.as_list());
  if (!instant) {
    return failed_for(std::string(name) + "(" + preview(format) + ")", preview(value), kNotParts);
  }
  // A directive of some bytes may be a kilobyte wide.
  call.budget.spend_bytes(format.as_text().size() * 256);
  return Value::text(format_time(*instant, format.as_text()));
}

Outcome strftime(const NativeCall& call) { return formatted(call, "strftime"); }

Outcome strflocaltime(const NativeCall& call) { return formatted(call, "strflocaltime"); }

Outcome strptime(const NativeCall& call) {
  const Value& format = call.argument(0);
  if (!call.value.is(Kind::text) || !format.is(Kind::text)) {
    return not_for("strptime", format, call.value);
  }
  call.budget.spend_bytes(call.value.as_text().size());
  const auto instant = read_time(call.value.as_text(), format.as_text());
  if (!instant) {
    return failed_for("strptime(" + preview(format) + ")", preview(call.value), instant.error());
  }
  if (compare(*instant, Instant::zero()) == 0) {
    return not_for("strptime", format, call.value);
  }
  return parts_of(instant_of(seconds_of(*instant)));
}

Outcome now(const NativeCall& call) {
  return call.now ? Outcome(Value::number(seconds_of(call.now())))
                  : problem("there is no clock here");
}

constexpr Native kNatives[] = {
    {"gmtime", 0, gmtime},     {"localtime", 0, localtime},         {"mktime", 0, mktime},
    {"strftime", 1, strftime}, {"strflocaltime", 1, strflocaltime}, {"strptime", 1, strptime},
    {"now", 0, now},
};

}  // namespace

std::span<const Native> time_natives() { return kNatives; }

}  // namespace tiphys::lang::jq

#include "lang/duration/api_values.h"

#include "doc/json.h"
#include "lang/gotext/gotext.h"
#include "lang/jsontext/json_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace tiphys::lang {
namespace {

constexpr std::string_view kMicroLayout = "2006-01-02T15:04:05.000000Z07:00";

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::invalid, std::move(message));
}

std::string_view trimmed(std::string_view json) {
  const std::size_t begin = std::min(json.find_first_not_of(" \t\r\n"), json.size());
  return json.substr(begin, json_value_end(json, begin) - begin);
}

/// A JSON string's content; `null` is an empty one, as Go decodes it.
Result<std::string> string_in(std::string_view json) {
  if (auto problem = json_problem(json)) {
    return refuse(*std::move(problem));
  }
  const std::string_view kind = json_kind(json);
  if (kind == "null") {
    return std::string();
  }
  if (kind != "string") {
    return refuse(fmt::format("json: cannot unmarshal {} into Go value of type string", kind));
  }
  return json_unescape(trimmed(json));
}

std::string quoted(std::string_view text) {
  std::string out;
  doc::append_json_string(out, text);
  return out;
}

std::string_view layout_of(TimeForm form) {
  return form == TimeForm::seconds ? kRfc3339 : kMicroLayout;
}

/// A whole number of 32 bits as encoding/json wants one.
std::optional<std::int32_t> int32_in(std::string_view json) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), number);
  if (error != std::errc() || end != json.data() + json.size()) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

double seconds_of(Nanos duration) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return static_cast<double>(duration.count() / kSecond) +
         static_cast<double>(duration.count() % kSecond) / 1e9;
}

Result<Nanos> duration_from_json(std::string_view json) {
  TRY(const std::string text, string_in(json));
  return parse_duration(text);
}

std::string duration_to_json(Nanos duration) { return quoted(duration_text(duration)); }

Result<std::optional<Instant>> time_from_json(std::string_view json, TimeForm form) {
  if (json == "null") {
    return std::nullopt;
  }
  TRY(const std::string text, string_in(json));
  TRY(Instant instant, parse_time(layout_of(form), text));
  if (compare(instant, Instant::zero()) == 0) {
    return std::nullopt;
  }
  return instant.in(Zone::utc());
}

std::string time_to_json(const std::optional<Instant>& instant, TimeForm form) {
  return instant ? quoted(instant->in(Zone::utc()).format(layout_of(form))) : "null";
}

IntOrString IntOrString::of(std::int32_t number) {
  IntOrString value;
  value.number_ = number;
  return value;
}

IntOrString IntOrString::of(std::string text) {
  IntOrString value;
  value.text_ = std::move(text);
  return value;
}

IntOrString IntOrString::parse(std::string_view text) {
  const auto number = parse_integer(text, 10);
  if (number && *number >= INT32_MIN && *number <= INT32_MAX) {
    return of(static_cast<std::int32_t>(*number));
  }
  return of(std::string(text));
}

Result<IntOrString> IntOrString::from_json(std::string_view json) {
  if (auto problem = json_problem(json)) {
    return refuse(*std::move(problem));
  }
  const std::string_view value = trimmed(json);
  const std::string_view kind = json_kind(value);
  if (kind == "string") {
    return of(json_unescape(value));
  }
  if (kind == "null") {
    return IntOrString();
  }
  if (kind != "number") {
    return refuse(fmt::format("json: cannot unmarshal {} into Go value of type int32", kind));
  }
  const auto number = int32_in(value);
  if (!number) {
    return refuse(
        fmt::format("json: cannot unmarshal number {} into Go value of type int32", value));
  }
  return of(*number);
}

std::int64_t IntOrString::number() const {
  return text_ ? parse_integer(*text_, 10, "Atoi").value_or(0) : number_;
}

std::string IntOrString::text() const { return text_ ? *text_ : fmt::format("{}", number_); }

std::string IntOrString::to_json() const { return text_ ? quoted(*text_) : text(); }

Result<std::int64_t> IntOrString::scaled(std::int64_t total, Rounding rounding) const {
  if (!text_) {
    return number_;
  }
  std::string_view digits = *text_;
  if (!digits.ends_with('%')) {
    return refuse("invalid value for IntOrString: invalid type: string is not a percentage");
  }
  digits.remove_suffix(1);
  const auto percent = parse_integer(digits, 10, "Atoi");
  if (!percent) {
    return refuse(fmt::format("invalid value for IntOrString: invalid value {}: {}", quote(*text_),
                              percent.error().message));
  }
  const double share = static_cast<double>(*percent) * static_cast<double>(total) / 100;
  const double whole = rounding == Rounding::up ? std::ceil(share) : std::floor(share);
  constexpr double kEdge = 9223372036854775808.0;
  return whole >= -kEdge && whole < kEdge ? static_cast<std::int64_t>(whole) : INT64_MIN;
}

}  // namespace tiphys::lang

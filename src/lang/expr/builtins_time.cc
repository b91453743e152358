/// Functions on times.
#include "lang/expr/builtins.h"
#include "lang/expr/methods.h"

#include <fmt/format.h>

#include <array>

namespace tiphys::lang {
namespace {

using Body = Result<ExprValue>;

constexpr std::string_view kRfc822 = "02 Jan 06 15:04 MST";
constexpr std::string_view kRfc850 = "Monday, 02-Jan-06 15:04:05 MST";
constexpr std::string_view kRfc1123 = "Mon, 02 Jan 2006 15:04:05 MST";

bool is_location(const std::optional<ExprType>& type) { return type && *type == location_type(); }

Result<ExprType> check_now(ArgumentTypes types) {
  if (types.empty() || (types.size() == 1 && is_location(types[0]))) {
    return ExprType(ExprKind::time);
  }
  return run_error(fmt::format("invalid number of arguments (expected 0, got {})", types.size()));
}

Result<ExprType> check_date(ArgumentTypes types) {
  if (types.empty()) {
    return run_error("invalid number of arguments (expected at least 1, got 0)");
  }
  const std::size_t texts = types.size() - (is_location(types[0]) ? 1 : 0);
  if (texts > 3) {
    return run_error(
        fmt::format("invalid number of arguments (expected at most 3, got {})", texts));
  }
  return ExprType(ExprKind::time);
}

Body now(ExprRun& run, ExprArguments arguments) {
  if (!run.runtime().now) {
    return run_error("now: no clock is available here");
  }
  const Instant present = run.runtime().now();
  if (arguments.empty()) {
    return ExprValue::time(present);
  }
  if (auto zone = location_zone(arguments[0])) {
    return ExprValue::time(present.in(std::move(zone)));
  }
  return run_error("invalid number of arguments (expected 0, got 1)");
}

Body parsed(std::string_view layout, std::string_view text,
            const std::shared_ptr<const Zone>& zone) {
  TRY(Instant time, parse_time(layout, text, zone));
  return ExprValue::time(std::move(time));
}

Body date(ExprRun& run, ExprArguments arguments) {
  std::shared_ptr<const Zone> zone = location_zone(arguments[0]);
  if (zone) {
    arguments = arguments.subspan(1);
  } else {
    zone = Zone::utc();
  }
  if (arguments.empty()) {
    return run_error("runtime error: index out of range [0] with length 0");
  }
  TRY(const std::string_view text, text_argument(arguments[0]));
  if (arguments.size() == 1) {
    constexpr std::array kLayouts = {std::string_view("2006-01-02"),
                                     std::string_view("15:04:05"),
                                     std::string_view("2006-01-02 15:04:05"),
                                     kRfc3339,
                                     kRfc822,
                                     kRfc850,
                                     kRfc1123};
    for (const std::string_view layout : kLayouts) {
      if (Body time = parsed(layout, text, zone)) {
        return time;
      }
    }
    return run_error(fmt::format("invalid date {}", text));
  }
  TRY(const std::string_view layout, text_argument(arguments[1]));
  if (arguments.size() == 3) {
    TRY(const std::string_view name, text_argument(arguments[2]));
    TRY(zone, load_zone(name, run.runtime().zones));
  }
  return parsed(layout, text, zone);
}

Body parse_duration_text(ExprRun&, ExprArguments arguments) {
  TRY(const std::string_view text, text_argument(arguments[0]));
  TRY(const Nanos value, parse_duration(text));
  return ExprValue::duration(value);
}

Body timezone(ExprRun& run, ExprArguments arguments) {
  TRY(const std::string_view name, text_argument(arguments[0]));
  TRY(auto zone, load_zone(name, run.runtime().zones));
  return location_value(std::move(zone));
}

}  // namespace

std::vector<Builtin> time_builtins() {
  using enum ExprKind;
  return {
      {.name = "now", .validate = check_now, .body = now},
      {.name = "date", .validate = check_date, .body = date},
      {.name = "duration",
       .overloads = {ExprType::function({string}, false, {ExprKind::duration})},
       .body = parse_duration_text},
      {.name = "timezone",
       .overloads = {ExprType::function({string}, false, {location_type()})},
       .body = timezone},
  };
}

}  // namespace tiphys::lang

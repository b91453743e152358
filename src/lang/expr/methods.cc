#include "lang/expr/methods.h"

#include "lang/expr/builtins.h"
#include "lang/expr/parts.h"
#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tiphys::lang {
namespace {

/// A time.Month or time.Weekday: an int with names.
class NamedInteger final : public ExprObject {
 public:
  NamedInteger(std::string_view type, std::int64_t value, std::string text)
      : type_(type), value_(value), text_(std::move(text)) {}

  std::string go_name() const override { return std::string(type_); }

  std::optional<ExprType> field_type(std::string_view name) const override {
    return name == "String" ? std::optional(ExprType::function({}, false, {ExprKind::string}))
                            : std::nullopt;
  }

  std::optional<ExprValue> field(std::string_view name) const override {
    if (name != "String") {
      return std::nullopt;
    }
    return ExprValue::function(
        {"String", *field_type(name), [text = text_](ExprRun&, ExprArguments) {
           return Result<ExprValue>(ExprValue::string(text));
         }});
  }

  doc::Value to_json() const override { return doc::Value(value_); }

  std::string text() const override { return text_; }

  std::int64_t value() const { return value_; }

 private:
  std::string_view type_;
  std::int64_t value_;
  std::string text_;
};

/// A *time.Location.
class Location final : public ExprObject {
 public:
  explicit Location(std::shared_ptr<const Zone> zone) : zone_(std::move(zone)) {}

  std::string go_name() const override { return "*time.Location"; }

  std::optional<ExprType> field_type(std::string_view name) const override {
    return name == "String" ? std::optional(ExprType::function({}, false, {ExprKind::string}))
                            : std::nullopt;
  }

  std::optional<ExprValue> field(std::string_view name) const override {
    if (name != "String") {
      return std::nullopt;
    }
    return ExprValue::function(
        {"String", *field_type(name), [text = text()](ExprRun&, ExprArguments) {
           return Result<ExprValue>(ExprValue::string(text));
         }});
  }

  // Go's struct has no exported fields.
  doc::Value to_json() const override { return *doc::parse_json("{}"); }

  std::string text() const override { return zone_->name(); }

  const std::shared_ptr<const Zone>& zone() const { return zone_; }

 private:
  std::shared_ptr<const Zone> zone_;
};

constexpr std::string_view kMonthType = "time.Month";
constexpr std::string_view kWeekdayType = "time.Weekday";

ExprValue month_value(int month) {
  constexpr std::array<std::string_view, 12> kNames = {
      "January", "February", "March",     "April",   "May",      "June",
      "July",    "August",   "September", "October", "November", "December"};
  const std::string name(kNames[static_cast<std::size_t>(month - 1)]);
  return ExprValue::object(std::make_shared<const NamedInteger>(kMonthType, month, name));
}

ExprValue weekday_value(int weekday) {
  constexpr std::array<std::string_view, 7> kNames = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                      "Thursday", "Friday", "Saturday"};
  const std::string name(kNames[static_cast<std::size_t>(weekday)]);
  return ExprValue::object(std::make_shared<const NamedInteger>(kWeekdayType, weekday, name));
}

template <class Receiver>
struct Method {
  std::string_view name;
  std::vector<ExprType> parameters;
  std::vector<ExprType> results;
  Result<ExprValue> (*body)(const Receiver& receiver, ExprArguments arguments);
};

ExprValue integer(std::int64_t value) { return ExprValue::integer(value); }

ExprValue wide(std::int64_t value) { return ExprValue::sized_integer(ExprKind::int64, value); }

/// seconds * scale + the same of the nanoseconds, wrapping as Go does.
ExprValue unix_in(const Instant& time, std::int64_t per_second) {
  const auto whole =
      static_cast<std::uint64_t>(time.unix_seconds) * static_cast<std::uint64_t>(per_second);
  const std::int64_t part = time.nanosecond / (1'000'000'000 / per_second);
  return wide(static_cast<std::int64_t>(whole + static_cast<std::uint64_t>(part)));
}

std::vector<Method<Instant>> clock_methods() {
  using enum ExprKind;
  using T = const Instant&;
  using A = ExprArguments;
  using R = Result<ExprValue>;
  const ExprType month = ExprType::object(month_value(1).as_object());
  const ExprType weekday = ExprType::object(weekday_value(0).as_object());
  return {
      {"Year", {}, {int_}, [](T t, A) -> R { return integer(t.civil().year); }},
      {"Month", {}, {month}, [](T t, A) -> R { return month_value(t.civil().month); }},
      {"Day", {}, {int_}, [](T t, A) -> R { return integer(t.civil().day); }},
      {"Hour", {}, {int_}, [](T t, A) -> R { return integer(t.civil().hour); }},
      {"Minute", {}, {int_}, [](T t, A) -> R { return integer(t.civil().minute); }},
      {"Second", {}, {int_}, [](T t, A) -> R { return integer(t.civil().second); }},
      {"Nanosecond", {}, {int_}, [](T t, A) -> R { return integer(t.nanosecond); }},
      {"YearDay", {}, {int_}, [](T t, A) -> R { return integer(t.civil().year_day); }},
      {"Weekday", {}, {weekday}, [](T t, A) -> R { return weekday_value(t.civil().weekday); }},
      {"ISOWeek", {}, {int_, int_}, [](T t, A) -> R { return integer(t.iso_week().first); }},
      {"Date", {}, {int_, month, int_}, [](T t, A) -> R { return integer(t.civil().year); }},
      {"Clock", {}, {int_, int_, int_}, [](T t, A) -> R { return integer(t.civil().hour); }},
      {"Zone",
       {},
       {string, int_},
       [](T t, A) -> R { return ExprValue::string(t.offset().abbreviation); }},
      {"IsDST", {}, {boolean}, [](T t, A) -> R { return ExprValue::boolean(t.offset().daylight); }},
      {"Unix", {}, {int64}, [](T t, A) -> R { return wide(t.unix_seconds); }},
      {"UnixMilli", {}, {int64}, [](T t, A) -> R { return unix_in(t, 1'000); }},
      {"UnixMicro", {}, {int64}, [](T t, A) -> R { return unix_in(t, 1'000'000); }},
      {"UnixNano", {}, {int64}, [](T t, A) -> R { return unix_in(t, 1'000'000'000); }},
  };
}

std::vector<Method<Instant>> calculating_methods() {
  using enum ExprKind;
  using T = const Instant&;
  using A = ExprArguments;
  using R = Result<ExprValue>;
  return {
      {"Add",
       {duration},
       {time},
       [](T t, A a) -> R { return ExprValue::time(t.plus(a[0].as_duration())); }},
      {"AddDate",
       {int_, int_, int_},
       {time},
       [](T t, A a) -> R {
         return ExprValue::time(
             t.plus_date(a[0].as_integer(), a[1].as_integer(), a[2].as_integer()));
       }},
      {"Sub",
       {time},
       {duration},
       [](T t, A a) -> R { return ExprValue::duration(t.minus(a[0].as_time())); }},
      {"After",
       {time},
       {boolean},
       [](T t, A a) -> R { return ExprValue::boolean(compare(t, a[0].as_time()) > 0); }},
      {"Before",
       {time},
       {boolean},
       [](T t, A a) -> R { return ExprValue::boolean(compare(t, a[0].as_time()) < 0); }},
      {"Equal",
       {time},
       {boolean},
       [](T t, A a) -> R { return ExprValue::boolean(compare(t, a[0].as_time()) == 0); }},
      {"Compare",
       {time},
       {int_},
       [](T t, A a) -> R { return integer(compare(t, a[0].as_time())); }},
      {"IsZero",
       {},
       {boolean},
       [](T t, A) -> R { return ExprValue::boolean(compare(t, Instant::zero()) == 0); }},
      {"Truncate",
       {duration},
       {time},
       [](T t, A a) -> R { return ExprValue::time(t.truncate(a[0].as_duration())); }},
      {"Round",
       {duration},
       {time},
       [](T t, A a) -> R { return ExprValue::time(t.round(a[0].as_duration())); }},
      {"UTC", {}, {time}, [](T t, A) -> R { return ExprValue::time(t.in(Zone::utc())); }},
      {"Local", {}, {time}, [](T t, A) -> R { return ExprValue::time(t.in(Zone::utc())); }},
      {"In",
       {location_type()},
       {time},
       [](T t, A a) -> R { return ExprValue::time(t.in(location_zone(a[0]))); }},
      {"Location", {}, {location_type()}, [](T t, A) -> R { return location_value(t.zone); }},
  };
}

std::vector<Method<Instant>> printing_methods() {
  using enum ExprKind;
  using T = const Instant&;
  using A = ExprArguments;
  using R = Result<ExprValue>;
  const ExprType bytes = ExprType::list_of(uint8);
  return {
      {"Format",
       {string},
       {string},
       [](T t, A a) -> R { return ExprValue::string(t.format(a[0].as_string())); }},
      {"AppendFormat",
       {bytes, string},
       {bytes},
       [](T t, A a) -> R {
         return bytes_value(bytes_of(a[0]).value_or("") + t.format(a[1].as_string()));
       }},
      {"String", {}, {string}, [](T t, A) -> R { return ExprValue::string(t.text()); }},
      {"MarshalJSON",
       {},
       {bytes},
       [](T t, A) -> R { return bytes_value("\"" + t.rfc3339() + "\""); }},
      {"MarshalText", {}, {bytes}, [](T t, A) -> R { return bytes_value(t.rfc3339()); }},
  };
}

const std::vector<Method<Instant>>& time_methods() {
  static const std::vector<Method<Instant>> methods = [] {
    std::vector<Method<Instant>> all = clock_methods();
    std::ranges::move(calculating_methods(), std::back_inserter(all));
    std::ranges::move(printing_methods(), std::back_inserter(all));
    return all;
  }();
  return methods;
}

double in_units(Nanos duration, std::int64_t unit) {
  return static_cast<double>(duration.count() / unit) +
         static_cast<double>(duration.count() % unit) / static_cast<double>(unit);
}

const std::vector<Method<Nanos>>& duration_methods() {
  using enum ExprKind;
  using D = const Nanos&;
  using A = ExprArguments;
  using R = Result<ExprValue>;
  constexpr std::int64_t kSecond = 1'000'000'000;
  static const std::vector<Method<Nanos>> methods = {
      {"Hours",
       {},
       {float64},
       [](D d, A) -> R { return ExprValue::number(in_units(d, 3600 * kSecond)); }},
      {"Minutes",
       {},
       {float64},
       [](D d, A) -> R { return ExprValue::number(in_units(d, 60 * kSecond)); }},
      {"Seconds",
       {},
       {float64},
       [](D d, A) -> R { return ExprValue::number(in_units(d, kSecond)); }},
      {"Milliseconds", {}, {int64}, [](D d, A) -> R { return wide(d.count() / 1'000'000); }},
      {"Microseconds", {}, {int64}, [](D d, A) -> R { return wide(d.count() / 1'000); }},
      {"Nanoseconds", {}, {int64}, [](D d, A) -> R { return wide(d.count()); }},
      {"Abs",
       {},
       {duration},
       [](D d, A) -> R {
         const bool lowest = d == Nanos::min();
         return ExprValue::duration(lowest ? Nanos::max() : Nanos{std::abs(d.count())});
       }},
      {"Round",
       {duration},
       {duration},
       [](D d, A a) -> R { return ExprValue::duration(round_duration(d, a[0].as_duration())); }},
      {"Truncate",
       {duration},
       {duration},
       [](D d, A a) -> R { return ExprValue::duration(truncate_duration(d, a[0].as_duration())); }},
      {"String", {}, {string}, [](D d, A) -> R { return ExprValue::string(duration_text(d)); }},
  };
  return methods;
}

template <class Receiver>
const Method<Receiver>* find_method(const std::vector<Method<Receiver>>& methods,
                                    std::string_view name) {
  const auto found = std::ranges::find(methods, name, &Method<Receiver>::name);
  return found == methods.end() ? nullptr : &*found;
}

template <class Receiver>
ExprType signature(const Method<Receiver>& method) {
  return ExprType::function(method.parameters, false, method.results);
}

template <class Receiver>
std::optional<ExprValue> bound(const Method<Receiver>* method, const Receiver& receiver) {
  if (method == nullptr) {
    return std::nullopt;
  }
  return ExprValue::function({std::string(method->name), signature(*method),
                              [method, receiver](ExprRun&, ExprArguments arguments) {
                                return method->body(receiver, arguments);
                              }});
}

}  // namespace

std::optional<ExprType> method_type(ExprKind receiver, std::string_view name) {
  if (receiver == ExprKind::time) {
    const auto* method = find_method(time_methods(), name);
    return method == nullptr ? std::nullopt : std::optional(signature(*method));
  }
  if (receiver == ExprKind::duration) {
    const auto* method = find_method(duration_methods(), name);
    return method == nullptr ? std::nullopt : std::optional(signature(*method));
  }
  return std::nullopt;
}

std::optional<ExprValue> bound_method(const ExprValue& receiver, std::string_view name) {
  switch (receiver.kind()) {
    case ExprKind::time:
      return bound(find_method(time_methods(), name), receiver.as_time());
    case ExprKind::duration:
      return bound(find_method(duration_methods(), name), receiver.as_duration());
    case ExprKind::object:
      return receiver.as_object()->field(name);
    default:
      return std::nullopt;
  }
}

ExprValue location_value(std::shared_ptr<const Zone> zone) {
  return ExprValue::object(std::make_shared<const Location>(std::move(zone)));
}

std::shared_ptr<const Zone> location_zone(const ExprValue& value) {
  if (value.kind() != ExprKind::object) {
    return nullptr;
  }
  const auto* location = dynamic_cast<const Location*>(value.as_object().get());
  return location == nullptr ? nullptr : location->zone();
}

const ExprType& location_type() {
  static const ExprType type = location_value(Zone::utc()).type();
  return type;
}

std::optional<std::int64_t> named_integer(const ExprValue& value) {
  if (value.kind() != ExprKind::object) {
    return std::nullopt;
  }
  const auto* named = dynamic_cast<const NamedInteger*>(value.as_object().get());
  return named == nullptr ? std::nullopt : std::optional(named->value());
}

bool is_named_integer(const ExprType& type) {
  return type.kind() == ExprKind::object &&
         (type.go_name() == kMonthType || type.go_name() == kWeekdayType);
}

}  // namespace tiphys::lang

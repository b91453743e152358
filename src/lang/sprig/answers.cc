/// What all functions share: answers, conversions, the world.
#include "lang/expr/parts.h"
#include "lang/gotext/gotext.h"
#include "lang/sprig/functions.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace tiphys::lang::sprig {

std::unexpected<Error> failure(std::string message) {
  return fail(ErrorCode::invalid, std::move(message));
}

std::unexpected<Error> go_panic(std::string_view what) {
  return failure(fmt::format("runtime error: {}", what));
}

Answer text_answer(const Call& call, std::string text) {
  TRY_VOID(call.run.charge_text(text.size()));
  return ExprValue::string(std::move(text));
}

Answer list_answer(const Call& call, ExprList items, ExprType element) {
  TRY_VOID(call.run.charge(items.size()));
  return ExprValue::list(std::move(items), std::move(element));
}

Answer list_answer(const Call& call, std::vector<std::string> items) {
  ExprList values;
  values.reserve(items.size());
  std::size_t bytes = 0;
  for (std::string& item : items) {
    bytes += item.size();
    values.push_back(ExprValue::string(std::move(item)));
  }
  TRY_VOID(call.run.charge_text(bytes));
  return list_answer(call, std::move(values), ExprKind::string);
}

Answer map_answer(const Call& call, ExprEntries entries, ExprType element) {
  TRY_VOID(call.run.charge(entries.size()));
  return ExprValue::map(std::move(entries), std::move(element));
}

ExprValue int64_value(std::int64_t value) {
  return ExprValue::sized_integer(ExprKind::int64, value);
}

std::string printed(const ExprValue& value) {
  if (value.kind() == ExprKind::string) {
    return std::string(value.as_string());
  }
  auto bytes = bytes_of(value);
  return bytes ? *std::move(bytes) : value.text();
}

std::vector<std::string> printed_items(const ExprValue& value) {
  std::vector<std::string> out;
  if (value.kind() == ExprKind::list) {
    for (const ExprValue& item : value.as_list()) {
      if (!item.is_nil()) {
        out.push_back(printed(item));
      }
    }
  } else if (!value.is_nil()) {
    out.push_back(printed(value));
  }
  return out;
}

namespace {

/// The number behind a time.Month or time.Weekday.
std::optional<std::int64_t> calendar_number(const ExprValue& value) {
  if (value.kind() != ExprKind::object) {
    return std::nullopt;
  }
  const std::string name = value.as_object()->go_name();
  if (name != "time.Month" && name != "time.Weekday") {
    return std::nullopt;
  }
  const doc::Value json = value.as_object()->to_json();
  return json.is_int64() ? std::optional(json.get_int64()) : std::nullopt;
}

/// "12.75" without its fraction; other text as it is.
std::string without_fraction(std::string_view text) {
  const std::size_t dot = text.find('.');
  const auto digits = [](std::string_view part) {
    return std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (dot == std::string_view::npos || !digits(text.substr(dot + 1))) {
    return std::string(text);
  }
  const std::string_view whole = text.substr(0, dot);
  const bool has_sign = whole.starts_with('-') || whole.starts_with('+');
  const std::string_view number = whole.substr(has_sign ? 1 : 0);
  if (!digits(number)) {
    return std::string(text);
  }
  return number.empty() ? std::string(whole) + "0" : std::string(whole);
}

}  // namespace

std::int64_t cut_to_int64(double value) {
  constexpr double kLimit = 9223372036854775808.0;
  const bool fits = value >= -kLimit && value < kLimit;
  return fits ? static_cast<std::int64_t>(value) : std::numeric_limits<std::int64_t>::min();
}

std::int64_t to_int64(const ExprValue& value) {
  if (value.is_integer()) {
    return value.as_integer();
  }
  if (value.is_float()) {
    return cut_to_int64(value.as_number());
  }
  switch (value.kind()) {
    case ExprKind::boolean:
      return value.as_bool() ? 1 : 0;
    case ExprKind::duration:
      return value.as_duration().count();
    case ExprKind::string:
      return parse_integer(without_fraction(value.as_string()), 0).value_or(0);
    default:
      return calendar_number(value).value_or(0);
  }
}

double to_float64(const ExprValue& value) {
  if (value.is_number()) {
    return value.as_number();
  }
  if (value.kind() == ExprKind::string) {
    return parse_float(value.as_string()).value_or(0);
  }
  return static_cast<double>(to_int64(value));
}

std::int64_t lenient_integer(std::string_view text) {
  const auto number = parse_integer(text, 10);
  if (number) {
    return *number;
  }
  if (!number.error().message.ends_with("value out of range")) {
    return 0;
  }
  return text.starts_with('-') ? std::numeric_limits<std::int64_t>::min()
                               : std::numeric_limits<std::int64_t>::max();
}

bool is_empty(const ExprValue& value) {
  if (value.is_integer()) {
    return value.as_integer() == 0;
  }
  if (value.is_float()) {
    return value.as_number() == 0;
  }
  switch (value.kind()) {
    case ExprKind::nil:
    case ExprKind::any:
      return true;
    case ExprKind::boolean:
      return !value.as_bool();
    case ExprKind::string:
      return value.as_string().empty();
    case ExprKind::list:
      return value.as_list().empty();
    case ExprKind::map:
      return value.as_map() != nullptr ? value.as_map()->size() == 0 : value.as_any_map()->empty();
    case ExprKind::duration:
      return value.as_duration().count() == 0;
    default:
      return calendar_number(value) == 0;
  }
}

namespace {

/// Charges every value in the value.
Result<> charge_parts(ExprRun& run, const ExprValue& value) {
  TRY_VOID(run.step());
  if (value.kind() == ExprKind::list) {
    for (const ExprValue& item : value.as_list()) {
      TRY_VOID(charge_parts(run, item));
    }
  } else if (const ExprMap* map = value.as_map()) {
    Result<> charged;
    map->each([&](std::string_view, const ExprValue& member) {
      charged = charge_parts(run, member);
      return charged.has_value();
    });
    return charged;
  } else if (const auto* entries = value.as_any_map()) {
    for (const auto& entry : *entries) {
      TRY_VOID(charge_parts(run, entry.second));
    }
  }
  return {};
}

}  // namespace

Result<bool> deeply_equal(const Call& call, const ExprValue& a, const ExprValue& b) {
  TRY_VOID(call.run.step());
  if (a.depth() > 0 && b.depth() > 0) {
    TRY_VOID(charge_parts(call.run, a));
  }
  return a.deep_equal(b);
}

Result<Instant> present(const Call& call) {
  if (call.context.now) {
    return call.context.now();
  }
  if (call.run.runtime().now) {
    return call.run.runtime().now();
  }
  return fail(ErrorCode::unavailable, "there is no clock here");
}

Result<std::string> random_bytes(const Call& call, std::size_t count) {
  if (!call.context.random) {
    return fail(ErrorCode::unavailable, "there is no randomness here");
  }
  std::string bytes(count, '\0');
  call.context.random({reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()});
  return bytes;
}

Result<std::uint64_t> random_below(const Call& call, std::uint64_t bound) {
  // The numbers above the last whole multiple of the bound would make the low ones likelier.
  const std::uint64_t excess = (std::numeric_limits<std::uint64_t>::max() % bound + 1) % bound;
  const std::uint64_t highest = std::numeric_limits<std::uint64_t>::max() - excess;
  constexpr int kAttempts = 256;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    TRY(const std::string bytes, random_bytes(call, sizeof(std::uint64_t)));
    std::uint64_t number = 0;
    std::ranges::copy(bytes, reinterpret_cast<char*>(&number));
    if (number <= highest) {
      return number % bound;
    }
  }
  return fail(ErrorCode::unavailable, "the random bytes are not random");
}

}  // namespace tiphys::lang::sprig

#pragma once
/// Functions that are not written in jq. Private to the module.

#include "lang/gotime/gotime.h"
#include "lang/jq/budget.h"

#include <functional>
#include <span>
#include <string_view>

namespace tiphys::lang::jq {

struct NativeCall {
  /// The input.
  const Value& value;
  std::span<const Value> arguments;
  Budget& budget;
  const std::function<Instant()>& now;

  const Value& argument(std::size_t index) const { return arguments[index]; }
};

inline constexpr std::size_t kMaximumArguments = 3;

struct Native {
  enum class Role {
    plain,
    /// _index(value; key), _slice(value; to; from): lead to a place in the value.
    index,
    slice,
    getpath,
  };

  std::string_view name;
  std::size_t arity = 0;
  Outcome (*function)(const NativeCall& call) = nullptr;
  Role role = Role::plain;
};

/// Null when there is none of that name and number of arguments.
const Native* find_native(std::string_view name, std::size_t arity);

std::span<const Native> text_natives();
std::span<const Native> format_natives();
std::span<const Native> list_natives();
std::span<const Native> number_natives();
std::span<const Native> path_natives();
std::span<const Native> time_natives();
std::span<const Native> regex_natives();

// Errors of functions, in gojq's words.

/// "name cannot be applied to: value"
std::unexpected<Problem> not_for(std::string_view name, const Value& value);
/// "name(argument) cannot be applied to: value"
std::unexpected<Problem> not_for(std::string_view name, const Value& argument, const Value& value);
/// "name cannot be applied to value: why"; the name may carry arguments, the value is a preview.
std::unexpected<Problem> failed_for(const std::string& name, const std::string& value,
                                    std::string_view why);

}  // namespace tiphys::lang::jq

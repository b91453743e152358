#include "lang/jq/json_form.h"
#include "lang/jq/native.h"
#include "lang/jq/prelude.h"

#include <algorithm>
#include <map>

namespace tiphys::lang::jq {
namespace {

/// What the machine does itself, and what is not written in jq.
constexpr std::pair<std::string_view, int> kOtherNames[] = {
    {"debug", 1}, {"empty", 0}, {"env", 0}, {"input", 0}, {"path", 1}};

Outcome builtins(const NativeCall& /*call*/) {
  std::vector<std::pair<std::string_view, std::size_t>> names;
  for (const PreludeEntry& entry : prelude()) {
    names.emplace_back(entry.name, entry.arity);
  }
  for (const auto natives : {text_natives(), format_natives(), list_natives(), number_natives(),
                             path_natives(), time_natives(), regex_natives()}) {
    for (const Native& native : natives) {
      if (!native.name.starts_with('_')) {
        names.emplace_back(native.name, native.arity);
      }
    }
  }
  for (const auto& [name, arity] : kOtherNames) {
    names.emplace_back(name, arity);
  }
  std::ranges::sort(names);
  List out;
  for (const auto& [name, arity] : names) {
    out.push_back(Value::text(std::string(name) + "/" + std::to_string(arity)));
  }
  return Value::list(std::move(out));
}

constexpr Native kBuiltins = {"builtins", 0, builtins};

using Names = std::map<std::pair<std::string_view, std::size_t>, const Native*>;

const Names& all_natives() {
  static const Names kAll = [] {
    Names names;
    for (const auto natives : {text_natives(), format_natives(), list_natives(), number_natives(),
                               path_natives(), time_natives(), regex_natives()}) {
      for (const Native& native : natives) {
        names.emplace(std::pair(native.name, native.arity), &native);
      }
    }
    names.emplace(std::pair(kBuiltins.name, kBuiltins.arity), &kBuiltins);
    return names;
  }();
  return kAll;
}

}  // namespace

const Native* find_native(std::string_view name, std::size_t arity) {
  const auto found = all_natives().find(std::pair(name, arity));
  return found == all_natives().end() ? nullptr : found->second;
}

std::unexpected<Problem> not_for(std::string_view name, const Value& value) {
  return problem(std::string(name) + " cannot be applied to: " + preview_with_type(value));
}

std::unexpected<Problem> not_for(std::string_view name, const Value& argument, const Value& value) {
  return not_for(std::string(name) + "(" + preview(argument) + ")", value);
}

std::unexpected<Problem> failed_for(const std::string& name, const std::string& value,
                                    std::string_view why) {
  return problem(name + " cannot be applied to " + value + ": " + std::string(why));
}

}  // namespace tiphys::lang::jq

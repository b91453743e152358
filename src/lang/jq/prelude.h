#pragma once
/// Functions that are written in jq. Private to the module.

#include <span>
#include <string_view>

namespace tiphys::lang::jq {

struct PreludeEntry {
  std::string_view name;
  std::size_t arity;
  /// `def name(...): ...;`
  std::string_view source;
};

std::span<const PreludeEntry> prelude();

}  // namespace tiphys::lang::jq

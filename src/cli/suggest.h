#pragma once
/// "Did you mean": the known word nearest to a mistyped one.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::cli {

/// Changes of one character, and swaps of neighbours, from one word to the other.
std::size_t typing_distance(std::string_view from, std::string_view to);

/// The nearest of the known words, the first of equals; nothing when none is near enough to be
/// meant.
std::optional<std::string> suggest(std::string_view word, const std::vector<std::string>& known);

}  // namespace tiphys::cli

#pragma once
/// Sorting of values. Private to the module.

#include "lang/expr/expr.h"

#include <algorithm>

namespace tiphys::lang {

/// Sorts places; keeps the order of those that are equal. Ends for any answers of `before`, also
/// contradictory ones.
template <class Before>
void merge_sort(std::vector<std::size_t>& places, const Before& before) {
  std::vector<std::size_t> merged(places.size());
  for (std::size_t width = 1; width < places.size(); width *= 2) {
    for (std::size_t start = 0; start < places.size(); start += 2 * width) {
      const std::size_t middle = std::min(start + width, places.size());
      const std::size_t end = std::min(start + 2 * width, places.size());
      std::size_t left = start;
      std::size_t right = middle;
      for (std::size_t to = start; to < end; ++to) {
        const bool take_right =
            right < end && (left >= middle || before(places[right], places[left]));
        merged[to] = take_right ? places[right++] : places[left++];
      }
    }
    places.swap(merged);
  }
}

enum class SortOrder : std::uint8_t { ascending, descending };

/// The places of the values in sorted order. Short lists are compared in the order of Go's
/// insertion sort, so that an error names the same two values. Errors: invalid, when two values
/// cannot be ordered.
Result<std::vector<std::size_t>> sorted_places(ExprRun& run, const ExprList& values,
                                               SortOrder order);

}  // namespace tiphys::lang

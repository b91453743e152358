#include "lang/expr/sorting.h"

#include "lang/expr/operators.h"

#include <algorithm>
#include <numeric>

namespace tiphys::lang {
namespace {

/// Go sorts up to so many elements by insertion.
constexpr std::size_t kInsertionLimit = 12;

class Sorter {
 public:
  Sorter(ExprRun& run, const ExprList& values, SortOrder order)
      : run_(run), values_(values), order_(order), places_(values.size()) {
    std::iota(places_.begin(), places_.end(), std::size_t{0});
  }

  Result<std::vector<std::size_t>> sort() {
    if (places_.size() <= kInsertionLimit) {
      insertion_sort();
    } else {
      merge_sort(places_, [this](std::size_t a, std::size_t b) { return before(a, b); });
    }
    if (error_) {
      return std::unexpected(*std::move(error_));
    }
    return std::move(places_);
  }

 private:
  /// After an error nothing is before anything, which ends every algorithm quickly.
  bool before(std::size_t a, std::size_t b) {
    if (error_) {
      return false;
    }
    if (Result<> step = run_.step(); !step) {
      error_ = std::move(step).error();
      return false;
    }
    if (order_ == SortOrder::descending) {
      std::swap(a, b);
    }
    const Result<bool> less = ordered(Op::less, values_[a], values_[b]);
    if (!less) {
      error_ = less.error();
      return false;
    }
    return *less;
  }

  void insertion_sort() {
    for (std::size_t i = 1; i < places_.size(); ++i) {
      for (std::size_t j = i; j > 0 && before(places_[j], places_[j - 1]); --j) {
        std::swap(places_[j], places_[j - 1]);
      }
    }
  }

  ExprRun& run_;
  const ExprList& values_;
  SortOrder order_;
  std::vector<std::size_t> places_;
  std::optional<Error> error_;
};

}  // namespace

Result<std::vector<std::size_t>> sorted_places(ExprRun& run, const ExprList& values,
                                               SortOrder order) {
  return Sorter(run, values, order).sort();
}

}  // namespace tiphys::lang

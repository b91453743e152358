#pragma once
/// Random choices that can be written down, made again and shrunk. Everything random in a
/// simulation is drawn from `Choices`; zero always stands for the simplest thing (no fault, no
/// delay, the smallest template), so that a sequence made shorter or smaller gives a simpler world.

#include "async/random.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace tiphys::simulation {

using ChoiceList = std::vector<std::uint32_t>;

class Choices final {
 public:
  /// Draws from a seed and writes down what it drew.
  explicit Choices(std::uint64_t seed) : random_(seed) {}

  /// Repeats; zeros come after the end.
  explicit Choices(ChoiceList list) : random_(0), list_(std::move(list)), repeats_(true) {}

  /// A number below `bound`, which is at least 1.
  std::uint32_t below(std::uint32_t bound);

  /// True `percent` times in a hundred.
  bool chance(std::uint32_t percent) { return below(100) >= 100 - percent; }

  template <class T>
  const T& among(const std::vector<T>& list) {
    return list[below(static_cast<std::uint32_t>(list.size()))];
  }

  /// What has been drawn so far.
  ChoiceList drawn() const;

 private:
  async::SeededRandom random_;
  ChoiceList list_;
  std::size_t next_ = 0;
  bool repeats_ = false;
};

/// Looks for a simpler list that still fails: parts are cut out, then numbers made smaller. At most
/// `attempts` tries.
ChoiceList shrink(ChoiceList list, const std::function<bool(const ChoiceList&)>& fails,
                  int attempts);

}  // namespace tiphys::simulation

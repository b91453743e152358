#include "choices.h"

#include <algorithm>

namespace tiphys::simulation {

std::uint32_t Choices::below(std::uint32_t bound) {
  if (!repeats_) {
    const auto drawn = static_cast<std::uint32_t>(random_.below(bound));
    list_.push_back(drawn);
    ++next_;
    return drawn;
  }
  return next_ < list_.size() ? std::min(list_[next_++], bound - 1) : 0;
}

ChoiceList Choices::drawn() const {
  return {list_.begin(), list_.begin() + static_cast<std::ptrdiff_t>(next_)};
}

namespace {

class Shrinker {
 public:
  Shrinker(ChoiceList list, const std::function<bool(const ChoiceList&)>& fails, int attempts)
      : list_(std::move(list)), fails_(fails), attempts_(attempts) {}

  ChoiceList run() {
    for (bool better = true; better && attempts_ > 0;) {
      better = cut();
      better = lower() || better;
    }
    return std::move(list_);
  }

 private:
  bool keep(ChoiceList candidate) {
    if (attempts_ <= 0 || candidate == list_) {
      return false;
    }
    --attempts_;
    if (!fails_(candidate)) {
      return false;
    }
    list_ = std::move(candidate);
    return true;
  }

  bool cut() {
    bool better = false;
    for (std::size_t length = std::max<std::size_t>(1, list_.size() / 2); length > 0; length /= 2) {
      for (std::size_t at = 0; at + length <= list_.size();) {
        ChoiceList shorter = list_;
        const auto begin = shorter.begin() + static_cast<std::ptrdiff_t>(at);
        shorter.erase(begin, begin + static_cast<std::ptrdiff_t>(length));
        if (keep(std::move(shorter))) {
          better = true;
        } else {
          at += length;
        }
      }
    }
    return better;
  }

  bool lower() {
    bool better = false;
    for (std::size_t at = 0; at < list_.size(); ++at) {
      for (const std::uint32_t divisor : {0U, 2U}) {
        if (list_[at] == 0) {
          break;
        }
        ChoiceList smaller = list_;
        smaller[at] = divisor == 0 ? 0 : smaller[at] / divisor;
        if (keep(std::move(smaller))) {
          better = true;
          break;
        }
      }
    }
    return better;
  }

  ChoiceList list_;
  const std::function<bool(const ChoiceList&)>& fails_;
  int attempts_;
};

}  // namespace

ChoiceList shrink(ChoiceList list, const std::function<bool(const ChoiceList&)>& fails,
                  int attempts) {
  return Shrinker(std::move(list), fails, attempts).run();
}

}  // namespace tiphys::simulation

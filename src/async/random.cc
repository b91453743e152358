#include "async/random.h"

#include "base/error.h"

#include <cerrno>
#include <limits>
#include <sys/random.h>

namespace tiphys::async {

std::uint64_t Random::below(std::uint64_t bound) {
  CHECK(bound > 0, "an empty range has no number to draw");
  // Values from the incomplete last multiple of `bound` are drawn again, they would favour some.
  const std::uint64_t excess = (std::numeric_limits<std::uint64_t>::max() % bound + 1) % bound;
  std::uint64_t value = next();
  while (excess != 0 && value > std::numeric_limits<std::uint64_t>::max() - excess) {
    value = next();
  }
  return value % bound;
}

std::uint64_t SystemRandom::next() {
  if (used_ == buffer_.size()) {
    ssize_t got = 0;
    do {
      got = getrandom(buffer_.data(), sizeof buffer_, 0);
    } while (got < 0 && errno == EINTR);
    CHECK(got == static_cast<ssize_t>(sizeof buffer_), "the kernel has no random numbers");
    used_ = 0;
  }
  return buffer_[used_++];
}

std::uint64_t SeededRandom::next() {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

}  // namespace tiphys::async

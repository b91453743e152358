#pragma once
/// Randomness as a value that is handed in: `SystemRandom` for the program, `SeededRandom` where a
/// run must be repeatable. Neither may be used from two threads at once.

#include <array>
#include <cstddef>
#include <cstdint>

namespace tiphys::async {

class Random {
 public:
  virtual ~Random() = default;
  /// 64 bits, each as likely as the other.
  virtual std::uint64_t next() = 0;
  /// A number below `bound`, which is at least 1; every one equally likely.
  std::uint64_t below(std::uint64_t bound);
};

/// The kernel's generator; fit for keys and tokens.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 32> buffer_{};
  std::size_t used_ = buffer_.size();
};

/// The same sequence for the same seed, on every machine (splitmix64). Not fit for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

}  // namespace tiphys::async

#include "async/random.h"

#include <gtest/gtest.h>

#include <set>

namespace tiphys::async {
namespace {

TEST(SeededRandom, repeats_its_sequence) {
  SeededRandom one(7);
  SeededRandom two(7);
  SeededRandom other(8);
  EXPECT_EQ(one.next(), two.next());
  EXPECT_NE(one.next(), other.next());
}

TEST(Random, draws_every_number_below_the_bound_and_none_above) {
  SeededRandom random(1);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(random.below(7));
  }
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5, 6}));
}

TEST(SystemRandom, does_not_repeat_itself) {
  SystemRandom random;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(random.next());
  }
  EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace tiphys::async

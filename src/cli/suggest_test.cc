#include "cli/suggest.h"

#include <gtest/gtest.h>

namespace tiphys::cli {
namespace {

TEST(Suggest, counts_changes_and_swaps) {
  EXPECT_EQ(typing_distance("run", "run"), 0U);
  EXPECT_EQ(typing_distance("rnu", "run"), 1U);
  EXPECT_EQ(typing_distance("lst", "list"), 1U);
  EXPECT_EQ(typing_distance("", "run"), 3U);
}

TEST(Suggest, names_the_nearest_and_nothing_far_away) {
  const std::vector<std::string> verbs = {"run", "retry", "resume", "terminate", "list"};
  EXPECT_EQ(suggest("rnu", verbs), "run");
  EXPECT_EQ(suggest("termnate", verbs), "terminate");
  EXPECT_EQ(suggest("lists", verbs), "list");
  EXPECT_EQ(suggest("frobnicate", verbs), std::nullopt);
  EXPECT_EQ(suggest("", verbs), std::nullopt);
}

}  // namespace
}  // namespace tiphys::cli

#include "cluster/node/quantity.h"

#include <gtest/gtest.h>

#include <limits>

namespace tiphys::node {
namespace {

TEST(Quantity, reads_plain_numbers_and_units) {
  EXPECT_EQ(*parse_quantity("1"), 1000);
  EXPECT_EQ(*parse_quantity("100m"), 100);
  EXPECT_EQ(*parse_quantity("1.5"), 1500);
  EXPECT_EQ(*parse_quantity("0.1"), 100);
  EXPECT_EQ(*parse_quantity("64Mi"), 64LL * 1024 * 1024 * 1000);
  EXPECT_EQ(*parse_quantity("1e3"), 1'000'000);
  EXPECT_EQ(*parse_quantity("2k"), 2'000'000);
  EXPECT_EQ(*parse_quantity("-1"), -1000);
}

TEST(Quantity, rounds_up_to_thousandths) {
  EXPECT_EQ(*parse_quantity("1u"), 1);
  EXPECT_EQ(*parse_quantity("1000001n"), 2);
}

TEST(Quantity, saturates) {
  EXPECT_EQ(*parse_quantity("999999E"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(*parse_quantity("1e40"), std::numeric_limits<std::int64_t>::max());
}

TEST(Quantity, refuses_what_is_none) {
  for (const char* text : {"", "m", "1x", "1..2", "1 ", "1e", "1e99", "--1", "Mi"}) {
    EXPECT_FALSE(parse_quantity(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace tiphys::node

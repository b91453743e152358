#include "base/fnv.h"

#include <gtest/gtest.h>

namespace tiphys {
namespace {

// The published test vectors of the FNV reference code (draft-eastlake-fnv).
TEST(Fnv, agrees_with_the_published_vectors) {
  EXPECT_EQ(fnv1a_32(""), 0x811c9dc5U);
  EXPECT_EQ(fnv1a_32("a"), 0xe40c292cU);
  EXPECT_EQ(fnv1a_32("foobar"), 0xbf9cf968U);
  EXPECT_EQ(fnv1_32("a"), 0x050c5d7eU);
  EXPECT_EQ(fnv1_32("foobar"), 0x31f0b262U);
}

}  // namespace
}  // namespace tiphys

#include "workflows/engine/field_selector.h"

#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

TEST(FieldSelector, matches_all_terms) {
  const auto selector = FieldSelector::parse("name=a,phase!=Failed,id==x");
  ASSERT_TRUE(selector);
  EXPECT_TRUE(selector->matches({{"name", "a"}, {"phase", "Running"}, {"id", "x"}}));
  EXPECT_FALSE(selector->matches({{"name", "a"}, {"phase", "Failed"}, {"id", "x"}}));
}

TEST(FieldSelector, keeps_escaped_characters) {
  const auto selector = FieldSelector::parse("name=a\\,b\\=c");
  ASSERT_TRUE(selector);
  EXPECT_TRUE(selector->matches({{"name", "a,b=c"}}));
}

TEST(FieldSelector, refuses_terms_without_an_operator) {
  EXPECT_FALSE(FieldSelector::parse("name"));
  EXPECT_FALSE(FieldSelector::parse("name=a\\x"));
}

}  // namespace
}  // namespace tiphys::workflows

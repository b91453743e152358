#include "kube/selector.h"

#include <gtest/gtest.h>

namespace tiphys::kube {
namespace {

const Labels kLabels = {{"app", "web"}, {"empty", ""}, {"replicas", "5"}, {"x.io/tier", "front"}};

bool selects(std::string_view text) {
  const auto selector = LabelSelector::parse(text);
  EXPECT_TRUE(selector) << text;
  return selector && selector->matches(kLabels);
}

TEST(LabelSelector, selects_by_equality_sets_presence_and_size) {
  for (const char* text :
       {"", "  ", "app", "app=web", "app==web", "app = web , x.io/tier=front", "app!=db", "none!=x",
        "!none", "app in (db, web)", "app notin (db)", "none notin (a,b)", "replicas>4",
        "replicas<6", "empty=", "empty in (,x)"}) {
    EXPECT_TRUE(selects(text)) << text;
  }
}

TEST(LabelSelector, leaves_out_what_does_not_fit) {
  for (const char* text : {"none", "app=db", "app!=web", "!app", "app in (db)", "app notin (web)",
                           "replicas>5", "replicas<5", "app>1", "none=x", "app=web,none"}) {
    EXPECT_FALSE(selects(text)) << text;
  }
}

TEST(LabelSelector, refuses_what_it_cannot_read) {
  for (const char* text : {"app in", "app in (", "app in (a", "app web", "=x", "!", ",", "app,",
                           "app=web)", "app>x", "app like (a)", "!app=web"}) {
    const auto selector = LabelSelector::parse(text);
    ASSERT_FALSE(selector) << text;
    EXPECT_EQ(selector.error().code, ErrorCode::invalid);
  }
}

}  // namespace
}  // namespace tiphys::kube

#include "kube/names.h"

#include <gtest/gtest.h>

#include <set>

namespace tiphys::kube {
namespace {

TEST(NewUid, is_a_random_uuid_of_version_4) {
  async::SeededRandom random(1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uid = new_uid(random);
    ASSERT_EQ(uid.size(), 36U);
    EXPECT_EQ(uid[14], '4');
    EXPECT_NE(std::string("89ab").find(uid[19]), std::string::npos) << uid;
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) {
      EXPECT_EQ(uid[dash], '-');
    }
    seen.insert(uid);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(GenerateName, appends_five_characters_and_stays_within_63) {
  async::SeededRandom random(1);
  const std::string name = generate_name(random, "hello-");
  EXPECT_EQ(name.size(), 11U);
  EXPECT_TRUE(name.starts_with("hello-"));
  EXPECT_EQ(generate_name(random, std::string(100, 'a')).size(), 63U);
}

}  // namespace
}  // namespace tiphys::kube

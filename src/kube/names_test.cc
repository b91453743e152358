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

TEST(DnsSubdomain, takes_what_the_api_server_takes) {
  for (const char* name : {"a", "0", "a-b", "a.b-c.d", "a--b"}) {
    EXPECT_TRUE(is_dns_subdomain(name)) << name;
  }
  for (const char* name :
       {"", "A", "a_b", "-a", "a-", ".", "a.", ".a", "a..b", "a/b", "../a", "a\n"}) {
    EXPECT_FALSE(is_dns_subdomain(name)) << name;
  }
  EXPECT_TRUE(is_dns_subdomain(std::string(253, 'a')));
  EXPECT_FALSE(is_dns_subdomain(std::string(254, 'a')));
}

TEST(DnsLabel, has_no_dots) {
  EXPECT_TRUE(is_dns_label("default"));
  EXPECT_FALSE(is_dns_label("a.b"));
  EXPECT_FALSE(is_dns_label(std::string(64, 'a')));
}

}  // namespace
}  // namespace tiphys::kube

#include "artifacts/stores.h"

#include "artifacts/digest.h"
#include "artifacts/local_store.h"
#include "artifacts/testing/folder.h"

#include <gtest/gtest.h>

namespace tiphys::artifacts {
namespace {

using testing::read_file;
using testing::TemporaryFolder;
using testing::write_file;

doc::Value json(std::string_view text) { return doc::parse_json(text).value(); }

class StoresTest : public ::testing::Test {
 protected:
  StoresTest() : stores(LocalStore::open(folder / "store").value()) {}

  TemporaryFolder folder;
  Stores stores;
};

TEST_F(StoresTest, serve_each_location_by_its_type) {
  write_file(folder / "a", "stored");
  ASSERT_TRUE(stores.save(json(R"({"s3":{"key":"a"}})"), folder / "a", Source::keep));
  ASSERT_TRUE(stores.load(json(R"({"s3":{"key":"a"}})"), folder / "b", Sharing::allowed));
  EXPECT_EQ(read_file(folder / "b"), "stored");
  ASSERT_TRUE(stores.load(json(R"({"raw":{"data":"line\n"}})"), folder / "raw", Sharing::allowed));
  EXPECT_EQ(read_file(folder / "raw"), "line\n");
}

TEST_F(StoresTest, name_the_type_they_cannot_serve) {
  const auto result = stores.stat(json(R"({"name":"x","gcs":{"bucket":"b","key":"k"}})"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "this program has no artifact store of type gcs (field gcs)");
  EXPECT_EQ(result.error().causes.at(0).path, "gcs");
  EXPECT_EQ(stores.stat(json(R"({"name":"x"})")).error().message,
            R"(the artifact location {"name":"x"} names no store)");
}

TEST_F(StoresTest, link_between_stores_by_copying) {
  ASSERT_TRUE(stores.link(json(R"({"raw":{"data":"D"}})"), json(R"({"s3":{"key":"from-raw"}})")));
  EXPECT_EQ(stores.stat(json(R"({"s3":{"key":"from-raw"}})"))->digest, sha256_hex("D"));
  EXPECT_TRUE(std::filesystem::is_empty(stores.scratch()));
}

TEST_F(StoresTest, do_not_write_to_manifests) {
  write_file(folder / "a", "x");
  const auto result = stores.save(json(R"({"raw":{"data":"D"}})"), folder / "a", Source::keep);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "raw artifacts (field raw) can only be read");
  EXPECT_FALSE(stores.remove(json(R"({"raw":{"data":"D"}})")));
  EXPECT_EQ(stores.stat(json(R"({"raw":{"data":"D"}})")), (Stored{sha256_hex("D"), 1, false}));
  EXPECT_FALSE(stores.stat(json(R"({"raw":{"data":7}})")));
}

}  // namespace
}  // namespace tiphys::artifacts

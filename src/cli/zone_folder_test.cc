#include "cli/zone_folder.h"

#include <gtest/gtest.h>

#include <fstream>

namespace tiphys::cli {
namespace {

TEST(ZoneFolder, gives_the_files_below_it_and_nothing_else) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "zone_folder";
  std::filesystem::create_directories(folder / "zones/Europe");
  std::ofstream(folder / "secret") << "secret";
  EXPECT_EQ(ZoneFolder::open(folder / "zones"), nullptr);
  std::ofstream(folder / "zones/UTC") << "utc";
  std::ofstream(folder / "zones/Europe/Berlin") << "berlin";
  const auto zones = ZoneFolder::open(folder / "zones");
  ASSERT_NE(zones, nullptr);
  EXPECT_EQ(zones->load("Europe/Berlin"), "berlin");
  EXPECT_FALSE(zones->load("Europe"));
  EXPECT_FALSE(zones->load("Europe/Gotham"));
  EXPECT_FALSE(zones->load("../secret"));
  EXPECT_FALSE(zones->load((folder / "secret").string()));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tiphys::cli

#include "cluster/node/view.h"

#include "cluster/node/files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace tiphys::node {
namespace {

namespace fs = std::filesystem;

class LayerViewTest : public testing::Test {
 protected:
  LayerViewTest() {
    std::string text = "/var/tmp/tiphys-view-XXXXXX";
    folder_ = mkdtemp(text.data());
    for (const char* name : {"/upper", "/lower", "/volume"}) {
      fs::create_directories(folder_ + name);
    }
    sources_.layers = {folder_ + "/upper", folder_ + "/lower"};
    sources_.hidden = {"/tmp", "/etc", folder_};
    sources_.private_folder = folder_ + "/upper";
    sources_.merge_folder = folder_ + "/merged";
    sources_.mounts = {{folder_ + "/volume", "", "/data", false}};
  }

  ~LayerViewTest() override { remove_tree(folder_); }

  void file(const std::string& path, std::string_view text) {
    fs::create_directories(fs::path(folder_ + path).parent_path());
    ASSERT_TRUE(write_text(folder_ + path, text, 0644));
  }

  std::string read(std::string_view path) {
    const LayerView view(sources_);
    const auto resolved = view.resolve(path);
    return resolved ? read_text(*resolved) : "error: " + resolved.error().message;
  }

  std::string folder_;
  ViewSources sources_;
};

TEST_F(LayerViewTest, the_topmost_layer_counts) {
  file("/upper/tmp/a", "upper");
  file("/lower/tmp/a", "lower");
  file("/lower/tmp/b", "below");
  EXPECT_EQ(read("/tmp/a"), "upper");
  EXPECT_EQ(read("/tmp/b"), "below");
  EXPECT_EQ(read("/tmp/c"), "error: /tmp/c: no such file or directory");
  EXPECT_EQ(read("/etc/passwd"), "error: /etc/passwd: no such file or directory");
}

TEST_F(LayerViewTest, links_stay_inside_the_container) {
  file("/upper/tmp/a", "inside");
  fs::create_symlink("/tmp/a", folder_ + "/upper/tmp/absolute");
  fs::create_symlink("../../../../../tmp/a", folder_ + "/upper/tmp/up");
  fs::create_symlink("/etc/passwd", folder_ + "/upper/tmp/out");
  fs::create_symlink("loop", folder_ + "/upper/tmp/loop");
  file("/outside", "secret");
  fs::create_symlink(folder_ + "/outside", folder_ + "/upper/tmp/escape");
  fs::create_symlink(folder_ + "/outside", folder_ + "/volume/escape");
  EXPECT_EQ(read("/tmp/absolute"), "inside");
  EXPECT_EQ(read("/tmp/up"), "inside");
  EXPECT_TRUE(read("/tmp/out").starts_with("error"));
  EXPECT_TRUE(read("/tmp/loop").starts_with("error"));
  EXPECT_TRUE(read("/tmp/escape").starts_with("error"));
  EXPECT_TRUE(read("/data/escape").starts_with("error"));
}

TEST_F(LayerViewTest, a_lower_link_is_not_followed_below_an_upper_folder) {
  fs::create_directories(folder_ + "/upper/tmp/d");
  fs::create_directories(folder_ + "/lower/tmp");
  fs::create_symlink("/etc", folder_ + "/lower/tmp/d");
  EXPECT_TRUE(read("/tmp/d/passwd").starts_with("error"));
}

TEST_F(LayerViewTest, volumes_cover_the_layers) {
  file("/upper/data/x", "covered");
  file("/volume/y", "volume");
  EXPECT_TRUE(read("/data/x").starts_with("error"));
  EXPECT_EQ(read("/data/y"), "volume");
  const LayerView view(sources_);
  EXPECT_FALSE(view.is_private(*view.resolve("/data/y")));
}

TEST_F(LayerViewTest, removed_files_and_covered_folders_are_not_seen) {
  file("/lower/tmp/gone", "x");
  fs::create_directories(folder_ + "/upper/tmp/new");
  file("/lower/tmp/new/old", "x");
  if (mknod((folder_ + "/upper/tmp/gone").c_str(), S_IFCHR, 0) != 0 ||
      setxattr((folder_ + "/upper/tmp/new").c_str(), "trusted.overlay.opaque", "y", 1, 0) != 0) {
    GTEST_SKIP() << "needs root";
  }
  EXPECT_TRUE(read("/tmp/gone").starts_with("error"));
  EXPECT_TRUE(read("/tmp/new/old").starts_with("error"));
}

TEST_F(LayerViewTest, a_folder_of_several_layers_is_put_together) {
  file("/upper/tmp/d/new", "1");
  file("/lower/tmp/d/old", "2");
  file("/lower/tmp/d/sub/deep", "3");
  const LayerView view(sources_);
  const auto merged = view.resolve("/tmp/d");
  ASSERT_TRUE(merged.has_value());
  EXPECT_EQ(read_text(*merged / "new"), "1");
  EXPECT_EQ(read_text(*merged / "old"), "2");
  EXPECT_EQ(read_text(*merged / "sub/deep"), "3");
  EXPECT_FALSE(view.is_private(*merged));
  file("/upper/tmp/own/f", "4");
  EXPECT_TRUE(view.is_private(*view.resolve("/tmp/own")));
}

}  // namespace
}  // namespace tiphys::node

#include "executor/stage.h"

#include "artifacts/local_store.h"
#include "artifacts/stores.h"
#include "artifacts/testing/folder.h"
#include "executor/testing/tar.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <array>
#include <sys/xattr.h>

namespace tiphys::executor {
namespace {

using artifacts::Sharing;
using artifacts::Source;
using artifacts::testing::inode_of;
using artifacts::testing::mode_of;
using artifacts::testing::read_file;
using artifacts::testing::TemporaryFolder;
using artifacts::testing::write_file;
using testing::tar_gzip;

namespace fs = std::filesystem;

doc::Value key(std::string_view name) { return doc::Object{{"s3", doc::Object{{"key", name}}}}; }

doc::Value raw(std::string_view data) { return doc::Object{{"raw", doc::Object{{"data", data}}}}; }

class StageTest : public ::testing::Test {
 protected:
  StageTest() : stores(artifacts::LocalStore::open(folder / "store").value()) {
    fs::create_directories(folder / "base");
    fs::create_directories(folder / "layer");
    options.base_root = folder / "base";
  }

  void put(std::string_view name, std::string_view content) {
    write_file(folder / "made", content);
    ASSERT_TRUE(stores.save(key(name), folder / "made", Source::may_move));
  }

  std::string run() {
    const auto done = stage(plan, stores, layer(), options);
    return done ? "" : done.error().message;
  }

  InputArtifact& add(std::string name, std::string path, doc::Value location) {
    InputArtifact artifact;
    artifact.name = std::move(name);
    artifact.path = std::move(path);
    artifact.location = std::move(location);
    return plan.input_artifacts.emplace_back(std::move(artifact));
  }

  fs::path layer() const { return folder / "layer"; }

  TemporaryFolder folder;
  artifacts::Stores stores;
  StepPlan plan;
  StageOptions options;
};

TEST_F(StageTest, puts_the_script_in_place) {
  plan.script_source = "echo hi\n";
  EXPECT_EQ(run(), "");
  EXPECT_EQ(read_file(folder / "layer/argo/staging/script"), "echo hi\n");
  EXPECT_EQ(mode_of(folder / "layer/argo/staging/script"), 0755U);
}

TEST_F(StageTest, shares_stored_files_that_are_no_archives) {
  put("reads", "ACGT");
  add("reads", "/in/reads.fq", key("reads"));
  add("note", "/in/note", raw("from the manifest"));
  EXPECT_EQ(run(), "");
  EXPECT_EQ(read_file(folder / "layer/in/reads.fq"), "ACGT");
  EXPECT_EQ(read_file(folder / "layer/in/note"), "from the manifest");
  EXPECT_EQ(inode_of(folder / "layer/in/reads.fq"), inode_of(folder / "store/objects/reads"));
  EXPECT_FALSE(fs::exists(folder / "layer/in/reads.fq.tmp"));
}

TEST_F(StageTest, unpacks_what_looks_like_a_tarball_unless_told_otherwise) {
  const std::string archive = tar_gzip({{.name = "x", .content = "X"}});
  put("a", archive);
  add("sniffed", "/sniffed", key("a"));
  add("plain", "/plain", key("a")).archive = Archive::none;
  add("explicit", "/explicit", key("a")).archive = Archive::tar;
  EXPECT_EQ(run(), "");
  EXPECT_EQ(read_file(folder / "layer/sniffed"), "X");
  EXPECT_EQ(read_file(folder / "layer/plain"), archive);
  EXPECT_EQ(read_file(folder / "layer/explicit"), "X");
}

TEST_F(StageTest, gives_files_the_mode_asked_for_and_leaves_the_store_alone) {
  put("plain", "x");
  put("packed", tar_gzip({{.name = "d/x", .content = "X"}, {.name = "d/s/y", .content = "Y"}}));
  add("plain", "/plain", key("plain")).mode = 0640;
  add("top", "/top", key("packed")).mode = 0700;
  InputArtifact& all = add("all", "/all", key("packed"));
  all.mode = 0750;
  all.recurse_mode = true;
  EXPECT_EQ(run(), "");
  EXPECT_EQ(mode_of(folder / "layer/plain"), 0640U);
  EXPECT_EQ(mode_of(folder / "store/objects/plain"), 0444U);
  EXPECT_EQ(mode_of(folder / "layer/top"), 0700U);
  EXPECT_EQ(mode_of(folder / "layer/top/x"), 0644U);
  EXPECT_EQ(mode_of(folder / "layer/all/s"), 0750U);
  EXPECT_EQ(mode_of(folder / "layer/all/s/y"), 0750U);
}

TEST_F(StageTest, skips_optional_artifacts_that_are_not_there) {
  add("none", "/none", key("none")).optional = true;
  add("unset", "/unset", nullptr).optional = true;
  add("empty", "/empty", doc::Object{}).optional = true;
  EXPECT_EQ(run(), "");
  EXPECT_TRUE(fs::is_empty(layer()));
}

TEST_F(StageTest, says_in_upstreams_words_what_is_missing) {
  add("a", "/a", key("none"));
  EXPECT_EQ(run(), "artifact a failed to load: The specified key does not exist.");
  plan.input_artifacts.clear();
  add("a", "/a", nullptr);
  EXPECT_EQ(run(), "required artifact 'a' not supplied");
  plan.input_artifacts.clear();
  add("a", "/safe/../../etc/passwd", raw("x"));
  EXPECT_EQ(run(),
            "Artifact 'a' attempted to use a path containing '..'. Directory traversal is not "
            "permitted");
  plan.input_artifacts.clear();
  add("a", "/", raw("x"));
  EXPECT_EQ(run(), "artifact a: path is /");
  plan.input_artifacts.clear();
  add("a", "/a", doc::Object{{"git", doc::Object{{"repo", "r"}}}});
  EXPECT_EQ(run(),
            "artifact a failed to load: this program has no artifact store of type git "
            "(field git)");
}

TEST_F(StageTest, names_the_artifact_whose_archive_is_hostile) {
  put("bad", tar_gzip({{.name = "../../x"}}));
  add("a", "/a/b", key("bad"));
  EXPECT_EQ(run(), "artifact a: illegal file path: ../../x: has the part \"..\"");
  EXPECT_TRUE(fs::is_empty(folder / "layer/a"));
}

TEST_F(StageTest, covers_folders_by_equal_ones) {
  fs::create_directories(folder / "base/tmp");
  ASSERT_EQ(::chmod((folder / "base/tmp").c_str(), 01777), 0);
  add("a", "/tmp/new/a", raw("x"));
  EXPECT_EQ(run(), "");
  EXPECT_EQ(mode_of(folder / "layer/tmp"), 01777U);
  EXPECT_EQ(mode_of(folder / "layer/tmp/new"), 0755U);
}

TEST_F(StageTest, follows_links_of_the_container_on_the_way) {
  fs::create_directories(folder / "base/usr/bin");
  fs::create_symlink("usr/bin", folder / "base/bin");
  fs::create_directories(folder / "base/run");
  fs::create_symlink("/run", folder / "base/var");
  fs::create_symlink("../../../../../run", folder / "base/up");
  fs::create_symlink("loop", folder / "base/loop");
  add("a", "/bin/tool", raw("a"));
  add("b", "/var/x/y", raw("b"));
  add("c", "/up/z", raw("c"));
  EXPECT_EQ(run(), "");
  EXPECT_EQ(read_file(folder / "layer/usr/bin/tool"), "a");
  EXPECT_EQ(read_file(folder / "layer/run/x/y"), "b");
  EXPECT_EQ(read_file(folder / "layer/run/z"), "c");
  EXPECT_FALSE(fs::exists(folder / "layer/bin"));
  plan.input_artifacts.clear();
  add("d", "/loop/x", raw("d"));
  EXPECT_EQ(run(), "/loop/x: too many symbolic links");
}

TEST_F(StageTest, lets_artifacts_stand_inside_others) {
  put("outer", tar_gzip({{.name = "a", .content = "A"}, {.name = "in", .content = "old"}}));
  add("inner", "/outer/in", raw("new"));
  add("outer", "/outer", key("outer"));
  EXPECT_EQ(run(), "");
  EXPECT_EQ(read_file(folder / "layer/outer/a"), "A");
  EXPECT_EQ(read_file(folder / "layer/outer/in"), "new");
}

TEST_F(StageTest, does_not_write_through_links_of_an_artifact) {
  put("outer", tar_gzip({{.name = "d/", .type = '5'}, {.name = "l", .type = '2', .link = "d"}}));
  add("outer", "/outer", key("outer"));
  add("inner", "/outer/l/x", raw("new"));
  EXPECT_NE(run(), "");
}

TEST_F(StageTest, puts_artifacts_below_a_volume_into_the_volume) {
  fs::create_directories(folder / "volume/sub");
  write_file(folder / "volume/keep/file", "user's");
  options.mounts = {{"/job", folder / "volume"}, {"/job/deep", folder / "deep"}};
  fs::create_directories(folder / "deep");
  put("a", "A");
  add("a", "/job/sub/a", key("a"));
  add("b", "/job/deep/b", key("a"));
  add("c", "/workspace", key("a"));
  EXPECT_EQ(run(), "");
  EXPECT_EQ(read_file(folder / "volume/sub/a"), "A");
  EXPECT_NE(inode_of(folder / "volume/sub/a"), inode_of(folder / "store/objects/a"));
  EXPECT_EQ(read_file(folder / "deep/b"), "A");
  EXPECT_EQ(read_file(folder / "layer/workspace"), "A");
  EXPECT_FALSE(fs::exists(folder / "layer/job"));
  plan.input_artifacts.clear();
  add("d", "/job/keep", key("a"));
  EXPECT_NE(run(), "");
  EXPECT_EQ(read_file(folder / "volume/keep/file"), "user's");
  plan.input_artifacts.clear();
  add("e", "/job", key("a"));
  EXPECT_EQ(run(), "/job is a volume itself");
}

TEST_F(StageTest, gives_own_copies_where_nothing_protects_the_store) {
  options.sharing = Sharing::own_copy;
  put("a", "A");
  add("a", "/a", key("a"));
  EXPECT_EQ(run(), "");
  write_file(folder / "layer/a", "changed");
  EXPECT_EQ(read_file(folder / "store/objects/a"), "A");
}

TEST_F(StageTest, marks_folders_so_that_what_is_below_does_not_show) {
  options.opaque_attribute = "user.overlay.opaque";
  put("d", tar_gzip({{.name = "x"}, {.name = "y"}}));
  add("d", "/d", key("d"));
  EXPECT_EQ(run(), "");
  std::array<char, 4> value{};
  EXPECT_EQ(
      ::lgetxattr((folder / "layer/d").c_str(), "user.overlay.opaque", value.data(), value.size()),
      1);
  EXPECT_EQ(value[0], 'y');
}

}  // namespace
}  // namespace tiphys::executor

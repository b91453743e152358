#include "executor/capture.h"

#include "artifacts/digest.h"
#include "artifacts/local_store.h"
#include "artifacts/testing/folder.h"
#include "executor/archive.h"
#include "executor/stage.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::executor {
namespace {

using artifacts::testing::read_file;
using artifacts::testing::TemporaryFolder;
using artifacts::testing::write_file;

namespace fs = std::filesystem;

doc::Value key(std::string_view name) { return doc::Object{{"s3", doc::Object{{"key", name}}}}; }

/// A container whose files are a folder of this machine.
class FolderView final : public FileView {
 public:
  explicit FolderView(fs::path root) : root_(std::move(root)) {}

  Result<fs::path> resolve(std::string_view path) const override {
    fs::path found = root_ / path.substr(1);
    return fs::exists(found) ? Result<fs::path>(std::move(found))
                             : fail(ErrorCode::not_found, std::string(path));
  }

  bool is_private(const fs::path&) const override { return movable; }

  bool movable = true;

 private:
  fs::path root_;
};

class CaptureTest : public ::testing::Test {
 protected:
  CaptureTest()
      : view(folder / "root"), store(artifacts::LocalStore::open(folder / "store").value()) {}

  void make(std::string_view path, std::string_view content, mode_t mode = 0644) {
    write_file((folder / "root").string() + std::string(path), content, mode);
  }

  OutputArtifact& add(std::string name, std::string path, Archive archive = Archive::tar) {
    return plan.output_artifacts.emplace_back(
        OutputArtifact{name, std::move(path), key("k/" + name), archive, -1, false});
  }

  StepOutputs run(const std::optional<std::string>& text = std::nullopt) {
    return capture(plan, view, *store, text);
  }

  TemporaryFolder folder;
  FolderView view;
  std::unique_ptr<artifacts::LocalStore> store;
  StepPlan plan;
};

TEST_F(CaptureTest, cuts_one_newline_off_parameters) {
  make("/tmp/a", "value\n\n");
  make("/tmp/b", "");
  plan.output_parameters = {{"a", "/tmp/a", {}}, {"b", "/tmp//b", {}}};
  const StepOutputs outputs = run();
  EXPECT_EQ(outputs.error, "");
  EXPECT_EQ(outputs.parameters, (std::vector<StepOutputs::Parameter>{{"a", "value\n"}, {"b", ""}}));
}

TEST_F(CaptureTest, takes_defaults_for_missing_parameters) {
  plan.output_parameters = {{"a", "/tmp/a", "default\n"}, {"b", "/tmp/b", ""}};
  const StepOutputs outputs = run();
  EXPECT_EQ(outputs.error, "");
  EXPECT_EQ(outputs.parameters, (std::vector<StepOutputs::Parameter>{{"a", "default"}, {"b", ""}}));
}

TEST_F(CaptureTest, says_in_upstreams_words_which_parameter_is_missing) {
  make("/tmp/a", "1");
  make("/tmp/c", "3");
  plan.output_parameters = {{"a", "/tmp/a", {}}, {"b", "/tmp/b", {}}, {"c", "/tmp/c", {}}};
  const StepOutputs outputs = run();
  EXPECT_EQ(outputs.error,
            "open /var/run/argo/outputs/parameters/tmp/b: no such file or directory");
  EXPECT_EQ(outputs.parameters, (std::vector<StepOutputs::Parameter>{{"a", "1"}}));
}

TEST_F(CaptureTest, refuses_parameters_that_are_no_small_files) {
  fs::create_directories(folder / "root/tmp/d");
  plan.output_parameters = {{"d", "/tmp/d", {}}};
  EXPECT_EQ(run().error, "read /tmp/d: is a directory");
  ASSERT_EQ(::mkfifo((folder / "root/tmp/p").c_str(), 0644), 0);
  plan.output_parameters = {{"p", "/tmp/p", {}}};
  EXPECT_EQ(run().error, "read /tmp/p: not a regular file");
  make("/tmp/big", std::string(kMaximumParameterBytes + 1, 'x'));
  plan.output_parameters = {{"big", "/tmp/big", {}}};
  EXPECT_EQ(run().error, "/tmp/big: an output parameter can have at most 1048576 bytes");
  plan.output_parameters = {{"up", "/tmp/../../x", {}}};
  EXPECT_NE(run().error, "");
}

TEST_F(CaptureTest, takes_the_end_of_standard_output_as_the_result) {
  plan.capture_result = true;
  EXPECT_EQ(run("hello\n\n").result, "hello\n");
  EXPECT_EQ(run("").result, "");
  EXPECT_EQ(run().result, std::nullopt);
  const std::string exact(kMaximumResultBytes, 'x');
  EXPECT_EQ(run("cut" + exact + "\n").result, exact);
  plan.capture_result = false;
  EXPECT_EQ(run("hello").result, std::nullopt);
}

TEST_F(CaptureTest, replaces_what_is_not_utf_8) {
  plan.capture_result = true;
  EXPECT_EQ(run("a\xFF\xC3(\xE4\xBD\xA0").result, "a\xEF\xBF\xBD\xEF\xBF\xBD(\xE4\xBD\xA0");
  EXPECT_EQ(to_valid_utf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(to_valid_utf8("\xF4\x90\x80\x80\xC0\x80"),
            "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(to_valid_utf8("\xF0\x9F\x98\x80\xE4\xBD"), "\xF0\x9F\x98\x80\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_TRUE(doc::parse_json(run("\xC3").to_json()));
}

TEST_F(CaptureTest, stores_artifacts_in_the_form_asked_for) {
  make("/out/a.txt", "hello");
  make("/out/d/x", "X");
  add("tar", "/out/a.txt");
  add("zip", "/out/a.txt", Archive::zip);
  add("plain", "/out/a.txt", Archive::none);
  add("tree", "/out/d", Archive::none);
  const StepOutputs outputs = run();
  EXPECT_EQ(outputs.error, "");
  ASSERT_EQ(outputs.artifacts.size(), 4U);
  ASSERT_TRUE(unpack(folder / "store/objects/k/tar", Archive::tar, folder / "t"));
  ASSERT_TRUE(unpack(folder / "store/objects/k/zip", Archive::zip, folder / "z"));
  EXPECT_EQ(read_file(folder / "t"), "hello");
  EXPECT_EQ(read_file(folder / "z"), "hello");
  EXPECT_EQ(read_file(folder / "store/objects/k/plain"), "hello");
  EXPECT_EQ(read_file(folder / "store/objects/k/tree/x"), "X");
  EXPECT_EQ(outputs.artifacts[2], (CapturedArtifact{"plain", "/out/a.txt", key("k/plain"),
                                                    artifacts::sha256_hex("hello"), 5}));
  for (const CapturedArtifact& artifact : outputs.artifacts) {
    EXPECT_EQ(store->stat(artifact.location)->digest, artifact.digest);
  }
  EXPECT_TRUE(fs::is_empty(folder / "store/scratch"));
}

TEST_F(CaptureTest, moves_private_files_unless_another_output_needs_them) {
  make("/out/a", "A");
  make("/out/d/b", "B");
  add("a", "/out/a", Archive::none);
  add("d", "/out/d", Archive::none);
  add("b", "/out/d/b", Archive::none);
  EXPECT_EQ(run().error, "");
  EXPECT_FALSE(fs::exists(folder / "root/out/a"));
  EXPECT_EQ(read_file(folder / "root/out/d/b"), "B");
  EXPECT_EQ(read_file(folder / "store/objects/k/b"), "B");
  view.movable = false;
  make("/out/a", "again");
  plan.output_artifacts.resize(1);
  EXPECT_EQ(run().error, "");
  EXPECT_EQ(read_file(folder / "root/out/a"), "again");
  EXPECT_EQ(read_file(folder / "store/objects/k/a"), "again");
}

TEST_F(CaptureTest, gathers_the_errors_of_artifacts_and_tolerates_optional_ones) {
  make("/out/good", "x");
  add("a", "/out/a");
  add("good", "/out/good");
  add("maybe", "/out/maybe").optional = true;
  add("b", "/out/b", Archive::none);
  const StepOutputs outputs = run();
  EXPECT_EQ(outputs.error,
            "open /var/run/argo/outputs/artifacts/out/a.tgz: no such file or directory; "
            "open /var/run/argo/outputs/artifacts/out/b.tgz: no such file or directory; ");
  ASSERT_EQ(outputs.artifacts.size(), 1U);
  EXPECT_EQ(outputs.artifacts[0].name, "good");
}

TEST_F(CaptureTest, reports_the_first_of_several_errors_and_captures_the_rest) {
  make("/out/good", "x");
  plan.output_parameters = {{"p", "/tmp/none", {}}};
  add("a", "/out/none");
  add("good", "/out/good");
  const StepOutputs outputs = run();
  EXPECT_THAT(outputs.error, ::testing::HasSubstr("parameters/tmp/none"));
  EXPECT_EQ(outputs.artifacts.size(), 1U);
}

TEST_F(CaptureTest, does_not_excuse_optional_artifacts_that_cannot_be_stored) {
  make("/out/a", "x");
  OutputArtifact& artifact = add("a", "/out/a");
  artifact.optional = true;
  artifact.compression_level = 11;
  EXPECT_EQ(run().error, "artifact a: gzip: invalid compression level: 11; ");
}

TEST_F(CaptureTest, stores_equal_bytes_for_equal_outputs) {
  make("/out/a", "x");
  add("a", "/out/a");
  const StepOutputs first = run();
  fs::last_write_time(folder / "root/out/a", fs::file_time_type{});
  EXPECT_EQ(run(), first);
}

TEST_F(CaptureTest, hands_over_what_staging_gives_the_next_step) {
  make("/out/d/x", "X", 0755);
  make("/out/d/sub/y", "Y");
  for (const Archive archive : {Archive::tar, Archive::none}) {
    plan.output_artifacts.clear();
    add("d", "/out/d", archive);
    view.movable = false;
    const StepOutputs outputs = run();
    ASSERT_EQ(outputs.error, "");
    StepPlan next;
    next.input_artifacts = {
        {"in", "/in", outputs.artifacts[0].location, Archive::sniff, {}, false, false}};
    const fs::path layer = folder / (archive == Archive::tar ? "l1" : "l2");
    fs::create_directories(layer);
    StageOptions options;
    options.base_root = folder / "root";
    ASSERT_TRUE(stage(next, *store, layer, options));
    EXPECT_EQ(read_file(layer / "in/x"), "X");
    EXPECT_EQ(read_file(layer / "in/sub/y"), "Y");
    EXPECT_EQ(artifacts::testing::mode_of(layer / "in/x") & 0100U, 0100U);
  }
}

}  // namespace
}  // namespace tiphys::executor

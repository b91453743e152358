#include "executor/capture_logs.h"

#include "artifacts/local_store.h"
#include "artifacts/testing/folder.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::executor {
namespace {

using artifacts::testing::read_file;
using artifacts::testing::TemporaryFolder;
using artifacts::testing::write_file;

doc::Value key(std::string_view name) { return doc::Object{{"s3", doc::Object{{"key", name}}}}; }

/// Containers whose logs lie in a folder.
class LogView final : public FileView {
 public:
  explicit LogView(const TemporaryFolder& folder) : folder_(folder) {}

  Result<std::filesystem::path> resolve(std::string_view path) const override {
    return fail(ErrorCode::not_found, std::string(path));
  }

  bool is_private(const std::filesystem::path&) const override { return false; }

  std::optional<std::filesystem::path> log_of(std::string_view container) const override {
    return container == "never" ? std::nullopt
                                : std::optional(folder_ / (std::string(container) + ".log"));
  }

 private:
  const TemporaryFolder& folder_;
};

std::string text_of(std::initializer_list<std::string_view> pieces) {
  LogText log;
  std::string out;
  for (const std::string_view piece : pieces) {
    log.take(piece, out);
  }
  log.finish(out);
  return out;
}

TEST(LogText, drops_times_and_streams) {
  EXPECT_EQ(text_of({"2026-01-02T03:04:05.6Z stdout F one\n2026-01-02T03:04:05Z stderr F  two \n"}),
            "one\n two \n");
}

TEST(LogText, joins_parts_of_a_line_and_pieces_of_a_row) {
  EXPECT_EQ(text_of({"t stdout P ab\nt stdout P ", "cd\nt std", "out F e\n"}), "abcde\n");
  EXPECT_EQ(text_of({"t stdout P no newline\n"}), "no newline");
}

TEST(LogText, keeps_empty_lines_and_rows_of_another_form) {
  EXPECT_EQ(text_of({"t stdout F \nsomething else\n"}), "\nsomething else\n");
  EXPECT_EQ(text_of({"t stdout"}), "t stdout\n");
  EXPECT_EQ(text_of({""}), "");
}

TEST(CaptureLogs, keeps_the_log_of_every_container_that_started) {
  const TemporaryFolder folder;
  write_file(folder / "main.log", "t stdout F hello\n", 0644);
  const auto store = artifacts::LocalStore::open(folder / "store").value();
  StepPlan plan;
  plan.logs = {{"main-logs", "main", key("r/p/main.log"), key("told")},
               {"silent-logs", "silent", key("r/p/silent.log"), {}},
               {"never-logs", "never", key("r/p/never.log"), {}}};
  StepOutputs outputs;
  ASSERT_TRUE(capture_logs(plan, LogView(folder), *store, outputs));
  ASSERT_EQ(outputs.artifacts.size(), 2U);
  EXPECT_EQ(outputs.artifacts[0].name, "main-logs");
  EXPECT_EQ(outputs.artifacts[0].location, key("told"));
  EXPECT_EQ(outputs.artifacts[1].location, key("r/p/silent.log"));
  EXPECT_EQ(read_file(store->path_of(key("r/p/main.log")).value()), "hello\n");
  EXPECT_EQ(read_file(store->path_of(key("r/p/silent.log")).value()), "");
}

TEST(CaptureLogs, says_which_log_could_not_be_kept_and_keeps_the_others) {
  const TemporaryFolder folder;
  const auto store = artifacts::LocalStore::open(folder / "store").value();
  StepPlan plan;
  plan.logs = {{"a-logs", "a", key("../a.log"), {}}, {"b-logs", "b", key("b.log"), {}}};
  StepOutputs outputs;
  const auto done = capture_logs(plan, LogView(folder), *store, outputs);
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().message.starts_with("artifact a-logs: ")) << done.error().message;
  ASSERT_EQ(outputs.artifacts.size(), 1U);
  EXPECT_EQ(outputs.artifacts[0].name, "b-logs");
}

TEST(StepPlan, tells_of_logs_in_its_json) {
  StepPlan plan;
  plan.logs = {{"main-logs", "main", key("a"), key("b")}};
  plan.output_artifacts = {{.name = "x", .path = "/x", .location = key("c"), .reported = key("d")}};
  EXPECT_EQ(StepPlan::from_json(plan.to_json()).value(), plan);
}

}  // namespace
}  // namespace tiphys::executor

#include "app/pod_logs.h"

#include <gtest/gtest.h>

#include <fstream>

namespace tiphys::app {
namespace {

class PodLogs : public testing::Test {
 protected:
  PodLogs() { std::filesystem::create_directories(folder_ / "default_wf-t-1_uid"); }

  ~PodLogs() override { std::filesystem::remove_all(folder_); }

  void append(const std::string& text) {
    std::ofstream(folder_ / "default_wf-t-1_uid" / "main.log", std::ios::app) << text;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("logs_" + std::to_string(getpid()));
};

TEST_F(PodLogs, parts_are_joined_and_lines_that_have_not_ended_wait) {
  LogFolder logs(folder_);
  append(
      "2026-11-22T10:00:00.5Z stdout P one \n2026-11-22T10:00:01Z stdout F "
      "line\n2026-11-22T10:00:02Z stderr F err");
  auto files = logs.files_of("default", "wf-t-1");
  ASSERT_EQ(files.size(), 1U);
  std::vector<cli::LogLine> lines;
  files[0].read_new(lines, LogWriter::running);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].text, "one line");
  EXPECT_EQ(lines[0].container, "main");
  append("or\n");
  files[0].read_new(lines, LogWriter::running);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1].text, "error");
  files[0].read_new(lines, LogWriter::running);
  EXPECT_EQ(lines.size(), 2U);
}

TEST_F(PodLogs, the_end_of_a_log_without_a_newline_is_a_line_once_its_writer_has_ended) {
  LogFolder logs(folder_);
  append("2026-11-22T10:00:00Z stdout F one\n2026-11-22T10:00:01Z stdout P two\n");
  auto files = logs.files_of("default", "wf-t-1");
  ASSERT_EQ(files.size(), 1U);
  std::vector<cli::LogLine> lines;
  files[0].read_new(lines, LogWriter::running);
  EXPECT_EQ(lines.size(), 1U);
  files[0].read_new(lines, LogWriter::ended);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1].text, "two");
  EXPECT_EQ(lines[1].timestamp, "2026-11-22T10:00:01Z");
  files[0].read_new(lines, LogWriter::ended);
  EXPECT_EQ(lines.size(), 2U);
}

TEST_F(PodLogs, a_pod_without_a_log_has_no_files) {
  LogFolder logs(folder_);
  EXPECT_TRUE(logs.files_of("default", "other").empty());
}

TEST(LogLine, what_is_no_log_line_is_nothing) {
  EXPECT_FALSE(parse_log_line(""));
  EXPECT_FALSE(parse_log_line("a b"));
  EXPECT_FALSE(parse_log_line("a stdout X text"));
  EXPECT_EQ(parse_log_line("t stdout F ")->text, "");
  EXPECT_EQ(parse_log_line("t stdout F a b")->text, "a b");
}

}  // namespace
}  // namespace tiphys::app

#include "cli/live_view.h"

#include <gtest/gtest.h>

#include <sstream>

namespace tiphys::cli {
namespace {

using std::chrono::milliseconds;

ViewOptions options(bool terminal) {
  ViewOptions out;
  out.terminal = terminal;
  out.size = [] { return ScreenSize{80, 24}; };
  out.now = [] { return std::chrono::sys_time<milliseconds>(milliseconds(10'000)); };
  return out;
}

NodeLine step(const std::string& name, const std::string& phase) {
  NodeLine node;
  node.run = "wf";
  node.index = static_cast<std::uint32_t>(name.front());
  node.name = "wf." + name;
  node.display_name = name;
  node.type = "Pod";
  node.template_name = "t";
  node.phase = phase;
  node.started = std::chrono::sys_time<milliseconds>(milliseconds(1'000));
  if (phase == "Succeeded" || phase == "Failed") {
    node.finished = std::chrono::sys_time<milliseconds>(milliseconds(2'500));
  }
  return node;
}

TEST(LiveView, a_pipe_gets_one_line_per_transition) {
  std::ostringstream out;
  const auto view = make_view(out, options(false));
  view->on_run({"wf", "Running", "", "0/1", {}});
  view->on_run({"wf", "Running", "", "1/1", {}});
  view->on_node(step("a", "Running"));
  view->on_node(step("a", "Succeeded"));
  EXPECT_EQ(out.str(), "00:00:10 wf Running\n00:00:10 ● wf.a Running\n00:00:10 ✔ wf.a Succeeded\n");
}

TEST(LiveView, a_pipe_is_not_told_what_was_so_earlier_unless_asked) {
  NodeLine earlier = step("a", "Succeeded");
  earlier.earlier = true;
  std::ostringstream quiet;
  make_view(quiet, options(false))->on_node(earlier);
  EXPECT_EQ(quiet.str(), "");
  std::ostringstream out;
  ViewOptions asked = options(false);
  asked.tell_earlier = true;
  make_view(out, asked)->on_node(earlier);
  EXPECT_EQ(out.str(), "00:00:10 ✔ wf.a Succeeded 1.5s\n");
}

TEST(LiveView, a_terminal_shows_progress_what_runs_and_what_failed) {
  std::ostringstream out;
  {
    const auto view = make_view(out, options(true));
    view->on_run({"wf", "Running", "", "1/3", {}});
    view->on_node(step("a", "Succeeded"));
    view->on_node(step("b", "Running"));
    NodeLine failed = step("c", "Failed");
    failed.message = "exit code 1";
    view->on_node(failed);
    view->on_tick();
  }
  EXPECT_NE(out.str().find("● wf  Running  ━━━━━━────────────── 1/3  0.0s  1 running, 1 failed"),
            std::string::npos)
      << out.str();
  EXPECT_NE(out.str().find("● b  0.0s"), std::string::npos) << out.str();
  EXPECT_NE(out.str().find("✖ c  9.0s  exit code 1"), std::string::npos) << out.str();
}

TEST(LiveView, logs_and_notices_stand_above_the_tree) {
  std::ostringstream out;
  const auto view = make_view(out, options(true));
  view->on_run({"wf", "Running", "", "0/1", {}});
  view->on_tick();
  view->on_log({"pod", "main", "2026-01-01T00:00:00Z", "hello"});
  view->on_notice("something");
  view->on_tick();
  EXPECT_NE(out.str().find("pod: hello\nnote: something\n● wf"), std::string::npos) << out.str();
}

TEST(LiveView, a_message_cannot_move_the_cursor) {
  std::ostringstream out;
  {
    const auto view = make_view(out, options(true));
    NodeLine failed = step("c", "Failed");
    failed.message = "a\nb\x1b[2J";
    view->on_node(failed);
    view->on_tick();
  }
  EXPECT_NE(out.str().find("a b [2J"), std::string::npos) << out.str();
  EXPECT_EQ(out.str().find("\x1b[2J"), std::string::npos);
}

}  // namespace
}  // namespace tiphys::cli

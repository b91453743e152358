#include "cli/live_view.h"

#include <gtest/gtest.h>

#include <sstream>

namespace tiphys::cli {
namespace {

using std::chrono::milliseconds;

ViewOptions options(bool terminal) {
  ViewOptions out;
  out.terminal = terminal;
  out.now = [] { return std::chrono::sys_time<milliseconds>(milliseconds(10'000)); };
  return out;
}

NodeLine step(const std::string& name, const std::string& phase) {
  NodeLine node;
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
  view->on_run({"wf", "Running", "", "0/1"});
  view->on_run({"wf", "Running", "", "1/1"});
  view->on_node(step("a", "Running"));
  view->on_node(step("a", "Succeeded"));
  EXPECT_EQ(out.str(),
            "00:00:10 wf Running\n00:00:10 ● wf.a Running\n00:00:10 ✔ wf.a Succeeded 1.5s\n");
}

TEST(LiveView, a_terminal_shows_totals_what_runs_and_what_failed) {
  std::ostringstream out;
  {
    const auto view = make_view(out, options(true));
    view->on_run({"wf", "Running", "", "1/3"});
    view->on_node(step("a", "Succeeded"));
    view->on_node(step("b", "Running"));
    NodeLine failed = step("c", "Failed");
    failed.message = "exit code 1";
    view->on_node(failed);
    view->on_tick();
  }
  EXPECT_NE(out.str().find("1 done  1 running  1 failed"), std::string::npos) << out.str();
  EXPECT_NE(out.str().find("● b  9.0s"), std::string::npos) << out.str();
  EXPECT_NE(out.str().find("✖ c: exit code 1"), std::string::npos) << out.str();
}

}  // namespace
}  // namespace tiphys::cli

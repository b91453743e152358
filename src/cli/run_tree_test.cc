#include "cli/run_tree.h"

#include <gtest/gtest.h>

namespace tiphys::cli {
namespace {

using std::chrono::milliseconds;
using State = RunTree::State;
using Kind = RunTree::Kind;

RunTree::Time at(int seconds) { return RunTree::Time(std::chrono::seconds(seconds)); }

NodeLine node(std::uint32_t index, std::uint32_t parent, const std::string& type,
              const std::string& name, const std::string& phase) {
  NodeLine out;
  out.run = "wf";
  out.index = index;
  out.parent = parent;
  out.type = type;
  out.display_name = name;
  out.phase = phase;
  return out;
}

TEST(RunTree, members_of_a_step_group_stand_below_the_template) {
  RunTree tree("wf");
  tree.update(node(0, NodeLine::kNoParent, "Steps", "wf", "Running"), at(0));
  tree.update(node(1, 0, "StepGroup", "[0]", "Running"), at(0));
  tree.update(node(2, 1, "Pod", "a", "Pending"), at(0));
  ASSERT_EQ(tree.roots().size(), 1U);
  const auto& root = tree[tree.roots()[0]];
  ASSERT_EQ(root.children.size(), 1U);
  EXPECT_EQ(tree[root.children[0]].label, "a");
  EXPECT_EQ(root.counts[State::waiting], 1U);
}

TEST(RunTree, items_of_a_steps_loop_stand_below_one_branch_whose_state_follows) {
  RunTree tree("wf");
  tree.update(node(0, NodeLine::kNoParent, "Steps", "wf", "Running"), at(0));
  tree.update(node(1, 0, "StepGroup", "[0]", "Running"), at(0));
  for (std::uint32_t i = 0; i < 3; ++i) {
    tree.update(node(2 + i, 1, "Pod", "map(" + std::to_string(i) + ":x)", "Pending"), at(0));
  }
  const auto& root = tree[tree.roots()[0]];
  ASSERT_EQ(root.children.size(), 1U);
  const auto& loop = tree[root.children[0]];
  EXPECT_EQ(loop.kind, Kind::loop);
  EXPECT_EQ(loop.state, State::waiting);
  tree.update(node(2, 1, "Pod", "map(0:x)", "Running"), at(1));
  EXPECT_EQ(loop.state, State::running);
  EXPECT_EQ(tree[root.first_running].label, "map");
  tree.update(node(2, 1, "Pod", "map(0:x)", "Succeeded"), at(2));
  EXPECT_EQ(loop.state, State::running);
  tree.update(node(3, 1, "Pod", "map(1:x)", "Failed"), at(3));
  tree.update(node(4, 1, "Pod", "map(2:x)", "Succeeded"), at(4));
  EXPECT_EQ(loop.state, State::failed);
  EXPECT_EQ(loop.failed.size(), 1U);
  EXPECT_EQ(root.first_running, RunTree::kNone);
}

TEST(RunTree, knows_what_runs_in_the_order_it_began) {
  RunTree tree("wf");
  tree.update(node(0, NodeLine::kNoParent, "DAG", "wf", "Running"), at(0));
  for (std::uint32_t i = 1; i <= 4; ++i) {
    tree.update(node(i, 0, "Pod", std::to_string(i), "Running"), at(0));
  }
  tree.update(node(1, 0, "Pod", "1", "Succeeded"), at(1));
  tree.update(node(3, 0, "Pod", "3", "Succeeded"), at(1));
  std::string running;
  for (auto id = tree[0].first_running; id != RunTree::kNone; id = tree[id].running_after) {
    running += tree[id].label;
  }
  EXPECT_EQ(running, "24");
  EXPECT_EQ(tree.steps()[State::done], 2U);
  EXPECT_EQ(tree.steps()[State::running], 2U);
}

TEST(RunTree, times_are_those_of_the_transitions_seen) {
  RunTree tree("wf");
  tree.update(node(0, NodeLine::kNoParent, "Pod", "wf", "Pending"), at(1));
  EXPECT_EQ(tree[0].began, RunTree::Time());
  tree.update(node(0, NodeLine::kNoParent, "Pod", "wf", "Running"), at(5));
  tree.update(node(0, NodeLine::kNoParent, "Pod", "wf", "Succeeded"), at(7));
  EXPECT_EQ(tree[0].began, at(5));
  EXPECT_EQ(tree[0].ended, at(7));
}

TEST(RunTree, earlier_transitions_keep_the_times_of_their_nodes) {
  RunTree tree("wf");
  NodeLine line = node(0, NodeLine::kNoParent, "Pod", "wf", "Succeeded");
  line.earlier = true;
  line.started = at(1);
  line.finished = at(3);
  tree.update(line, at(100));
  EXPECT_EQ(tree[0].began, at(1));
  EXPECT_EQ(tree[0].ended, at(3));
}

}  // namespace
}  // namespace tiphys::cli

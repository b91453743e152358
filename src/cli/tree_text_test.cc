#include "cli/tree_text.h"

#include <gtest/gtest.h>

namespace tiphys::cli {
namespace {

RunTree::Time at(int seconds) { return RunTree::Time(std::chrono::seconds(seconds)); }

/// A run that a test builds up transition by transition.
struct Story {
  RunTree tree{"wf"};
  int now = 100;

  void tell(std::uint32_t index, std::uint32_t parent, const std::string& type,
            const std::string& name, const std::string& phase, const std::string& message = "") {
    NodeLine node;
    node.run = "wf";
    node.index = index;
    node.parent = parent;
    node.type = type;
    node.display_name = name;
    node.phase = phase;
    node.message = message;
    node.pod = type == "Pod" ? "pod-" + name : "";
    tree.update(node, at(now));
  }

  void dag() { tell(0, NodeLine::kNoParent, "DAG", "wf", "Running"); }

  std::string text(std::size_t rows) const {
    TreeTextOptions options;
    options.now = at(now);
    options.rows = rows;
    options.log_tail = [](const std::string& pod) {
      return std::vector<std::string>{"one", "two", "last of " + pod};
    };
    std::string out;
    for (const std::string& line : tree_lines(tree, options)) {
      out += line + "\n";
    }
    return out;
  }
};

TEST(TreeText, shows_everything_while_there_is_room) {
  Story story;
  story.dag();
  story.now = 101;
  story.tell(1, 0, "Pod", "a", "Running");
  story.now = 103;
  story.tell(1, 0, "Pod", "a", "Succeeded");
  story.tell(2, 0, "Steps", "sub", "Running");
  story.tell(3, 2, "StepGroup", "[0]", "Running");
  story.tell(4, 3, "Pod", "b", "Running");
  story.tell(5, 0, "Pod", "c", "Pending");
  story.now = 115;
  EXPECT_EQ(story.text(10),
            " ├─✔ a  2.0s\n"
            " ├─● sub  12s\n"
            " │ └─● b  12s\n"
            " └─◷ c\n");
}

TEST(TreeText, a_loop_is_a_line_of_totals_with_what_runs_and_failed) {
  Story story;
  story.dag();
  story.tell(1, 0, "TaskGroup", "map", "Running");
  for (std::uint32_t i = 0; i < 6; ++i) {
    const std::string name = "map(" + std::to_string(i) + ":x)";
    story.tell(2 + i, 1, "Pod", name, i < 5 ? "Running" : "Pending");
    if (i < 3) {
      story.tell(2 + i, 1, "Pod", name, i == 1 ? "Failed" : "Succeeded", i == 1 ? "exit 3" : "");
    }
  }
  EXPECT_EQ(story.text(20),
            " └─● map (6 items): 2 done, 2 running, 1 failed, 1 waiting  0.0s\n"
            "   ├─✖ map(1:x)  0.0s  exit 3\n"
            "   │   ┊ one\n"
            "   │   ┊ two\n"
            "   │   ┊ last of pod-map(1:x)\n"
            "   ├─● map(3:x)  0.0s\n"
            "   └─● map(4:x)  0.0s\n");
}

TEST(TreeText, a_retry_is_one_line_with_its_attempts_counted) {
  Story story;
  story.dag();
  story.tell(1, 0, "Retry", "call", "Running");
  story.tell(2, 1, "Pod", "call(0)", "Running");
  EXPECT_EQ(story.text(5), " └─● call  0.0s\n");
  story.tell(2, 1, "Pod", "call(0)", "Failed", "exit 1");
  story.tell(3, 1, "Pod", "call(1)", "Running");
  EXPECT_EQ(story.text(5), " └─● call (attempt 2)  0.0s  last: exit 1\n");
}

TEST(TreeText, ended_branches_fold_when_room_is_short) {
  Story story;
  story.dag();
  story.tell(1, 0, "Steps", "sub", "Running");
  story.tell(2, 1, "StepGroup", "[0]", "Running");
  story.tell(3, 2, "Pod", "a", "Running");
  story.tell(3, 2, "Pod", "a", "Succeeded");
  story.tell(1, 0, "Steps", "sub", "Succeeded");
  story.tell(4, 0, "Pod", "b", "Running");
  EXPECT_EQ(story.text(3), " ├─✔ sub  0.0s\n │ └─✔ a  0.0s\n └─● b  0.0s\n");
  EXPECT_EQ(story.text(2), " ├─✔ sub  0.0s\n └─● b  0.0s\n");
}

TEST(TreeText, never_takes_more_than_its_rows) {
  Story story;
  story.dag();
  for (std::uint32_t i = 1; i <= 40; ++i) {
    story.tell(i, 0, "Pod", "p" + std::to_string(i), i < 20 ? "Running" : "Pending");
    if (i < 10) {
      story.tell(i, 0, "Pod", "p" + std::to_string(i), i % 2 == 0 ? "Failed" : "Succeeded", "no");
    }
  }
  for (std::size_t rows = 2; rows < 60; ++rows) {
    const std::string text = story.text(rows);
    EXPECT_LE(static_cast<std::size_t>(std::ranges::count(text, '\n')), rows) << text;
    EXPECT_NE(text.find("●"), std::string::npos) << rows << "\n" << text;
  }
  EXPECT_NE(story.text(14).find("more running"), std::string::npos) << story.text(14);
}

TEST(TreeText, spells_times_for_people) {
  EXPECT_EQ(elapsed_text(at(0), RunTree::Time(std::chrono::milliseconds(3'270))), "3.2s");
  EXPECT_EQ(elapsed_text(at(0), at(34)), "34s");
  EXPECT_EQ(elapsed_text(at(0), at(125)), "2m05s");
  EXPECT_EQ(elapsed_text(at(0), at(3720)), "1h02m");
  EXPECT_EQ(elapsed_text(at(5), at(0)), "0.0s");
}

}  // namespace
}  // namespace tiphys::cli

#pragma once
/// What `get` and `list` print of Workflows, in the shapes of the `argo` command. Pure: documents
/// and a moment in, text out.

#include "cli/text/humanize.h"
#include "doc/json.h"

#include <functional>
#include <string>
#include <vector>

namespace tiphys::cli {

enum class Layout { standard, wide, brief };

struct TextStyle {
  bool color = false;
  bool utf8 = true;
};

struct DescribeOptions {
  Layout layout = Layout::standard;
  TextStyle style;
  Moment now;
  /// Which nodes to show; empty = all.
  std::function<bool(const doc::Value& node)> filter;
};

/// The sheet of one Workflow: head, parameters, outputs, and the tree of its nodes. In the `brief`
/// layout only the tree.
std::string describe_workflow(const doc::Value& workflow, const DescribeOptions& options);

/// The tree of the nodes alone, without a header line; empty while there is no root node.
std::string workflow_tree(const doc::Value& workflow, const DescribeOptions& options);

struct ListOptions {
  bool wide = false;
  bool headers = true;
  bool namespaces = false;
  Moment now;
};

/// A line per Workflow.
std::string workflow_table(const std::vector<doc::Value>& workflows, const ListOptions& options);

/// The phase for people: "Running (Suspended)", "Failed (Terminated)", "Pending" while there is
/// none.
std::string workflow_status(const doc::Value& workflow);

/// "2s*(1 cpu),3s*(100Mi memory)" of a status' or node's resourcesDuration.
std::string resources_text(const doc::Value& durations);

/// A node's icon or word: "✔", "✖", "●" ...
std::string phase_icon(std::string_view phase, const TextStyle& style);

}  // namespace tiphys::cli

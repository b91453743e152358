#pragma once
/// A run's tree as lines for a screen: as much as fits, and of what does not fit first what has
/// ended, then what waits. Loops are always folded to a line of totals with what runs and what
/// failed below it. The work is bounded by the lines asked for, not by the size of the run.

#include "cli/run_tree.h"
#include "cli/text/workflow_text.h"

#include <functional>

namespace tiphys::cli {

struct TreeTextOptions {
  TextStyle style;
  RunTree::Time now;
  std::size_t rows = 20;  ///< lines at most
  /// The last lines of a pod's log, "" for how it failed and nothing else; empty = none shown.
  std::function<std::vector<std::string>(const std::string& pod)> log_tail;
};

/// The lines below the run's own.
std::vector<std::string> tree_lines(const RunTree& tree, const TreeTextOptions& options);

/// "3.2s", "34s", "2m05s", "1h02m".
std::string elapsed_text(RunTree::Time from, RunTree::Time to);

/// "2 running, 8 waiting, 1 failed": the totals that are not zero, without what is done.
std::string busy_text(const RunTree::Counts& counts);

}  // namespace tiphys::cli

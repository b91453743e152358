#pragma once
/// What a person sees of a run while it goes on: on a terminal a tree that redraws itself in place,
/// in a pipe a line for each transition.

#include "cli/commands.h"

#include <memory>
#include <ostream>

namespace tiphys::cli {

struct ViewOptions {
  bool terminal = false;
  bool color = false;
  bool utf8 = true;
  /// false: notices and logs only (another format goes to the same stream)
  bool node_lines = true;
  /// In a pipe: whether to tell of nodes that had come to their phase before this program looked.
  bool tell_earlier = false;
  /// Logs are printed: above the tree, which then takes half of the screen at most.
  bool logs = false;
  std::function<ScreenSize()> size;
  std::function<std::chrono::sys_time<std::chrono::milliseconds>()> now;
  /// The last lines of a pod's log; empty = none are shown.
  std::function<std::vector<std::string>(const std::string& pod)> log_tail;
};

std::unique_ptr<RunObserver> make_view(std::ostream& out, ViewOptions options);

/// A log line as `logs` and `run --log` print it: the pod's name, in a colour of its own, before
/// the text.
std::string log_line_text(const LogLine& line, bool timestamps, bool color);

}  // namespace tiphys::cli

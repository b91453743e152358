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
  int width = 80;
  int height = 24;
  bool node_lines =
      true;  ///< false: notices and logs only (another format goes to the same stream)
  std::function<std::chrono::sys_time<std::chrono::milliseconds>()> now;
};

std::unique_ptr<RunObserver> make_view(std::ostream& out, ViewOptions options);

}  // namespace tiphys::cli

#pragma once
/// One simulated world: the real store and the real controller on a simulated disk and a simulated
/// node, under virtual time, dying and coming back as its faults say, until the workflow has ended.

#include "faults.h"
#include "generator.h"

#include <map>
#include <string>
#include <vector>

namespace tiphys::simulation {

/// How a run ended, without what differs from run to run.
struct Ending {
  std::string phase;
  std::string message;
  std::map<std::string, std::string> nodes;  ///< by name
};

struct Story {
  Ending ending;
  std::vector<std::string> violations;
  std::vector<std::string> trace;
  bool was_shut_down = false;
  std::size_t lives = 0;
  std::size_t attempts = 0;
};

enum class Tracing : std::uint8_t { no, yes };

/// `salt` decides what steps come to.
Story simulate(const GeneratedWorkflow& generated, Choices& faults, std::uint64_t salt,
               Tracing tracing);

/// What broke when the workflow of `shape` met `faults`: nothing in a good world.
std::vector<std::string> differences(const GeneratedWorkflow& generated, const Ending& undisturbed,
                                     const Story& disturbed);

}  // namespace tiphys::simulation

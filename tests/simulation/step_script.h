#pragma once
/// What a simulated step does, written into its template as lines of "key=value":
///   seconds=N     how long it takes
///   fail=P        fails P times in a hundred, as a hash of its node's name decides
///   result=int    prints a number below four; result=list prints a JSON list of some numbers
///   param:NAME=V  writes V to the file of output parameter NAME

#include "executor/step_plan.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace tiphys::simulation {

struct StepResult {
  std::chrono::milliseconds duration{0};
  int exit_code = 0;
  executor::StepOutputs outputs;
};

/// What a pod's step comes to; follows from the pod's document and `salt` alone.
StepResult play_step(const doc::Value& pod, std::string_view node_name, std::uint64_t salt);

}  // namespace tiphys::simulation

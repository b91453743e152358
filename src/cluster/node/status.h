#pragma once
/// The status document of a pod (core/v1 PodStatus) from what is known of it.

#include "async/clock.h"
#include "doc/json.h"

#include <optional>
#include <string>
#include <vector>

namespace tiphys::node {

enum class ContainerPhase { waiting, running, terminated };

struct ContainerState {
  std::string name;
  std::string image;
  ContainerPhase phase = ContainerPhase::waiting;
  std::string reason;
  std::string message;
  int exit_code = 0;
  int signal = 0;
  /// Ready while it runs, unless a probe says otherwise.
  bool ready = true;
  std::optional<async::TimePoint> started;
  std::optional<async::TimePoint> finished;
};

enum class PodPhase { pending, running, succeeded, failed };

struct PodState {
  PodPhase phase = PodPhase::pending;
  std::string reason;
  std::string message;
  /// Why the pod was not given a place on the node; empty = it was, or nobody has looked.
  std::string unschedulable;
  std::optional<async::TimePoint> start_time;
  std::vector<ContainerState> init_containers;
  std::vector<ContainerState> containers;
};

std::string_view name_of(PodPhase phase);

/// Conditions as the kubelet derives them (pkg/kubelet/status/generate.go), with `now` as their
/// transition time.
doc::Value make_status(const PodState& state, std::string_view address, async::TimePoint now);

}  // namespace tiphys::node

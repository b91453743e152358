#include "cluster/node/status.h"

#include "kube/time.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace tiphys::node {
namespace {

bool is_done(PodPhase phase) { return phase == PodPhase::succeeded || phase == PodPhase::failed; }

doc::Object state_object(const ContainerState& container) {
  doc::Object detail;
  if (container.phase == ContainerPhase::waiting) {
    detail["reason"] = container.reason;
    if (!container.message.empty()) {
      detail["message"] = container.message;
    }
    return {{"waiting", std::move(detail)}};
  }
  if (container.phase == ContainerPhase::running) {
    detail["startedAt"] = kube::format_time(*container.started);
    return {{"running", std::move(detail)}};
  }
  detail["exitCode"] = container.exit_code;
  if (container.signal != 0) {
    detail["signal"] = container.signal;
  }
  detail["reason"] = container.reason;
  if (!container.message.empty()) {
    detail["message"] = container.message;
  }
  if (container.started) {
    detail["startedAt"] = kube::format_time(*container.started);
  }
  if (container.finished) {
    detail["finishedAt"] = kube::format_time(*container.finished);
  }
  return {{"terminated", std::move(detail)}};
}

doc::Array container_statuses(const std::vector<ContainerState>& containers, bool init) {
  doc::Array list;
  for (const ContainerState& container : containers) {
    const bool running = container.phase == ContainerPhase::running;
    const bool completed =
        container.phase == ContainerPhase::terminated && container.exit_code == 0;
    list.push_back(doc::Object{{"name", container.name},
                               {"state", state_object(container)},
                               {"lastState", doc::Object()},
                               {"ready", init ? completed : running && container.ready},
                               {"restartCount", 0},
                               {"image", container.image},
                               {"imageID", ""},
                               {"started", running}});
  }
  return list;
}

struct Condition {
  std::string_view type;
  bool holds = false;
  std::string reason;
  std::string message;
};

std::string unready(std::string_view what, const std::vector<ContainerState>& containers,
                    bool (*ready)(const ContainerState&)) {
  std::vector<std::string> names;
  for (const ContainerState& container : containers) {
    if (!ready(container)) {
      names.push_back(container.name);
    }
  }
  return fmt::format("containers with {} status: [{}]", what, fmt::join(names, " "));
}

std::vector<Condition> conditions_of(const PodState& state) {
  const auto completed = [](const ContainerState& container) {
    return container.phase == ContainerPhase::terminated && container.exit_code == 0;
  };
  const auto running = [](const ContainerState& container) {
    return container.phase == ContainerPhase::running && container.ready;
  };
  if (!state.unschedulable.empty()) {
    return {{"PodScheduled", false, "Unschedulable", state.unschedulable}};
  }
  const auto& inits = state.init_containers;
  const bool initialized = std::all_of(inits.begin(), inits.end(), completed);
  const bool ready = std::all_of(state.containers.begin(), state.containers.end(), running);
  Condition init{"Initialized", initialized, "", ""};
  if (!initialized) {
    init.reason = "ContainersNotInitialized";
    init.message = unready("incomplete", inits, completed);
  }
  Condition pod{"Ready", ready && !is_done(state.phase), "", ""};
  if (state.phase == PodPhase::succeeded) {
    pod.reason = "PodCompleted";
  } else if (state.phase == PodPhase::failed) {
    pod.reason = "PodFailed";
  } else if (!ready) {
    pod.reason = "ContainersNotReady";
    pod.message = unready("unready", state.containers, running);
  }
  Condition containers = pod;
  containers.type = "ContainersReady";
  return {{"PodScheduled", state.start_time.has_value(), "", ""}, init, pod, containers};
}

}  // namespace

std::string_view name_of(PodPhase phase) {
  constexpr std::array<std::string_view, 4> kNames{"Pending", "Running", "Succeeded", "Failed"};
  return kNames[static_cast<std::size_t>(phase)];
}

doc::Value make_status(const PodState& state, std::string_view address, async::TimePoint now) {
  doc::Object status;
  status["phase"] = name_of(state.phase);
  const std::string moment = kube::format_time(now);
  doc::Array conditions;
  for (const Condition& condition : conditions_of(state)) {
    doc::Object entry{{"type", condition.type},
                      {"status", condition.holds ? "True" : "False"},
                      {"lastProbeTime", nullptr},
                      {"lastTransitionTime", moment}};
    if (!condition.reason.empty()) {
      entry["reason"] = condition.reason;
    }
    if (!condition.message.empty()) {
      entry["message"] = condition.message;
    }
    conditions.push_back(std::move(entry));
  }
  status["conditions"] = std::move(conditions);
  if (!state.reason.empty()) {
    status["reason"] = state.reason;
  }
  if (!state.message.empty()) {
    status["message"] = state.message;
  }
  status["qosClass"] = "BestEffort";
  if (state.start_time) {
    status["hostIP"] = address;
    status["podIP"] = address;
    status["podIPs"] = doc::Array{doc::Object{{"ip", address}}};
    status["startTime"] = kube::format_time(*state.start_time);
    if (!state.init_containers.empty()) {
      status["initContainerStatuses"] = container_statuses(state.init_containers, true);
    }
    status["containerStatuses"] = container_statuses(state.containers, false);
  }
  return status;
}

}  // namespace tiphys::node

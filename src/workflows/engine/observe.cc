#include "workflows/engine/observe.h"

#include "executor/step_plan.h"
#include "workflows/engine/globals.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tiphys::workflows {
namespace {

using doc::Value;

const Value& at(const Value& object, std::string_view key) {
  static const Value kNull;
  const Value* found = doc::find(object, key);
  return found == nullptr ? kNull : *found;
}

std::vector<const Value*> elements(const Value& list) {
  std::vector<const Value*> out;
  if (list.is_array()) {
    for (const Value& element : list.get_array()) {
      out.push_back(&element);
    }
  }
  return out;
}

std::int64_t exit_code_of(const Value& terminated) {
  const Value& code = at(terminated, "exitCode");
  return code.is_int64() ? code.get_int64() : 0;
}

std::string text(const Value& object, std::string_view key) {
  return std::string(doc::find_string(object, key));
}

/// Why a pod waits: the first waiting container's reason, or that no node has room.
std::string pending_message(const Value& status) {
  const auto joined = [](const Value& from) {
    const std::string message = text(from, "message");
    return text(from, "reason") + (message.empty() ? "" : ": " + message);
  };
  for (const Value* container : elements(at(status, "containerStatuses"))) {
    const Value& waiting = at(at(*container, "state"), "waiting");
    if (waiting.is_object()) {
      return joined(waiting);
    }
  }
  for (const Value* condition : elements(at(status, "conditions"))) {
    if (doc::find_string(*condition, "reason") == "Unschedulable") {
      return joined(*condition);
    }
  }
  return {};
}

struct Verdict {
  PodPhase phase = PodPhase::failed;
  std::string message;
};

/// The message a failed container gives its pod's node.
std::string failure_message(std::string_view container, const Value& terminated) {
  std::string out = std::string(container) + ": " + text(terminated, "reason") + " (exit code " +
                    std::to_string(exit_code_of(terminated)) + ")";
  const std::string message = text(terminated, "message");
  return message.empty() ? out : out + ": " + message;
}

using Names = std::vector<std::string>;

bool is_in(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// Init containers first, then the main ones, then the others.
std::vector<const Value*> by_precedence(const Value& status, const Names& mains) {
  std::vector<const Value*> out = elements(at(status, "initContainerStatuses"));
  const auto others = elements(at(status, "containerStatuses"));
  const auto is_main = [&](const Value* c) { return is_in(mains, doc::find_string(*c, "name")); };
  std::ranges::copy_if(others, std::back_inserter(out), is_main);
  std::ranges::copy_if(others, std::back_inserter(out), std::not_fn(is_main));
  return out;
}

Verdict failure_of(const Value& pod, const Names& mains) {
  constexpr std::int64_t kKilled = 137;
  constexpr std::int64_t kTerminated = 143;
  const Value& status = at(pod, "status");
  if (std::string message = text(status, "message"); !message.empty()) {
    return {PodPhase::failed, std::move(message)};
  }
  const auto containers = by_precedence(status, mains);
  if (containers.empty()) {
    const Value& metadata = at(pod, "metadata");
    return {PodPhase::failed, "can't find failed message for pod " + text(metadata, "name") +
                                  " namespace " + text(metadata, "namespace")};
  }
  bool main_succeeded = false;
  for (const Value* container : containers) {
    const std::string name = text(*container, "name");
    const Value& waiting = at(at(*container, "state"), "waiting");
    if (waiting.is_object()) {
      return {PodPhase::error, "Pod failed before " + name + " container starts due to " +
                                   text(waiting, "reason") + ": " + text(waiting, "message")};
    }
    const Value& terminated = at(at(*container, "state"), "terminated");
    if (!terminated.is_object()) {
      continue;
    }
    const std::int64_t code = exit_code_of(terminated);
    if (code == 0) {
      main_succeeded = main_succeeded || is_in(mains, name);
    } else if (name == "init" || name == "wait") {
      return {PodPhase::error, failure_message(name, terminated)};
    } else if (is_in(mains, name) || (code != kKilled && code != kTerminated)) {
      return {PodPhase::failed, failure_message(name, terminated)};
    }
  }
  if (main_succeeded) {
    return {PodPhase::succeeded, ""};
  }
  return {PodPhase::failed, "pod failed: main container did not complete successfully"};
}

void take_outputs(const Value& pod, PodUpdate& out) {
  const Value& annotations = at(at(pod, "metadata"), "annotations");
  const std::string_view json = doc::find_string(annotations, executor::kOutputsAnnotation);
  if (json.empty()) {
    return;
  }
  auto outputs = executor::StepOutputs::from_json(json);
  if (!outputs) {
    return;
  }
  out.result = std::move(outputs->result);
  for (auto& parameter : outputs->parameters) {
    out.parameters.emplace_back(std::move(parameter.name), std::move(parameter.value));
  }
  for (auto& artifact : outputs->artifacts) {
    out.artifacts.push_back(
        {std::move(artifact.name), std::move(artifact.location), std::move(artifact.digest)});
  }
  if (outputs->error.empty()) {
    return;
  }
  if (!out.exit_code) {
    // The main container never ran: what came before it failed.
    out.phase = PodPhase::error;
    out.message = "init: Error (exit code 64): " + outputs->error;
  } else if (out.phase == PodPhase::succeeded) {
    out.phase = PodPhase::error;
    out.message = "wait: Error (exit code 1): " + outputs->error;
  }
}

/// A quantity in thousandths ("100m", "1.5", "2Gi"); nothing when it is none.
std::optional<double> milli_of(std::string_view quantity) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(quantity.data(), quantity.data() + quantity.size(), number);
  if (error != std::errc()) {
    return std::nullopt;
  }
  const std::string_view suffix(end, quantity.data() + quantity.size());
  static constexpr std::pair<std::string_view, double> kSuffixes[] = {
      {"", 1},        {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},   {"k", 1e3},     {"M", 1e6},
      {"G", 1e9},     {"T", 1e12},    {"P", 1e15},    {"E", 1e18},   {"Ki", 0x1p10}, {"Mi", 0x1p20},
      {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60}};
  for (const auto& [name, factor] : kSuffixes) {
    if (name == suffix) {
      return number * factor * 1000;
    }
  }
  return std::nullopt;
}

/// Thousandths of the amount that counts as one second of a resource a second.
double unit_of(std::string_view resource) {
  if (resource == "memory") {
    return 100.0 * 0x1p20 * 1000;
  }
  if (resource == "storage" || resource == "ephemeral-storage") {
    return 10.0 * 0x1p30 * 1000;
  }
  return 1000;
}

std::map<std::string, double> requests_of(const Value& container) {
  std::map<std::string, double> out{{"cpu", 100}, {"memory", 100.0 * 0x1p20 * 1000}};
  for (const std::string_view kind : {"limits", "requests"}) {
    const Value& list = at(at(container, "resources"), kind);
    if (!list.is_object()) {
      continue;
    }
    for (const auto& [name, quantity] : list.get_object()) {
      if (const auto milli = milli_of(any_string(quantity))) {
        out[std::string(name)] = *milli;
      }
    }
  }
  return out;
}

}  // namespace

bool pod_has_ended(const Value& pod) {
  const std::string_view phase = doc::find_string(at(pod, "status"), "phase");
  return phase == "Succeeded" || phase == "Failed";
}

ResourceSeconds resources_of_pod(const Value& pod) {
  const Value& spec = at(pod, "spec");
  const Value& status = at(pod, "status");
  std::map<std::string, std::map<std::string, double>> requests;
  for (const std::string_view list : {"initContainers", "containers"}) {
    for (const Value* container : elements(at(spec, list))) {
      requests[text(*container, "name")] = requests_of(*container);
    }
  }
  ResourceSeconds out;
  out.known = true;
  std::map<std::string, std::int64_t> others;
  for (const std::string_view list : {"initContainerStatuses", "containerStatuses"}) {
    for (const Value* container : elements(at(status, list))) {
      const Value& terminated = at(at(*container, "state"), "terminated");
      const TimePoint started = time_of(doc::find_string(terminated, "startedAt"));
      const TimePoint finished = time_of(doc::find_string(terminated, "finishedAt"));
      if (started == kNoTime || finished < started) {
        continue;
      }
      const auto age = std::chrono::floor<std::chrono::seconds>(finished - started).count();
      for (const auto& [name, milli] : requests[text(*container, "name")]) {
        const auto seconds =
            static_cast<std::int64_t>(std::trunc(milli * static_cast<double>(age) / unit_of(name)));
        if (name == "cpu") {
          out.cpu += seconds;
        } else if (name == "memory") {
          out.memory += seconds;
        } else {
          others[name] += seconds;
        }
      }
    }
  }
  if (!others.empty()) {
    out.others = std::make_shared<const std::map<std::string, std::int64_t>>(std::move(others));
  }
  return out;
}

namespace {

bool all_ready(const Value& status) {
  const auto containers = elements(at(status, "containerStatuses"));
  return !containers.empty() && std::ranges::all_of(containers, [](const Value* container) {
    const Value& ready = at(*container, "ready");
    return ready.is_bool() && ready.get_bool();
  });
}

/// What the containers that have nodes of their own have come to.
std::vector<ContainerUpdate> container_updates(const Value& status, const Names& names) {
  std::vector<ContainerUpdate> out;
  for (const Value* container : elements(at(status, "containerStatuses"))) {
    ContainerUpdate update;
    update.name = text(*container, "name");
    if (!is_in(names, update.name)) {
      continue;
    }
    const Value& state = at(*container, "state");
    const Value& terminated = at(state, "terminated");
    if (terminated.is_object()) {
      constexpr std::int64_t kExecutorFailed = 64;
      const std::int64_t code = exit_code_of(terminated);
      update.phase = code == 0                 ? PodPhase::succeeded
                     : code == kExecutorFailed ? PodPhase::error
                                               : PodPhase::failed;
      if (code != 0) {
        update.message = update.name + ": " + text(terminated, "reason") + " (exit code " +
                         std::to_string(code) + "): " + text(terminated, "message");
      }
      update.finished = time_of(doc::find_string(terminated, "finishedAt"));
    } else if (doc::find_string(status, "phase") == "Failed") {
      update.phase = PodPhase::failed;
      update.message = "Pod Failed whilst container running";
    } else if (at(state, "running").is_object()) {
      update.phase = PodPhase::running;
    } else if (!at(state, "waiting").is_object()) {
      continue;
    }
    out.push_back(std::move(update));
  }
  return out;
}

}  // namespace

PodUpdate assess_pod(const NodeTable& nodes, NodeIndex node, const Value& pod) {
  PodUpdate out;
  out.node = node;
  const Value& status = at(pod, "status");
  const std::string_view phase = doc::find_string(status, "phase");
  out.progress = text(at(at(pod, "metadata"), "annotations"), "workflows.argoproj.io/progress");
  out.host = text(at(pod, "spec"), "nodeName");
  out.ip = text(status, "podIP");
  const Names mains = main_containers(nodes, node);
  if (!nodes[node].children.empty()) {
    out.containers = container_updates(status, mains);
  }
  if (!pod_has_ended(pod)) {
    out.phase = phase == "Running" ? PodPhase::running : PodPhase::pending;
    out.message = phase == "Running" ? "" : pending_message(status);
    out.ready = phase == "Running" && all_ready(status);
    return out;
  }
  if (phase == "Succeeded") {
    out.phase = PodPhase::succeeded;
  } else {
    Verdict verdict = failure_of(pod, mains);
    out.phase = verdict.phase;
    out.message = std::move(verdict.message);
  }
  for (const Value* container : elements(at(status, "containerStatuses"))) {
    const Value& terminated = at(at(*container, "state"), "terminated");
    if (!terminated.is_object()) {
      continue;
    }
    if (doc::find_string(*container, "name") == "main") {
      out.exit_code = std::to_string(exit_code_of(terminated));
    }
    out.finished = std::max(out.finished, time_of(doc::find_string(terminated, "finishedAt")));
  }
  out.resources = resources_of_pod(pod);
  take_outputs(pod, out);
  return out;
}

}  // namespace tiphys::workflows

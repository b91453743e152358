#include "artifacts/location.h"
#include "kube/quantity.h"
#include "kube/time.h"
#include "workflows/controller/pod_document.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

using doc::Value;

const Value& member(const Value& value, std::string_view key) {
  static const Value kNull;
  const Value* found = doc::find(value, key);
  return found == nullptr ? kNull : *found;
}

template <class Visit>
void each(const Value& value, std::string_view key, Visit visit) {
  if (const Value* list = doc::find(value, key); list != nullptr && list->is_array()) {
    for (const Value& element : list->get_array()) {
      visit(element);
    }
  }
}

/// "ImagePullBackOff: no such image" of the first container that waits, or why the pod has no
/// place.
std::string waiting_message(const Value& status) {
  std::string out;
  const auto look = [&](const Value& container) {
    const Value& waiting = member(member(container, "state"), "waiting");
    const std::string_view reason = doc::find_string(waiting, "reason");
    if (out.empty() && !reason.empty()) {
      const std::string_view message = doc::find_string(waiting, "message");
      out = std::string(reason) + (message.empty() ? "" : ": " + std::string(message));
    }
  };
  each(status, "initContainerStatuses", look);
  each(status, "containerStatuses", look);
  if (!out.empty()) {
    return out;
  }
  each(status, "conditions", [&](const Value& condition) {
    if (doc::find_string(condition, "type") == "PodScheduled" &&
        doc::find_string(condition, "reason") == "Unschedulable") {
      out = "Unschedulable: " + std::string(doc::find_string(condition, "message"));
    }
  });
  return out;
}

struct Exit {
  std::string container;
  std::int64_t code = 0;
  std::string reason;
  std::string message;
};

std::optional<Exit> exit_of(const Value& container) {
  const Value* terminated = doc::find(member(container, "state"), "terminated");
  if (terminated == nullptr) {
    return std::nullopt;
  }
  Exit out;
  out.container = doc::find_string(container, "name");
  const Value& code = member(*terminated, "exitCode");
  out.code = code.is_number() ? code.to_number<std::int64_t>() : 0;
  out.reason = doc::find_string(*terminated, "reason");
  out.message = doc::find_string(*terminated, "message");
  return out;
}

/// "main: Error (exit code 1)", with the container's own last words where it left some.
std::string describe(const Exit& exit) {
  std::string out =
      exit.container + ": " + exit.reason + " (exit code " + std::to_string(exit.code) + ")";
  return exit.message.empty() ? out : out + ": " + exit.message;
}

/// Phase and message of a pod that failed: the first container that explains it, in upstream's
/// order.
void assess_failure(const Value& status, PodUpdate& update) {
  if (const std::string_view message = doc::find_string(status, "message"); !message.empty()) {
    update.phase = PodPhase::failed;
    update.message = message;
    return;
  }
  std::optional<Exit> init;
  std::optional<Exit> main;
  std::optional<Exit> sidecar;
  each(status, "initContainerStatuses", [&](const Value& container) {
    const auto exit = exit_of(container);
    if (exit && exit->code != 0 && !init) {
      init = exit;
    }
  });
  each(status, "containerStatuses", [&](const Value& container) {
    const auto exit = exit_of(container);
    if (!exit || exit->code == 0) {
      return;
    }
    // A sidecar that was told to end has not failed.
    if (exit->container == "main") {
      main = exit;
    } else if (exit->code != 137 && exit->code != 143 && !sidecar) {
      sidecar = exit;
    }
  });
  if (init) {
    update.phase = PodPhase::error;
    update.message = describe(*init);
  } else if (main) {
    update.phase = PodPhase::failed;
    update.message = describe(*main);
  } else if (sidecar) {
    update.phase = PodPhase::failed;
    update.message = describe(*sidecar);
  } else {
    update.phase = PodPhase::succeeded;
  }
}

/// Requested processor and memory times the time that the container ran, in upstream's units:
/// seconds of one CPU, of 100 MiB.
void add_resources(const Value& pod, PodUpdate& update, std::int64_t seconds) {
  constexpr double kDefaultCpu = 0.1;
  constexpr double kDefaultMemory = 1.0;
  double cpu = 0;
  double memory = 0;
  const auto add = [&](const Value& container) {
    const Value& resources = member(container, "resources");
    const auto amount = [&](std::string_view name, double when_absent) {
      for (const std::string_view kind :
           {std::string_view("requests"), std::string_view("limits")}) {
        if (const Value* value = doc::find(member(resources, kind), name)) {
          const auto thousandths = kube::parse_quantity(value);
          return thousandths ? static_cast<double>(*thousandths) / 1000 : when_absent;
        }
      }
      return when_absent;
    };
    cpu += amount("cpu", kDefaultCpu);
    memory += amount("memory", kDefaultMemory * 100 * 1024 * 1024) / (100.0 * 1024 * 1024);
  };
  each(member(pod, "spec"), "containers", add);
  const auto whole = [](double value) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(value));
  };
  update.resources.cpu =
      seconds > 0 ? static_cast<std::int64_t>(cpu * static_cast<double>(seconds)) : 0;
  update.resources.memory = seconds > 0 ? whole(memory * static_cast<double>(seconds)) : 0;
  update.resources.known = true;
}

std::optional<async::TimePoint> time_at(const Value& value, std::string_view key) {
  const auto parsed = kube::parse_time(doc::find_string(value, key));
  return parsed ? std::optional(*parsed) : std::nullopt;
}

void read_outputs(const Value& pod, PodUpdate& update) {
  const std::string_view text = doc::find_string(member(member(pod, "metadata"), "annotations"),
                                                 executor::kOutputsAnnotation);
  if (text.empty()) {
    return;
  }
  const auto outputs = executor::StepOutputs::from_json(text);
  if (!outputs) {
    update.phase = PodPhase::error;
    update.message = "outputs cannot be read: " + outputs.error().message;
    return;
  }
  update.result = outputs->result;
  for (const executor::StepOutputs::Parameter& parameter : outputs->parameters) {
    update.parameters.emplace_back(parameter.name, parameter.value);
  }
  for (const executor::CapturedArtifact& artifact : outputs->artifacts) {
    update.artifacts.push_back(
        {artifact.name, artifacts::without_store_details(artifact.location)});
  }
  if (!outputs->error.empty() && update.phase == PodPhase::succeeded) {
    update.phase = PodPhase::error;
    update.message = outputs->error;
  }
}

}  // namespace

bool pod_has_ended(const Value& pod) {
  const std::string_view phase = doc::find_string(member(pod, "status"), "phase");
  return phase == "Succeeded" || phase == "Failed";
}

PodUpdate assess_pod(NodeIndex node, const Value& pod) {
  PodUpdate update;
  update.node = node;
  const Value& status = member(pod, "status");
  const std::string_view phase = doc::find_string(status, "phase");
  update.host = doc::find_string(member(pod, "spec"), "nodeName");
  if (phase == "Running") {
    update.phase = PodPhase::running;
    return update;
  }
  if (phase != "Succeeded" && phase != "Failed") {
    update.phase = PodPhase::pending;
    update.message = waiting_message(status);
    return update;
  }
  std::optional<async::TimePoint> started;
  std::optional<async::TimePoint> finished;
  each(status, "containerStatuses", [&](const Value& container) {
    const Value& terminated = member(member(container, "state"), "terminated");
    const auto begin = time_at(terminated, "startedAt");
    const auto end = time_at(terminated, "finishedAt");
    if (doc::find_string(container, "name") == "main") {
      if (const auto exit = exit_of(container)) {
        update.exit_code = std::to_string(exit->code);
      }
      started = begin;
    }
    if (end && (!finished || *end > *finished)) {
      finished = end;
    }
  });
  update.phase = PodPhase::succeeded;
  if (phase == "Failed") {
    assess_failure(status, update);
  }
  read_outputs(pod, update);
  const auto ran = started && finished
                       ? std::chrono::ceil<std::chrono::seconds>(*finished - *started).count()
                       : 0;
  add_resources(pod, update, ran);
  return update;
}

}  // namespace tiphys::workflows

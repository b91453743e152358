#include "simulated_node.h"

#include "kube/time.h"

#include <boost/json.hpp>

namespace tiphys::simulation {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

constexpr int kTerminated = 143;

std::string text_of(const kube::Object& pod, std::string_view annotation) {
  return std::string(pod.annotation(annotation));
}

std::optional<std::int64_t> deadline_of(const kube::Object& pod) {
  const Value* spec = doc::find(pod.document(), "spec");
  const Value* deadline = spec == nullptr ? nullptr : doc::find(*spec, "activeDeadlineSeconds");
  if (deadline == nullptr || !deadline->is_int64()) {
    return std::nullopt;
  }
  return deadline->get_int64();
}

Value ended_status(const Process& process) {
  const bool killed = process.killed.has_value();
  const int code = killed || process.past_deadline ? kTerminated : process.result.exit_code;
  Object out{{"phase", code == 0 ? "Succeeded" : "Failed"}};
  if (process.past_deadline) {
    out["reason"] = "DeadlineExceeded";
    out["message"] = "Pod was active on the node longer than the specified deadline";
  }
  Object terminated{{"exitCode", code},
                    {"reason", code == 0 ? "Completed" : "Error"},
                    {"startedAt", kube::format_time(process.began)},
                    {"finishedAt", kube::format_time(process.killed.value_or(process.ends))}};
  out["containerStatuses"] =
      Array{Object{{"name", "main"}, {"state", Object{{"terminated", std::move(terminated)}}}}};
  return out;
}

}  // namespace

void SimulatedNode::later(std::chrono::milliseconds delay, std::function<void()> function) {
  const std::uint64_t number = next_timer_++;
  timers_[number] = world_.loop.call_after(delay, [this, number, function = std::move(function)] {
    const auto keep = timers_.extract(number);
    function();
  });
}

void SimulatedNode::start() {
  pods_ = world_.store.watch("Pod", [this](const kube::Event& event) { on_pod(event); });
  for (const auto& [uid, process] : world_.processes) {
    follow(uid);
  }
  for (const kube::ObjectRef& pod : world_.store.list("Pod", "", {})) {
    const Value* status = doc::find(pod->document(), "status");
    const bool known = status != nullptr && !doc::find_string(*status, "phase").empty() &&
                       doc::find_string(*status, "phase") != "Pending";
    if (world_.faults.pods_survive() && !known && !world_.processes.contains(pod->uid())) {
      later(world_.faults.delay(50), [this, pod] { begin(pod); });
    }
  }
}

void SimulatedNode::on_pod(const kube::Event& event) {
  if (event.type == kube::EventType::deleted) {
    kill(event.object->uid());
  } else if (event.type == kube::EventType::added) {
    world_.store.when_durable(event.object->resource_version(),
                              [this, pod = event.object](Result<> durable) {
                                if (durable) {
                                  later(world_.faults.delay(50), [this, pod] { begin(pod); });
                                }
                              });
  }
}

void SimulatedNode::begin(const kube::ObjectRef& pod) {
  if (world_.store.find_uid(pod->uid()) == nullptr || world_.processes.contains(pod->uid())) {
    return;
  }
  Process process;
  process.pod = pod;
  const std::string name = text_of(*pod, "workflows.argoproj.io/node-name");
  process.step = name;
  process.result = play_step(pod->document(), name, world_.salt);
  process.began = world_.loop.now();
  process.ends = process.began + process.result.duration;
  if (const auto deadline = deadline_of(*pod);
      deadline && process.result.duration > std::chrono::seconds(*deadline)) {
    process.past_deadline = true;
    process.ends = process.began + std::chrono::seconds(*deadline);
  }
  world_.trace("begins " + process.step);
  world_.ledger.attempt_begins(process.step, pod->uid());
  world_.processes.emplace(pod->uid(), std::move(process));
  if (!world_.faults.leaves_out()) {
    later(world_.faults.delay(20), [this, uid = pod->uid()] { report_running(uid); });
  }
  follow(pod->uid());
}

/// Waits for a process's end.
void SimulatedNode::follow(const std::string& uid) {
  const Process& process = world_.processes.at(uid);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(process.ends - world_.loop.now());
  later(std::max(left, std::chrono::milliseconds(0)), [this, uid] { end(uid); });
}

void SimulatedNode::end(const std::string& uid) {
  const auto found = world_.processes.find(uid);
  if (found == world_.processes.end()) {
    return;
  }
  world_.trace("ends " + found->second.step);
  world_.ledger.attempt_ends(uid);
  later(world_.faults.delay(20), [this, uid] { report_end(uid); });
  if (world_.faults.repeats()) {
    later(world_.faults.delay(40), [this, uid] { report_end(uid); });
  }
}

void SimulatedNode::kill(const std::string& uid) {
  const auto found = world_.processes.find(uid);
  if (found == world_.processes.end() || found->second.killed ||
      found->second.ends <= world_.loop.now()) {
    return;
  }
  found->second.killed = world_.loop.now();
  found->second.ends = world_.loop.now();
  end(uid);
}

void SimulatedNode::stop(const kube::ObjectRef& pod) {
  later(world_.faults.delay(200), [this, uid = pod->uid()] { kill(uid); });
}

void SimulatedNode::report_running(const std::string& uid) {
  const auto found = world_.processes.find(uid);
  const kube::ObjectRef now = world_.store.find_uid(uid);
  if (found == world_.processes.end() || now == nullptr ||
      found->second.ends <= world_.loop.now()) {
    return;
  }
  Value document = now->document();
  document.get_object()["status"] =
      Object{{"phase", "Running"},
             {"containerStatuses",
              Array{Object{{"name", "main"}, {"state", Object{{"running", Object{}}}}}}}};
  world_.api.update(std::move(document), {});
}

void SimulatedNode::report_end(const std::string& uid) {
  const auto found = world_.processes.find(uid);
  const kube::ObjectRef now = world_.store.find_uid(uid);
  if (found == world_.processes.end() || now == nullptr) {
    return;
  }
  const Process& process = found->second;
  Value document = now->document();
  Object& members = document.get_object();
  members["spec"].get_object()["nodeName"] = "n0";
  members["status"] = ended_status(process);
  const bool succeeded = doc::find_string(members["status"], "phase") == "Succeeded";
  if (!process.killed && !process.past_deadline) {
    members["metadata"]
        .get_object()["annotations"]
        .get_object()[std::string(executor::kOutputsAnnotation)] = process.result.outputs.to_json();
  }
  world_.trace("reports " + process.step + (succeeded ? " succeeded" : " failed"));
  world_.api.update(std::move(document),
                    [this, step = process.step, succeeded,
                     killed = process.killed.has_value()](Result<kube::ObjectRef> stored) {
                      if (stored && !killed) {
                        world_.ledger.result_acknowledged(step, succeeded);
                      }
                    });
}

}  // namespace tiphys::simulation

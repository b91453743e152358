#include "app/pod_runner.h"

#include "executor/step_plan.h"

#include <boost/json.hpp>

namespace tiphys::app {
namespace {

/// A document kept alive by the object it belongs to.
std::shared_ptr<const doc::Value> document_of(const kube::ObjectRef& object) {
  return object == nullptr ? nullptr
                           : std::shared_ptr<const doc::Value>(object, &object->document());
}

void set_annotation(doc::Object& pod, std::string_view name, const std::string& text) {
  doc::Value& annotations = pod["metadata"].get_object()["annotations"];
  if (!annotations.is_object()) {
    annotations.emplace_object();
  }
  annotations.get_object()[{name.data(), name.size()}] = text;
}

}  // namespace

PodRunner::PodRunner(async::Loop& loop, async::BlockingPool& pool, store::Store& store,
                     node::NodeConfig config, node::StepWork* work,
                     std::function<void(std::string)> on_notice)
    : loop_(loop), store_(store) {
  node::NodeCallbacks callbacks;
  callbacks.lookup = [this](std::string_view kind, std::string_view namespace_name,
                            std::string_view name) { return look_up(kind, namespace_name, name); };
  callbacks.on_status = [this](const node::PodKey& pod, const doc::Value& status,
                               const std::optional<std::string>& outputs) {
    on_status(pod, status, outputs);
  };
  callbacks.on_progress = [this](const node::PodKey& pod, const std::string& text) {
    annotate(pod, "workflows.argoproj.io/progress", text);
  };
  callbacks.on_notice = std::move(on_notice);
  node_ = std::make_unique<node::Node>(loop, pool, std::move(config), std::move(callbacks), work);
}

PodRunner::~PodRunner() = default;

void PodRunner::start() {
  pods_ = store_.watch("Pod", [this](const kube::Event& event) { on_pod(event); });
  config_maps_ =
      store_.watch("ConfigMap", [this](const kube::Event&) { node_->objects_changed(); });
  secrets_ = store_.watch("Secret", [this](const kube::Event&) { node_->objects_changed(); });
}

void PodRunner::stop(const kube::ObjectRef& pod) { node_->stop(pod->uid(), std::nullopt); }

void PodRunner::when_idle(std::function<void()> function) {
  on_idle_ = std::move(function);
  check_idle();
}

void PodRunner::check_idle() {
  if (on_idle_ && node_->pods() == 0) {
    std::exchange(on_idle_, nullptr)();
  }
}

void PodRunner::on_pod(const kube::Event& event) {
  if (event.type == kube::EventType::deleted) {
    node_->stop(event.object->uid(), std::nullopt);
    return;
  }
  if (event.type != kube::EventType::added) {
    return;
  }
  // A pod may run only after a crash can no longer forget it.
  store_.when_durable(event.object->resource_version(),
                      [this, pod = event.object](Result<> durable) {
                        if (durable && store_.find_uid(pod->uid()) != nullptr) {
                          node_->run(document_of(pod));
                        }
                      });
}

void PodRunner::on_status(const node::PodKey& pod, const doc::Value& status,
                          const std::optional<std::string>& outputs) {
  if (on_idle_) {
    // The node counts the pod out when it has told its end.
    loop_.post([this] { check_idle(); });
  }
  const kube::ObjectRef object = store_.get({"Pod", pod.name_space, pod.name});
  if (object == nullptr || object->uid() != pod.uid) {
    return;
  }
  doc::Value document = object->document();
  doc::Object& members = document.get_object();
  members["status"] = status;
  if (outputs) {
    set_annotation(members, executor::kOutputsAnnotation, *outputs);
  }
  store_.update(std::move(document), {});
}

void PodRunner::annotate(const node::PodKey& pod, std::string_view name, const std::string& text) {
  const kube::ObjectRef object = store_.get({"Pod", pod.name_space, pod.name});
  if (object == nullptr || object->uid() != pod.uid) {
    return;
  }
  doc::Value document = object->document();
  set_annotation(document.get_object(), name, text);
  store_.update(std::move(document), {});
}

std::shared_ptr<const doc::Value> PodRunner::look_up(std::string_view kind,
                                                     std::string_view namespace_name,
                                                     std::string_view name) {
  return document_of(
      store_.get({std::string(kind), std::string(namespace_name), std::string(name)}));
}

}  // namespace tiphys::app

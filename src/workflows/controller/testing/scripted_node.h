#pragma once
/// What tests of the controller share: `ScriptedNode`, which ends pods as a script says;
/// `Listener`, which keeps what it is told; `Program`, all that a program holds while it runs.

#include "cluster/store/store.h"
#include "workflows/controller/controller.h"

#include <boost/json.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tiphys::workflows::testing {

inline std::string node_of(const kube::Object& pod) {
  return std::string(pod.annotation("workflows.argoproj.io/node-name"));
}

/// Ends every pod it sees, once that pod is durable, with the exit code that a function says; none
/// = it runs on.
class ScriptedNode final {
 public:
  using Script = std::function<std::optional<int>(const std::string& node)>;

  ScriptedNode(store::Store& store, Script script) : store_(store), script_(std::move(script)) {
    pods_ = store.watch("Pod", [this](const kube::Event& event) {
      if (event.type == kube::EventType::added) {
        store_.when_durable(store_.revision(), [this, pod = event.object](Result<> durable) {
          if (durable) {
            carry_out(*pod);
          }
        });
      }
    });
  }

  /// Nodes whose pods began, in order.
  std::vector<std::string> begun;

 private:
  void carry_out(const kube::Object& pod) {
    begun.push_back(node_of(pod));
    const auto code = script_(begun.back());
    if (!code) {
      return;
    }
    doc::Value document = pod.document();
    document.get_object()["status"] = doc::Object{
        {"phase", *code == 0 ? "Succeeded" : "Failed"},
        {"containerStatuses",
         doc::Array{doc::Object{
             {"name", "main"},
             {"state",
              doc::Object{
                  {"terminated", doc::Object{{"exitCode", *code},
                                             {"reason", *code == 0 ? "Completed" : "Error"}}}}}}}}};
    store_.update(std::move(document), {});
  }

  store::Store& store_;
  Script script_;
  std::unique_ptr<kube::Subscription> pods_;
};

class Listener final : public RunListener {
 public:
  void on_nodes(const Engine& /*engine*/, std::span<const NodeIndex> changed) override {
    nodes += changed.size();
  }

  void on_run(const Engine& engine) override { phase = name_of(engine.phase()); }

  void on_failure(const kube::ObjectKey& /*workflow*/, const Error& error) override {
    failures.push_back(error.message);
  }

  std::size_t nodes = 0;
  std::string phase;
  std::vector<std::string> failures;
};

/// All that a program holds while it runs.
struct Program {
  Program(async::Loop& loop, store::Store& store, ScriptedNode::Script script)
      : node(store, std::move(script)),
        controller(
            loop, store, {},
            [this](const kube::ObjectRef& pod) { stopped.push_back(node_of(*pod)); }, nullptr,
            &listener) {}

  Listener listener;
  std::vector<std::string> stopped;
  ScriptedNode node;
  Controller controller;
};

}  // namespace tiphys::workflows::testing

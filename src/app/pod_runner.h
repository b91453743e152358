#pragma once
/// Joins the store and the node: a pod that appears in the store is run, once the record of it is
/// durable; what the node reports becomes the pod's status. What a kubelet is to an API server,
/// without the network between.

#include "cluster/node/node.h"
#include "cluster/store/store.h"

#include <functional>
#include <memory>
#include <string>

namespace tiphys::app {

class PodRunner final {
 public:
  /// All must outlive the runner.
  PodRunner(async::Loop& loop, async::BlockingPool& pool, store::Store& store,
            node::NodeConfig config, node::StepWork* work,
            std::function<void(std::string)> on_notice);
  PodRunner(const PodRunner&) = delete;
  PodRunner& operator=(const PodRunner&) = delete;
  ~PodRunner();

  void start();
  /// SIGTERM, then SIGKILL after the pod's grace period.
  void stop(const kube::ObjectRef& pod);

  /// Calls `function` on the loop when no pod runs or waits any more; at once when that is so.
  void when_idle(std::function<void()> function);

  node::Node& node() { return *node_; }

 private:
  void on_pod(const kube::Event& event);
  void on_status(const node::PodKey& pod, const doc::Value& status,
                 const std::optional<std::string>& outputs);
  void annotate(const node::PodKey& pod, std::string_view name, const std::string& text);
  std::shared_ptr<const doc::Value> look_up(std::string_view kind, std::string_view namespace_name,
                                            std::string_view name);

  void check_idle();

  async::Loop& loop_;
  store::Store& store_;
  std::function<void()> on_idle_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<kube::Subscription> pods_;
  std::unique_ptr<kube::Subscription> config_maps_;
  std::unique_ptr<kube::Subscription> secrets_;
};

}  // namespace tiphys::app

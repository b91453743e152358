#pragma once
/// What the node does around a step's main container, by the executor's functions on this machine's
/// artifact store.

#include "artifacts/artifacts.h"
#include "cluster/node/node.h"

namespace tiphys::app {

class ExecutorStepWork final : public node::StepWork {
 public:
  /// The store must outlive this; its calls come from threads of the pool.
  explicit ExecutorStepWork(artifacts::Store& store) : store_(store) {}

  Result<executor::StepPlan> parse(std::string_view text) override;
  Result<> stage(const executor::StepPlan& plan, const Staging& staging) override;
  executor::StepOutputs capture(const executor::StepPlan& plan, const executor::FileView& files,
                                const std::optional<std::string>& output) override;
  std::string to_json(const executor::StepOutputs& outputs) override;

 private:
  artifacts::Store& store_;
};

}  // namespace tiphys::app

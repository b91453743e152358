#pragma once
/// StepWork by the executor module and an artifact store.

#include "artifacts/artifacts.h"
#include "cluster/node/node.h"

namespace tiphys::node {

class ExecutorWork final : public StepWork {
 public:
  /// The store outlives this object and is used from the pool's threads.
  explicit ExecutorWork(artifacts::Store& store) : store_(store) {}

  Result<executor::StepPlan> parse(std::string_view text) override;
  Result<> stage(const executor::StepPlan& plan, const Staging& staging) override;
  executor::StepOutputs capture(const executor::StepPlan& plan, const executor::FileView& files,
                                const std::optional<std::string>& output) override;
  std::string to_json(const executor::StepOutputs& outputs) override;

 private:
  artifacts::Store& store_;
};

}  // namespace tiphys::node

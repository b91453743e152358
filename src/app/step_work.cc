#include "app/step_work.h"

#include "executor/capture.h"
#include "executor/stage.h"

namespace tiphys::app {

Result<executor::StepPlan> ExecutorStepWork::parse(std::string_view text) {
  return executor::StepPlan::from_json(text);
}

Result<> ExecutorStepWork::stage(const executor::StepPlan& plan, const Staging& staging) {
  executor::StageOptions options;
  for (const Volume& volume : staging.volumes) {
    options.mounts.push_back({volume.path, volume.folder});
  }
  options.sharing = staging.own_copy ? artifacts::Sharing::own_copy : artifacts::Sharing::allowed;
  options.opaque_attribute = staging.opaque_attribute;
  return executor::stage(plan, store_, staging.folder, options);
}

executor::StepOutputs ExecutorStepWork::capture(const executor::StepPlan& plan,
                                                const executor::FileView& files,
                                                const std::optional<std::string>& output) {
  return executor::capture(plan, files, store_, output);
}

std::string ExecutorStepWork::to_json(const executor::StepOutputs& outputs) {
  return outputs.to_json();
}

}  // namespace tiphys::app

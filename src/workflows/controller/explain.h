#pragma once
/// The sentences that `tiphys explain` prints: why a step ran or did not, what differed from the
/// last time, where that came from and why what it came from had changed in its turn.

#include "base/error.h"
#include "doc/json.h"
#include "workflows/controller/step_memory.h"

#include <string>
#include <string_view>

namespace tiphys::workflows {

/// About every step that `wanted` names (RunView::find), of a group the steps in it. `workflow` is
/// the run's document with its nodes. Error not_found when it names nothing.
Result<std::string> explain(const Records& records, const doc::Value& workflow,
                            std::string_view wanted);

}  // namespace tiphys::workflows

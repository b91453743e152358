#pragma once
/// Collecting a step's outputs when its container has ended: parameters, standard output, artifacts
/// (reference, workflows 3.3 step 3).

#include "artifacts/artifacts.h"
#include "executor/step_plan.h"

#include <optional>
#include <string>

namespace tiphys::executor {

/// The largest file that becomes an output parameter: what a Kubernetes object could hold at most.
inline constexpr std::size_t kMaximumParameterBytes = 1024 * 1024;

/// Captures all that `plan` asks for. Never fails as a whole: what went wrong stands in
/// StepOutputs::error, the first of result, parameters, artifacts and logs, as upstream reports it;
/// of artifacts all errors, each followed by "; ". `stdout_text` is the main container's standard
/// output, or at least its last kMaximumResultBytes + 1 bytes; without it there is no result.
/// Bytes that are not UTF-8 become U+FFFD, one for each, as in Go's JSON.
///
/// Artifacts are packed into the store's scratch folder and moved from there; with archive `none`
/// the step's own file is moved if `files` says that it may be. A path that is captured more than
/// once, or inside another one that is, is copied instead.
StepOutputs capture(const StepPlan& plan, const FileView& files, artifacts::Store& store,
                    const std::optional<std::string>& stdout_text);

/// Text with every byte that is not part of valid UTF-8 replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace tiphys::executor

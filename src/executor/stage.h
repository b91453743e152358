#pragma once
/// Putting a step's files in place before its container starts: the script's source and the input
/// artifacts, below a folder that becomes the topmost lower layer of the container's files
/// (reference, workflows 3.3 step 1).
///
/// What a layer contains replaces what lies below it, so two things are copied from the files below
/// (`base_root`): folders made on the way to an artifact get the owner and mode of the folder they
/// cover, and symbolic links on the way are followed as the container would (/bin/x stands in
/// usr/bin/x, or the link /bin would be covered by a folder).

#include "artifacts/artifacts.h"
#include "executor/archive.h"
#include "executor/step_plan.h"

#include <filesystem>
#include <string>
#include <vector>

namespace tiphys::executor {

/// A volume of the container. An artifact whose path lies inside goes to the volume itself, as a
/// copy of its own (reference, A25).
struct StageMount {
  std::string path;              ///< absolute, in the container
  std::filesystem::path folder;  ///< the volume's files on this machine
};

struct StageOptions {
  /// The files below the layer; "/" for the host image.
  std::filesystem::path base_root = "/";
  std::vector<StageMount> mounts;
  /// own_copy when the container has no copy-on-write layer above what is staged.
  artifacts::Sharing sharing = artifacts::Sharing::allowed;
  /// Set on folders that are artifacts, with the value "y", so that overlayfs does not mix them
  /// with a folder below: "trusted.overlay.opaque", or "user.overlay.opaque" for mounts with
  /// userxattr. Empty: not set.
  std::string opaque_attribute;
  UnpackLimits limits;
};

/// Stages all that `plan` asks for. Errors are in upstream's words:
///   required artifact 'a' not supplied
///   artifact a failed to load: The specified key does not exist.
///   Artifact 'a' attempted to use a path containing '..'. Directory traversal is not permitted
/// Optional artifacts that are not supplied or not found are skipped. After an error the layer may
/// be half filled.
Result<> stage(const StepPlan& plan, artifacts::Store& store,
               const std::filesystem::path& layer_root, const StageOptions& options = {});

}  // namespace tiphys::executor

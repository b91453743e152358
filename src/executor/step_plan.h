#pragma once
/// What has to happen around a step's container: the files to put in place before it starts and the
/// outputs to collect when it has ended. A controller writes the plan into a pod's annotation;
/// whoever runs the pod carries it out and answers with the outputs in another annotation, in the
/// same write as the pod's final status. Three nouns: `StepPlan`, `StepOutputs`, and `FileView`,
/// the container's files as seen from outside. No part of it knows what a Workflow is.
///
/// The rules are those of upstream's executor (argoexec init and wait), see the reference,
/// workflows section 3.3.

#include "artifacts/artifacts.h"
#include "base/error.h"
#include "doc/json.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::executor {

/// Pod annotation that holds a StepPlan as JSON.
inline constexpr std::string_view kPlanAnnotation = "tiphys.dev/step-plan";
/// Pod annotation that holds StepOutputs as JSON, written by the node with the pod's final status.
inline constexpr std::string_view kOutputsAnnotation = "workflows.argoproj.io/outputs";
/// At most this much of standard output becomes the result; of more, the last part counts
/// (upstream: 256 KiB).
inline constexpr std::size_t kMaximumResultBytes = 256 * 1024;

using artifacts::Archive;

struct InputArtifact {
  std::string name;
  std::string path;  ///< absolute, in the container
  /// Where it comes from, in the shape of an Argo artifact: one member such as "s3": {"key": ...}
  /// or "raw": {"data": ...}. Null or without such a member: not supplied, which only an optional
  /// artifact may be.
  doc::Value location;
  Archive archive = Archive::sniff;
  std::optional<int> mode;  ///< permission bits
  bool recurse_mode = false;
  bool optional = false;
  bool operator==(const InputArtifact&) const = default;
};

struct OutputParameter {
  std::string name;
  std::string path;  ///< absolute, in the container
  std::optional<std::string> default_value;
  bool operator==(const OutputParameter&) const = default;
};

struct OutputArtifact {
  std::string name;
  std::string path;
  doc::Value location;  ///< complete, key included
  Archive archive = Archive::tar;
  int compression_level = -1;  ///< gzip level of `tar`: -2 to 9, -1 = default
  bool optional = false;
  /// What the outputs say instead of `location`; null = the location itself.
  doc::Value reported = {};
  bool operator==(const OutputArtifact&) const = default;
};

/// How one of several main containers follows the others. A container that is started again keeps
/// its files; what it prints is one output.
struct ContainerRule {
  std::string name;
  /// It starts when all of these have ended with exit code 0, and never when one has not.
  std::vector<std::string> dependencies;
  /// How often it is started again after it failed.
  int retries = 0;
  std::chrono::milliseconds retry_delay{0};
  bool operator==(const ContainerRule&) const = default;
};

/// What a container wrote to its outputs, kept as an artifact: plain text in the order in which it
/// came.
struct LogArtifact {
  std::string name;
  std::string container;
  doc::Value location;  ///< complete, key included
  doc::Value reported;  ///< as of OutputArtifact
  bool operator==(const LogArtifact&) const = default;
};

struct StepPlan {
  /// The container that inputs are staged for and outputs are captured from. A pod need not have
  /// it when there are neither.
  std::string main_container = "main";
  /// The main containers: the pod has ended when these have, and all others are sidecars. Empty:
  /// the main container alone.
  std::vector<ContainerRule> containers;
  /// A script template's source. It is staged at kScriptPath, which is then the last argument of
  /// the main container.
  std::optional<std::string> script_source;
  std::vector<InputArtifact> input_artifacts;
  std::vector<OutputParameter> output_parameters;
  std::vector<OutputArtifact> output_artifacts;
  std::vector<LogArtifact> logs;
  bool capture_result = false;
  bool operator==(const StepPlan&) const = default;

  std::string to_json() const;
  /// Error invalid, naming the field, for what is no plan; unknown members are ignored.
  static Result<StepPlan> from_json(std::string_view text);
};

/// Where a script's source stands in the container (upstream: /argo/staging/script).
inline constexpr std::string_view kScriptPath = "/argo/staging/script";

struct CapturedArtifact {
  std::string name;
  std::string path;     ///< empty for logs
  doc::Value location;  ///< what a consumer is handed
  std::string digest;   ///< SHA-256 of the stored bytes, hex
  std::uint64_t size = 0;
  bool operator==(const CapturedArtifact&) const = default;
};

struct StepOutputs {
  struct Parameter {
    std::string name;
    std::string value;
    bool operator==(const Parameter&) const = default;
  };

  std::vector<Parameter> parameters;
  std::vector<CapturedArtifact> artifacts;
  std::optional<std::string> result;
  /// Empty, or why the outputs are not complete, in the words of upstream's wait container ("open
  /// /var/run/argo/outputs/parameters/tmp/x: no such file or directory"): the step then ends in
  /// Error. What could be captured is there all the same.
  std::string error;
  /// Peak resident memory and CPU time of the step's processes, as the kernel counted them.
  std::uint64_t peak_memory_bytes = 0;
  std::uint64_t cpu_microseconds = 0;
  bool operator==(const StepOutputs&) const = default;

  /// In the shape of a Workflow node's outputs, with members of our own beside theirs: `digest` and
  /// `size` of artifacts, `error`, `usage`.
  std::string to_json() const;
  static Result<StepOutputs> from_json(std::string_view text);
};

/// A container's files after it has ended, for whoever runs it to implement. Paths are absolute
/// paths of the container.
class FileView {
 public:
  virtual ~FileView() = default;
  /// The place on this machine where the file or folder at `path` can be read, symbolic links
  /// inside the container resolved within the container, never outside. Error not_found when there
  /// is none.
  virtual Result<std::filesystem::path> resolve(std::string_view path) const = 0;
  /// True when the file or folder belongs to the step alone and may be moved away instead of
  /// copied.
  virtual bool is_private(const std::filesystem::path& resolved) const = 0;

  /// Where the log of a container of the pod lies, in the kubelet's line format; there may be no
  /// such file when it wrote nothing. Nothing for a container that never started.
  virtual std::optional<std::filesystem::path> log_of(std::string_view container) const {
    (void)container;
    return std::nullopt;
  }
};

}  // namespace tiphys::executor

#pragma once
/// Why a step ran or did not: `Reason`, as it was decided before the step would have run. Kept
/// under "why/<workflow uid>/<node id>" among StepMemory's records; explain.h makes sentences of
/// it.

#include "executor/fingerprint.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::workflows {

struct Reason {
  enum class Kind {
    reused,          ///< it did not run: `node` of `run` had the result
    first_time,      ///< nothing is known of an earlier run of this step
    changed,         ///< `differences` from the last time, in `run`
    not_asked,       ///< all is the same, but reuse was not asked for
    failed_before,   ///< all is the same as in `run`, where it did not succeed
    not_kept,        ///< all is the same as in `run`, whose result is not kept any more
    unusable,        ///< the earlier result cannot be used: `detail`
    not_comparable,  ///< what the step depends on cannot be told: `detail`
  };

  Kind kind = Kind::first_time;
  std::string run;
  std::string node;
  std::string detail;
  /// At most kMaximumDifferences, what a person would name first in front.
  std::vector<executor::KeyDifference> differences;
  std::size_t further = 0;  ///< differences beyond those
  /// It had begun before in this run: the program ended meanwhile, or the run was retried.
  bool again = false;

  static constexpr std::size_t kMaximumDifferences = 4;

  std::string to_json() const;
  static std::optional<Reason> from_json(std::string_view text);
};

/// The key of a node's reason among the records.
std::string reason_key(std::string_view workflow_uid, std::string_view node_id);

}  // namespace tiphys::workflows

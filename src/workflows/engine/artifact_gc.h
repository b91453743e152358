#pragma once
/// Which artifacts are removed with or after their run. Three nouns: a strategy
/// (artifactGC.strategy of the Workflow, or of the artifact before it); the finalizer, which keeps
/// a Workflow's object until its artifacts are gone; a doomed artifact, one whose time has come.
/// Pure: the shell removes the bytes.
///
/// Rules: upstream workflow/controller/artifact_gc.go. Only outputs of pods count. A run has a
/// finalizer when one of its templates declares an artifact with a strategy; without it nothing is
/// removed.

#include "doc/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::workflows {

inline constexpr std::string_view kArtifactGcFinalizer = "workflows.argoproj.io/artifact-gc";

enum class GcStrategy : std::uint8_t { never, on_completion, on_deletion };

std::string_view name_of(GcStrategy strategy);

/// What becomes of an artifact (a member of outputs.artifacts). `spec` is the executed spec.
GcStrategy gc_strategy_of(const doc::Value& artifact, const doc::Value& spec);

/// Whether a template's outputs hold something to remove some day.
bool template_has_gc(const doc::Value& definition, const doc::Value& spec);

/// The spec a stored Workflow executes: status.storedWorkflowTemplateSpec, else its own.
const doc::Value& executed_spec(const doc::Value& workflow);
bool has_gc_finalizer(const doc::Value& workflow);
bool forces_finalizer_removal(const doc::Value& workflow);
/// Whether what goes with the run's end was seen to (record_gc).
bool was_collected(const doc::Value& workflow);

struct DoomedArtifact {
  std::string name;
  doc::Value location;  ///< complete
};

/// The artifacts of a node that a run's end takes with it, and with `deletion` also those that stay
/// until it is deleted. `row` is a stored row (status.h), `workflow` the stored object.
std::vector<DoomedArtifact> doomed_artifacts(const doc::Value& row, const doc::Value& workflow,
                                             bool deletion);
/// Whether a node has artifacts that go when the run is deleted.
bool waits_for_deletion(const doc::Value& row, const doc::Value& workflow);
/// Sets `deleted` on the artifacts of these names.
void mark_deleted(doc::Value& row, const std::vector<std::string>& names);

/// What removing came to.
struct GcOutcome {
  bool deletion = false;  ///< the object is about to be deleted
  bool waiting = false;   ///< some artifact goes when the run is deleted
  std::string error;      ///< the last thing that went wrong, or empty
};

/// Writes an outcome into the stored object: strategiesProcessed, the condition ArtifactGCError,
/// the finalizer, which goes when all is removed that ever will be. An artifact that could not be
/// removed keeps it, unless its removal is forced.
void record_gc(doc::Value& workflow, const GcOutcome& outcome);

/// Conditions of a status that follow from no node: all but PodRunning and Completed.
doc::Array further_conditions(const doc::Value& status);

}  // namespace tiphys::workflows

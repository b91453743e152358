#pragma once
/// Where a run's artifacts live when they do not say so themselves. Three nouns: a repository, the
/// document that a controller's configuration or a ConfigMap holds ("s3": {"bucket": ...,
/// "keyFormat": ...}); a repository reference, by which a Workflow names one; the archive location,
/// a repository's place for what one pod leaves.
///
/// A reference is resolved once, when the run starts, and stands in status.artifactRepositoryRef
/// from then on: it is never looked up again.
///
/// Rules: upstream workflow/artifactrepositories, artifact_repository_types.go and
/// addArchiveLocation in workflowpod.go.

#include "workflows/engine/engine.h"

namespace tiphys::workflows {

/// What a ConfigMap of repositories is called when a reference does not say.
inline constexpr std::string_view kRepositoriesConfigMap = "artifact-repositories";

/// Status.artifactRepositoryRef of a run in `namespace_name`. `reference` is
/// spec.artifactRepositoryRef, null when there is none. Looked for in turn: the ConfigMap in the
/// run's namespace, for a reference also the one in the controller's namespace, without a reference
/// the configuration, and last this machine's store, {"s3": {}}.
/// Where no ConfigMap of the name exists at all, a reference falls back to what would be used
/// without it: a manifest written for a cluster runs here as it is. Errors in upstream's words: the
/// ConfigMap has no such key; its text is no repository.
Result<doc::Value> resolve_repository(const doc::Value* reference, std::string_view namespace_name,
                                      const References& references, const EngineConfig& config);

/// The archive location of a repository, its key format as key (ToArtifactLocation). An object
/// without members when the repository names no store.
doc::Value location_of_repository(const doc::Value& repository);

/// Whether the output of a step's containers is kept as artifacts: the repository's archiveLogs
/// when true, else the template's, else the workflow's. `archive_location` is the template's own,
/// or null.
bool archives_logs(const doc::Value& repository, const doc::Value& spec,
                   const doc::Value* archive_location);

/// The complete location of an artifact as a node's status reports it, for whoever wants its bytes.
/// `repository_ref` is status.artifactRepositoryRef. An artifact without a key stays as it is.
doc::Value stored_location(const doc::Value& artifact, const doc::Value& repository_ref);
/// The same for an artifact that a pod with this archive location reads or leaves; one without a
/// key is kept under `file` in it.
doc::Value location_in(const doc::Value& archive_location, const doc::Value& location,
                       std::string_view file);

}  // namespace tiphys::workflows

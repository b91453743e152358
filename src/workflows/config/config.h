#pragma once
/// What a user configures for all runs, in the shape of upstream's workflow-controller-configmap:
/// the ConfigMap itself (its `config` text, or a text for each setting) or the plain YAML that its
/// `config` holds. One noun: `Config`, the settings that mean something here, as documents where
/// they are only carried.
///
/// Pure: text in, values out. Settings that upstream knows and nothing here acts on are told as
/// notices; settings that nobody knows are errors. Which are which stands in
/// schemas/argo/config_v1alpha1.json. Rules: upstream config/config.go and config/controller.go
/// v4.1.2.

#include "base/error.h"
#include "doc/json.h"
#include "doc/schema.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::workflows {

/// How many ended Workflows are kept; absent = all.
struct RetentionPolicy {
  std::optional<std::int64_t> completed;
  std::optional<std::int64_t> failed;
  std::optional<std::int64_t> errored;
};

struct ConfigNotice {
  std::string text;
  Position position;
};

struct Config {
  doc::Value workflow_defaults;                       ///< a Workflow (metadata, spec), null = none
  doc::Value main_container;                          ///< a Container without a name, null = none
  doc::Value artifact_repository;                     ///< an ArtifactRepository, null = none
  doc::Value images;                                  ///< image -> {entrypoint, cmd}, null = none
  std::optional<std::int64_t> parallelism;            ///< absent = any number
  std::optional<std::int64_t> namespace_parallelism;  ///< absent = any number
  std::optional<RetentionPolicy> retention_policy;
  std::optional<std::chrono::milliseconds> pod_gc_delete_delay;
  std::vector<ConfigNotice> notices;
};

/// Errors: parse for what is no YAML; invalid for unknown settings and values of the wrong type,
/// all of them as causes with path, line and column. `types` are those of kube/types.
Result<Config> parse_config(std::string_view text, const doc::Schema& types);

}  // namespace tiphys::workflows

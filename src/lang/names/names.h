#pragma once
/// Names Argo Workflows derives from other names: node ids, pod names, names of loop children,
/// display names, keys of stored templates. Tools outside (the argo CLI, the web page, kubectl
/// users) compute or expect the same, so every function follows upstream to the letter.
///
/// Source of the rules: Argo Workflows v4.1.2 pkg/apis/workflow/v1alpha1/workflow_types.go,
/// workflow/util/pod_name.go, workflow/controller, workflow/cron, util/util.go.

#include "base/error.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tiphys::lang {

/// `<workflow>` for the root, else `<workflow>-<FNV-1a of the node's name>`. Upstream does not
/// handle collisions of the 32-bit hash.
std::string node_id(std::string_view workflow, std::string_view node);

/// How pod names are made; recorded in the annotation `workflows.argoproj.io/pod-name-format`.
enum class PodNames { v1, v2 };

/// What the annotation's value means; without it, or with an unknown value, v2.
PodNames pod_names_of(std::optional<std::string_view> annotation);
std::string_view text_of(PodNames version);

/// The name of a node's pod. v1: its node id. v2: `<workflow>-<template>-<hash>` with the part
/// before the hash cut to 242 bytes; `template_name` is empty for inline templates.
std::string pod_name(std::string_view workflow, std::string_view node,
                     std::string_view template_name, PodNames version);

/// `<name>(<index>:<description>)`, brackets removed from the description. Errors: internal, when
/// the index could not be read back from the name because `name` holds a bracket or colon.
Result<std::string> loop_child_name(std::string_view name, std::size_t index,
                                    std::string_view description);
/// The index in a loop child's name, -1 when there is none. Errors: invalid, for names where a
/// colon stands before the bracket.
Result<std::int64_t> loop_index_of(std::string_view name);

/// What users see for a node: its name without its boundary's name and without the step group.
std::string display_name(std::string_view node, std::string_view boundary);
/// The step or task a node was made for: loop indices, retry numbers and groups removed.
std::string task_name(std::string_view node);
/// Checks the annotation `workflows.argoproj.io/display-name`. Errors: invalid.
Result<> check_display_name(std::string_view name);

std::string on_exit_name(std::string_view node);
std::string agent_pod_name(std::string_view workflow);

enum class ArtifactGcTime { on_workflow_completion, on_workflow_deletion };

/// Reads "OnWorkflowCompletion" or "OnWorkflowDeletion". Errors: invalid.
Result<ArtifactGcTime> artifact_gc_time(std::string_view strategy);
/// The pod that deletes artifacts for one service account and set of pod metadata.
std::string artifact_gc_pod_name(std::string_view workflow, ArtifactGcTime time,
                                 std::string_view service_account,
                                 const std::map<std::string, std::string>& labels,
                                 const std::map<std::string, std::string>& annotations);

/// Where the template that refers to another one comes from.
enum class TemplateScope { local, namespaced, cluster };

/// Reads "local", "namespaced" or "cluster". Errors: invalid.
Result<TemplateScope> template_scope(std::string_view text);

/// A step, task or hook that refers to a template.
struct TemplateHolder {
  std::string name;
  std::string template_name;
  /// It carries its template inline.
  bool has_inline = false;

  struct Reference {
    std::string name;
    std::string template_name;
    bool cluster_scope = false;
  };

  std::optional<Reference> reference;
};

/// The key under status.storedTemplates, or nothing when the template is the workflow's own.
/// `resource` is the name of the WorkflowTemplate or ClusterWorkflowTemplate the holder stands in.
std::optional<std::string> stored_template_id(TemplateScope scope, std::string_view resource,
                                              const TemplateHolder& holder);

/// `<cron>-<unix seconds>`.
std::string cron_child_name(std::string_view cron, std::int64_t scheduled_unix_seconds);

}  // namespace tiphys::lang

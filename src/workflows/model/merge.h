#pragma once
/// Strategic merges of Workflow documents: defaults below templates, a referenced template below a
/// Workflow (reference, workflows 2.17).

#include "workflows/model/model.h"

namespace tiphys::workflows {

/// `document` (a template) laid over the defaults that fit its type.
Result<doc::Value> merge_template_defaults(const doc::Value& document, const doc::Value& defaults,
                                           TemplateType type);

/// The spec to execute: the workflow's own laid over its workflowTemplateRef's over the defaults;
/// null documents are left out.
Result<doc::Value> merge_specs(const doc::Value& own, const doc::Value& referenced,
                               const doc::Value& defaults);

/// The Workflow with what the configuration's workflowDefaults say below it: labels and annotations
/// it does not have, and the spec below its own. One that takes its spec from a template
/// (workflowTemplateRef) gets the metadata only: merge_specs puts the defaults below both.
doc::Value with_workflow_defaults(doc::Value workflow, const doc::Value& defaults);

}  // namespace tiphys::workflows

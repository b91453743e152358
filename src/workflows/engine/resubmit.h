#pragma once
/// `resubmit`: a run is made again as a new object, from its spec, or with what need not run again
/// taken over.
///
/// Rules: upstream workflow/util FormulateResubmitWorkflow; reference, workflows 2.16. Where
/// upstream takes over nodes ("memoized") we let the nodes that run again be made by the engine
/// instead of keeping them as Pending ones.

#include "workflows/engine/retry_workflow.h"

namespace tiphys::workflows {

struct ResubmitOptions {
  /// The new object's name; wanted always, because nodes are named after it.
  std::string name;
  /// What succeeded is taken over: its pods become Skipped nodes with their outputs.
  bool memoized = false;
  /// Nodes that run again with all that depends on them, in whatever phase they and the run ended;
  /// the rest is taken over as with `memoized`. Beyond upstream.
  std::string node_field_selector;
  std::vector<std::pair<std::string, std::string>> parameters;
  TimePoint now = kNoTime;
};

struct ResubmittedWorkflow {
  doc::Value workflow;  ///< to be created
  std::vector<StoredRow> rows;
};

/// The name a resubmitted run gets but for its ending: its generateName, else its name and "-".
std::string resubmit_prefix(const doc::Value& document);

/// `document` holds its nodes. Errors: bad_request, `memoized` of a run that has not failed, a
/// selector that matches nothing; invalid when its nodes make no sense.
Result<ResubmittedWorkflow> resubmit_workflow(const doc::Value& document,
                                              const ResubmitOptions& options);

}  // namespace tiphys::workflows

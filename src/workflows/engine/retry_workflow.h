#pragma once
/// `retry`: a run that has ended is put back to before what is to run again.
///
/// Rules: upstream workflow/util FormulateRetryWorkflow; reference, workflows 2.16.

#include "workflows/engine/engine.h"

namespace tiphys::workflows {

struct RetryOptions {
  /// Also what succeeded, as far as the selector says.
  bool restart_successful = false;
  std::string node_field_selector;
  /// New values of workflow parameters.
  std::vector<std::pair<std::string, std::string>> parameters;
  /// When what goes on begins anew; kNoTime = as it had begun.
  TimePoint now = kNoTime;
};

struct RetriedWorkflow {
  /// Without nodes; to be started again.
  doc::Value workflow;
  std::vector<StoredRow> rows;
  /// Pods of deleted nodes.
  std::vector<std::string> pods_to_delete;
};

/// `document` holds its nodes. Errors: bad_request when the run cannot be retried, invalid when its
/// nodes make no sense.
Result<RetriedWorkflow> retry_workflow(const doc::Value& document, const RetryOptions& options);

}  // namespace tiphys::workflows

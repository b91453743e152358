#pragma once
/// When a DAG task may run: `depends`, or the older `dependencies`. Parsed once a task into the
/// names it waits for and a compiled formula; evaluated once all of them are done. The caller
/// decides when that is, and gives the outcome of each.
///
/// `depends` is a formula over `task.Result`. A bare task name means that the task succeeded, was
/// skipped or is a daemon, and also errored or failed where its `continueOn` says so.
///
/// Source of the rules: Argo Workflows v4.1.2 workflow/common/ancestry.go and
/// workflow/controller/dag.go; error texts are theirs.

#include "base/error.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::lang {

struct ContinueOn {
  bool error = false;
  bool failed = false;
};

/// `continueOn` of a task of the same DAG; nothing when there is no such task.
using ContinueOnOf = std::function<std::optional<ContinueOn>(std::string_view task)>;

/// The outcome of a task that is done. The last two look at the members of a loop; `all_failed`
/// wants at least one member and counts phase Failed only, not Error.
struct TaskOutcome {
  bool succeeded = false;
  bool failed = false;
  bool errored = false;
  bool skipped = false;
  bool omitted = false;
  bool daemoned = false;
  bool any_succeeded = false;
  bool all_failed = false;
};

class Depends {
 public:
  /// A task without dependencies; always true.
  Depends();

  /// Of a `depends` text. Errors: invalid, `target X does not exist`, for bare names of no task.
  /// A formula that cannot be read is an error of `evaluate`, as upstream finds it then.
  static Result<Depends> parse(std::string_view depends, const ContinueOnOf& continue_on);
  /// Of `dependencies`: all of the bare names.
  static Result<Depends> all_of(std::span<const std::string> dependencies,
                                const ContinueOnOf& continue_on);

  /// The names the task waits for, sorted, without duplicates. May name tasks that do not exist
  /// (`nope.Failed`).
  const std::vector<std::string>& dependencies() const;
  /// Whether a dependency is asked for the outcome of its members (AnySucceeded, AllFailed) and
  /// nothing overrides that, so that it must be a loop (validation wants to know).
  bool wants_members_of(std::string_view dependency) const;
  /// The formula with bare names written out.
  const std::string& logic() const;

  /// Whether the task runs. `outcome_of` is asked once for each dependency. Errors: invalid,
  /// `unable to evaluate expression '...': ...`.
  Result<bool> evaluate(const std::function<TaskOutcome(std::string_view task)>& outcome_of) const;

 private:
  struct Program;

  explicit Depends(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

  std::shared_ptr<const Program> program_;
};

/// Result words after a task's name that mean nothing: the error `task result 'X' for task 'Y' is
/// invalid`. Errors: invalid.
Result<> check_task_results(std::string_view depends);

}  // namespace tiphys::lang

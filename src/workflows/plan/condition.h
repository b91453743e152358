#pragma once
/// Conditions judged before anything has run: `when` texts whose tags may be unknown, and the
/// `depends` formulas of DAG tasks over what the tasks before may come to.

#include "lang/depends/depends.h"
#include "workflows/engine/catalog.h"
#include "workflows/plan/plan.h"

#include <functional>

namespace tiphys::workflows {

/// What a task may come to while nothing fails.
struct TaskExpectation {
  bool can_run = true;
  bool can_be_skipped = false;  ///< its `when` may be false
  bool can_be_omitted = false;  ///< its `depends` may not hold
};

/// A `when` with what is known filled in. `may` while a tag in it is unknown. Error: it is no
/// condition.
Result<Certainty> decide(std::string_view when);

/// Whether a task with this formula starts. A task that starts only when another fails `may`.
Certainty expect(const lang::Depends& depends,
                 const std::function<TaskExpectation(std::string_view task)>& expectation_of);

/// The tasks that dag.target asks for (all when it is empty), each after those it waits for, else
/// as they are written. Error bad_request: a target that does not exist.
Result<std::vector<std::uint32_t>> task_order(const CompiledTemplate& dag, std::string_view target);

}  // namespace tiphys::workflows

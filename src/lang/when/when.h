#pragma once
/// The condition language of `when`: govaluate as Argo Workflows uses it. Two ways in:
/// `should_execute` for steps, tasks and metrics, where bare words are texts, and
/// `should_execute_strict` for CronWorkflows, where a bare word is an unknown parameter. Pure: the
/// text is what substitution left.
///
/// Source of the rules: github.com/Knetic/govaluate (observed behaviour) and Argo Workflows v4.1.2
/// workflow/controller/steps.go and workflow/cron/operator.go; error texts are theirs.

#include "base/error.h"

#include <string_view>

namespace tiphys::lang {

/// Whether a step with this `when` runs. An empty text is true. Errors: bad_request, with
/// upstream's sentence; a result that is no boolean is an error too.
Result<bool> should_execute(std::string_view when);

/// The same without turning bare words into texts.
Result<bool> should_execute_strict(std::string_view when);

}  // namespace tiphys::lang

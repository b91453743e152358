#pragma once
/// The variables every template sees: workflow.name, workflow.parameters.*, labels, annotations and
/// times (reference 2.1).

#include "workflows/engine/engine.h"
#include "workflows/engine/tag_text.h"

namespace tiphys::workflows {

/// The value of a ConfigMap that holds parameters. Errors in upstream's words: not_found when the
/// ConfigMap or the key is missing, bad_request when it lacks the label that permits its use.
Result<std::string> config_map_value(const References& references, std::string_view name,
                                     std::string_view key);

/// Sets all variables that follow from the object and its executed spec. Error invalid: a parameter
/// has no value.
Result<> set_globals(Scope& scope, const Metadata& metadata, const WorkflowSpec& executed,
                     const References& references);
/// Only the parameters.
Result<> set_global_parameters(Scope& scope, const Arguments& arguments,
                               const References& references);

/// The value of a label that an expression gives. Errors (invalid) in upstream's words: it cannot
/// be evaluated or is no string.
Result<std::string> evaluate_label(std::string_view label, std::string_view expression,
                                   const Scope& scope);
/// Error invalid: no API server would take the label's value. `expression` is where it comes from,
/// empty = the manifest.
Result<> check_label(std::string_view value, std::string_view label, std::string_view expression);

/// "%f" of the seconds between two times (workflow.duration).
std::string duration_text(TimePoint from, TimePoint to);
/// RFC 3339 in UTC, to the second.
std::string time_text(TimePoint time);
/// kNoTime when the text is no RFC 3339 time.
TimePoint time_of(std::string_view text);

}  // namespace tiphys::workflows

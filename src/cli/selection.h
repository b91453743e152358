#pragma once
/// Which Workflows the options of `list` and `delete` mean.

#include "cli/commands.h"

#include <vector>

namespace tiphys::cli {

/// In the order of argo's lists: what runs, the newest first, then what has ended, the latest
/// first. Errors: those of the session, and invalid for a duration or selector that cannot be read.
Result<std::vector<doc::Value>> select_workflows(Session& session, const ListCommand& filter,
                                                 const Context& context, bool with_nodes);

/// "NAMESPACE/NAME", by which sessions find exactly one.
std::string full_name_of(const doc::Value& workflow);

/// The Workflows that a verb was given by name and by selector, each once. Error invalid when there
/// is neither.
Result<std::vector<std::string>> names_of_verb(Session& session,
                                               const std::vector<std::string>& names,
                                               const ListCommand& filter, const Context& context);

}  // namespace tiphys::cli

#pragma once
/// Which Workflows the options of `list` and `delete` mean.

#include "cli/commands.h"

#include <vector>

namespace tiphys::cli {

/// Newest first. Errors: those of the session, and invalid for a duration or selector that cannot
/// be read.
Result<std::vector<doc::Value>> select_workflows(Session& session, const ListCommand& filter,
                                                 const Context& context, bool with_nodes);

/// The Workflows that a verb was given by name and by selector, each once. Error invalid when there
/// is neither.
Result<std::vector<std::string>> names_of_verb(Session& session,
                                               const std::vector<std::string>& names,
                                               const ListCommand& filter, const Context& context);

}  // namespace tiphys::cli

#pragma once
/// Which Workflows the options of `list` and `delete` mean.

#include "cli/commands.h"

#include <vector>

namespace tiphys::cli {

/// Newest first. Errors: those of the session, and invalid for a duration or selector that cannot
/// be read.
Result<std::vector<doc::Value>> select_workflows(Session& session, const ListCommand& filter,
                                                 const Context& context, bool with_nodes);

}  // namespace tiphys::cli

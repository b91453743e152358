#pragma once
/// The verbs of the command line as events of the engine.

#include "cli/session.h"
#include "workflows/engine/engine.h"

namespace tiphys::app {

/// Error invalid for a phase that is none.
Result<workflows::Event> event_of(const cli::Control& control);

}  // namespace tiphys::app

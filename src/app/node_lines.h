#pragma once
/// What a run's observers are told, from an engine.

#include "cli/session.h"
#include "workflows/engine/engine.h"

namespace tiphys::app {

cli::NodeLine node_line_of(const workflows::Engine& engine, workflows::NodeIndex index);
/// Without the moment it started.
cli::RunLine run_line_of(const workflows::Engine& engine);

}  // namespace tiphys::app

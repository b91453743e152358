#pragma once
/// From manifests, or from what is stored, to workflows that may be run: loaded, with the options
/// of the command line put on them, named, and checked.

#include "cli/commands.h"
#include "workflows/engine/engine.h"

namespace tiphys::cli {

struct Sources {
  std::vector<std::string> files;
  std::string from;            ///< KIND/NAME instead of files
  std::string scheduled_time;  ///< with `from`
  SubmitOptions submit;
  bool strict = true;
  /// A Workflow whose members stand below theirs (--config); may be null.
  const doc::Value* workflow_defaults = nullptr;
};

struct Prepared {
  std::vector<doc::Value> workflows;
  /// What they may refer to, from the same files.
  std::vector<doc::Value> supporting;
};

/// What is wrong has been printed when nothing is returned. References are looked up among the
/// files, then in the session, which may be null as long as nothing is to be taken from it.
std::optional<Prepared> prepare(const Context& context, const Sources& sources, Session* session);

/// Reads the file of --config, if one is given, into the options of a run.
Result<> take_config(const Context& context, const std::string& file, RunOptions& run);

/// The settings in the file of --config, if one is given, as an engine takes them.
Result<workflows::EngineConfig> engine_config(const Context& context, const std::string& file);

/// What the settings of a run put below every Workflow, or null.
const doc::Value* defaults_of(const RunOptions& run);

}  // namespace tiphys::cli

#pragma once
/// Manifests from files, folders and standard input, each with the places of its fields, sorted
/// into what is to run and what that may refer to; and the changes that a command line makes to a
/// Workflow before it runs.

#include "base/error.h"
#include "cli/commands.h"
#include "doc/yaml.h"

#include <memory>
#include <string>
#include <vector>

namespace tiphys::cli {

struct LoadedManifest {
  std::string file;  ///< as messages name it; "-" is standard input
  doc::LocatedValue content;

  std::string kind() const { return std::string(doc::find_string(content.value, "kind")); }
};

/// A document that could not be read: where, and why.
struct LoadFailure {
  std::string file;
  Error error;
};

struct LoadedManifests {
  std::vector<LoadedManifest> manifests;
  std::vector<LoadFailure> failures;
};

/// Reads everything the names stand for: a folder stands for the .yaml, .yml and .json files below
/// it, in the order of their names; "-" for standard input. A List is taken apart. What cannot be
/// read is a failure beside the rest; a file or folder that is not there is an error.
Result<LoadedManifests> load_manifests(const std::vector<std::string>& names,
                                       const Surroundings& surroundings, bool strict);

/// A text of an object's metadata; empty when it has none.
std::string metadata_text(const doc::Value& object, std::string_view member);
std::string name_of(const doc::Value& object);
std::string namespace_of(const doc::Value& object);

/// "file.yaml:3:7: message" for each cause that has a place, else "file.yaml: message".
std::string describe_failure(const LoadFailure& failure);

/// The settings in a file given with --config; "" = none, which is null. Notices go to the error
/// stream. Errors: io, and those of parse_config, each with the file's name.
Result<std::shared_ptr<const workflows::Config>> load_config(const Context& context,
                                                             const std::string& file);

/// -p, -f, --name and their like on a Workflow, in the precedence -p over -f over the manifest; a
/// parameter the Workflow does not declare is added. Gives it a name where it has a generateName
/// only.
Result<> apply_submit_options(doc::Value& workflow, const SubmitOptions& options,
                              const Context& context);

/// Error invalid for a name or namespace that no API server would take.
Result<> check_names(const doc::Value& object);

/// Where objects go that do not say: the namespace given, else that of the Workflows when they name
/// one and the same, else "default".
std::string namespace_for(const Context& context, const LoadedManifests& loaded);

/// Prints what is wrong with Workflows about to run; true when something forbids running them.
/// `session` may know what they refer to, or be null; so may `workflow_defaults`, a Workflow whose
/// members stand below theirs.
bool report_findings(const Context& context, const LoadedManifests& loaded, bool strict,
                     Session* session, const std::string& namespace_name,
                     const doc::Value* workflow_defaults = nullptr);

/// "a=b,c=d" or one "a=b" into pairs. Error invalid naming the part without "=".
Result<std::vector<std::pair<std::string, std::string>>> parse_assignments(
    const std::vector<std::string>& texts);

}  // namespace tiphys::cli

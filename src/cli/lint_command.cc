#include "cli/commands.h"
#include "cli/manifests.h"
#include "cli/zone_folder.h"
#include "workflows/config/config.h"
#include "workflows/validate/validate.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <ostream>

namespace tiphys::cli {
namespace {

std::string line_of(const LoadedManifest& manifest, const workflows::Finding& finding) {
  std::string out = manifest.file;
  if (finding.position.line > 0) {
    out +=
        ":" + std::to_string(finding.position.line) + ":" + std::to_string(finding.position.column);
  }
  out += ": ";
  out += finding.severity == workflows::Severity::warning ? "warning: " : "";
  return out + "in " + workflows::describe_object(manifest.content.value) + ": " + finding.message;
}

/// The findings under the name of their file, as upstream's pretty format groups them.
void print_pretty(const Context& context,
                  const std::map<std::string, std::vector<std::string>>& by_file) {
  for (const auto& [file, texts] : by_file) {
    context.out << file << ":\n";
    for (const std::string& text : texts) {
      context.out << "   " << (context.utf8 ? "✖ " : "x ") << text.substr(file.size() + 1) << "\n";
    }
    context.out << "\n";
  }
}

/// Whether a kind is among those that were asked for, by their plural or short names.
Result<bool> is_wanted(std::string_view kind, const std::vector<std::string>& kinds) {
  struct Names {
    std::string_view kind, plural, brief;
  };

  static constexpr std::array<Names, 4> kNames = {
      {{"Workflow", "workflows", "wf"},
       {"WorkflowTemplate", "workflowtemplates", "wftmpl"},
       {"CronWorkflow", "cronworkflows", "cronwf"},
       {"ClusterWorkflowTemplate", "clusterworkflowtemplates", "cwftmpl"}}};
  bool wanted = kinds.empty() || std::ranges::find(kinds, "all") != kinds.end();
  for (const std::string& name : kinds) {
    const auto known = std::ranges::find_if(
        kNames, [&](const Names& names) { return name == names.plural || name == names.brief; });
    if (known == kNames.end() && !wanted) {
      return fail(ErrorCode::invalid, "unknown kind: " + name);
    }
    wanted = wanted || (known != kNames.end() && known->kind == kind);
  }
  return wanted;
}

/// What references may name beside the given files: what is stored. Null when nothing is.
std::unique_ptr<Session> open_stored(const Context& context, const LintCommand& command) {
  auto session = command.offline ? Result<std::unique_ptr<Session>>() : context.open(false);
  return session ? std::move(*session) : nullptr;
}

/// The last line, as upstream words it.
int summarize(const Context& context, const LintCommand& command, std::size_t errors,
              bool anything) {
  const bool pretty = command.output != "simple";
  const char* bad = pretty && context.utf8 ? "✖ " : "";
  const char* good = pretty && context.utf8 ? "✔ " : "";
  if (!anything && errors == 0) {
    context.out << bad << "found nothing to lint in the specified paths, failing...\n";
    return 1;
  }
  if (errors == 0) {
    context.out << good << "no linting errors found!\n";
    return 0;
  }
  if (pretty) {
    context.out << bad << errors << " linting errors found!\n";
  }
  return 1;
}

}  // namespace

int lint_manifests(const Context& context, const LintCommand& command) {
  if (const auto known = is_wanted("", command.kinds); !known) {
    return report(context, known.error());
  }
  const auto config = load_config(context, command.config_file);
  if (!config) {
    return report(context, config.error());
  }
  auto loaded = load_manifests(command.files, context.surroundings, command.strict);
  if (!loaded) {
    return report(context, loaded.error());
  }
  std::vector<workflows::Candidate> candidates;
  bool anything = false;
  for (const LoadedManifest& manifest : loaded->manifests) {
    candidates.push_back({&manifest.content.value, &manifest.content.positions});
    anything = anything || (is_wanted(manifest.kind(), command.kinds).value_or(false) &&
                            workflows::is_linted(manifest.content.value));
  }
  const auto session = open_stored(context, command);
  std::vector<std::unique_ptr<doc::Value>> fetched;
  const auto zones = ZoneFolder::open();
  workflows::ValidateOptions options;
  options.zones = zones.get();
  options.strict = command.strict;
  if (*config != nullptr) {
    options.workflow_defaults = &(*config)->workflow_defaults;
  }
  if (session != nullptr) {
    options.known = [&](std::string_view kind, std::string_view name) -> const doc::Value* {
      const std::string space = context.namespace_.empty() ? "default" : context.namespace_;
      auto object = session->object(kind, space, std::string(name));
      return !object || object->is_null()
                 ? nullptr
                 : fetched.emplace_back(std::make_unique<doc::Value>(*std::move(object))).get();
    };
  }
  std::vector<std::pair<std::string, std::string>> lines;
  std::size_t errors = loaded->failures.size();
  for (const LoadFailure& failure : loaded->failures) {
    lines.emplace_back(failure.file, describe_failure(failure));
  }
  for (const workflows::Finding& finding : workflows::validate(candidates, options)) {
    const LoadedManifest& manifest = loaded->manifests[finding.candidate];
    if (!is_wanted(manifest.kind(), command.kinds).value_or(false)) {
      continue;
    }
    lines.emplace_back(manifest.file, line_of(manifest, finding));
    errors += finding.severity == workflows::Severity::error ? 1U : 0U;
  }
  // By file, what belongs to one file in the order found.
  std::map<std::string, std::vector<std::string>> by_file;
  for (auto& [file, line] : lines) {
    by_file[file].push_back(std::move(line));
  }
  if (command.output == "simple") {
    for (const auto& [file, texts] : by_file) {
      for (const std::string& text : texts) {
        context.out << text << "\n";
      }
    }
  } else {
    print_pretty(context, by_file);
  }
  return summarize(context, command, errors, anything);
}

}  // namespace tiphys::cli

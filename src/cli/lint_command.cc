#include "cli/commands.h"
#include "cli/manifests.h"
#include "cli/zone_folder.h"
#include "workflows/config/config.h"
#include "workflows/validate/validate.h"

#include <algorithm>
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

}  // namespace

int lint_manifests(const Context& context, const LintCommand& command) {
  const auto config = load_config(context, command.config_file);
  if (!config) {
    return report(context, config.error());
  }
  auto loaded = load_manifests(command.files, context.surroundings, command.strict);
  if (!loaded) {
    return report(context, loaded.error());
  }
  std::erase_if(loaded->manifests, [&](const LoadedManifest& manifest) {
    std::string plural = manifest.kind() + "s";
    std::ranges::transform(plural, plural.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return !command.kinds.empty() &&
           std::ranges::find(command.kinds, plural) == command.kinds.end();
  });
  std::vector<workflows::Candidate> candidates;
  for (const LoadedManifest& manifest : loaded->manifests) {
    candidates.push_back({&manifest.content.value, &manifest.content.positions});
  }
  const auto zones = ZoneFolder::open();
  workflows::ValidateOptions options;
  options.zones = zones.get();
  options.strict = command.strict;
  if (*config != nullptr) {
    options.workflow_defaults = &(*config)->workflow_defaults;
  }
  std::vector<std::pair<std::string, std::string>> lines;
  std::size_t errors = loaded->failures.size();
  for (const LoadFailure& failure : loaded->failures) {
    lines.emplace_back(failure.file, describe_failure(failure));
  }
  for (const workflows::Finding& finding : workflows::validate(candidates, options)) {
    const LoadedManifest& manifest = loaded->manifests[finding.candidate];
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
  if (errors > 0) {
    context.out << (context.utf8 ? "✖ " : "") << errors << " linting error"
                << (errors == 1 ? "" : "s") << " found!\n";
    return 1;
  }
  if (std::ranges::none_of(candidates, [](const workflows::Candidate& candidate) {
        return workflows::is_linted(*candidate.document);
      })) {
    context.error << "found nothing to lint in the specified paths, failing...\n";
    return 1;
  }
  context.out << (context.utf8 ? "✔ " : "") << "no linting errors found!\n";
  return 0;
}

}  // namespace tiphys::cli

#include "cli/commands.h"
#include "cli/live_view.h"
#include "cli/manifests.h"
#include "cli/text/workflow_text.h"
#include "doc/yaml.h"
#include "workflows/validate/validate.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <ostream>

namespace tiphys::cli {
namespace {

using doc::Value;

/// Kinds that a run may refer to.
bool is_supporting(std::string_view kind) {
  static constexpr std::array<std::string_view, 5> kKinds = {"WorkflowTemplate",
                                                             "ClusterWorkflowTemplate", "ConfigMap",
                                                             "Secret", "PersistentVolumeClaim"};
  return std::ranges::find(kKinds, kind) != kKinds.end();
}

std::string place_of(const LoadedManifest& manifest, const workflows::Finding& finding) {
  std::string out = manifest.file;
  if (finding.position.line > 0) {
    out +=
        ":" + std::to_string(finding.position.line) + ":" + std::to_string(finding.position.column);
  }
  return out;
}

/// Prints what is wrong; true when something forbids running.
bool report_findings(const Context& context, const LoadedManifests& loaded, bool strict,
                     Session* session) {
  std::vector<workflows::Candidate> candidates;
  for (const LoadedManifest& manifest : loaded.manifests) {
    candidates.push_back({&manifest.content.value, &manifest.content.positions});
  }
  std::vector<std::unique_ptr<Value>> fetched;
  workflows::ValidateOptions options;
  options.strict = strict;
  options.submitting = true;
  options.known = [&](std::string_view kind, std::string_view name) -> const Value* {
    if (session == nullptr) {
      return nullptr;
    }
    auto object = session->object(kind, std::string(name));
    if (!object || object->is_null()) {
      return nullptr;
    }
    return fetched.emplace_back(std::make_unique<Value>(std::move(*object))).get();
  };
  bool refused = false;
  for (const LoadFailure& failure : loaded.failures) {
    context.error << describe_failure(failure) << "\n";
    refused = true;
  }
  for (const workflows::Finding& finding : workflows::validate(candidates, options)) {
    const LoadedManifest& manifest = loaded.manifests[finding.candidate];
    const bool is_error = finding.severity == workflows::Severity::error;
    context.error << place_of(manifest, finding) << ": " << (is_error ? "" : "warning: ") << "in "
                  << workflows::describe_object(manifest.content.value) << ": " << finding.message
                  << "\n";
    refused = refused || is_error;
  }
  return refused;
}

bool succeeded(const Value& workflow) {
  const Value* status = doc::find(workflow, "status");
  return status != nullptr && doc::find_string(*status, "phase") == "Succeeded";
}

void print_workflow(const Context& context, const Value& workflow, const OutputFormat& output) {
  if (output == "json") {
    context.out << doc::to_json(workflow, {.escape_html = false, .sort_keys = true, .indent = 4})
                << "\n";
  } else if (output == "yaml") {
    context.out << doc::to_yaml(workflow);
  } else if (output == "name") {
    context.out << doc::find_string(*doc::find(workflow, "metadata"), "name") << "\n";
  } else {
    DescribeOptions options;
    options.layout = output == "wide" ? Layout::wide : Layout::standard;
    options.style = {.color = context.color, .utf8 = context.utf8};
    options.now = context.surroundings.now();
    context.out << describe_workflow(workflow, options);
  }
}

/// Runs what the request names with the view that fits the output, prints the outcome, and returns
/// the exit code.
int carry_out_run(const Context& context, Session& session, RunRequest request,
                  const OutputFormat& output) {
  const bool machine_output = output == "json" || output == "yaml" || output == "name";
  ViewOptions view;
  view.terminal = context.surroundings.output_is_terminal && !machine_output && !request.logs;
  view.color = context.color;
  view.utf8 = context.utf8;
  view.width = context.surroundings.terminal_width;
  view.height = context.surroundings.terminal_height;
  view.node_lines = !machine_output;
  view.now = context.surroundings.now_exactly;
  const auto observer = make_view(machine_output ? context.error : context.out, view);
  const auto ended = session.run(std::move(request), *observer);
  if (!ended) {
    return report(context, ended.error());
  }
  bool all_succeeded = true;
  for (const Value& workflow : *ended) {
    all_succeeded = all_succeeded && succeeded(workflow);
    if (machine_output || output == "wide") {
      print_workflow(context, workflow, output);
    }
  }
  return all_succeeded ? 0 : 1;
}

}  // namespace

int run_workflows(const Context& context, const RunCommand& command) {
  if (command.files.empty() && command.resume.empty()) {
    return report(
        context,
        Error{ErrorCode::invalid,
              "nothing to run: name a file, a folder, - for standard input, or --resume NAME",
              {}});
  }
  auto loaded = load_manifests(command.files, context.surroundings, command.strict);
  if (!loaded) {
    return report(context, loaded.error());
  }
  for (LoadedManifest& manifest : loaded->manifests) {
    if (manifest.kind() != "Workflow") {
      if (is_supporting(manifest.kind())) {
        place_object(manifest.content.value, context);
      }
      continue;
    }
    if (const auto applied = apply_submit_options(manifest.content.value, command.submit, context);
        !applied) {
      return report(context, Error(applied.error()).with_context(manifest.file));
    }
  }
  std::unique_ptr<Session> session;
  if (!command.dry_run) {
    auto opened = context.open(true);
    if (!opened) {
      return report(context, opened.error());
    }
    session = std::move(*opened);
  }
  if (report_findings(context, *loaded, command.strict, session.get())) {
    return 1;
  }
  RunRequest request;
  request.resume = command.resume;
  request.options = command.run;
  request.logs = command.log;
  for (LoadedManifest& manifest : loaded->manifests) {
    if (manifest.kind() == "Workflow") {
      request.workflows.push_back(std::move(manifest.content.value));
    } else if (is_supporting(manifest.kind())) {
      request.supporting.push_back(std::move(manifest.content.value));
    } else {
      context.error << "note: " << manifest.file << ": "
                    << workflows::describe_object(manifest.content.value)
                    << " is not something to run, left out\n";
    }
  }
  if (request.workflows.empty() && request.resume.empty()) {
    return report(context, Error{ErrorCode::invalid, "no Workflow found in the given files", {}});
  }
  if (command.dry_run) {
    for (const Value& workflow : request.workflows) {
      print_workflow(context, workflow, command.output.empty() ? "yaml" : command.output);
    }
    return 0;
  }
  return carry_out_run(context, *session, std::move(request), command.output);
}

int retry_workflows(const Context& context, const RetryCommand& command) {
  auto session = context.open(true);
  if (!session) {
    return report(context, session.error());
  }
  auto parameters = parse_assignments(command.parameters);
  if (!parameters) {
    return report(context, parameters.error());
  }
  RunRequest request;
  request.options = command.run;
  request.logs = command.log;
  for (const std::string& name : command.names) {
    RetryRequest retry = command.request;
    retry.workflow = name;
    retry.parameters = *parameters;
    const auto prepared = (*session)->retry(retry);
    if (!prepared) {
      return report(context, prepared.error());
    }
    request.resume.emplace_back(doc::find_string(*doc::find(*prepared, "metadata"), "name"));
  }
  return carry_out_run(context, **session, std::move(request), command.output);
}

}  // namespace tiphys::cli

#include "cli/commands.h"
#include "cli/live_view.h"
#include "cli/manifests.h"
#include "cli/selection.h"
#include "cli/text/workflow_text.h"
#include "cli/zone_folder.h"
#include "doc/yaml.h"
#include "workflows/config/config.h"
#include "workflows/validate/validate.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <ostream>
#include <set>

namespace tiphys::cli {
namespace {

using doc::Value;

constexpr std::size_t kLogTailLines = 3;
/// As shells report a program that SIGINT has ended.
constexpr int kInterruptedExit = 130;

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
  ViewOptions view = view_options(context, session);
  view.terminal = view.terminal && !machine_output;
  view.node_lines = !machine_output;
  view.logs = request.logs;
  auto observer = make_view(machine_output ? context.error : context.out, std::move(view));
  request.with_nodes = output == "json" || output == "yaml" || output == "wide";
  const auto ended = session.run(std::move(request), *observer);
  observer.reset();  // what it leaves on the screen comes before what is printed here
  if (!ended) {
    return report(context, ended.error());
  }
  bool all_succeeded = true;
  for (const Value& workflow : ended->workflows) {
    all_succeeded = all_succeeded && succeeded(workflow);
    if (machine_output || output == "wide") {
      print_workflow(context, workflow, output);
    }
  }
  return ended->left ? kInterruptedExit : all_succeeded ? 0 : 1;
}

void put_namespace(Value& object, const std::string& namespace_name) {
  if (!object.is_object() || doc::find_string(object, "kind") == "ClusterWorkflowTemplate") {
    return;
  }
  Value& metadata = object.get_object()["metadata"];
  if (!metadata.is_object()) {
    metadata.emplace_object();
  }
  if (doc::find_string(metadata, "namespace").empty()) {
    metadata.get_object()["namespace"] = namespace_name;
  }
}

/// The options of the command line on every Workflow that was given.
Result<> prepare(const Context& context, const RunCommand& command, LoadedManifests& loaded,
                 const std::string& namespace_name) {
  const auto count = std::ranges::count(loaded.manifests, "Workflow", &LoadedManifest::kind);
  if (!command.submit.name.empty() && count > 1) {
    return fail(ErrorCode::invalid, "--name: " + std::to_string(count) +
                                        " workflows were given, and only one can have this name");
  }
  for (LoadedManifest& manifest : loaded.manifests) {
    if (manifest.kind() == "Workflow") {
      if (auto applied = apply_submit_options(manifest.content.value, command.submit, context);
          !applied) {
        return std::unexpected(std::move(applied).error().with_context(manifest.file));
      }
    }
    if (manifest.kind() == "Workflow" || is_supporting(manifest.kind())) {
      put_namespace(manifest.content.value, namespace_name);
      if (auto checked = check_names(manifest.content.value); !checked) {
        return std::unexpected(std::move(checked).error().with_context(manifest.file));
      }
    }
  }
  return {};
}

/// Takes the manifests apart into what runs and what it may refer to.
RunRequest request_of(const Context& context, const RunCommand& command, LoadedManifests loaded) {
  RunRequest request;
  request.resume = command.resume;
  request.options = command.run;
  request.logs = command.log;
  for (LoadedManifest& manifest : loaded.manifests) {
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
  return request;
}

}  // namespace

std::string namespace_for(const Context& context, const LoadedManifests& loaded) {
  std::set<std::string> named;
  for (const LoadedManifest& manifest : loaded.manifests) {
    const Value* metadata = doc::find(manifest.content.value, "metadata");
    if (manifest.kind() == "Workflow" && metadata != nullptr) {
      named.emplace(doc::find_string(*metadata, "namespace"));
    }
  }
  if (!context.namespace_.empty()) {
    return context.namespace_;
  }
  return named.size() == 1 && !named.begin()->empty() ? *named.begin() : "default";
}

bool report_findings(const Context& context, const LoadedManifests& loaded, bool strict,
                     Session* session, const std::string& namespace_name,
                     const doc::Value* workflow_defaults) {
  std::vector<workflows::Candidate> candidates;
  for (const LoadedManifest& manifest : loaded.manifests) {
    candidates.push_back({&manifest.content.value, &manifest.content.positions});
  }
  std::vector<std::unique_ptr<Value>> fetched;
  const auto zones = ZoneFolder::open();
  workflows::ValidateOptions options;
  options.zones = zones.get();
  options.strict = strict;
  options.submitting = true;
  options.workflow_defaults = workflow_defaults;
  options.known = [&](std::string_view kind, std::string_view name) -> const Value* {
    if (session == nullptr) {
      return nullptr;
    }
    auto object = session->object(kind, namespace_name, std::string(name));
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

ViewOptions view_options(const Context& context, Session& session) {
  ViewOptions view;
  view.terminal = context.surroundings.output_is_terminal && context.live;
  view.color = context.color;
  view.utf8 = context.utf8;
  view.size = context.surroundings.terminal_size;
  view.now = context.surroundings.now_exactly;
  view.log_tail = [&session](const std::string& pod) {
    return session.log_tail(pod, kLogTailLines);
  };
  return view;
}

int run_workflows(const Context& context, const RunCommand& given) {
  RunCommand command = given;
  if (command.files.empty() && command.resume.empty()) {
    return report(
        context,
        Error{ErrorCode::invalid,
              "nothing to run: name a file, a folder, - for standard input, or --resume NAME",
              {}});
  }
  auto config = load_config(context, command.config_file);
  if (!config) {
    return report(context, config.error());
  }
  command.run.config = std::move(*config);
  auto loaded = load_manifests(command.files, context.surroundings, command.strict);
  if (!loaded) {
    return report(context, loaded.error());
  }
  const std::string namespace_name = namespace_for(context, *loaded);
  if (const auto prepared = prepare(context, command, *loaded, namespace_name); !prepared) {
    return report(context, prepared.error());
  }
  std::unique_ptr<Session> session;
  if (!command.dry_run) {
    auto opened = context.open(true);
    if (!opened) {
      return report(context, opened.error());
    }
    session = std::move(*opened);
  }
  if (report_findings(context, *loaded, command.strict, session.get(), namespace_name,
                      command.run.config ? &command.run.config->workflow_defaults : nullptr)) {
    return 1;
  }
  RunRequest request = request_of(context, command, std::move(*loaded));
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
  auto config = load_config(context, command.config_file);
  if (!config) {
    return report(context, config.error());
  }
  RunRequest request;
  request.options = command.run;
  request.options.config = std::move(*config);
  request.logs = command.log;
  const auto names = names_of_verb(**session, command.names, command.filter, context);
  if (!names) {
    return report(context, names.error());
  }
  for (const std::string& name : *names) {
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

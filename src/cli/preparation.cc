#include "cli/preparation.h"

#include "cli/manifests.h"
#include "cli/text/humanize.h"
#include "cli/zone_folder.h"
#include "workflows/config/config.h"
#include "workflows/validate/validate.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <ostream>
#include <set>

namespace tiphys::cli {
namespace {

using doc::Object;
using doc::Value;

constexpr const char* kApiVersion = "argoproj.io/v1alpha1";
constexpr const char* kScheduledTime = "workflows.argoproj.io/scheduled-time";

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
Result<> apply_options(const Context& context, const Sources& command, LoadedManifests& loaded,
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

Value template_run(const std::string& name, bool cluster_scoped) {
  Object reference{{"name", name}};
  if (cluster_scoped) {
    reference["clusterScope"] = true;
  }
  const std::string label = cluster_scoped ? "workflows.argoproj.io/cluster-workflow-template"
                                           : "workflows.argoproj.io/workflow-template";
  return Object{
      {"apiVersion", kApiVersion},
      {"kind", "Workflow"},
      {"metadata", Object{{"generateName", name + "-"}, {"labels", Object{{label, name}}}}},
      {"spec", Object{{"workflowTemplateRef", std::move(reference)}}}};
}

/// Copies a map's entries over those of another.
void add_all(Object& target, const Value* source) {
  if (source != nullptr && source->is_object()) {
    for (const auto& [key, value] : source->get_object()) {
      target[key] = value;
    }
  }
}

/// A run of a CronWorkflow outside its schedule (upstream workflow/common
/// ConvertCronWorkflowToWorkflow).
Value cron_run(const Value& cron, const std::string& now) {
  const Value* metadata = doc::find(cron, "metadata");
  const std::string name(doc::find_string(*metadata, "name"));
  const Value* spec = doc::find(cron, "spec");
  const Value* wanted = spec == nullptr ? nullptr : doc::find(*spec, "workflowMetadata");
  Object labels{{"workflows.argoproj.io/cron-workflow", name}};
  Object annotations{{kScheduledTime, now}};
  if (wanted != nullptr) {
    add_all(labels, doc::find(*wanted, "labels"));
    add_all(annotations, doc::find(*wanted, "annotations"));
  }
  Object owner{{"apiVersion", kApiVersion},
               {"kind", "CronWorkflow"},
               {"name", name},
               {"uid", doc::find_string(*metadata, "uid")},
               {"controller", true},
               {"blockOwnerDeletion", true}};
  const Value* run = spec == nullptr ? nullptr : doc::find(*spec, "workflowSpec");
  return Object{{"apiVersion", kApiVersion},
                {"kind", "Workflow"},
                {"metadata", Object{{"generateName", name + "-"},
                                    {"labels", std::move(labels)},
                                    {"annotations", std::move(annotations)},
                                    {"ownerReferences", doc::Array{std::move(owner)}}}},
                {"spec", run == nullptr ? Value(Object()) : *run}};
}

/// The kind that --from means; "" for none.
std::string_view stored_kind(std::string_view word) {
  static constexpr std::array<std::array<std::string_view, 5>, 3> kKinds = {
      {{"CronWorkflow", "CronWorkflow", "cronworkflow", "cronworkflows", "cronwf"},
       {"WorkflowTemplate", "WorkflowTemplate", "workflowtemplate", "workflowtemplates", "wftmpl"},
       {"ClusterWorkflowTemplate", "ClusterWorkflowTemplate", "clusterworkflowtemplate",
        "clusterworkflowtemplates", "cwftmpl"}}};
  for (const auto& names : kKinds) {
    if (std::ranges::find(names, word) != names.end()) {
      return names.front();
    }
  }
  return "";
}

Result<LoadedManifests> load_stored(const Context& context, const Sources& sources,
                                    Session& session) {
  const std::size_t slash = sources.from.find('/');
  if (slash == std::string::npos) {
    return fail(ErrorCode::invalid, "resource identifier '" + sources.from +
                                        "' is malformed. Should be `kind/name`, e.g. "
                                        "cronwf/hello-world-cwf");
  }
  const std::string word = sources.from.substr(0, slash);
  const std::string name = sources.from.substr(slash + 1);
  const std::string kind(stored_kind(word));
  if (kind.empty()) {
    return fail(ErrorCode::bad_request,
                "Resource kind '" + word + "' is not supported for submitting");
  }
  const std::string space = context.namespace_.empty() ? "default" : context.namespace_;
  TRY(const Value object, session.object(kind, space, name));
  if (object.is_null()) {
    std::string plural = kind + "s";
    std::ranges::transform(plural, plural.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return fail(ErrorCode::not_found, plural + ".argoproj.io \"" + name + "\" not found");
  }
  const std::string now = format_moment(context.surroundings.now());
  LoadedManifests out;
  Value run = kind == "CronWorkflow" ? cron_run(object, now)
                                     : template_run(name, kind == "ClusterWorkflowTemplate");
  if (!sources.scheduled_time.empty()) {
    if (!parse_moment(sources.scheduled_time)) {
      return fail(ErrorCode::invalid,
                  "scheduled-time contains invalid time.RFC3339 format. (e.g.: "
                  "`2006-01-02T15:04:05-07:00`)");
    }
    Value& annotations = run.as_object()["metadata"].as_object()["annotations"];
    if (!annotations.is_object()) {
      annotations.emplace_object();
    }
    annotations.get_object()[kScheduledTime] = sources.scheduled_time;
  }
  out.manifests.push_back({sources.from, {std::move(run), {}}});
  return out;
}

}  // namespace

Result<> take_config(const Context& context, const std::string& file, RunOptions& run) {
  TRY(run.config, load_config(context, file));
  std::error_code code;
  run.config_file = file.empty() ? "" : std::filesystem::absolute(file, code).string();
  return {};
}

Result<workflows::EngineConfig> engine_config(const Context& context, const std::string& file) {
  TRY(const auto config, load_config(context, file));
  workflows::EngineConfig out;
  if (config) {
    out.workflow_defaults = config->workflow_defaults;
  }
  return out;
}

const Value* defaults_of(const RunOptions& run) {
  return run.config ? &run.config->workflow_defaults : nullptr;
}

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

std::optional<Prepared> prepare(const Context& context, const Sources& sources, Session* session) {
  auto loaded = sources.from.empty()
                    ? load_manifests(sources.files, context.surroundings, sources.strict)
                    : load_stored(context, sources, *session);
  if (!loaded) {
    report(context, loaded.error());
    return std::nullopt;
  }
  const std::string namespace_name = namespace_for(context, *loaded);
  if (const auto applied = apply_options(context, sources, *loaded, namespace_name); !applied) {
    report(context, applied.error());
    return std::nullopt;
  }
  if (report_findings(context, *loaded, sources.strict, session, namespace_name,
                      sources.workflow_defaults)) {
    return std::nullopt;
  }
  Prepared out;
  for (LoadedManifest& manifest : loaded->manifests) {
    if (manifest.kind() == "Workflow") {
      out.workflows.push_back(std::move(manifest.content.value));
    } else if (is_supporting(manifest.kind())) {
      out.supporting.push_back(std::move(manifest.content.value));
    } else {
      context.error << "note: " << manifest.file << ": "
                    << workflows::describe_object(manifest.content.value)
                    << " is not something to run, left out\n";
    }
  }
  return out;
}

}  // namespace tiphys::cli

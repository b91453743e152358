#include "cli/commands.h"
#include "cli/manifests.h"
#include "cli/preparation.h"
#include "workflows/engine/document_references.h"
#include "workflows/plan/print.h"

#include <boost/json.hpp>

#include <ostream>

namespace tiphys::cli {
namespace {

/// What the Workflows of the given files refer to: the other documents of the files, else what the
/// state directory holds.
class PlanReferences final : public workflows::References {
 public:
  PlanReferences(const LoadedManifests& loaded, Session* session, std::string namespace_name)
      : session_(session), namespace_(std::move(namespace_name)) {
    for (const LoadedManifest& manifest : loaded.manifests) {
      given_.add(manifest.content.value);
    }
  }

  const doc::Value* workflow_template(std::string_view name) const override {
    const doc::Value* found = given_.workflow_template(name);
    return found != nullptr ? found : stored("WorkflowTemplate", name);
  }

  const doc::Value* cluster_workflow_template(std::string_view name) const override {
    const doc::Value* found = given_.cluster_workflow_template(name);
    return found != nullptr ? found : stored("ClusterWorkflowTemplate", name);
  }

  const doc::Value* config_map(std::string_view name) const override {
    const doc::Value* found = given_.config_map(name);
    return found != nullptr ? found : stored("ConfigMap", name);
  }

 private:
  const doc::Value* stored(std::string_view kind, std::string_view name) const {
    if (session_ == nullptr) {
      return nullptr;
    }
    const std::string key = std::string(kind) + "/" + std::string(name);
    auto found = fetched_.find(key);
    if (found == fetched_.end()) {
      auto object = session_->object(kind, namespace_, std::string(name));
      found = fetched_.emplace(key, object ? std::move(*object) : doc::Value()).first;
    }
    return found->second.is_null() ? nullptr : &found->second;
  }

  workflows::DocumentReferences given_;
  Session* session_;
  std::string namespace_;
  mutable std::map<std::string, doc::Value> fetched_;
};

void print(const Context& context, const PlanCommand& command, const workflows::RunPlan& plan) {
  if (command.output == "json") {
    context.out << doc::to_json(workflows::plan_json(plan), {.escape_html = false, .indent = 2})
                << "\n";
  } else if (command.output == "dot") {
    context.out << workflows::plan_dot(plan);
  } else {
    workflows::PlanTextOptions options;
    options.utf8 = context.utf8;
    options.color = context.color;
    options.elements = command.all ? 0 : options.elements;
    context.out << workflows::plan_text(plan, options);
  }
}

}  // namespace

int plan_workflows(const Context& context, const PlanCommand& command) {
  auto loaded = load_manifests(command.files, context.surroundings, command.strict);
  if (!loaded) {
    return report(context, loaded.error());
  }
  const auto engine = engine_config(context, command.config_file);
  if (!engine) {
    return report(context, engine.error());
  }
  // A plan needs no state directory; when there is one, its templates count.
  auto session = context.open(false);
  Session* const known = session ? session->get() : nullptr;
  const std::string namespace_name = namespace_for(context, *loaded);
  std::size_t planned = 0;
  for (LoadedManifest& manifest : loaded->manifests) {
    if (manifest.kind() == "Workflow") {
      if (auto applied = apply_submit_options(manifest.content.value, command.submit, context);
          !applied) {
        return report(context, std::move(applied).error().with_context(manifest.file));
      }
      ++planned;
    }
  }
  if (report_findings(context, *loaded, command.strict, known, namespace_name,
                      &engine->workflow_defaults)) {
    return 1;
  }
  if (planned == 0) {
    return report(context, Error{ErrorCode::invalid, "no Workflow found in the given files", {}});
  }
  const PlanReferences references(*loaded, known, namespace_name);
  for (const LoadedManifest& manifest : loaded->manifests) {
    if (manifest.kind() != "Workflow") {
      continue;
    }
    const auto plan = workflows::make_plan(manifest.content.value, references, *engine);
    if (!plan) {
      return report(context, Error(plan.error()).with_context(manifest.file));
    }
    print(context, command, *plan);
  }
  return 0;
}

}  // namespace tiphys::cli

#include "artifacts/location.h"
#include "workflows/engine/artifact_gc.h"
#include "workflows/engine/machine.h"
#include "workflows/engine/repository.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

/// The first tag that is left in a text, or nothing.
Result<> check_resolved(std::string_view json) {
  const std::size_t open = json.find("{{");
  const std::size_t close = open == std::string_view::npos ? open : json.find("}}", open);
  if (close == std::string_view::npos) {
    return {};
  }
  return fail(ErrorCode::bad_request,
              "failed to resolve " + std::string(json.substr(open, close + 2 - open)));
}

bool needs_place(const Template& definition) {
  const auto without_place = [](const Artifact& artifact) {
    return !artifacts::is_complete(artifact.location);
  };
  return std::ranges::any_of(definition.inputs.artifacts, without_place) ||
         std::ranges::any_of(definition.outputs.artifacts, without_place);
}

}  // namespace

/// The run's repository: as stored, or found now.
Result<> Engine::Machine::take_repository(const doc::Value& status) {
  if (const doc::Value* stored = doc::find(status, "artifactRepositoryRef")) {
    repository_ref_ = *stored;
  } else {
    auto found = resolve_repository(doc::find(spec_.document, "artifactRepositoryRef"),
                                    metadata_.namespace_, references_, config_);
    if (!found) {
      return std::unexpected(
          std::move(found).error().with_context("failed to resolve artifact repository"));
    }
    repository_ref_ = std::move(*found);
  }
  const doc::Value* repository = doc::find(repository_ref_, "artifactRepository");
  const doc::Value location =
      repository == nullptr ? doc::Value(doc::Object{}) : location_of_repository(*repository);
  TRY(repository_location_, TagText::parse(doc::to_json(location, {.escape_html = false})));
  return {};
}

/// The place of what a pod's step leaves: its template's own, if that is complete, else the
/// repository's.
Result<> Engine::Machine::set_archive_location(NodeIndex index, const CompiledTemplate& compiled,
                                               CreatePod& pod) const {
  const doc::Value* declared = doc::find(compiled.definition.document, "archiveLocation");
  doc::Value own;
  if (declared != nullptr && declared->is_object()) {
    TRY(const doc::Value filled, doc::parse_json(pod.template_json));
    own = *doc::find(filled, "archiveLocation");
  }
  NodeScope scope(&globals_);
  const auto fill = [&] {
    fill_scope(scope, compiled, index);
    scope.locals.set("pod.name", nodes_->pod_name(index));
  };
  if (artifacts::is_complete(own)) {
    fill();
    const doc::Value* logs = doc::find(own, "archiveLogs");
    pod.archive_logs = logs != nullptr && logs->is_bool() && logs->get_bool();
    own.get_object().erase("archiveLogs");
    TRY(const auto text, TagText::parse(doc::to_json(own, {.escape_html = false})));
    TRY(const auto json, replace_in_passes(text, scope.locals, scope.inputs));
    TRY_VOID(check_resolved(json));
    TRY(pod.archive_location, doc::parse_json(json));
    pod.own_archive_location = true;
    return {};
  }
  static const doc::Value kNone;
  const doc::Value* repository = doc::find(repository_ref_, "artifactRepository");
  pod.archive_logs = archives_logs(repository == nullptr ? kNone : *repository, spec_.document,
                                   own.is_null() ? nullptr : &own);
  if (!pod.archive_logs && !needs_place(compiled.definition)) {
    return {};
  }
  fill();
  TRY(const auto json, replace_in_passes(repository_location_, scope.locals, scope.inputs));
  TRY_VOID(check_resolved(json));
  TRY(pod.archive_location, doc::parse_json(json));
  return {};
}

bool Engine::Machine::has_artifact_gc() const {
  if (own_templates_have_gc_) {
    return true;
  }
  return std::ranges::any_of(catalog_.stored_templates().get_object(), [&](const auto& stored) {
    return template_has_gc(stored.value(), spec_.document);
  });
}

void Engine::Machine::add_artifact_status(doc::Object& status) const {
  if (!repository_ref_.is_null()) {
    status["artifactRepositoryRef"] = repository_ref_;
  }
  status["artifactGCStatus"] =
      has_artifact_gc() ? doc::Object{} : doc::Object{{"notSpecified", true}};
}

/// While a run lasts it always has its finalizer: artifacts may still come.
void Engine::Machine::add_finalizer(doc::Value& workflow) const {
  if (!has_artifact_gc() || has_gc_finalizer(workflow)) {
    return;
  }
  doc::Value& finalizers = workflow.as_object()["metadata"].as_object()["finalizers"];
  if (!finalizers.is_array()) {
    finalizers.emplace_array();
  }
  finalizers.get_array().emplace_back(kArtifactGcFinalizer);
}

}  // namespace tiphys::workflows

#include "workflows/engine/artifact_gc.h"

#include "workflows/engine/repository.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

constexpr std::string_view kErrorCondition = "ArtifactGCError";

const Value& at(const Value& object, std::string_view key) {
  static const Value kNull;
  const Value* found = doc::find(object, key);
  return found == nullptr ? kNull : *found;
}

bool is_true(const Value& value) { return value.is_bool() && value.get_bool(); }

Value& member(Value& object, std::string_view key) {
  if (!object.is_object()) {
    object.emplace_object();
  }
  return object.get_object()[{key.data(), key.size()}];
}

const Array& list_of(const Value& object, std::string_view key) {
  static const Array kNone;
  const Value& found = at(object, key);
  return found.is_array() ? found.get_array() : kNone;
}

const Array& artifacts_of(const Value& row) { return list_of(at(row, "outputs"), "artifacts"); }

bool is_pod(const Value& row) { return doc::find_string(row, "type") == "Pod"; }

std::string_view strategy_text(const Value& holder) {
  return doc::find_string(at(holder, "artifactGC"), "strategy");
}

void set_condition(Value& status, const std::string& message) {
  Value& conditions = member(status, "conditions");
  if (!conditions.is_array()) {
    conditions.emplace_array();
  }
  Value condition = Object{{"status", "True"}, {"type", kErrorCondition}, {"message", message}};
  for (Value& known : conditions.get_array()) {
    if (doc::find_string(known, "type") == kErrorCondition) {
      known = std::move(condition);
      return;
    }
  }
  conditions.get_array().push_back(std::move(condition));
}

void remove_finalizer(Value& workflow) {
  Value& metadata = member(workflow, "metadata");
  Value* finalizers =
      metadata.is_object() ? metadata.get_object().if_contains("finalizers") : nullptr;
  if (finalizers == nullptr || !finalizers->is_array()) {
    return;
  }
  Array kept;
  for (const Value& finalizer : finalizers->get_array()) {
    if (!finalizer.is_string() || doc::text_of(finalizer.get_string()) != kArtifactGcFinalizer) {
      kept.push_back(finalizer);
    }
  }
  if (kept.empty()) {
    metadata.get_object().erase("finalizers");
  } else {
    *finalizers = std::move(kept);
  }
}

}  // namespace

std::string_view name_of(GcStrategy strategy) {
  switch (strategy) {
    case GcStrategy::on_completion:
      return "OnWorkflowCompletion";
    case GcStrategy::on_deletion:
      return "OnWorkflowDeletion";
    case GcStrategy::never:
      break;
  }
  return "Never";
}

GcStrategy gc_strategy_of(const Value& artifact, const Value& spec) {
  std::string_view text = strategy_text(artifact);
  text = text.empty() ? strategy_text(spec) : text;
  for (const GcStrategy strategy : {GcStrategy::on_completion, GcStrategy::on_deletion}) {
    if (text == name_of(strategy)) {
      return strategy;
    }
  }
  return GcStrategy::never;
}

bool template_has_gc(const Value& definition, const Value& spec) {
  return std::ranges::any_of(artifacts_of(definition), [&](const Value& artifact) {
    return gc_strategy_of(artifact, spec) != GcStrategy::never;
  });
}

const Value& executed_spec(const Value& workflow) {
  const Value& stored = at(at(workflow, "status"), "storedWorkflowTemplateSpec");
  return stored.is_object() ? stored : at(workflow, "spec");
}

bool has_gc_finalizer(const Value& workflow) {
  return std::ranges::any_of(list_of(at(workflow, "metadata"), "finalizers"),
                             [](const Value& finalizer) {
                               return finalizer.is_string() &&
                                      doc::text_of(finalizer.get_string()) == kArtifactGcFinalizer;
                             });
}

bool forces_finalizer_removal(const Value& workflow) {
  return is_true(at(at(executed_spec(workflow), "artifactGC"), "forceFinalizerRemoval"));
}

bool was_collected(const Value& workflow) {
  return is_true(at(at(at(at(workflow, "status"), "artifactGCStatus"), "strategiesProcessed"),
                    name_of(GcStrategy::on_completion)));
}

std::vector<DoomedArtifact> doomed_artifacts(const Value& row, const Value& workflow,
                                             bool deletion) {
  std::vector<DoomedArtifact> out;
  if (!is_pod(row)) {
    return out;
  }
  const Value& spec = executed_spec(workflow);
  const Value& repository = at(at(workflow, "status"), "artifactRepositoryRef");
  for (const Value& artifact : artifacts_of(row)) {
    const GcStrategy strategy = gc_strategy_of(artifact, spec);
    const bool due =
        strategy == GcStrategy::on_completion || (deletion && strategy == GcStrategy::on_deletion);
    if (due && !is_true(at(artifact, "deleted"))) {
      out.push_back(
          {std::string(doc::find_string(artifact, "name")), stored_location(artifact, repository)});
    }
  }
  return out;
}

bool waits_for_deletion(const Value& row, const Value& workflow) {
  const Value& spec = executed_spec(workflow);
  return is_pod(row) && std::ranges::any_of(artifacts_of(row), [&](const Value& artifact) {
           return gc_strategy_of(artifact, spec) == GcStrategy::on_deletion &&
                  !is_true(at(artifact, "deleted"));
         });
}

void mark_deleted(Value& row, const std::vector<std::string>& names) {
  Value& artifacts = member(member(row, "outputs"), "artifacts");
  if (!artifacts.is_array()) {
    return;
  }
  for (Value& artifact : artifacts.get_array()) {
    if (std::ranges::find(names, doc::find_string(artifact, "name")) != names.end()) {
      member(artifact, "deleted") = true;
    }
  }
}

void record_gc(Value& workflow, const GcOutcome& outcome) {
  const bool forced = forces_finalizer_removal(workflow);
  Value& status = member(workflow, "status");
  Value& processed = member(member(status, "artifactGCStatus"), "strategiesProcessed");
  member(processed, name_of(GcStrategy::on_completion)) = true;
  if (outcome.deletion) {
    member(processed, name_of(GcStrategy::on_deletion)) = true;
  }
  if (!outcome.error.empty()) {
    set_condition(status, outcome.error);
  }
  if (!outcome.waiting && (outcome.error.empty() || forced)) {
    remove_finalizer(workflow);
  }
}

Array further_conditions(const Value& status) {
  Array out;
  for (const Value& condition : list_of(status, "conditions")) {
    const std::string_view type = doc::find_string(condition, "type");
    if (type != "PodRunning" && type != "Completed") {
      out.push_back(condition);
    }
  }
  return out;
}

}  // namespace tiphys::workflows

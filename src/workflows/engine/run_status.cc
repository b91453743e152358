#include "workflows/engine/globals.h"
#include "workflows/engine/machine.h"
#include "workflows/engine/status.h"

#include <boost/json.hpp>

namespace tiphys::workflows {

using doc::Object;
using doc::Value;

std::string Engine::Machine::row(NodeIndex index) const {
  const auto wake = wakes_.find(index);
  return write_row(*nodes_, index,
                   {.wake = wake == wakes_.end() ? std::nullopt : std::optional(wake->second),
                    .stopping = stop_messages_.contains(index),
                    .bubbling = bubbling_.contains(index)});
}

Value Engine::Machine::node_status(NodeIndex index) const {
  return workflows::node_status(*nodes_, index, {progress_done_, progress_total_});
}

std::string Engine::Machine::progress() const {
  return Progress{progress_done_, progress_total_}.text();
}

Value Engine::Machine::status(Engine::WithNodes with_nodes) const {
  Object out;
  if (phase_ != RunPhase::none) {
    out["phase"] = name_of(phase_);
  }
  if (!message_.empty()) {
    out["message"] = message_;
  }
  out["startedAt"] = started_ == kNoTime ? Value(nullptr) : Value(time_text(started_));
  out["finishedAt"] = finished_ == kNoTime ? Value(nullptr) : Value(time_text(finished_));
  if (estimated_seconds_ > 0) {
    out["estimatedDuration"] = estimated_seconds_;
  }
  out["progress"] = progress();
  if (resources_.known) {
    out["resourcesDuration"] = encode_resources(resources_);
  }
  if (!global_outputs_.parameters.empty() || !global_outputs_.artifacts.empty()) {
    out["outputs"] = encode_outputs(global_outputs_);
  }
  doc::Array conditions = conditions_of(pods_seen_, running_pods_ > 0, is_finished());
  conditions.insert(conditions.end(), stored_conditions_.begin(), stored_conditions_.end());
  if (!conditions.empty()) {
    out["conditions"] = std::move(conditions);
  }
  if (!catalog_.stored_templates().get_object().empty()) {
    out["storedTemplates"] = catalog_.stored_templates();
  }
  if (doc::Value locks = synchronization_status(); !locks.is_null()) {
    out["synchronization"] = std::move(locks);
  }
  if (!stored_spec_.is_null()) {
    out["storedWorkflowTemplateSpec"] = stored_spec_;
  }
  add_artifact_status(out);
  if (with_nodes == Engine::WithNodes::yes && nodes_->size() != 0) {
    out["nodes"] = node_statuses(*nodes_);
  }
  return out;
}

Value Engine::Machine::workflow(Engine::WithNodes with_nodes) const {
  Value out = document_;
  Object& object = out.as_object();
  const auto set_map = [&](std::string_view key, const std::map<std::string, std::string>& map) {
    if (map.empty()) {
      return;
    }
    Object entries;
    for (const auto& [name, value] : map) {
      entries[name] = value;
    }
    object["metadata"].as_object()[{key.data(), key.size()}] = std::move(entries);
  };
  set_map("labels", metadata_.labels);
  set_map("annotations", metadata_.annotations);
  Object& spec = object["spec"].as_object();
  if (shutdown_.empty()) {
    spec.erase("shutdown");
  } else {
    spec["shutdown"] = shutdown_;
  }
  if (suspended_) {
    spec["suspend"] = true;
  } else {
    spec.erase("suspend");
  }
  object["status"] = status(with_nodes);
  add_finalizer(out);
  return out;
}

}  // namespace tiphys::workflows

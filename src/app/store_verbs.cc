#include "app/store_verbs.h"

#include "app/engine_verbs.h"
#include "app/removal.h"
#include "workflows/controller/api_references.h"
#include "workflows/controller/stored_rows.h"
#include "workflows/engine/resubmit.h"
#include "workflows/engine/status.h"

#include <boost/json.hpp>

#include <set>

namespace tiphys::app {
namespace {

using doc::Value;
using Parameters = std::vector<std::pair<std::string, std::string>>;

std::string text_at(const Value& request, std::string_view key) {
  return std::string(doc::find_string(request, key));
}

bool flag_at(const Value& request, std::string_view key) {
  const Value* value = doc::find(request, key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

Parameters parameters_of(const Value& request) {
  Parameters out;
  if (const Value* list = doc::find(request, "parameters"); list != nullptr && list->is_array()) {
    for (const Value& parameter : list->get_array()) {
      out.emplace_back(text_at(parameter, "name"), text_at(parameter, "value"));
    }
  }
  return out;
}

doc::Array parameters_value(const Parameters& parameters) {
  doc::Array out;
  for (const auto& [name, value] : parameters) {
    out.push_back(doc::Object{{"name", name}, {"value", value}});
  }
  return out;
}

void forget_versions(Value& object) {
  if (Value* metadata = object.is_object() ? object.get_object().if_contains("metadata") : nullptr;
      metadata != nullptr && metadata->is_object()) {
    metadata->get_object().erase("resourceVersion");
    metadata->get_object().erase("uid");
  }
}

Error not_found(const kube::ObjectKey& key) {
  static const std::map<std::string, std::string> kNames = {
      {"Workflow", "workflows.argoproj.io"},
      {"WorkflowTemplate", "workflowtemplates.argoproj.io"},
      {"ClusterWorkflowTemplate", "clusterworkflowtemplates.argoproj.io"},
      {"CronWorkflow", "cronworkflows.argoproj.io"}};
  const auto known = kNames.find(key.kind);
  return Error{
      ErrorCode::not_found,
      (known == kNames.end() ? key.kind : known->second) + " \"" + key.name + "\" not found",
      {}};
}

Result<Value> write_objects(const StoreVerbPlace& place, const Value& request,
                            std::string_view verb) {
  const Value* list = doc::find(request, "objects");
  if (list == nullptr || !list->is_array()) {
    return fail(ErrorCode::bad_request, "objects: expected a list");
  }
  std::vector<kube::ObjectKey> keys;
  for (const Value& object : list->get_array()) {
    TRY(keys.emplace_back(), kube::key_of(object));
    const bool known = place.store.get(keys.back()) != nullptr;
    if (known && verb == "create") {
      return fail(ErrorCode::already_exists, kube::describe(keys.back()) + " already exists");
    }
    if (!known && verb == "update") {
      return std::unexpected(not_found(keys.back()));
    }
  }
  doc::Array names;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Value object = list->get_array()[i];
    forget_versions(object);
    names.emplace_back(keys[i].name);
    if (place.store.get(keys[i]) != nullptr) {
      place.store.update(std::move(object), {});
    } else {
      place.store.create(std::move(object), {});
    }
    if (place.store.get(keys[i]) == nullptr) {
      return fail(ErrorCode::invalid, kube::describe(keys[i]) + " cannot be stored");
    }
  }
  return Value(std::move(names));
}

Result<Value> remove_object(const StoreVerbPlace& place, const Value& request) {
  const kube::ObjectKey key{text_at(request, "kind"), text_at(request, "namespace"),
                            text_at(request, "name")};
  const kube::ObjectRef object = place.store.get(key);
  if (object == nullptr) {
    return std::unexpected(not_found(key));
  }
  if (key.kind != "Workflow") {
    place.store.remove(key, {});
    return Value();
  }
  TRY(auto names, remove_objects(place.store, object));
  place.store.when_durable(place.store.revision(),
                           [logs = place.logs, names = std::move(names)](Result<> durable) {
                             if (durable) {
                               remove_logs(logs, names);
                             }
                           });
  return Value();
}

Result<kube::ObjectRef> workflow_of(const StoreVerbPlace& place, const Value& request) {
  const kube::ObjectKey key{"Workflow", text_at(request, "namespace"),
                            text_at(request, "workflow")};
  kube::ObjectRef object = place.store.get(key);
  if (object == nullptr) {
    return std::unexpected(not_found(key));
  }
  return object;
}

/// In upstream's words, where it has some.
Error has_ended(const kube::ObjectKey& key, cli::Control::Verb verb) {
  using Verb = cli::Control::Verb;
  if (verb == Verb::suspend) {
    return Error{ErrorCode::bad_request, "cannot suspend completed workflows", {}};
  }
  if (verb == Verb::stop || verb == Verb::terminate) {
    return Error{ErrorCode::conflict,
                 "cannot shutdown a completed workflow: workflow: \"" + key.name +
                     "\", namespace: \"" + key.namespace_ + "\"",
                 {}};
  }
  return Error{ErrorCode::conflict, "cannot change workflow " + key.name + ": it has ended", {}};
}

std::vector<kube::Row> rows_of(const std::vector<workflows::StoredRow>& rows) {
  std::vector<kube::Row> out;
  out.reserve(rows.size());
  for (const workflows::StoredRow& row : rows) {
    out.push_back({row.index, row.json});
  }
  return out;
}

Result<Value> retry(const StoreVerbPlace& place, const Value& request) {
  TRY(const kube::ObjectRef object, workflow_of(place, request));
  TRY(const auto before, stored_rows(place.store, object->uid()));
  TRY(const Value document, workflows::workflow_with_nodes(object->document(), before));
  workflows::RetryOptions options;
  options.restart_successful = flag_at(request, "restartSuccessful");
  options.node_field_selector = text_at(request, "nodeFieldSelector");
  options.parameters = parameters_of(request);
  options.now = place.now;
  TRY(workflows::RetriedWorkflow retried, workflows::retry_workflow(document, options));
  std::vector<kube::Row> rows = rows_of(retried.rows);
  std::set<std::uint64_t> kept;
  for (const kube::Row& row : rows) {
    kept.insert(row.index);
  }
  for (const workflows::StoredRow& row : before) {
    if (!kept.contains(row.index)) {
      rows.push_back({row.index, ""});
    }
  }
  place.store.put_rows(object->uid(), std::move(rows), {});
  place.store.update(std::move(retried.workflow), {});
  return Value(object->key().name);
}

Result<Value> resubmit(const StoreVerbPlace& place, const Value& request) {
  TRY(const kube::ObjectRef object, workflow_of(place, request));
  TRY(const auto rows, stored_rows(place.store, object->uid()));
  TRY(const Value document, workflows::workflow_with_nodes(object->document(), rows));
  workflows::ResubmitOptions options;
  options.name = text_at(request, "name");
  options.memoized = flag_at(request, "memoized");
  options.node_field_selector = text_at(request, "nodeFieldSelector");
  options.parameters = parameters_of(request);
  options.now = place.now;
  TRY(workflows::ResubmittedWorkflow made, workflows::resubmit_workflow(document, options));
  if (const Value* priority = doc::find(request, "priority");
      priority != nullptr && priority->is_int64()) {
    made.workflow.as_object()["spec"].as_object()["priority"] = *priority;
  }
  TRY(const kube::ObjectKey key, kube::key_of(made.workflow));
  if (place.store.get(key) != nullptr) {
    return fail(ErrorCode::already_exists, kube::describe(key) + " already exists");
  }
  place.store.create(std::move(made.workflow), {});
  const kube::ObjectRef created = place.store.get(key);
  if (created == nullptr) {
    return fail(ErrorCode::invalid, kube::describe(key) + " cannot be stored");
  }
  if (!made.rows.empty()) {
    place.store.put_rows(created->uid(), rows_of(made.rows), {});
  }
  return Value(key.name);
}

}  // namespace

Result<std::vector<workflows::StoredRow>> stored_rows(const store::Store& store,
                                                      const std::string& uid) {
  TRY(auto rows, store.rows(uid));
  return workflows::engine_rows(std::move(rows));
}

Result<Value> carry_out(const StoreVerbPlace& place, const Value& request) {
  const std::string verb = text_at(request, "verb");
  if (verb == "create" || verb == "put" || verb == "update") {
    return write_objects(place, request, verb);
  }
  if (verb == "remove") {
    return remove_object(place, request);
  }
  if (verb == "retry") {
    return retry(place, request);
  }
  if (verb == "resubmit") {
    return resubmit(place, request);
  }
  return fail(ErrorCode::bad_request, "verb: found \"" + verb + "\", which is none");
}

Result<> change_record(const StoreVerbPlace& place, const cli::Control& control) {
  const kube::ObjectKey key{"Workflow", control.namespace_, control.workflow};
  const kube::ObjectRef object = place.store.get(key);
  if (object == nullptr) {
    return std::unexpected(not_found(key));
  }
  if (object->label("workflows.argoproj.io/completed") == "true") {
    return std::unexpected(has_ended(key, control.verb));
  }
  TRY(const auto rows, stored_rows(place.store, object->uid()));
  const workflows::ApiReferences references(place.store, key.namespace_);
  const bool fresh = rows.empty() && doc::find(object->document(), "status") == nullptr;
  TRY(auto engine,
      fresh ? workflows::Engine::create(object->document(), references, {})
            : workflows::Engine::restore(object->document(), rows, references, {}, place.now));
  TRY(const workflows::Event event, event_of(control));
  TRY(const workflows::Decisions decisions, engine.apply(event, place.now));
  std::vector<kube::Row> changed;
  for (const workflows::NodeIndex index : decisions.changed) {
    changed.push_back({index, engine.row(index)});
  }
  place.store.put_rows(object->uid(), std::move(changed), {});
  Value document = engine.workflow(workflows::Engine::WithNodes::no);
  document.get_object()["metadata"].get_object().erase("resourceVersion");
  place.store.update(std::move(document), {});
  return {};
}

Value request_of(const cli::RetryRequest& request, const std::string& namespace_name) {
  return doc::Object{{"verb", "retry"},
                     {"workflow", request.workflow},
                     {"namespace", namespace_name},
                     {"restartSuccessful", request.restart_successful},
                     {"nodeFieldSelector", request.node_field_selector},
                     {"parameters", parameters_value(request.parameters)}};
}

Value request_of(const cli::ResubmitRequest& request, const std::string& namespace_name,
                 const std::string& new_name) {
  doc::Object out{{"verb", "resubmit"},
                  {"workflow", request.workflow},
                  {"namespace", namespace_name},
                  {"name", new_name},
                  {"memoized", request.memoized},
                  {"nodeFieldSelector", request.node_field_selector},
                  {"parameters", parameters_value(request.parameters)}};
  if (request.priority) {
    out["priority"] = *request.priority;
  }
  return out;
}

Value objects_request(std::string_view verb, std::vector<Value> objects) {
  doc::Array list;
  for (Value& object : objects) {
    list.push_back(std::move(object));
  }
  return doc::Object{{"verb", std::string(verb)}, {"objects", std::move(list)}};
}

}  // namespace tiphys::app

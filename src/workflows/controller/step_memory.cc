#include "workflows/controller/step_memory.h"

#include "artifacts/location.h"
#include "workflows/engine/pod.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <vector>

namespace tiphys::workflows {
namespace {

using doc::Object;
using doc::Value;

/// Members of a template that cannot change what a step produces.
constexpr std::array<std::string_view, 13> kWithoutEffect = {"name",
                                                             "metadata",
                                                             "annotations",
                                                             "retryStrategy",
                                                             "timeout",
                                                             "pendingTimeout",
                                                             "activeDeadlineSeconds",
                                                             "memoize",
                                                             "archiveLocation",
                                                             "priorityClassName",
                                                             "schedulerName",
                                                             "synchronization",
                                                             "metrics"};

/// What is known of the last time a step of this place ran.
struct LastTime {
  std::string workflow;
  bool succeeded = false;
  executor::StepKey key;
};

std::string shorten(const std::string& text) {
  constexpr std::size_t kLongest = 120;
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
}

/// Where a step stands, run after run: the Workflow's base name and the node's name without the
/// run's own.
std::string place_of(const Engine& engine, const Node& node) {
  const Metadata& metadata = engine.metadata();
  const std::string& base =
      metadata.generate_name.empty() ? engine.spec().entrypoint : metadata.generate_name;
  const std::string path =
      node.name.starts_with(metadata.name) ? node.name.substr(metadata.name.size()) : node.name;
  return metadata.namespace_ + "/" + base + "/" + path;
}

void erase(Value& value, std::string_view key) {
  if (Object* object = value.if_object()) {
    object->erase({key.data(), key.size()});
  }
}

Value* member(Value& value, std::string_view key) {
  Object* object = value.if_object();
  return object == nullptr ? nullptr : object->if_contains({key.data(), key.size()});
}

/// Calls `visit` for each element of the list at `key`.
template <class Visit>
void each(const Value& value, std::string_view key, Visit visit) {
  if (const Value* list = doc::find(value, key); list != nullptr && list->is_array()) {
    for (const Value& element : list->get_array()) {
      visit(element);
    }
  }
}

/// The template without what differs in every run: the places of artifacts, names, deadlines. Their
/// content is told apart.
Value comparable(const Value& resolved) {
  static constexpr std::array<std::string_view, 11> kStores = {
      "archiveLogs", "s3",  "git", "http",  "artifactory", "hdfs",
      "raw",         "oss", "gcs", "azure", "plugin"};
  Value out = resolved;
  for (const std::string_view key : kWithoutEffect) {
    erase(out, key);
  }
  for (const std::string_view side : {std::string_view("inputs"), std::string_view("outputs")}) {
    Value* io = member(out, side);
    Value* artifacts = io == nullptr ? nullptr : member(*io, "artifacts");
    if (artifacts == nullptr || !artifacts->is_array()) {
      continue;
    }
    for (Value& artifact : artifacts->get_array()) {
      for (const std::string_view store : kStores) {
        erase(artifact, store);
      }
      erase(artifact, "from");
    }
  }
  return out;
}

/// ConfigMaps and Secrets that a container's environment reads.
void referenced_objects(const Value& container,
                        std::set<std::pair<std::string, std::string>>& out) {
  each(container, "env", [&](const Value& variable) {
    const Value* from = doc::find(variable, "valueFrom");
    if (from == nullptr) {
      return;
    }
    if (const Value* key = doc::find(*from, "configMapKeyRef")) {
      out.emplace("ConfigMap", doc::find_string(*key, "name"));
    }
    if (const Value* key = doc::find(*from, "secretKeyRef")) {
      out.emplace("Secret", doc::find_string(*key, "name"));
    }
  });
  each(container, "envFrom", [&](const Value& source) {
    if (const Value* reference = doc::find(source, "configMapRef")) {
      out.emplace("ConfigMap", doc::find_string(*reference, "name"));
    }
    if (const Value* reference = doc::find(source, "secretRef")) {
      out.emplace("Secret", doc::find_string(*reference, "name"));
    }
  });
}

/// Why a step's result depends on more than can be compared, or empty.
std::string volume_hinders(const Value& volume,
                           std::set<std::pair<std::string, std::string>>& objects) {
  if (const Value* map = doc::find(volume, "configMap")) {
    objects.emplace("ConfigMap", doc::find_string(*map, "name"));
    return "";
  }
  if (const Value* secret = doc::find(volume, "secret")) {
    objects.emplace("Secret", doc::find_string(*secret, "secretName"));
    return "";
  }
  if (doc::find(volume, "emptyDir") != nullptr || doc::find(volume, "downwardAPI") != nullptr) {
    return "";
  }
  return "it mounts volume " + std::string(doc::find_string(volume, "name")) +
         ", whose content is not compared";
}

std::string outcome_to_json(const PodUpdate& update, const std::string& workflow,
                            const std::string& node) {
  Object out;
  out["workflow"] = workflow;
  out["node"] = node;
  if (update.result) {
    out["result"] = *update.result;
  }
  if (update.exit_code) {
    out["exitCode"] = *update.exit_code;
  }
  doc::Array& parameters = out["parameters"].emplace_array();
  for (const auto& [name, value] : update.parameters) {
    parameters.push_back(Object{{"name", name}, {"value", value}});
  }
  doc::Array& artifacts = out["artifacts"].emplace_array();
  for (const OutputArtifact& artifact : update.artifacts) {
    artifacts.push_back(Object{{"name", artifact.name}, {"location", artifact.location}});
  }
  return doc::to_json(out);
}

std::string last_time_to_json(const LastTime& last) {
  return doc::to_json(Object{
      {"workflow", last.workflow}, {"succeeded", last.succeeded}, {"key", last.key.to_json()}});
}

std::optional<LastTime> last_time_from_json(const std::optional<std::string>& text) {
  if (!text) {
    return std::nullopt;
  }
  const auto document = doc::parse_json(*text);
  if (!document) {
    return std::nullopt;
  }
  auto key = executor::StepKey::from_json(doc::find_string(*document, "key"));
  const Value* succeeded = doc::find(*document, "succeeded");
  if (!key || succeeded == nullptr || !succeeded->is_bool()) {
    return std::nullopt;
  }
  return LastTime{std::string(doc::find_string(*document, "workflow")), succeeded->get_bool(),
                  std::move(*key)};
}

/// Of several differences the one a person would name: an input before what was made of it.
std::string name_difference(const LastTime& last, const executor::StepKey& now) {
  const auto all = executor::differences(last.key, now);
  const executor::KeyDifference* chosen = nullptr;
  for (const std::string_view prefix : {"template.inputs.parameters", "inputs.", "program", ""}) {
    const auto found = std::ranges::find_if(
        all, [&](const auto& difference) { return difference.name.starts_with(prefix); });
    if (found != all.end()) {
      chosen = &*found;
      break;
    }
  }
  if (chosen == nullptr) {
    return "";
  }
  const std::string before = chosen->before ? shorten(*chosen->before) : "absent";
  const std::string after = chosen->after ? shorten(*chosen->after) : "absent";
  return chosen->name + " was " + before + " in " + last.workflow + " and is " + after + " now" +
         (all.size() > 1 ? " (and " + std::to_string(all.size() - 1) + " more)" : "");
}

}  // namespace

struct StepMemory::Impl {
  Impl(Records& records_in, artifacts::Store& store_in, artifacts::FileDigests& digests_in,
       StepMemoryOptions options_in)
      : records(records_in), store(store_in), digests(digests_in), options(std::move(options_in)) {}

  struct Asked {
    executor::StepKey key;
    std::string place;
    bool recalled = false;
  };

  /// The key, or why the step cannot be compared.
  std::expected<executor::StepKey, std::string> key_of(const Engine& engine,
                                                       const Value& resolved) {
    std::set<std::pair<std::string, std::string>> objects;
    std::vector<executor::InputDigest> inputs;
    if (std::string why = read_inputs(resolved, inputs); !why.empty()) {
      return std::unexpected(why);
    }
    const Value* script = doc::find(resolved, "script");
    const Value* container = script != nullptr ? script : doc::find(resolved, "container");
    if (container == nullptr) {
      return std::unexpected("only container and script templates are compared");
    }
    referenced_objects(*container, objects);
    if (std::string why = read_volumes(engine, resolved, *container, objects); !why.empty()) {
      return std::unexpected(why);
    }
    for (const auto& [kind, name] : objects) {
      const Value* object = options.object ? options.object(kind, name) : nullptr;
      const Value* data = object == nullptr ? nullptr : doc::find(*object, "data");
      inputs.push_back(
          {kind + "." + name,
           data == nullptr ? "" : artifacts::sha256_hex(doc::to_json(*data, {.sort_keys = true}))});
    }
    std::vector<executor::Program> started;
    if (std::string why = read_programs(*container, started); !why.empty()) {
      return std::unexpected(why);
    }
    return executor::step_key(comparable(resolved), inputs, started);
  }

  std::string read_inputs(const Value& resolved, std::vector<executor::InputDigest>& out) {
    const Value* inputs = doc::find(resolved, "inputs");
    std::string why;
    if (inputs == nullptr) {
      return why;
    }
    each(*inputs, "artifacts", [&](const Value& artifact) {
      const std::string name(doc::find_string(artifact, "name"));
      const auto decoded = store.stat(location_of(artifact));
      const Value* optional = doc::find(artifact, "optional");
      if (decoded) {
        out.push_back({name, decoded->digest});
      } else if (optional != nullptr && optional->is_bool() && optional->get_bool()) {
        out.push_back({name, ""});
      } else {
        why = "input artifact " + name + " cannot be read: " + decoded.error().message;
      }
    });
    return why;
  }

  std::string read_volumes(const Engine& engine, const Value& resolved, const Value& container,
                           std::set<std::pair<std::string, std::string>>& objects) {
    std::map<std::string, const Value*> volumes;
    for (const Value* document : {&engine.spec().document, &resolved}) {
      each(*document, "volumes", [&](const Value& volume) {
        volumes[std::string(doc::find_string(volume, "name"))] = &volume;
      });
    }
    std::string why;
    each(container, "volumeMounts", [&](const Value& mount) {
      const std::string name(doc::find_string(mount, "name"));
      const auto volume = volumes.find(name);
      const std::string hinders =
          volume == volumes.end() ? "it mounts volume " + name + ", whose content is not compared"
                                  : volume_hinders(*volume->second, objects);
      why = why.empty() ? hinders : why;
    });
    return why;
  }

  std::string read_programs(const Value& container, std::vector<executor::Program>& out) {
    std::string command;
    each(container, "command", [&](const Value& part) {
      if (command.empty() && part.is_string()) {
        command = doc::text_of(part.get_string());
      }
    });
    if (command.empty()) {
      return "the program it runs is not named";
    }
    const auto known = programs.find(command);
    if (known != programs.end()) {
      out = known->second;
      return "";
    }
    executor::ProgramSearch search;
    search.path = options.path;
    auto found = executor::programs_of(command, search, digests);
    if (!found) {
      return found.error().message;
    }
    out = *found;
    programs.emplace(command, std::move(*found));
    return "";
  }

  static Value location_of(const Value& artifact) {
    Object out;
    for (const auto& [key, value] : artifact.get_object()) {
      if (value.is_object() && key != "archive" && key != "artifactGC") {
        out[key] = value;
      }
    }
    return out;
  }

  /// A recorded outcome as this run's, its artifacts linked to where this run keeps them; or why
  /// not.
  std::expected<PodUpdate, std::string> take_over(const Engine& engine, const CreatePod& step,
                                                  const std::string& record) {
    const auto document = doc::parse_json(record);
    if (!document) {
      return std::unexpected("its record is damaged");
    }
    PodUpdate update;
    update.node = step.node;
    update.phase = PodPhase::succeeded;
    if (const Value* result = doc::find(*document, "result")) {
      update.result = std::string(doc::text_of(result->get_string()));
    }
    update.exit_code = std::string(doc::find_string(*document, "exitCode"));
    each(*document, "parameters", [&](const Value& parameter) {
      update.parameters.emplace_back(doc::find_string(parameter, "name"),
                                     doc::find_string(parameter, "value"));
    });
    const executor::StepPlan plan = step_plan(engine, step, options.pods);
    std::string why;
    each(*document, "artifacts", [&](const Value& artifact) {
      const std::string name(doc::find_string(artifact, "name"));
      const Value& from = *doc::find(artifact, "location");
      const auto wanted =
          std::ranges::find(plan.output_artifacts, name, &executor::OutputArtifact::name);
      const Value& to = wanted == plan.output_artifacts.end() ? from : wanted->location;
      if (why.empty() && !store.stat(from)) {
        why = "artifact " + name + " of the earlier result is gone";
      } else if (why.empty() && to != from) {
        if (const auto linked = store.link(from, to); !linked) {
          why = "artifact " + name +
                " of the earlier result cannot be used: " + linked.error().message;
        }
      }
      update.artifacts.push_back({name, artifacts_location(to)});
    });
    if (!why.empty()) {
      return std::unexpected(why);
    }
    return update;
  }

  static Value artifacts_location(const Value& location) {
    return artifacts::without_store_details(location);
  }

  Records& records;
  artifacts::Store& store;
  artifacts::FileDigests& digests;
  StepMemoryOptions options;
  std::map<std::string, std::vector<executor::Program>> programs;
  std::map<std::pair<std::string, NodeIndex>, Asked> asked;
};

StepMemory::StepMemory(Records& records, artifacts::Store& store, artifacts::FileDigests& digests,
                       StepMemoryOptions options)
    : impl_(std::make_unique<Impl>(records, store, digests, std::move(options))) {}

StepMemory::~StepMemory() = default;

std::optional<PodUpdate> StepMemory::recall(const Engine& engine, const CreatePod& step,
                                            std::string_view workflow_uid) {
  Impl& impl = *impl_;
  const Node& node = engine.nodes()[step.node];
  const std::string why_key =
      "why/" + std::string(workflow_uid) + "/" + engine.nodes().id(step.node);
  const auto resolved = doc::parse_json(step.template_json);
  CHECK(resolved, "a template's text is JSON");
  const auto key = impl.key_of(engine, *resolved);
  if (!key) {
    impl.records.put(why_key, "ran: " + key.error());
    return std::nullopt;
  }
  const std::string place = place_of(engine, node);
  const auto last = last_time_from_json(impl.records.find("step/" + place));
  const auto record = impl.records.find("key/" + key->digest);
  std::optional<PodUpdate> known;
  std::string why;
  if (impl.options.reuse && record) {
    auto taken = impl.take_over(engine, step, *record);
    if (taken) {
      known = std::move(*taken);
      const auto source = doc::parse_json(*record);
      why = "did not run: the result of " + std::string(doc::find_string(*source, "node")) +
            " was reused, everything it depends on is the same";
      impl.records.touch("key/" + key->digest);
    } else {
      why = "ran: " + taken.error();
    }
  } else if (!impl.options.reuse && record) {
    why = "ran: reuse was not asked for (--reuse); everything it depends on is the same as before";
  } else if (!last) {
    why = "ran: nothing is known of an earlier run of this step";
  } else if (last->key.digest == key->digest) {
    why = last->succeeded ? "ran: its earlier result is not kept any more"
                          : "ran: the last time, in " + last->workflow + ", it did not succeed";
  } else {
    why = "ran: " + name_difference(*last, *key);
  }
  impl.records.put(why_key, why);
  impl.records.put("step/" + place,
                   last_time_to_json({engine.metadata().name, known.has_value(), *key}));
  impl.asked[{std::string(workflow_uid), step.node}] = {*key, place, known.has_value()};
  return known;
}

void StepMemory::remember(const Engine& engine, const PodUpdate& update,
                          std::string_view workflow_uid) {
  Impl& impl = *impl_;
  const auto asked = impl.asked.find({std::string(workflow_uid), update.node});
  if (asked == impl.asked.end()) {
    return;
  }
  if (update.phase == PodPhase::succeeded && !asked->second.recalled) {
    const std::string& name = engine.nodes()[update.node].name;
    impl.records.put("key/" + asked->second.key.digest,
                     outcome_to_json(update, engine.metadata().name, name));
    impl.records.put("step/" + asked->second.place,
                     last_time_to_json({engine.metadata().name, true, asked->second.key}));
  }
  impl.asked.erase(asked);
}

bool StepMemory::was_recalled(std::string_view workflow_uid, NodeIndex node) const {
  const auto asked = impl_->asked.find({std::string(workflow_uid), node});
  return asked != impl_->asked.end() && asked->second.recalled;
}

std::optional<std::string> StepMemory::explain(const Records& records,
                                               std::string_view workflow_uid,
                                               std::string_view node_id) {
  return records.find("why/" + std::string(workflow_uid) + "/" + std::string(node_id));
}

}  // namespace tiphys::workflows

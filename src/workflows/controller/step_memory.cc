#include "workflows/controller/step_memory.h"

#include "workflows/controller/place.h"
#include "workflows/controller/reason.h"
#include "workflows/engine/pod.h"
#include "workflows/engine/repository.h"

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

/// What is known of the last time a step of this place was decided on.
struct LastTime {
  std::string workflow;
  bool succeeded = false;
  std::string digest;  ///< of its key; the key itself is kept under "parts/<digest>"
};

/// The Workflow's base name and the step's place in it (place.h).
std::string place_of(const Engine& engine, const Node& node) {
  const Metadata& metadata = engine.metadata();
  const std::string& base =
      metadata.generate_name.empty() ? engine.spec().entrypoint : metadata.generate_name;
  std::string path;
  const Node* at = &node;
  while (at->boundary != kNoNode) {
    const Node& boundary = engine.nodes()[at->boundary];
    path.insert(0, without_item(std::string_view(at->name).substr(
                       std::min(boundary.name.size(), at->name.size()))));
    at = &boundary;
  }
  const std::string_view root = at->name;
  path.insert(0, root.starts_with(metadata.name) ? root.substr(metadata.name.size()) : root);
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
      erase(artifact, "artifactGC");
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

/// What else than the main container a step's result may depend on, or empty.
std::string further_hinders(const Engine& engine, const PodSettings& pods, const Value& resolved) {
  if (!pods.main_container.is_null()) {
    return "the configuration has settings for main containers";
  }
  for (const std::string_view list : {"sidecars", "initContainers"}) {
    const Value* containers = doc::find(resolved, list);
    if (containers != nullptr && containers->is_array() && !containers->get_array().empty()) {
      return "it has " + std::string(list) + ", whose programs are not compared";
    }
  }
  const Value* daemon = doc::find(resolved, "daemon");
  if (daemon != nullptr && daemon->is_bool() && daemon->get_bool()) {
    return "others need it running";
  }
  return doc::find_string(engine.spec().document, "podSpecPatch").empty()
             ? ""
             : "the workflow patches its pod";
}

bool has_artifacts(const Value& resolved) {
  return std::ranges::any_of(std::array{"inputs", "outputs"}, [&](std::string_view side) {
    const Value* io = doc::find(resolved, side);
    const Value* artifacts = io == nullptr ? nullptr : doc::find(*io, "artifacts");
    return artifacts != nullptr && artifacts->is_array() && !artifacts->get_array().empty();
  });
}

/// `captured`: standard output was kept as the step's result.
std::string outcome_to_json(const PodUpdate& update, const Engine& engine, bool captured) {
  Object out;
  out["workflow"] = engine.metadata().name;
  out["node"] = engine.nodes()[update.node].name;
  if (captured) {
    out["result"] = update.result.value_or("");
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
    artifacts.push_back(
        Object{{"name", artifact.name},
               {"location", stored_location(artifact.location, engine.artifact_repository_ref())},
               {"digest", artifact.digest}});
  }
  return doc::to_json(out);
}

std::string last_time_to_json(const LastTime& last) {
  return doc::to_json(
      Object{{"workflow", last.workflow}, {"succeeded", last.succeeded}, {"digest", last.digest}});
}

std::optional<LastTime> last_time_from_json(const std::optional<std::string>& text) {
  if (!text) {
    return std::nullopt;
  }
  const auto document = doc::parse_json(*text);
  const Value* succeeded = document ? doc::find(*document, "succeeded") : nullptr;
  if (succeeded == nullptr || !succeeded->is_bool()) {
    return std::nullopt;
  }
  return LastTime{std::string(doc::find_string(*document, "workflow")), succeeded->get_bool(),
                  std::string(doc::find_string(*document, "digest"))};
}

/// A part's value as a person writes it.
std::optional<std::string> readable(const std::optional<std::string>& value) {
  const auto parsed = value ? doc::parse_json(*value) : Result<Value>(Value());
  return parsed && parsed->is_string() ? std::string(doc::text_of(parsed->get_string())) : value;
}

/// "template.inputs.parameters[2].value" as "parameter.<its name>"; others as they are.
std::string readable_name(const std::string& name, const executor::StepKey& key) {
  constexpr std::string_view kPrefix = "template.inputs.parameters[";
  constexpr std::string_view kSuffix = "].value";
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) {
    return name;
  }
  const std::string sibling = name.substr(0, name.size() - kSuffix.size()) + "].name";
  const auto found = std::ranges::find(key.parts, sibling, &executor::KeyPart::name);
  return found == key.parts.end() ? name : "parameter." + *readable(found->value);
}

/// What a person would name, causes in front: parameters, other inputs, programs. The template's
/// text has these filled in and counts only when none of them differs.
void note_differences(const executor::StepKey& before, const executor::StepKey& now,
                      Reason& reason) {
  const std::vector<executor::KeyDifference> all = executor::differences(before, now);
  const auto rank = [](const executor::KeyDifference& difference) {
    return difference.name.starts_with("template.inputs.parameters") ? 0
           : difference.name.starts_with("inputs.")                  ? 1
           : difference.name.starts_with("program.")                 ? 2
                                                                     : 3;
  };
  const bool has_input = std::ranges::any_of(all, [&](const auto& d) { return rank(d) < 2; });
  for (int wanted = 0; wanted <= (has_input ? 2 : 3); ++wanted) {
    for (const executor::KeyDifference& difference : all) {
      if (rank(difference) != wanted) {
        continue;
      }
      if (reason.differences.size() == Reason::kMaximumDifferences) {
        ++reason.further;
        continue;
      }
      reason.differences.push_back({readable_name(difference.name, now),
                                    readable(difference.before), readable(difference.after)});
    }
  }
}

}  // namespace

struct StepMemory::Impl {
  Impl(Records& records_in, artifacts::Store& store_in, artifacts::FileDigests& digests_in,
       StepMemoryOptions options_in)
      : records(records_in), store(store_in), digests(digests_in), options(std::move(options_in)) {}

  struct Asked {
    executor::StepKey key;
    std::string place;
    bool captures_result = false;
    bool recalled = false;
  };

  /// The key, or why the step cannot be compared.
  std::expected<executor::StepKey, std::string> key_of(const Engine& engine, const CreatePod& step,
                                                       const Value& resolved,
                                                       std::set<std::string>& commands) {
    std::set<std::pair<std::string, std::string>> objects;
    std::vector<executor::InputDigest> inputs;
    if (std::string why = read_inputs(step, resolved, inputs); !why.empty()) {
      return std::unexpected(why);
    }
    const Value* script = doc::find(resolved, "script");
    const Value* container = script != nullptr ? script : doc::find(resolved, "container");
    if (container == nullptr) {
      return std::unexpected("only container and script templates are compared");
    }
    if (std::string why = further_hinders(engine, options.pods, resolved); !why.empty()) {
      return std::unexpected(why);
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
    if (std::string why = read_programs(*container, started, commands); !why.empty()) {
      return std::unexpected(why);
    }
    return executor::step_key(comparable(resolved), inputs, started);
  }

  std::string read_inputs(const CreatePod& step, const Value& resolved,
                          std::vector<executor::InputDigest>& out) {
    const Value* inputs = doc::find(resolved, "inputs");
    if (inputs == nullptr || doc::find(*inputs, "artifacts") == nullptr) {
      return "";
    }
    for (const executor::InputArtifact& artifact : step_plan(step).input_artifacts) {
      const auto stored = store.stat(artifact.location);
      if (!stored && !artifact.optional) {
        return "input artifact " + artifact.name + " cannot be read: " + stored.error().message;
      }
      out.push_back({artifact.name, stored ? stored->digest : ""});
    }
    return "";
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

  std::string read_programs(const Value& container, std::vector<executor::Program>& out,
                            std::set<std::string>& commands) {
    std::string command;
    each(container, "command", [&](const Value& part) {
      if (command.empty() && part.is_string()) {
        command = doc::text_of(part.get_string());
      }
    });
    if (command.empty()) {
      return "the program it runs is not named";
    }
    const auto found = find_programs(command);
    if (!found) {
      return found.error();
    }
    out = **found;
    commands.insert(std::move(command));
    return "";
  }

  std::expected<const std::vector<executor::Program>*, std::string> find_programs(
      const std::string& command) {
    const auto known = programs.find(command);
    if (known != programs.end()) {
      return &known->second;
    }
    executor::ProgramSearch search;
    search.path = options.path;
    auto found = executor::programs_of(command, search, digests);
    if (!found) {
      return std::unexpected(found.error().message);
    }
    return &programs.emplace(command, std::move(*found)).first->second;
  }

  /// The outcome when it is known and may be used, and the reason either way.
  std::optional<PodUpdate> decide(const CreatePod& step, const executor::StepKey& key,
                                  const std::string& place, Reason& reason) {
    const auto record = records.find("key/" + key.digest);
    if (record && options.reuse) {
      const auto document = doc::parse_json(*record);
      auto taken = document ? take_over(step, *document)
                            : std::expected<PodUpdate, std::string>(
                                  std::unexpect, "what is written down of it is damaged");
      reason.kind = taken ? Reason::Kind::reused : Reason::Kind::unusable;
      reason.run = document ? doc::find_string(*document, "workflow") : "";
      if (taken) {
        reason.node = doc::find_string(*document, "node");
        records.touch("key/" + key.digest);
        records.touch("parts/" + key.digest);
        return std::move(*taken);
      }
      reason.detail = taken.error();
      return std::nullopt;
    }
    const auto last = last_time_from_json(records.find("step/" + place));
    if (!last) {
      reason.kind = record ? Reason::Kind::not_asked : Reason::Kind::first_time;
      return std::nullopt;
    }
    reason.run = last->workflow;
    if (last->digest == key.digest) {
      reason.kind = record            ? Reason::Kind::not_asked
                    : last->succeeded ? Reason::Kind::not_kept
                                      : Reason::Kind::failed_before;
      return std::nullopt;
    }
    const auto parts = records.find("parts/" + last->digest);
    const auto before =
        parts ? executor::StepKey::from_json(*parts) : fail(ErrorCode::not_found, "no parts");
    reason.kind = before ? Reason::Kind::changed : Reason::Kind::first_time;
    if (before) {
      note_differences(*before, key, reason);
    }
    return std::nullopt;
  }

  /// A recorded outcome as this run's, its artifacts linked to where this run keeps them; or why
  /// not.
  std::expected<PodUpdate, std::string> take_over(const CreatePod& step, const Value& record) {
    if (doc::find_string(record, "node").empty()) {
      return std::unexpected("what is written down of it is damaged");
    }
    PodUpdate update;
    update.node = step.node;
    update.phase = PodPhase::succeeded;
    if (const Value* result = doc::find(record, "result"); result != nullptr) {
      update.result = std::string(doc::find_string(record, "result"));
    } else if (step.capture_result) {
      return std::unexpected("its standard output was not kept");
    }
    update.exit_code = std::string(doc::find_string(record, "exitCode"));
    each(record, "parameters", [&](const Value& parameter) {
      update.parameters.emplace_back(doc::find_string(parameter, "name"),
                                     doc::find_string(parameter, "value"));
    });
    const executor::StepPlan plan = step_plan(step);
    std::string why;
    std::size_t logs = 0;
    each(record, "artifacts", [&](const Value& artifact) {
      const std::string_view name = doc::find_string(artifact, "name");
      const auto output =
          std::ranges::find(plan.output_artifacts, name, &executor::OutputArtifact::name);
      const auto log = std::ranges::find(plan.logs, name, &executor::LogArtifact::name);
      if (!why.empty()) {
        return;
      }
      if (output != plan.output_artifacts.end()) {
        why = take_over_artifact(artifact, output->location, output->reported, update);
      } else if (log != plan.logs.end()) {
        why = take_over_artifact(artifact, log->location, log->reported, update);
        ++logs;
      }
    });
    if (why.empty() && logs != plan.logs.size()) {
      why = "what it wrote was not kept";
    }
    if (!why.empty()) {
      return std::unexpected(why);
    }
    return update;
  }

  /// Links one artifact to `to`; why it cannot be used, or empty.
  std::string take_over_artifact(const Value& artifact, const Value& to, const Value& reported,
                                 PodUpdate& update) {
    const std::string name(doc::find_string(artifact, "name"));
    const Value* from = doc::find(artifact, "location");
    if (from == nullptr) {
      return "what is written down of it is damaged";
    }
    const auto stored = store.stat(*from);
    if (!stored) {
      return "its artifact " + name + " is gone";
    }
    const std::string_view digest = doc::find_string(artifact, "digest");
    if (stored->digest != digest) {
      return "its artifact " + name + " has been replaced since";
    }
    if (to != *from) {
      if (const auto linked = store.link(*from, to); !linked) {
        return "its artifact " + name + " cannot be used: " + linked.error().message;
      }
    }
    update.artifacts.push_back({name, reported, std::string(digest)});
    return "";
  }

  Records& records;
  artifacts::Store& store;
  artifacts::FileDigests& digests;
  StepMemoryOptions options;
  std::map<std::string, std::vector<executor::Program>> programs;
  std::map<std::pair<std::string, NodeIndex>, Asked> asked;
  std::map<std::string, RunFacts, std::less<>> facts;
};

StepMemory::StepMemory(Records& records, artifacts::Store& store, artifacts::FileDigests& digests,
                       StepMemoryOptions options)
    : impl_(std::make_unique<Impl>(records, store, digests, std::move(options))) {}

StepMemory::~StepMemory() = default;

std::optional<PodUpdate> StepMemory::recall(const Engine& engine, const CreatePod& step,
                                            std::string_view workflow_uid) {
  Impl& impl = *impl_;
  const Node& node = engine.nodes()[step.node];
  const std::string why_key = reason_key(workflow_uid, engine.nodes().id(step.node));
  const auto resolved = doc::parse_json(step.template_json);
  CHECK(resolved, "a template's text is JSON");
  Reason reason;
  std::optional<PodUpdate> known;
  RunFacts& facts = impl.facts[std::string(workflow_uid)];
  auto key = impl.key_of(engine, step, *resolved, facts.commands);
  facts.plain = facts.plain && key && !has_artifacts(*resolved) && !step.archive_logs;
  if (key) {
    const std::string place = place_of(engine, node);
    known = impl.decide(step, *key, place, reason);
    facts.steps += known ? 1 : 0;
    if (known) {
      impl.records.put("step/" + place,
                       last_time_to_json({engine.metadata().name, true, key->digest}));
    }
    impl.asked[{std::string(workflow_uid), step.node}] = {std::move(*key), place,
                                                          step.capture_result, known.has_value()};
  } else {
    reason.kind = Reason::Kind::not_comparable;
    reason.detail = key.error();
  }
  if (!known) {
    if (const auto before = impl.records.find(why_key)) {
      reason = Reason::from_json(*before).value_or(reason);
      reason.again = true;
    }
  }
  impl.records.put(why_key, reason.to_json());
  return known;
}

void StepMemory::remember(const Engine& engine, const PodUpdate& update,
                          std::string_view workflow_uid) {
  Impl& impl = *impl_;
  const auto found = impl.asked.find({std::string(workflow_uid), update.node});
  if (found == impl.asked.end() || found->second.recalled) {
    return;
  }
  const Impl::Asked asked = std::move(found->second);
  impl.asked.erase(found);
  const std::string& digest = asked.key.digest;
  const bool succeeded = update.phase == PodPhase::succeeded;
  if (succeeded) {
    RunFacts& facts = impl.facts[std::string(workflow_uid)];
    ++facts.steps;
    facts.plain = facts.plain && update.artifacts.empty();
    impl.records.put("key/" + digest, outcome_to_json(update, engine, asked.captures_result));
  }
  impl.records.put("parts/" + digest, asked.key.to_json());
  impl.records.put("step/" + asked.place,
                   last_time_to_json({engine.metadata().name, succeeded, digest}));
}

StepMemory::RunFacts StepMemory::facts_of(std::string_view workflow_uid) const {
  const auto found = impl_->facts.find(workflow_uid);
  return found == impl_->facts.end() ? RunFacts{} : found->second;
}

std::expected<std::string, std::string> StepMemory::programs_of(const std::string& command) {
  const auto programs = impl_->find_programs(command);
  if (!programs) {
    return std::unexpected(programs.error());
  }
  std::string out;
  for (const executor::Program& program : **programs) {
    out += program.path.string() + " sha256:" + program.digest + "\n";
  }
  return out;
}

bool StepMemory::was_recalled(std::string_view workflow_uid, NodeIndex node) const {
  const auto asked = impl_->asked.find({std::string(workflow_uid), node});
  return asked != impl_->asked.end() && asked->second.recalled;
}

}  // namespace tiphys::workflows

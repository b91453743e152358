#include "workflows/controller/run_memory.h"

#include "artifacts/digest.h"
#include "workflows/controller/reason.h"
#include "workflows/engine/globals.h"
#include "workflows/engine/status.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace tiphys::workflows {
namespace {

using doc::Object;
using doc::Value;

/// Changes when the meaning of a record changes.
constexpr std::string_view kVersion = "tiphys run key 1";
constexpr std::string_view kOwnPrefix = "workflows.argoproj.io/";

std::string_view trim(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(" \t\n"), text.size());
  const std::size_t end = text.find_last_not_of(" \t\n");
  return end == std::string_view::npos ? "" : text.substr(first, end + 1 - first);
}

/// Whether what a tag stands for follows from the manifests and the steps' results alone.
bool same_in_every_run(std::string_view tag) {
  static constexpr std::array<std::string_view, 7> kPlain = {
      "inputs.",         "outputs.",          "item", "workflow.parameters", "workflow.outputs.",
      "workflow.status", "workflow.namespace"};
  if (std::ranges::any_of(kPlain, [&](std::string_view start) { return tag.starts_with(start); })) {
    return true;
  }
  return (tag.starts_with("steps.") || tag.starts_with("tasks.")) &&
         (tag.find(".outputs.") != std::string_view::npos || tag.ends_with(".status") ||
          tag.ends_with(".exitCode"));
}

/// Whether a manifest's text says nothing that differs from run to run. Tags are known one by one;
/// expressions may read clocks and chance, so none counts as known.
bool says_the_same(std::string_view text) {
  for (const std::string_view word : {"\"expression\"", "\"suspend\"", "\"shutdown\""}) {
    if (text.find(word) != std::string_view::npos) {
      return false;
    }
  }
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
    at += 2;
    const std::size_t end = text.find("}}", at);
    if (end == std::string_view::npos || !same_in_every_run(trim(text.substr(at, end - at)))) {
      return false;
    }
  }
  return true;
}

/// Nodes that a step's key stands for, and those that follow from their steps; whether a node's
/// cache still knows it does not.
bool follows_from_steps(const Node& node) {
  const bool known = node.type == NodeType::pod || node.type == NodeType::steps ||
                     node.type == NodeType::step_group || node.type == NodeType::dag ||
                     node.type == NodeType::task_group || node.type == NodeType::retry ||
                     node.type == NodeType::skipped;
  return known && fulfilled(node.phase) && !failed_or_error(node.phase) && !node.daemoned &&
         !node.extras;
}

void add_own_entries(const Value& from, Object& metadata, std::string_view key) {
  const Value* before = doc::find(from, key);
  if (before == nullptr || !before->is_object()) {
    return;
  }
  Value& entries = metadata[{key.data(), key.size()}];
  if (!entries.is_object()) {
    entries.emplace_object();
  }
  for (const auto& [name, value] : before->get_object()) {
    if (std::string_view(name).starts_with(kOwnPrefix)) {
      entries.get_object()[name] = value;
    }
  }
}

}  // namespace

RunMemory::RunMemory(Records& records, const kube::Api& api, StepMemory& steps, bool reuse,
                     std::string path)
    : records_(records), api_(api), steps_(steps), reuse_(reuse), path_(std::move(path)) {}

std::optional<std::string> RunMemory::digest_of(const kube::Object& workflow) const {
  artifacts::Sha256 hash;
  hash.update_text(kVersion);
  hash.update_text(path_);
  hash.update_text(workflow.key().namespace_);
  bool same = true;
  const auto add = [&](const Value& document, std::string_view key) {
    const Value* part = doc::find(document, key);
    const std::string text =
        part == nullptr ? "" : doc::to_json(*part, {.escape_html = false, .sort_keys = true});
    hash.update_text(key);
    hash.update_text(text);
    same = same && says_the_same(text);
  };
  const Value* metadata = doc::find(workflow.document(), "metadata");
  add(workflow.document(), "spec");
  add(*metadata, "labels");
  add(*metadata, "annotations");
  for (const std::string_view kind :
       {"WorkflowTemplate", "ClusterWorkflowTemplate", "ConfigMap", "Secret"}) {
    for (const kube::ObjectRef& object : api_.list(kind, "", {})) {
      hash.update_text(kube::describe(object->key()));
      hash.update_text(object->key().namespace_);
      for (const std::string_view key : {"spec", "data", "stringData", "binaryData"}) {
        add(object->document(), key);
      }
    }
  }
  return same ? std::optional(artifacts::to_hex(hash.finish())) : std::nullopt;
}

std::optional<RecalledRun> RunMemory::recall(const kube::Object& workflow, TimePoint now) {
  const auto digest = digest_of(workflow);
  if (!digest) {
    return std::nullopt;
  }
  digests_[workflow.uid()] = *digest;
  const auto record = reuse_ ? records_.find("run/" + *digest) : std::nullopt;
  const auto document = record ? doc::parse_json(*record) : Result<Value>(Value());
  if (!document || document->is_null() || !same_programs(*document)) {
    return std::nullopt;
  }
  auto known = take_over(workflow, *document, now);
  if (known) {
    digests_.erase(workflow.uid());
    put(*digest, workflow.key().name, workflow.uid(), time_text(now),
        *doc::find(*document, "programs"));
    Reason reason;
    reason.kind = Reason::Kind::reused;
    reason.run = known->source;
    records_.put(reason_key(workflow.uid(), ""), reason.to_json());
  }
  return known;
}

std::optional<RecalledRun> RunMemory::take_over(const kube::Object& workflow, const Value& record,
                                                TimePoint now) {
  const std::string source(doc::find_string(record, "workflow"));
  const kube::ObjectRef earlier = api_.get({"Workflow", workflow.key().namespace_, source});
  const Value* status = earlier == nullptr ? nullptr : doc::find(earlier->document(), "status");
  // The same run still, and nothing has been done to it since.
  if (status == nullptr || earlier->uid() != doc::find_string(record, "uid") ||
      doc::find_string(*status, "phase") != "Succeeded" ||
      doc::find_string(*status, "finishedAt") != doc::find_string(record, "finishedAt")) {
    return std::nullopt;
  }
  auto rows = api_.rows(earlier->uid());
  if (!rows || rows->empty()) {
    return std::nullopt;
  }
  for (kube::Row& row : *rows) {
    auto own = row_in_other_run(row.bytes, source, workflow.key().name, now);
    if (!own) {
      return std::nullopt;
    }
    row.bytes = std::move(*own);
  }
  Value document = workflow.document();
  Object& object = document.as_object();
  object["status"] = *status;
  for (const std::string_view key : {"startedAt", "finishedAt"}) {
    object["status"].as_object()[{key.data(), key.size()}] = time_text(now);
  }
  Object& metadata = object["metadata"].as_object();
  metadata.erase("resourceVersion");
  const Value* before = doc::find(earlier->document(), "metadata");
  add_own_entries(*before, metadata, "labels");
  add_own_entries(*before, metadata, "annotations");
  return RecalledRun{std::move(document), std::move(*rows), source};
}

bool RunMemory::same_programs(const Value& record) {
  const Value* programs = doc::find(record, "programs");
  if (programs == nullptr || !programs->is_object()) {
    return false;
  }
  return std::ranges::all_of(programs->get_object(), [&](const auto& entry) {
    const auto now = steps_.programs_of(std::string(entry.key()));
    return now && entry.value().is_string() && doc::text_of(entry.value().get_string()) == *now;
  });
}

void RunMemory::put(const std::string& digest, std::string_view name, std::string_view uid,
                    std::string_view finished, const Value& programs) {
  records_.put(
      "run/" + digest,
      doc::to_json(Object{
          {"workflow", name}, {"uid", uid}, {"finishedAt", finished}, {"programs", programs}}));
}

void RunMemory::remember(const Engine& engine) {
  const std::string& uid = engine.metadata().uid;
  const auto digest = digests_.find(uid);
  if (digest == digests_.end()) {
    return;
  }
  const std::string known = std::move(digest->second);
  digests_.erase(digest);
  const StepMemory::RunFacts facts = steps_.facts_of(uid);
  if (engine.phase() != RunPhase::succeeded || !facts.plain) {
    return;
  }
  std::size_t steps = 0;
  for (NodeIndex node = 0; node < engine.nodes().size(); ++node) {
    if (!follows_from_steps(engine.nodes()[node])) {
      return;
    }
    steps += engine.nodes()[node].type == NodeType::pod ? 1 : 0;
  }
  if (steps != facts.steps) {
    return;
  }
  Object programs;
  for (const std::string& command : facts.commands) {
    auto now = steps_.programs_of(command);
    if (!now) {
      return;
    }
    programs[command] = *now;
  }
  const Value document = engine.workflow(Engine::WithNodes::no);
  put(known, engine.metadata().name, uid,
      doc::find_string(*doc::find(document, "status"), "finishedAt"), programs);
}

}  // namespace tiphys::workflows

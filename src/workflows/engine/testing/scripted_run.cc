#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows::testing {
namespace {

std::string run_key(const Engine& engine) {
  const Metadata& metadata = engine.metadata();
  return holder_text(metadata.namespace_.empty() ? "default" : metadata.namespace_, metadata.name);
}

}  // namespace

const doc::Value* CachingReferences::current_config_map(std::string_view name) const {
  const auto found = caches_.find(name);
  return found == caches_.end() ? below_.current_config_map(name) : &found->second;
}

void CachingReferences::store(std::span<const CacheEntry> entries) {
  for (const CacheEntry& entry : entries) {
    caches_[entry.config_map] = with_cache_entries(current_config_map(entry.config_map), "default",
                                                   entry.config_map, entries);
  }
}

ScriptedRun::ScriptedRun(Script script, const References& references, EngineConfig config,
                         Checks checks)
    : script_(std::move(script)),
      references_(std::make_unique<CachingReferences>(references)),
      locks_(std::make_unique<LockTable>(
          [below = references_.get()](const LockName& name) -> std::optional<std::int64_t> {
            return semaphore_limit(below->current_config_map(name.name), name.key);
          })),
      config_(std::move(config)),
      checks_(checks) {
  config_.locks = locks_.get();
}

Result<ScriptedRun> ScriptedRun::create(const doc::Value& workflow, const References& references,
                                        Script script, EngineConfig config, Checks checks) {
  ScriptedRun out(std::move(script), references, std::move(config), checks);
  TRY(out.engine_, Engine::create(workflow, *out.references_, out.config_));
  out.stored_workflow_ = workflow;
  return out;
}

Result<> ScriptedRun::start() { return apply(Start{}); }

Result<> ScriptedRun::run() {
  TRY_VOID(start());
  for (;;) {
    TRY(const bool happened, step());
    if (!happened) {
      return {};
    }
  }
}

Result<> ScriptedRun::apply(const Event& event) {
  TRY_VOID(apply_more(event));
  return tell_granted();
}

Result<> ScriptedRun::tell_granted() {
  for (auto granted = locks_->take_granted(); !granted.empty(); granted = locks_->take_granted()) {
    for (const LockTable::Grant& grant : granted) {
      if (grant.run == run_key(*engine_)) {
        TRY_VOID(apply_more(LocksFree{engine_->nodes().find_id(grant.node).value_or(kNoNode)}));
      }
    }
  }
  return {};
}

Result<> ScriptedRun::apply_more(const Event& event) {
  bool more = false;
  TRY_VOID(apply_once(event, more));
  while (more) {
    TRY_VOID(apply_once(Continue{}, more));
  }
  return {};
}

Result<> ScriptedRun::apply_once(const Event& event, bool& more) {
  ++events_;
  std::optional<LockTable> shadow_locks;
  std::optional<Engine> shadow;
  if (checks_ == Checks::restore) {
    shadow_locks.emplace(*locks_, run_key(*engine_));
    TRY(shadow, restored(*shadow_locks));
    if (locks_->describe() != shadow_locks->describe()) {
      return fail(ErrorCode::internal, "a restored lock table differs:\n live " +
                                           locks_->describe() + "\n restored " +
                                           shadow_locks->describe());
    }
  }
  TRY(const Decisions decisions, engine_->apply(event, now_));
  if (shadow) {
    TRY(const Decisions other, shadow->apply(event, now_));
    store(decisions);
    TRY_VOID(compare(decisions, other, *shadow));
  }
  more = decisions.more;
  return carry_out(decisions);
}

std::optional<TimePoint> ScriptedRun::next_time() const {
  if (engine_->finished()) {
    return std::nullopt;
  }
  auto next = engine_->next_wake();
  if (!ends_.empty() && (!next || ends_.top().at < *next)) {
    next = ends_.top().at;
  }
  return next ? std::optional(std::max(*next, now_)) : std::nullopt;
}

Result<bool> ScriptedRun::step() {
  if (engine_->finished()) {
    return false;
  }
  const auto wake = engine_->next_wake();
  const bool pod_first = !ends_.empty() && (!wake || ends_.top().at <= *wake);
  if (!pod_first && !wake) {
    return false;
  }
  if (!pod_first) {
    now_ = std::max(now_, *wake);
    TRY_VOID(apply(Continue{}));
    return true;
  }
  const PodEnd end = ends_.top();
  ends_.pop();
  now_ = std::max(now_, end.at);
  if (live_.erase(end.node) != 0) {
    TRY_VOID(apply(update_of(end)));
  }
  return true;
}

Result<> ScriptedRun::carry_out(const Decisions& decisions) {
  references_->store(decisions.cache_entries);
  for (const CreatePod& pod : decisions.create_pods) {
    if (!live_.emplace(pod.node, pod).second) {
      return fail(ErrorCode::internal, "pod " + pod.pod_name + " was created twice");
    }
    created_.push_back(engine_->nodes()[pod.node].name);
    schedule(pod);
  }
  most_pods_ = std::max(most_pods_, live_.size());
  for (const StopPod& stop : decisions.stop_pods) {
    if (live_.contains(stop.node)) {
      Outcome killed = Outcome::exits(143);
      ends_.push({now_, order_++, stop.node, std::move(killed)});
    }
  }
  return {};
}

void ScriptedRun::schedule(const CreatePod& pod) {
  Outcome outcome = script_(*engine_, pod);
  TimePoint at = now_ + outcome.duration;
  if (pod.active_deadline_seconds) {
    const TimePoint deadline = now_ + std::chrono::seconds(*pod.active_deadline_seconds);
    if (deadline < at) {
      at = deadline;
      outcome = Outcome::exits(143);
      outcome.message = "Pod was active on the node longer than the specified deadline";
    }
  }
  if (!outcome.stays_pending) {
    ends_.push({at, order_++, pod.node, std::move(outcome)});
  }
}

PodUpdate ScriptedRun::update_of(const PodEnd& end) const {
  PodUpdate update;
  update.node = end.node;
  update.phase = end.outcome.phase;
  const auto containers = containers_of(engine_->nodes(), end.node);
  const auto is_main = [this](NodeIndex container) {
    return engine_->nodes().display_name(container) == "main";
  };
  const std::string code = std::to_string(end.outcome.exit_code);
  if (containers.empty() || std::ranges::any_of(containers, is_main)) {
    update.exit_code = code;
  }
  update.message = end.outcome.message;
  if (update.message.empty() && update.phase != PodPhase::succeeded) {
    update.message = "main: Error (exit code " + code + ")";
  }
  update.result = end.outcome.result;
  update.parameters = end.outcome.parameters;
  update.artifacts = end.outcome.artifacts;
  update.host = "node1";
  update.finished = now_;
  update.resources.known = true;
  update.resources.cpu = 1;
  update.resources.memory = 2;
  return update;
}

std::optional<NodeIndex> ScriptedRun::find(std::string_view display_name) const {
  for (NodeIndex i = engine_->nodes().size(); i-- > 0;) {
    if (engine_->nodes().display_name(i) == display_name) {
      return i;
    }
  }
  return std::nullopt;
}

void ScriptedRun::store(const Decisions& decisions) {
  for (const NodeIndex index : decisions.changed) {
    rows_[index] = engine_->row(index);
  }
  if (decisions.workflow_changed) {
    stored_workflow_ = engine_->workflow(Engine::WithNodes::no);
  }
}

/// Into a table that has only the locks of others.
Result<Engine> ScriptedRun::restored(LockTable& locks) const {
  std::vector<StoredRow> rows;
  rows.reserve(rows_.size());
  for (const auto& [index, json] : rows_) {
    rows.push_back({index, json});
  }
  EngineConfig config = config_;
  config.locks = &locks;
  TRY(Engine engine,
      Engine::restore(stored_workflow_, rows, *references_, std::move(config), now_));
  static_cast<void>(locks.take_granted());
  return engine;
}

Result<> ScriptedRun::compare(const Decisions& live, const Decisions& shadow,
                              const Engine& other) const {
  const auto differ = [](std::string_view what, const std::string& a, const std::string& b) {
    return fail(ErrorCode::internal, "a restored engine differs in " + std::string(what) +
                                         ":\n live " + a + "\n restored " + b);
  };
  const auto pods = [](const Decisions& decisions) {
    std::map<std::string, std::string> out;
    for (const CreatePod& pod : decisions.create_pods) {
      out[pod.pod_name] = pod.template_json + (pod.capture_result ? " captured" : "");
    }
    for (const StopPod& pod : decisions.stop_pods) {
      out[pod.pod_name] += " stopped";
    }
    std::string text;
    for (const auto& [name, what] : out) {
      text += name + " " + what + "\n";
    }
    return text;
  };
  if (pods(live) != pods(shadow)) {
    return differ("pods", pods(live), pods(shadow));
  }
  if (live.cache_entries != shadow.cache_entries) {
    return differ("cache entries", std::to_string(live.cache_entries.size()),
                  std::to_string(shadow.cache_entries.size()));
  }
  const std::string mine =
      doc::to_json(engine_->workflow(Engine::WithNodes::yes), {.sort_keys = true});
  const std::string theirs =
      doc::to_json(other.workflow(Engine::WithNodes::yes), {.sort_keys = true});
  if (mine != theirs) {
    return differ("state", mine, theirs);
  }
  return {};
}

}  // namespace tiphys::workflows::testing

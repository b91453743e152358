#pragma once
/// A run without pods: the real engine under virtual time, with scripted outcomes in place of
/// containers. Three nouns: `Outcome`, what a step is made to do; `Script`, which decides it for
/// each pod; `ScriptedRun`, which hands events to an Engine until nothing is left to happen.
///
/// With `Checks::restore` every event is also applied to an Engine restored from what a shell would
/// have stored so far, and both must agree: that is the test that nothing an engine knows gets
/// lost.

#include "workflows/engine/document_references.h"
#include "workflows/engine/memo.h"
#include "workflows/locks/lock_table.h"

#include <algorithm>
#include <map>
#include <queue>
#include <set>

namespace tiphys::workflows::testing {

/// What a step's pod does.
struct Outcome {
  std::chrono::milliseconds duration{1000};
  int exit_code = 0;
  PodPhase phase = PodPhase::succeeded;
  /// Message of the ended pod; empty = "main: Error (exit code N)" for failures.
  std::string message;
  std::optional<std::string> result;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<OutputArtifact> artifacts;
  /// The pod never starts; the message is why.
  bool stays_pending = false;

  static Outcome exits(int code) {
    Outcome out;
    out.exit_code = code;
    out.phase = code == 0 ? PodPhase::succeeded : PodPhase::failed;
    return out;
  }
};

/// Decides what a pod does. `engine` is the state after the decision to create it.
using Script = std::function<Outcome(const Engine& engine, const CreatePod& pod)>;

using workflows::DocumentReferences;

/// The references of a run with the caches that it has filled.
class CachingReferences final : public References {
 public:
  explicit CachingReferences(const References& below) : below_(below) {}

  const doc::Value* workflow_template(std::string_view name) const override {
    return below_.workflow_template(name);
  }

  const doc::Value* cluster_workflow_template(std::string_view name) const override {
    return below_.cluster_workflow_template(name);
  }

  const doc::Value* config_map(std::string_view name) const override {
    return below_.config_map(name);
  }

  const doc::Value* current_config_map(std::string_view name) const override;
  void store(std::span<const CacheEntry> entries);

 private:
  const References& below_;
  std::map<std::string, doc::Value, std::less<>> caches_;
};

enum class Checks { none, restore };

class ScriptedRun {
 public:
  /// `references` must outlive the run.
  static Result<ScriptedRun> create(const doc::Value& workflow, const References& references,
                                    Script script, EngineConfig config = {},
                                    Checks checks = Checks::none);

  /// Starts the run and goes on until it has finished or nothing more would happen by itself.
  /// Error internal: a restored engine disagreed.
  Result<> run();
  Result<> start();
  /// Hands one event in, at the present virtual time.
  Result<> apply(const Event& event);
  /// The next thing that happens by itself: a pod that ends, a timer. False when nothing does.
  Result<bool> step();

  /// When `step` will do something; nothing when it will not.
  std::optional<TimePoint> next_time() const;

  /// Lets virtual time pass, not beyond `next_time`.
  void advance_to(TimePoint at) { now_ = std::max(now_, at); }

  const Engine& engine() const { return *engine_; }

  TimePoint now() const { return now_; }

  /// Pods that were created and have not ended.
  const std::map<NodeIndex, CreatePod>& live_pods() const { return live_; }

  /// Most pods that were alive at the same time.
  std::size_t most_pods() const { return most_pods_; }

  std::size_t events() const { return events_; }

  /// The locks the run shares with others, which a test plays; tell_granted() after a change.
  LockTable& locks() { return *locks_; }

  /// Tells the run of the locks that it got meanwhile.
  Result<> tell_granted();

  /// The ConfigMaps of the run's namespace as they stand.
  const References& references() const { return *references_; }

  /// Names of all created pods' nodes, in order.
  const std::vector<std::string>& created() const { return created_; }

  /// The index of the node that has this display name, the last one when there are several.
  std::optional<NodeIndex> find(std::string_view display_name) const;

 private:
  struct PodEnd {
    TimePoint at;
    std::uint64_t order = 0;
    NodeIndex node = kNoNode;
    Outcome outcome;

    bool operator>(const PodEnd& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  ScriptedRun(Script script, const References& references, EngineConfig config, Checks checks);

  Result<> apply_more(const Event& event);
  Result<> apply_once(const Event& event, bool& more);
  Result<> carry_out(const Decisions& decisions);
  void schedule(const CreatePod& pod);
  PodUpdate update_of(const PodEnd& end) const;
  void store(const Decisions& decisions);
  Result<Engine> restored(LockTable& locks) const;
  Result<> compare(const Decisions& live, const Decisions& shadow, const Engine& other) const;

  Script script_;
  std::unique_ptr<CachingReferences> references_;
  std::unique_ptr<LockTable> locks_;
  EngineConfig config_;
  Checks checks_;
  std::optional<Engine> engine_;
  TimePoint now_{std::chrono::seconds(1'700'000'000)};
  std::priority_queue<PodEnd, std::vector<PodEnd>, std::greater<>> ends_;
  std::map<NodeIndex, CreatePod> live_;
  std::map<NodeIndex, std::string> rows_;
  doc::Value stored_workflow_;
  std::uint64_t order_ = 0;
  std::size_t events_ = 0;
  std::size_t most_pods_ = 0;
  std::vector<std::string> created_;
};

}  // namespace tiphys::workflows::testing

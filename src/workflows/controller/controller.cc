#include "workflows/controller/controller.h"

#include "workflows/controller/api_references.h"
#include "workflows/controller/estimate.h"
#include "workflows/controller/pod_spec_patch.h"
#include "workflows/controller/stored_rows.h"
#include "workflows/engine/memo.h"
#include "workflows/engine/observe.h"
#include "workflows/locks/lock_status.h"
#include "workflows/locks/lock_table.h"

#include <boost/json.hpp>

#include <algorithm>
#include <set>
#include <vector>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kWorkflowLabel = "workflows.argoproj.io/workflow";
constexpr std::string_view kCompletedLabel = "workflows.argoproj.io/completed";
constexpr std::string_view kNodeIdAnnotation = "workflows.argoproj.io/node-id";

TimePoint engine_time(async::TimePoint time) {
  return std::chrono::floor<std::chrono::milliseconds>(time);
}

std::string run_key(const kube::ObjectKey& workflow) {
  return workflow.namespace_ + "/" + workflow.name;
}

bool is_true(const doc::Value* value) {
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace

class Controller::Impl {
 public:
  Impl(async::Loop& loop, kube::Api& api, ControllerOptions options, StopPod stop_pod,
       StepMemory* memory, RunListener* listener)
      : loop_(loop),
        api_(api),
        options_(std::move(options)),
        stop_pod_(std::move(stop_pod)),
        memory_(memory),
        listener_(listener),
        locks_([this](const LockName& name) {
          const kube::ObjectRef map = api_.get({"ConfigMap", name.namespace_, name.name});
          return semaphore_limit(map == nullptr ? nullptr : &map->document(), name.key);
        }) {
    options_.engine.locks = &locks_;
  }

  void start() {
    workflows_ = api_.watch("Workflow", [this](const kube::Event& event) { on_workflow(event); });
    pods_ = api_.watch("Pod", [this](const kube::Event& event) { on_pod(event); });
    config_maps_ =
        api_.watch("ConfigMap", [this](const kube::Event& event) { on_config_map(event); });
    // All that is held is known before any run goes on.
    std::vector<Opened> opened;
    for (const kube::ObjectRef& workflow : api_.list("Workflow", "", {})) {
      hold_locks(*workflow);
      if (auto run = open(workflow)) {
        opened.push_back(std::move(*run));
      }
      if (workflow->label(kCompletedLabel) == "true") {
        remove_artifacts(workflow);
      }
    }
    for (const Opened& run : opened) {
      begin(run);
    }
    tell_granted();
    for (const kube::ObjectRef& pod : api_.list("Pod", "", {})) {
      remove_left_over(pod, options_.pods.pods_survive_restart ? Ended::ask : Ended::surely);
    }
  }

  Result<> control(const kube::ObjectKey& workflow, const Event& event) {
    const auto run = runs_.find(workflow);
    if (run == runs_.end()) {
      return fail(ErrorCode::not_found, kube::describe(workflow) + " is not running");
    }
    return apply(*run->second, event);
  }

  void take_up(const kube::ObjectKey& key) {
    if (const kube::ObjectRef workflow = api_.get(key)) {
      if (const auto opened = open(workflow)) {
        begin(*opened);
      }
    }
  }

  const Engine* engine_of(const kube::ObjectKey& workflow) const {
    const auto run = runs_.find(workflow);
    return run == runs_.end() ? nullptr : &run->second->engine;
  }

  std::size_t active() const { return runs_.size(); }

 private:
  struct Run {
    Run(Engine engine_, std::unique_ptr<ApiReferences> references_, kube::ObjectRef object_)
        : references(std::move(references_)),
          engine(std::move(engine_)),
          key(object_->key()),
          uid(object_->uid()) {}

    std::unique_ptr<ApiReferences> references;
    Engine engine;
    kube::ObjectKey key;
    std::string uid;
    async::Timer wake;
    bool ended = false;
  };

  enum class Ended : std::uint8_t { ask, surely };

  void on_workflow(const kube::Event& event) {
    if (event.type == kube::EventType::deleted) {
      runs_.erase(event.object->key());
      locks_.release_run(run_key(event.object->key()));
      tell_granted();
      return;
    }
    const auto run = runs_.find(event.object->key());
    if (run == runs_.end()) {
      if (event.type == kube::EventType::added) {
        if (const auto opened = open(event.object)) {
          begin(*opened);
        }
      }
      return;
    }
    take_over_spec(*run->second, event);
  }

  void on_config_map(const kube::Event& event) {
    locks_.limits_changed(event.object->key().namespace_, event.object->key().name);
    tell_granted();
  }

  /// What another client changed in the object: spec.suspend and spec.shutdown.
  void take_over_spec(Run& run, const kube::Event& event) {
    if (event.previous == nullptr) {
      return;
    }
    static const doc::Value kNone;
    const auto spec_of = [](const kube::ObjectRef& object) -> const doc::Value& {
      const doc::Value* spec = doc::find(object->document(), "spec");
      return spec == nullptr ? kNone : *spec;
    };
    const doc::Value own = run.engine.workflow(Engine::WithNodes::no);
    const doc::Value* own_spec = doc::find(own, "spec");
    const doc::Value& wanted = spec_of(event.object);
    const bool suspended = is_true(doc::find(wanted, "suspend"));
    if (own_spec != nullptr && suspended != is_true(doc::find(*own_spec, "suspend")) &&
        suspended != is_true(doc::find(spec_of(event.previous), "suspend"))) {
      (void)apply(run, suspended ? Event(Suspend{}) : Event(Resume{}));
    }
    const std::string_view shutdown = doc::find_string(wanted, "shutdown");
    if (own_spec != nullptr && !shutdown.empty() &&
        shutdown != doc::find_string(*own_spec, "shutdown")) {
      (void)apply(run, shutdown == "Terminate" ? Event(Terminate{}) : Event(Stop{}));
    }
  }

  /// A run that is taken up and has not been told to go on.
  struct Opened {
    kube::ObjectRef workflow;
    bool restored = false;
  };

  /// What a Workflow that nobody takes up here holds, it holds until somebody goes on with it.
  void hold_locks(const kube::Object& workflow) {
    const doc::Value* status = doc::find(workflow.document(), "status");
    const doc::Value* held = status == nullptr ? nullptr : doc::find(*status, "synchronization");
    if (held == nullptr || workflow.label(kCompletedLabel) == "true") {
      return;
    }
    const std::string run = run_key(workflow.key());
    for (const HeldLock& lock : held_locks(*held)) {
      if (const auto node = node_of_holder(lock.holder, run)) {
        locks_.hold(run, *node, lock.lock);
      }
    }
  }

  std::optional<Opened> open(const kube::ObjectRef& workflow) {
    if (workflow->label(kCompletedLabel) == "true" || runs_.contains(workflow->key()) ||
        (options_.wanted && !options_.wanted(*workflow))) {
      return std::nullopt;
    }
    auto opened = make_run(workflow);
    if (!opened) {
      fail_run(workflow->key(), opened.error());
      return std::nullopt;
    }
    return *opened;
  }

  void fail_run(const kube::ObjectKey& workflow, const Error& error) {
    if (listener_ != nullptr) {
      listener_->on_failure(workflow, error);
    }
  }

  /// Nothing when the run need not be made.
  Result<std::optional<Opened>> make_run(const kube::ObjectRef& workflow) {
    auto references = std::make_unique<ApiReferences>(api_, workflow->key().namespace_);
    TRY(auto rows, api_.rows(workflow->uid()));
    const bool fresh = rows.empty() && doc::find(workflow->document(), "status") == nullptr;
    if (fresh && recall_run(*workflow)) {
      return std::nullopt;
    }
    if (fresh) {
      TRY(Engine engine, Engine::create(workflow->document(), *references, options_.engine));
      insert(std::move(engine), std::move(references), workflow);
      return Opened{workflow, false};
    }
    const std::vector<StoredRow> stored = engine_rows(std::move(rows));
    TRY(Engine engine,
        Engine::restore(workflow->document(), stored, *references, options_.engine, now()));
    insert(std::move(engine), std::move(references), workflow);
    return Opened{workflow, true};
  }

  void begin(const Opened& opened) {
    const auto found = runs_.find(opened.workflow->key());
    if (found == runs_.end()) {
      return;
    }
    Run& run = *found->second;
    if (opened.restored) {
      take_up_pods(run);
    }
    const bool running = run.engine.phase() == RunPhase::running;
    const auto begun = apply(
        run,
        running ? Event(Continue{})
                : Event(Start{.estimated_seconds = estimate_seconds(api_, run.engine.metadata())}));
    if (!begun) {
      fail_run(opened.workflow->key(), begun.error());
    }
  }

  /// Whether the run need not be made, and is done with.
  bool recall_run(const kube::Object& workflow) {
    auto known = options_.runs == nullptr ? std::nullopt : options_.runs->recall(workflow, now());
    if (!known) {
      return false;
    }
    if (listener_ != nullptr) {
      listener_->on_recalled(workflow.key(), *known);
    }
    api_.put_rows(workflow.uid(), std::move(known->rows), {});
    api_.update(std::move(known->workflow), {});
    return true;
  }

  Run& insert(Engine engine, std::unique_ptr<ApiReferences> references,
              const kube::ObjectRef& workflow) {
    auto run = std::make_unique<Run>(std::move(engine), std::move(references), workflow);
    return *runs_.insert_or_assign(workflow->key(), std::move(run)).first->second;
  }

  /// After a restart: results that arrived and were not told yet are told; what was in flight runs
  /// again, because its processes ended with ours.
  void take_up_pods(Run& run) {
    std::map<NodeIndex, bool> finished;
    for (const kube::ObjectRef& pod :
         api_.list("Pod", run.key.namespace_,
                   kube::LabelSelector::equals(std::string(kWorkflowLabel), run.key.name))) {
      const auto node = run.engine.nodes().find_id(pod->annotation(kNodeIdAnnotation));
      const bool ended = pod_has_ended(pod->document());
      if (node && ended) {
        finished[*node] = true;
        observe(run, pod);
      } else if (options_.pods.pods_survive_restart) {
        finished[node.value_or(kNoNode)] = false;
      } else {
        api_.remove(pod->key(), {});
      }
    }
    const NodeIndex count = run.engine.nodes().size();
    for (NodeIndex node = 0; node < count; ++node) {
      const Node& state = run.engine.nodes()[node];
      if (state.type != NodeType::pod || fulfilled(state.phase) || finished.contains(node)) {
        continue;
      }
      if (auto again = run.engine.pod_of(node, now())) {
        create_pod(run, *again);
      }
    }
  }

  void on_pod(const kube::Event& event) {
    const auto name = event.object->label(kWorkflowLabel);
    if (event.type != kube::EventType::modified || !name) {
      return;
    }
    const auto run = runs_.find({"Workflow", event.object->key().namespace_, std::string(*name)});
    if (run != runs_.end()) {
      observe(*run->second, event.object);
    } else {
      remove_left_over(event.object, Ended::ask);
    }
  }

  /// A pod that was given up is told to stop, and its run may end before it has; nobody waits for
  /// its result. Where processes end with the program, such pods have ended when it starts again.
  void remove_left_over(const kube::ObjectRef& pod, Ended ended) {
    const auto name = pod->label(kWorkflowLabel);
    if (!name) {
      return;
    }
    const kube::ObjectKey owner{"Workflow", pod->key().namespace_, std::string(*name)};
    const kube::ObjectRef workflow = api_.get(owner);
    const bool over = workflow != nullptr && workflow->label(kCompletedLabel) == "true";
    if (over && !runs_.contains(owner) &&
        (ended == Ended::surely || pod_has_ended(pod->document()))) {
      api_.remove(pod->key(), {});
    }
  }

  void observe(Run& run, const kube::ObjectRef& pod) {
    const auto node = run.engine.nodes().find_id(pod->annotation(kNodeIdAnnotation));
    if (!node) {
      return;
    }
    const PodUpdate update = assess_pod(run.engine.nodes(), *node, pod->document());
    const bool ended = pod_has_ended(pod->document());
    if (ended && memory_ != nullptr) {
      memory_->remember(run.engine, update, run.uid);
    }
    (void)apply(run, update);
    if (ended) {
      api_.remove(pod->key(), {});
    }
  }

  Result<> apply(Run& run, const Event& event) {
    TRY(const Decisions decisions, run.engine.apply(event, now()));
    carry_out(run, decisions);
    tell_granted();
    return {};
  }

  /// Runs that got locks because others gave them up go on, in calls of their own.
  void tell_granted() {
    for (const LockTable::Grant& grant : locks_.take_granted()) {
      loop_.post([this, grant] {
        const std::size_t slash = grant.run.find('/');
        const auto run =
            runs_.find({"Workflow", grant.run.substr(0, slash), grant.run.substr(slash + 1)});
        if (run == runs_.end()) {
          locks_.release(grant.run, grant.node);
          tell_granted();
          return;
        }
        const auto node = run->second->engine.nodes().find_id(grant.node);
        (void)apply(*run->second, LocksFree{node.value_or(kNoNode)});
      });
    }
  }

  void store_cache_entries(const Run& run, const std::vector<CacheEntry>& entries) {
    std::set<std::string> caches;
    for (const CacheEntry& entry : entries) {
      caches.insert(entry.config_map);
    }
    for (const std::string& cache : caches) {
      const kube::ObjectRef stored = api_.get({"ConfigMap", run.key.namespace_, cache});
      doc::Value config_map = with_cache_entries(stored == nullptr ? nullptr : &stored->document(),
                                                 run.key.namespace_, cache, entries);
      auto done = [this, key = run.key](Result<kube::ObjectRef> written) {
        if (!written) {
          fail_run(key, written.error());
        }
      };
      if (stored == nullptr) {
        api_.create(std::move(config_map), std::move(done));
      } else {
        api_.update(std::move(config_map), std::move(done));
      }
    }
  }

  void carry_out(Run& run, const Decisions& decisions) {
    if (!decisions.changed.empty()) {
      std::vector<kube::Row> rows;
      rows.reserve(decisions.changed.size());
      for (const NodeIndex node : decisions.changed) {
        rows.push_back({node, run.engine.row(node)});
      }
      api_.put_rows(run.uid, std::move(rows), {});
    }
    store_cache_entries(run, decisions.cache_entries);
    for (const CreatePod& pod : decisions.create_pods) {
      create_pod(run, pod);
    }
    for (const StopPod_& pod : decisions.stop_pods) {
      if (const kube::ObjectRef object = api_.get({"Pod", run.key.namespace_, pod.pod_name})) {
        stop_pod_(object);
      }
    }
    if (decisions.workflow_changed) {
      write_workflow(run);
    }
    if (decisions.more) {
      loop_.post([this, key = run.key] { go_on(key); });
    }
    set_wake(run);
    if (run.engine.finished() && !run.ended) {
      remove_artifacts(api_.get(run.key));
    }
    if (listener_ != nullptr) {
      listener_->on_nodes(run.engine, decisions.changed);
      if (decisions.workflow_changed) {
        listener_->on_run(run.engine);
      }
    }
    if (run.engine.finished() && !run.ended) {
      run.ended = true;
      if (options_.runs != nullptr) {
        options_.runs->remember(run.engine);
      }
      // The run is still in use further up the stack.
      loop_.post([this, key = run.key] { runs_.erase(key); });
    }
  }

  /// Those that go with a run's end.
  void remove_artifacts(const kube::ObjectRef& workflow) {
    if (options_.collector == nullptr || workflow == nullptr ||
        !ArtifactCollector::is_due(*workflow, GcMoment::completion)) {
      return;
    }
    options_.collector->collect(workflow, GcMoment::completion,
                                [this, key = workflow->key()](const std::string& error) {
                                  if (listener_ != nullptr) {
                                    listener_->on_artifacts_removed(key, error);
                                  }
                                });
  }

  using StopPod_ = workflows::StopPod;

  void create_pod(Run& run, const CreatePod& step) {
    if (memory_ != nullptr) {
      if (auto known = memory_->recall(run.engine, step, run.uid)) {
        tell_later(run.key, std::move(*known));
        return;
      }
    }
    doc::Value pod = build_pod(run.engine, step);
    auto patched =
        put_main_defaults(run.engine, step, options_.pods.main_container, options_.types, pod);
    if (patched) {
      patched = apply_pod_spec_patches(run.engine, step, options_.types, pod);
    }
    if (!patched) {
      fail_step(run.key, step.node, patched.error().message);
      return;
    }
    api_.create(std::move(pod),
                [this, key = run.key, node = step.node](Result<kube::ObjectRef> created) {
                  // A pod of that name is there already when a restart fell between its creation
                  // and ours: it is that pod.
                  if (!created && created.error().code != ErrorCode::already_exists) {
                    not_created(key, node, created.error());
                  }
                });
  }

  /// A pod that is refused is its step's failure; a store that takes nothing any more is not.
  void not_created(const kube::ObjectKey& run, NodeIndex node, const Error& error) {
    if (error.code != ErrorCode::io && error.code != ErrorCode::unavailable) {
      fail_step(run, node, error.message);
    } else if (listener_ != nullptr) {
      listener_->on_failure(run, error);
    }
  }

  void fail_step(const kube::ObjectKey& run, NodeIndex node, std::string message) {
    PodUpdate failure;
    failure.node = node;
    failure.phase = PodPhase::error;
    failure.message = std::move(message);
    tell_later(run, std::move(failure));
  }

  /// Tells the engine in a call of its own: it is in the middle of another event.
  void tell_later(const kube::ObjectKey& run, PodUpdate update) {
    loop_.post([this, run, update = std::move(update)] {
      if (const auto found = runs_.find(run); found != runs_.end()) {
        (void)apply(*found->second, update);
      }
    });
  }

  /// The run's status is ours alone: it replaces whatever version is stored.
  void write_workflow(const Run& run) {
    doc::Value document = run.engine.workflow(Engine::WithNodes::no);
    document.get_object()["metadata"].get_object().erase("resourceVersion");
    api_.update(std::move(document), [this, key = run.key](Result<kube::ObjectRef> written) {
      if (!written && written.error().code != ErrorCode::not_found && listener_ != nullptr) {
        listener_->on_failure(key, written.error());
      }
    });
  }

  void go_on(const kube::ObjectKey& key) {
    if (const auto run = runs_.find(key); run != runs_.end()) {
      (void)apply(*run->second, Continue{});
    }
  }

  void set_wake(Run& run) {
    const auto moment = run.engine.next_wake();
    run.wake =
        moment ? loop_.call_at(*moment, [this, key = run.key] { go_on(key); }) : async::Timer();
  }

  TimePoint now() const { return engine_time(loop_.now()); }

  async::Loop& loop_;
  kube::Api& api_;
  ControllerOptions options_;
  Controller::StopPod stop_pod_;
  StepMemory* memory_;
  RunListener* listener_;
  /// Of all runs; engines refer to it.
  LockTable locks_;
  std::map<kube::ObjectKey, std::unique_ptr<Run>> runs_;
  std::unique_ptr<kube::Subscription> workflows_;
  std::unique_ptr<kube::Subscription> pods_;
  std::unique_ptr<kube::Subscription> config_maps_;
};

Controller::Controller(async::Loop& loop, kube::Api& api, ControllerOptions options,
                       StopPod stop_pod, StepMemory* memory, RunListener* listener)
    : impl_(std::make_unique<Impl>(loop, api, std::move(options), std::move(stop_pod), memory,
                                   listener)) {}

Controller::~Controller() = default;

void Controller::start() { impl_->start(); }

void Controller::take_up(const kube::ObjectKey& workflow) { impl_->take_up(workflow); }

Result<> Controller::control(const kube::ObjectKey& workflow, const Event& event) {
  return impl_->control(workflow, event);
}

const Engine* Controller::engine_of(const kube::ObjectKey& workflow) const {
  return impl_->engine_of(workflow);
}

std::size_t Controller::active() const { return impl_->active(); }

}  // namespace tiphys::workflows

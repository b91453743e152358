#include "workflows/controller/controller.h"

#include "workflows/controller/api_references.h"
#include "workflows/controller/estimate.h"
#include "workflows/controller/pod_spec_patch.h"
#include "workflows/engine/observe.h"

#include <boost/json.hpp>

#include <algorithm>
#include <vector>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kWorkflowLabel = "workflows.argoproj.io/workflow";
constexpr std::string_view kCompletedLabel = "workflows.argoproj.io/completed";
constexpr std::string_view kNodeIdAnnotation = "workflows.argoproj.io/node-id";

TimePoint engine_time(async::TimePoint time) {
  return std::chrono::floor<std::chrono::milliseconds>(time);
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
        listener_(listener) {}

  void start() {
    workflows_ = api_.watch("Workflow", [this](const kube::Event& event) { on_workflow(event); });
    pods_ = api_.watch("Pod", [this](const kube::Event& event) { on_pod(event); });
    for (const kube::ObjectRef& workflow : api_.list("Workflow", "", {})) {
      take_up(workflow);
    }
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
      take_up(workflow);
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
      return;
    }
    const auto run = runs_.find(event.object->key());
    if (run == runs_.end()) {
      if (event.type == kube::EventType::added) {
        take_up(event.object);
      }
      return;
    }
    take_over_spec(*run->second, event);
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

  void take_up(const kube::ObjectRef& workflow) {
    if (workflow->label(kCompletedLabel) == "true" || runs_.contains(workflow->key()) ||
        (options_.wanted && !options_.wanted(*workflow))) {
      return;
    }
    if (auto taken = open(workflow); !taken && listener_ != nullptr) {
      listener_->on_failure(workflow->key(), taken.error());
    }
  }

  Result<> open(const kube::ObjectRef& workflow) {
    auto references = std::make_unique<ApiReferences>(api_, workflow->key().namespace_);
    TRY(const auto rows, api_.rows(workflow->uid()));
    const bool fresh = rows.empty() && doc::find(workflow->document(), "status") == nullptr;
    if (fresh && recall_run(*workflow)) {
      return {};
    }
    if (fresh) {
      TRY(Engine engine, Engine::create(workflow->document(), *references, options_.engine));
      Run& run = insert(std::move(engine), std::move(references), workflow);
      return apply(run, Start{estimate_seconds(api_, run.engine.metadata())});
    }
    std::vector<StoredRow> stored;
    stored.reserve(rows.size());
    for (const kube::Row& row : rows) {
      stored.push_back({static_cast<NodeIndex>(row.index), row.bytes});
    }
    TRY(Engine engine,
        Engine::restore(workflow->document(), stored, *references, options_.engine, now()));
    Run& run = insert(std::move(engine), std::move(references), workflow);
    take_up_pods(run);
    return apply(run, rows.empty() ? Event(Start{estimate_seconds(api_, run.engine.metadata())})
                                   : Event(Continue{}));
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
    const PodUpdate update = assess_pod(*node, pod->document());
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
    return {};
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

  using StopPod_ = workflows::StopPod;

  void create_pod(Run& run, const CreatePod& step) {
    if (memory_ != nullptr) {
      if (auto known = memory_->recall(run.engine, step, run.uid)) {
        tell_later(run.key, std::move(*known));
        return;
      }
    }
    doc::Value pod = build_pod(run.engine, step, options_.pods);
    auto patched = put_main_defaults(options_.pods.main_container, options_.types, pod);
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
  std::map<kube::ObjectKey, std::unique_ptr<Run>> runs_;
  std::unique_ptr<kube::Subscription> workflows_;
  std::unique_ptr<kube::Subscription> pods_;
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

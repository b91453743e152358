#include "app/local_run.h"

#include "app/control_channel.h"
#include "app/engine_verbs.h"
#include "app/node_lines.h"
#include "app/pod_logs.h"
#include "app/pod_runner.h"
#include "app/records.h"
#include "app/removal.h"
#include "app/store_verbs.h"
#include "artifacts/local_store.h"
#include "artifacts/stores.h"
#include "async/signals.h"
#include "cluster/node/executor_work.h"
#include "kube/types/types.h"
#include "workflows/config/config.h"
#include "workflows/controller/artifact_collector.h"
#include "workflows/controller/collector.h"
#include "workflows/controller/controller.h"
#include "workflows/engine/artifact_gc.h"

#include <boost/json.hpp>

#include <algorithm>
#include <csignal>
#include <limits>
#include <map>
#include <optional>
#include <set>

namespace tiphys::app {
namespace {

constexpr std::chrono::milliseconds kTick{100};

node::Isolation isolation_of(cli::Isolation isolation) {
  switch (isolation) {
    case cli::Isolation::process:
      return node::Isolation::process;
    case cli::Isolation::namespaces:
      return node::Isolation::namespaces;
    case cli::Isolation::layer:
      break;
  }
  return node::Isolation::layer;
}

std::string text_of(std::string_view text) { return std::string(text); }

/// The key format of a repository that is, or is to be, of type s3.
void set_key_format(doc::Value& repository, const std::string& format) {
  doc::Object& stores =
      repository.is_object() ? repository.get_object() : repository.emplace_object();
  doc::Value& s3 = stores["s3"];
  (s3.is_object() ? s3.get_object() : s3.emplace_object())["keyFormat"] = format;
}

}  // namespace

class LocalRun::Impl final : public workflows::RunListener {
 public:
  Impl(async::Loop& loop, store::Store& store, const StatePaths& paths,
       const SessionEnvironment& environment, cli::RunRequest request,
       std::vector<kube::ObjectKey> resume, cli::RunObserver& observer)
      : loop_(loop),
        store_(store),
        paths_(paths),
        environment_(environment),
        request_(std::move(request)),
        resume_(std::move(resume)),
        observer_(observer),
        pool_(loop, {.threads = 2, .waiting = 1'000'000}),
        records_(store),
        logs_(paths.logs()) {}

  Result<RunOutcome> carry_out() {
    TRY_VOID(build());
    TRY_VOID(submit());
    if (wanted_.empty()) {
      return RunOutcome();
    }
    runner_->start();
    controller_->start();
    collector_->start();
    loop_.post([this] { check_end(); });
    watch_store();
    tick();
    loop_.run();
    if (failure_) {
      if (store_.failure() && !order_.empty()) {
        failure_->message += resume_hint();
      }
      return std::unexpected(*failure_);
    }
    if (request_.logs) {
      read_logs();
    }
    return RunOutcome{order_, left_};
  }

  void on_nodes(const workflows::Engine& engine,
                std::span<const workflows::NodeIndex> changed) override {
    introduce(engine, changed);
    for (const workflows::NodeIndex index : changed) {
      tell_node(engine, index, false);
    }
  }

  void on_run(const workflows::Engine& engine) override {
    introduce(engine);
    observer_.on_run(run_line_of(engine));
    if (engine.finished()) {
      active_.erase({"Workflow", engine.metadata().namespace_, engine.metadata().name});
      check_end();
    }
  }

  void on_recalled(const kube::ObjectKey& workflow, const workflows::RecalledRun& run) override {
    observer_.on_notice("nothing of " + workflow.name + " has to run: all its " +
                        std::to_string(run.rows.size()) + " nodes are those of " + run.source);
    cli::RunLine line;
    line.name = workflow.name;
    if (const doc::Value* status = doc::find(run.workflow, "status")) {
      line.phase = text_of(doc::find_string(*status, "phase"));
      line.message = text_of(doc::find_string(*status, "message"));
      line.progress = text_of(doc::find_string(*status, "progress"));
    }
    observer_.on_run(line);
    active_.erase(workflow);
    loop_.post([this] { check_end(); });
  }

  void on_artifacts_removed(const kube::ObjectKey& workflow, const std::string& error) override {
    if (!error.empty()) {
      observer_.on_notice("workflow " + workflow.name +
                          ": an artifact could not be removed: " + error);
    }
    check_end();
  }

  void on_failure(const kube::ObjectKey& workflow, const Error& error) override {
    if (!failure_) {
      failure_ = Error(error).with_context(kube::describe(workflow));
    }
    active_.erase(workflow);
    check_end();
  }

 private:
  Result<> build() {
    TRY(auto local, artifacts::LocalStore::open(paths_.artifacts()));
    artifacts_ =
        std::make_shared<artifacts::Stores>(std::shared_ptr<artifacts::Store>(std::move(local)));
    work_ = std::make_unique<node::ExecutorWork>(*artifacts_);
    node::NodeConfig node;
    node.state_folder = paths_.node().string();
    node.logs_folder = paths_.logs().string();
    node.isolation = isolation_of(request_.options.isolation);
    node.slots = request_.options.slots;
    node.path = environment_.path;
    runner_ =
        std::make_unique<PodRunner>(loop_, pool_, store_, std::move(node), work_.get(),
                                    [this](const std::string& text) { observer_.on_notice(text); });
    workflows::ControllerOptions options;
    options.types = &types_;
    if (request_.options.config != nullptr) {
      options.engine.workflow_defaults = request_.options.config->workflow_defaults;
      options.engine.artifact_repository = request_.options.config->artifact_repository;
      options.pods.main_container = request_.options.config->main_container;
    }
    if (!request_.options.artifact_key_format.empty()) {
      set_key_format(options.engine.artifact_repository, request_.options.artifact_key_format);
    }
    workflows::StepMemoryOptions memory;
    memory.pods = options.pods;
    memory.reuse = request_.options.reuse;
    memory.path = environment_.path;
    memory.object = [this](std::string_view kind, std::string_view name) -> const doc::Value* {
      const kube::ObjectRef object = store_.get({text_of(kind), namespace_, text_of(name)});
      return object == nullptr ? nullptr : &object->document();
    };
    memory_ =
        std::make_unique<workflows::StepMemory>(records_, *artifacts_, digests_, std::move(memory));
    runs_ = std::make_unique<workflows::RunMemory>(records_, store_, *memory_,
                                                   request_.options.reuse, environment_.path);
    // Whole runs are known by their Workflow alone, without what stands below it.
    options.runs = request_.options.config == nullptr ? runs_.get() : nullptr;
    artifact_collector_ = std::make_unique<workflows::ArtifactCollector>(pool_, store_, artifacts_);
    options.collector = artifact_collector_.get();
    options.wanted = [this](const kube::Object& workflow) {
      return wanted_.contains(workflow.key());
    };
    controller_ = std::make_unique<workflows::Controller>(
        loop_, store_, std::move(options),
        [this](const kube::ObjectRef& pod) { runner_->stop(pod); }, memory_.get(), this);
    TRY(server_,
        ControlServer::listen(loop_, paths_.root,
                              [this](const doc::Value& request, ControlServer::Reply reply) {
                                carry_out_request(request, std::move(reply));
                              }));
    collector_ = std::make_unique<workflows::Collector>(
        loop_, store_, retention(), [this](const kube::ObjectRef& workflow) { let_go(workflow); });
    interrupt_ = std::make_unique<async::SignalWatch>(loop_, SIGINT, [this] { interrupted(); });
    terminate_ = std::make_unique<async::SignalWatch>(loop_, SIGTERM, [this] { interrupted(); });
    return {};
  }

  Result<> submit() {
    for (doc::Value& object : request_.supporting) {
      TRY_VOID(put_supporting(std::move(object)));
    }
    for (doc::Value& workflow : request_.workflows) {
      TRY(const kube::ObjectKey key, kube::key_of(workflow));
      if (store_.get(key) != nullptr) {
        return fail(ErrorCode::already_exists, kube::describe(key) + " already exists");
      }
      want(key);
      store_.create(std::move(workflow), [this](Result<kube::ObjectRef> stored) {
        if (!stored) {
          fail_all(std::move(stored).error());
        }
      });
    }
    for (const kube::ObjectKey& key : resume_) {
      TRY_VOID(check_unfinished(key));
      want(key);
    }
    return {};
  }

  Result<> put_supporting(doc::Value object) {
    if (doc::Value* metadata =
            object.is_object() ? object.get_object().if_contains("metadata") : nullptr;
        metadata != nullptr && metadata->is_object()) {
      const bool cluster_scoped = doc::find_string(object, "kind") == "ClusterWorkflowTemplate";
      if (cluster_scoped) {
        metadata->get_object().erase("namespace");
      } else if (doc::find_string(*metadata, "namespace").empty()) {
        metadata->get_object()["namespace"] = "default";
      }
      metadata->get_object().erase("resourceVersion");
      metadata->get_object().erase("uid");
    }
    TRY(const kube::ObjectKey key, kube::key_of(object));
    auto done = [this](Result<kube::ObjectRef> stored) {
      if (!stored) {
        fail_all(std::move(stored).error());
      }
    };
    if (const kube::ObjectRef known = store_.get(key)) {
      store_.update(std::move(object), std::move(done));
    } else {
      store_.create(std::move(object), std::move(done));
    }
    return {};
  }

  Result<> check_unfinished(const kube::ObjectKey& key) const {
    const kube::ObjectRef object = store_.get(key);
    if (object != nullptr && object->label("workflows.argoproj.io/completed") == "true") {
      return fail(ErrorCode::conflict, "workflow " + key.name + " has ended; `tiphys retry " +
                                           key.name + "` runs again what failed");
    }
    return {};
  }

  void want(const kube::ObjectKey& key) {
    wanted_.insert(key);
    active_.insert(key);
    order_.push_back(key);
    namespace_ = key.namespace_;
  }

  /// A store that can be written no more ends everything at once: what ran on could not be kept.
  void watch_store() {
    store_.when_durable(std::numeric_limits<kube::Revision>::max(),
                        [this, alive = std::weak_ptr(alive_)](Result<> durable) {
                          if (alive.lock() && !durable) {
                            fail_all(std::move(durable).error());
                          }
                        });
  }

  std::string resume_hint() const {
    std::string names;
    for (const kube::ObjectKey& key : order_) {
      names += " --resume " + key.name;
    }
    return "; nothing that was recorded is lost, and `tiphys run" + names +
           "` goes on when it can be written again";
  }

  void fail_all(Error error) {
    if (!failure_) {
      failure_ = std::move(error);
    }
    loop_.stop();
  }

  /// When nothing is active any more: make the end safe, then leave the loop.
  void check_end() {
    if (const auto broken = store_.failure(); broken && !failure_) {
      fail_all(*broken);
      return;
    }
    if (!active_.empty() || artifact_collector_->active() > 0 || ending_) {
      return;
    }
    ending_ = true;
    // Daemons that end with their run are given the time to do so.
    runner_->when_idle([this] { leave(); });
  }

  void leave() {
    store_.flush([this](Result<> flushed) {
      if (!flushed && !failure_) {
        failure_ = std::move(flushed).error();
      }
      loop_.stop();
    });
  }

  void interrupted() {
    if (active_.empty()) {
      loop_.stop();
      return;
    }
    ++interrupts_;
    observer_.on_notice(interrupts_ == 1
                            ? "stopping: exit handlers run; interrupt again to terminate"
                        : interrupts_ == 2 ? "terminating; interrupt again to leave at once"
                                           : leaving_text());
    if (interrupts_ > 2) {
      left_ = true;
      loop_.stop();
      return;
    }
    const std::set<kube::ObjectKey> active = active_;
    for (const kube::ObjectKey& key : active) {
      (void)controller_->control(key, interrupts_ == 1 ? workflows::Event(workflows::Stop{})
                                                       : workflows::Event(workflows::Terminate{}));
    }
  }

  std::string leaving_text() const {
    std::string names;
    for (const kube::ObjectKey& key : active_) {
      names += " --resume " + key.name;
    }
    return "leaving; `tiphys run" + names + "` goes on";
  }

  workflows::Retention retention() const {
    workflows::Retention out;
    if (request_.options.config != nullptr && request_.options.config->retention_policy) {
      const workflows::RetentionPolicy& policy = *request_.options.config->retention_policy;
      const auto count = [](std::optional<std::int64_t> most) -> std::optional<std::size_t> {
        return most ? std::optional(static_cast<std::size_t>(std::max<std::int64_t>(*most, 0)))
                    : std::nullopt;
      };
      out.succeeded = count(policy.completed);
      out.failed = count(policy.failed);
      out.errored = count(policy.errored);
    }
    return out;
  }

  /// A run whose time is over. What this program was asked to run stays until its outcome has been
  /// told: the next program removes it.
  void let_go(const kube::ObjectRef& workflow) {
    if (std::ranges::find(order_, workflow->key()) != order_.end()) {
      return;
    }
    if (workflows::ArtifactCollector::is_due(*workflow, workflows::GcMoment::deletion)) {
      artifact_collector_->collect(workflow, workflows::GcMoment::deletion,
                                   [this, key = workflow->key()](const std::string&) {
                                     const kube::ObjectRef now = store_.get(key);
                                     if (now && !workflows::has_gc_finalizer(now->document())) {
                                       remove_run(now);
                                     }
                                   });
      return;
    }
    remove_run(workflow);
  }

  void remove_run(const kube::ObjectRef& workflow) {
    if (auto names = remove_objects(store_, workflow)) {
      store_.when_durable(store_.revision(),
                          [logs = paths_.logs(), names = *std::move(names)](Result<> durable) {
                            if (durable) {
                              remove_logs(logs, names);
                            }
                          });
    }
  }

  /// A verb of another program. Its answer waits until what it changed is durable.
  void carry_out_request(const doc::Value& request, ControlServer::Reply reply) {
    if (ending_ || failure_) {
      reply(fail(ErrorCode::unavailable, "the program that ran workflows here is ending"));
      return;
    }
    auto answer = answer_to(request);
    if (!answer) {
      reply(std::move(answer));
      return;
    }
    store_.when_durable(store_.revision(), [answer = *std::move(answer),
                                            reply = std::move(reply)](Result<> durable) mutable {
      reply(durable ? Result<doc::Value>(std::move(answer)) : std::unexpected(durable.error()));
    });
  }

  Result<doc::Value> answer_to(const doc::Value& request) {
    if (is_control(request)) {
      TRY(const cli::Control control, control_of(request));
      TRY_VOID(carry_out_verb(control));
      return doc::Value();
    }
    const std::string_view verb = doc::find_string(request, "verb");
    if (verb == "run") {
      return take_over(request);
    }
    TRY(doc::Value answer, app::carry_out(place(), request));
    if (verb == "remove" && doc::find_string(request, "kind") == "Workflow") {
      const kube::ObjectKey key{"Workflow", text_of(doc::find_string(request, "namespace")),
                                text_of(doc::find_string(request, "name"))};
      wanted_.erase(key);
      active_.erase(key);
      loop_.post([this] { check_end(); });
    }
    return answer;
  }

  /// Runs that another program has stored are carried out here as well. This program goes on until
  /// they have ended, too; its own outcome is not theirs.
  Result<doc::Value> take_over(const doc::Value& request) {
    const doc::Value* runs = doc::find(request, "workflows");
    std::vector<kube::ObjectKey> keys;
    for (const doc::Value& run :
         runs != nullptr && runs->is_array() ? runs->get_array() : doc::Array{}) {
      keys.push_back({"Workflow", text_of(doc::find_string(run, "namespace")),
                      text_of(doc::find_string(run, "workflow"))});
      if (store_.get(keys.back()) == nullptr) {
        return fail(ErrorCode::not_found,
                    "workflows.argoproj.io \"" + keys.back().name + "\" not found");
      }
    }
    for (const kube::ObjectKey& key : keys) {
      // Another program may have been faster.
      if (!check_unfinished(key)) {
        continue;
      }
      wanted_.insert(key);
      active_.insert(key);
      introduced_.erase(store_.get(key)->uid());
      controller_->take_up(key);
    }
    return doc::Value();
  }

  Result<> carry_out_verb(const cli::Control& control) {
    const kube::ObjectKey key{"Workflow", control.namespace_, control.workflow};
    if (controller_->engine_of(key) == nullptr) {
      return change_record(place(), control);
    }
    TRY(const workflows::Event event, event_of(control));
    return controller_->control(key, event);
  }

  StoreVerbPlace place() {
    return {store_, paths_.logs(), std::chrono::floor<std::chrono::milliseconds>(loop_.now())};
  }

  /// Before a run's first transition: the run, and when it was under way already, what it had come
  /// to.
  void introduce(const workflows::Engine& engine,
                 std::span<const workflows::NodeIndex> changed = {}) {
    if (!introduced_.insert(engine.metadata().uid).second) {
      return;
    }
    observer_.on_run(run_line_of(engine));
    const std::set<workflows::NodeIndex> new_nodes(changed.begin(), changed.end());
    for (workflows::NodeIndex index = 0; index < engine.nodes().size(); ++index) {
      if (!new_nodes.contains(index)) {
        tell_node(engine, index, true);
      }
    }
  }

  void tell_node(const workflows::Engine& engine, workflows::NodeIndex index, bool earlier) {
    const workflows::Node& node = engine.nodes()[index];
    std::vector<workflows::NodePhase>& told = told_[engine.metadata().uid];
    if (told.size() <= index) {
      told.resize(engine.nodes().size(), workflows::NodePhase::none);
    }
    if (told[index] == node.phase) {
      return;
    }
    told[index] = node.phase;
    cli::NodeLine line = node_line_of(engine, index);
    line.reused = memory_->was_recalled(engine.metadata().uid, index);
    line.earlier = earlier;
    if (request_.logs && !line.pod.empty() && !earlier) {
      follow_log(engine.metadata().namespace_, line);
    }
    observer_.on_node(line);
  }

  /// A pod's log is followed from when it runs; before its end is told, all that was written is.
  void follow_log(const std::string& namespace_name, const cli::NodeLine& node) {
    const std::pair key(namespace_name, node.pod);
    const bool ended = workflows::fulfilled(
        workflows::node_phase_of(node.phase).value_or(workflows::NodePhase::none));
    if (node.phase == "Running" || ended) {
      logging_[key];
    }
    if (ended) {
      read_logs(&key);
      logging_.erase(key);
    }
  }

  /// The new lines of all pods that run, in the order of their times; one of them may have ended.
  void read_logs(const std::pair<std::string, std::string>* ended = nullptr) {
    std::vector<cli::LogLine> lines;
    for (auto& [pod, files] : logging_) {
      if (files.empty()) {
        files = logs_.files_of(pod.first, pod.second);
      }
      for (LogFile& file : files) {
        file.read_new(lines,
                      ended != nullptr && pod == *ended ? LogWriter::ended : LogWriter::running);
      }
    }
    sort_by_time(lines);
    for (const cli::LogLine& line : lines) {
      observer_.on_log(line);
    }
  }

  void tick() {
    if (!observer_.wants_ticks() && !request_.logs) {
      return;
    }
    if (request_.logs) {
      read_logs();
    }
    for (const kube::ObjectKey& key : active_) {
      if (const workflows::Engine* engine = controller_->engine_of(key)) {
        introduce(*engine);
        observer_.on_run(run_line_of(*engine));
      }
    }
    observer_.on_tick();
    tick_ = loop_.call_after(kTick, [this] { tick(); });
  }

  async::Loop& loop_;
  store::Store& store_;
  const StatePaths& paths_;
  const SessionEnvironment& environment_;
  cli::RunRequest request_;
  std::vector<kube::ObjectKey> resume_;
  cli::RunObserver& observer_;
  async::BlockingPool pool_;
  doc::Schema types_{kube::built_in_types()};
  StoreRecords records_;
  LogFolder logs_;
  /// Pods that run and whose logs are printed, by namespace and name.
  std::map<std::pair<std::string, std::string>, std::vector<LogFile>> logging_;
  std::shared_ptr<artifacts::Stores> artifacts_;
  artifacts::FileDigests digests_;
  std::unique_ptr<node::ExecutorWork> work_;
  std::unique_ptr<workflows::StepMemory> memory_;
  std::unique_ptr<workflows::RunMemory> runs_;
  std::unique_ptr<PodRunner> runner_;
  std::unique_ptr<workflows::ArtifactCollector> artifact_collector_;
  std::unique_ptr<workflows::Controller> controller_;
  std::unique_ptr<workflows::Collector> collector_;
  std::unique_ptr<ControlServer> server_;
  std::unique_ptr<async::SignalWatch> interrupt_;
  std::unique_ptr<async::SignalWatch> terminate_;
  std::set<kube::ObjectKey> wanted_;
  std::set<kube::ObjectKey> active_;
  std::vector<kube::ObjectKey> order_;
  std::set<std::string> introduced_;  ///< uids of runs
  std::map<std::string, std::vector<workflows::NodePhase>> told_;
  std::string namespace_ = "default";
  std::optional<Error> failure_;
  async::Timer tick_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  int interrupts_ = 0;
  bool ending_ = false;
  bool left_ = false;
};

LocalRun::LocalRun(async::Loop& loop, store::Store& store, const StatePaths& paths,
                   const SessionEnvironment& environment, cli::RunRequest request,
                   std::vector<kube::ObjectKey> resume, cli::RunObserver& observer)
    : impl_(std::make_unique<Impl>(loop, store, paths, environment, std::move(request),
                                   std::move(resume), observer)) {}

LocalRun::~LocalRun() = default;

Result<RunOutcome> LocalRun::carry_out() { return impl_->carry_out(); }

}  // namespace tiphys::app

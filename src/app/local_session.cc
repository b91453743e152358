#include "app/local_session.h"

#include "app/artifact_verbs.h"
#include "app/control_channel.h"
#include "app/local_run.h"
#include "app/node_lines.h"
#include "app/pod_logs.h"
#include "app/records.h"
#include "app/removal.h"
#include "app/store_verbs.h"
#include "kube/time.h"
#include "workflows/controller/api_references.h"
#include "workflows/controller/artifact_collector.h"
#include "workflows/controller/collector.h"
#include "workflows/controller/explain.h"
#include "workflows/engine/engine.h"
#include "workflows/engine/excerpt.h"
#include "workflows/engine/pod.h"
#include "workflows/engine/resubmit.h"
#include "workflows/engine/status.h"

#include <boost/json.hpp>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

namespace tiphys::app {

using doc::Value;

namespace {

constexpr std::chrono::milliseconds kLookAgain{250};
const std::string kMainContainer = "main";
/// How often a verb looks for the program that runs the workflow.
constexpr int kTries = 400;
/// After how many looks without anything new it is asked whether anybody is at work.
constexpr int kQuietLooks = 4;
constexpr std::chrono::milliseconds kBetweenTries{25};

std::string_view phase_of(const doc::Value& workflow) {
  const doc::Value* status = doc::find(workflow, "status");
  return status == nullptr ? std::string_view() : doc::find_string(*status, "phase");
}

bool has_ended(const doc::Value& workflow) {
  const std::string_view phase = phase_of(workflow);
  return phase == "Succeeded" || phase == "Failed" || phase == "Error";
}

/// The rows of the pods that a person may mean by a name, and of all around them; all rows where
/// that saves nothing.
Result<std::vector<workflows::StoredRow>> rows_for(const store::Store& store,
                                                   const std::string& uid,
                                                   const std::string& node_or_pod) {
  TRY(const auto last, store.last_row(uid));
  if (node_or_pod.empty() || !last || *last < workflows::kManyNodes) {
    return stored_rows(store, uid);
  }
  std::vector<workflows::NodeIndex> wanted;
  TRY_VOID(store.each_row(uid, [&](std::uint64_t index, std::string_view bytes) {
    if (workflows::may_be_meant(bytes, node_or_pod)) {
      wanted.push_back(static_cast<workflows::NodeIndex>(index));
    }
  }));
  if (wanted.empty() || wanted.size() > *last / 4) {
    return stored_rows(store, uid);
  }
  return workflows::rows_around(wanted, static_cast<workflows::NodeIndex>(*last + 1),
                                [&](workflows::NodeIndex index) -> Result<std::string> {
                                  TRY(kube::Row row, store.row(uid, index));
                                  return std::move(row.bytes);
                                });
}

/// Whether a log line's time, with its nanoseconds, is at or after a moment.
bool is_after(const std::string& timestamp, std::chrono::sys_seconds moment) {
  const auto parsed = kube::parse_time(timestamp);
  return parsed && *parsed >= moment;
}

bool is_newer(const kube::ObjectRef& a, const kube::ObjectRef& b) {
  return std::pair(a->creation_time(), a->resource_version()) >
         std::pair(b->creation_time(), b->resource_version());
}

Result<> no_step(const kube::ObjectRef& workflow, const std::string& name) {
  return fail(ErrorCode::not_found,
              "workflow " + workflow->key().name + " has no step or pod \"" + name + "\"");
}

/// Whether a name given by a person means a pod: its own, its node's, or one around it: "map" means
/// all items of the loop "map(0:a)", "sub" all that runs in the template called there.
bool is_meant(const workflows::PodOfNode& pod, const std::string& name) {
  if (pod.pod_name == name || pod.node_name == name || pod.node_id == name ||
      pod.display_name == name) {
    return true;
  }
  const std::string part = "." + name;
  for (std::size_t at = pod.node_name.find(part); at != std::string::npos;
       at = pod.node_name.find(part, at + 1)) {
    const std::size_t end = at + part.size();
    if (end == pod.node_name.size() || std::string_view("([.").contains(pod.node_name[end])) {
      return true;
    }
  }
  return false;
}

/// Tells of every node whose phase is not the one last told.
void tell_nodes(const workflows::Engine& engine, std::vector<workflows::NodePhase>& told,
                bool earlier, cli::RunObserver& observer) {
  told.resize(std::max<std::size_t>(told.size(), engine.nodes().size()));
  for (workflows::NodeIndex index = 0; index < engine.nodes().size(); ++index) {
    const workflows::NodePhase phase = engine.nodes()[index].phase;
    if (told[index] != phase) {
      told[index] = phase;
      cli::NodeLine line = node_line_of(engine, index);
      line.earlier = earlier;
      observer.on_node(line);
    }
  }
}

/// Changes whenever another program has committed: sizes and times of the store's files.
std::string look_of(const std::filesystem::path& directory,
                    std::filesystem::file_time_type* newest = nullptr) {
  std::string out;
  for (const char* name : {"store.db", "store.db-wal"}) {
    std::error_code code;
    const std::filesystem::path file = directory / name;
    const auto size = std::filesystem::file_size(file, code);
    const auto time = std::filesystem::last_write_time(file, code);
    if (newest != nullptr && !code) {
      *newest = std::max(*newest, time);
    }
    out += std::to_string(code ? 0 : size) + "@" +
           std::to_string(code ? 0 : time.time_since_epoch().count()) + " ";
  }
  return out;
}

}  // namespace

LocalSession::LocalSession(StatePaths paths, const cli::SessionOptions& options,
                           SessionEnvironment environment)
    : paths_(std::move(paths)),
      namespace_(options.namespace_),
      writable_(options.writable),
      environment_(std::move(environment)) {}

LocalSession::~LocalSession() = default;

Result<std::unique_ptr<cli::Session>> LocalSession::open(const cli::SessionOptions& options,
                                                         SessionEnvironment environment) {
  std::error_code code;
  const std::filesystem::path root = std::filesystem::absolute(options.state_directory, code);
  if (code) {
    return fail(ErrorCode::invalid, "--state: " + options.state_directory + ": " + code.message());
  }
  std::unique_ptr<LocalSession> session(
      new LocalSession(StatePaths{root}, options, std::move(environment)));
  TRY_VOID(session->open_store());
  if (options.writable) {
    TRY_VOID(session->collect());
  }
  return session;
}

Result<> LocalSession::open_store() {
  store_.reset();
  std::filesystem::file_time_type newest = std::filesystem::file_time_type::min();
  seen_ = look_of(paths_.root, &newest);
  // The kernel's stamps are coarse: what is written right after the look may look the same.
  const auto now = std::chrono::time_point_cast<std::filesystem::file_time_type::duration>(
      std::chrono::file_clock::from_sys(clock_.now()));
  settled_ = newest < now - std::chrono::seconds(1);
  loop_ = std::make_unique<async::Loop>(clock_);
  store::Options options;
  options.directory = paths_.root;
  options.mode = writable_ ? store::Mode::read_write : store::Mode::read_only;
  TRY(store_, store::Store::open(*loop_, random_, std::move(options)));
  return {};
}

Result<kube::ObjectRef> LocalSession::find(const std::string& name) const {
  const std::size_t slash = name.find('/');
  if (slash != std::string::npos) {
    kube::ObjectRef object =
        store_->get({"Workflow", name.substr(0, slash), name.substr(slash + 1)});
    if (object == nullptr) {
      return fail(ErrorCode::not_found, "workflows.argoproj.io \"" + name + "\" not found");
    }
    return object;
  }
  kube::ObjectRef found;
  for (const kube::ObjectRef& object : store_->list("Workflow", namespace_, {})) {
    if (name == "@latest") {
      found = found == nullptr || is_newer(object, found) ? object : found;
      continue;
    }
    if (object->key().name != name) {
      continue;
    }
    if (found != nullptr) {
      return fail(ErrorCode::conflict, "workflow " + name + " exists in the namespaces " +
                                           found->key().namespace_ + " and " +
                                           object->key().namespace_ + ": say which with -n");
    }
    found = object;
  }
  if (found == nullptr) {
    return fail(ErrorCode::not_found, name == "@latest"
                                          ? "no workflows found"
                                          : "workflows.argoproj.io \"" + name + "\" not found");
  }
  return found;
}

Result<doc::Value> LocalSession::with_nodes(const kube::ObjectRef& workflow) const {
  TRY(const auto rows, stored_rows(*store_, workflow->uid()));
  return workflows::workflow_with_nodes(workflow->document(), rows);
}

Result<std::vector<doc::Value>> LocalSession::list(bool nodes) {
  auto objects = store_->list("Workflow", namespace_, {});
  std::ranges::sort(objects, is_newer);
  std::vector<doc::Value> out;
  for (const kube::ObjectRef& object : objects) {
    if (nodes) {
      TRY(out.emplace_back(), with_nodes(object));
    } else {
      out.push_back(object->document());
    }
  }
  return out;
}

Result<doc::Value> LocalSession::get(const std::string& name) {
  TRY(const kube::ObjectRef workflow, find(name));
  return with_nodes(workflow);
}

Result<cli::Glance> LocalSession::glance(const std::string& name) {
  TRY(const kube::ObjectRef workflow, find(name));
  TRY(const auto last, store_->last_row(workflow->uid()));
  const auto count = static_cast<workflows::NodeIndex>(last ? *last + 1 : 0);
  cli::Glance out{.workflow = {}, .nodes = count, .shown = count};
  if (count <= workflows::kManyNodes) {
    TRY(out.workflow, with_nodes(workflow));
    return out;
  }
  constexpr workflows::NodeIndex kShown = 400;
  TRY(out.workflow,
      workflows::workflow_excerpt(workflow->document(), count, kShown,
                                  [&](workflows::NodeIndex index) -> Result<std::string> {
                                    TRY(kube::Row row, store_->row(workflow->uid(), index));
                                    return std::move(row.bytes);
                                  }));
  out.shown = doc::find(*doc::find(out.workflow, "status"), "nodes")->get_object().size();
  return out;
}

Result<doc::Value> LocalSession::object(std::string_view kind, const std::string& namespace_name,
                                        const std::string& name) {
  const bool cluster_scoped = kind == "ClusterWorkflowTemplate";
  const kube::ObjectRef found =
      store_->get({std::string(kind), cluster_scoped ? "" : namespace_name, name});
  return found == nullptr ? doc::Value() : found->document();
}

/// Leaves the pods whose labels match.
Result<> LocalSession::select_pods(const kube::ObjectRef& workflow,
                                   std::span<const workflows::StoredRow> rows,
                                   const kube::LabelSelector& selector,
                                   std::vector<workflows::PodOfNode>& pods) const {
  const workflows::ApiReferences references(*store_, workflow->key().namespace_);
  const auto now = std::chrono::floor<std::chrono::milliseconds>(clock_.now());
  TRY(const auto engine,
      workflows::Engine::restore(workflow->document(), rows, references, {}, now));
  std::erase_if(pods, [&](const workflows::PodOfNode& pod) {
    const auto node = engine.nodes().find_id(pod.node_id);
    if (!node) {
      return true;
    }
    kube::Labels labels;
    for (auto& [key, value] : workflows::pod_labels(engine, *node)) {
      labels.push_back({key, value});
    }
    return !selector.matches(labels);
  });
  return {};
}

Result<> LocalSession::logs(const cli::LogQuery& query,
                            const std::function<bool(const cli::LogLine&)>& on_line) {
  const RE2 pattern(query.grep);
  if (!pattern.ok()) {
    return fail(ErrorCode::invalid, "--grep: " + pattern.error());
  }
  TRY(const auto selector, kube::LabelSelector::parse(query.label_selector));
  LogFolder folder(paths_.logs());
  std::map<std::string, std::vector<LogFile>> files;
  for (bool first = true;; first = false) {
    TRY(const kube::ObjectRef workflow, find(query.workflow));
    TRY(const auto rows, selector.empty() ? rows_for(*store_, workflow->uid(), query.node_or_pod)
                                          : stored_rows(*store_, workflow->uid()));
    TRY(auto pods, workflows::pods_of(workflow->document(), rows));
    if (!selector.empty()) {
      TRY_VOID(select_pods(workflow, rows, selector, pods));
    }
    std::vector<cli::LogLine> lines;
    bool found = false;
    for (const workflows::PodOfNode& pod : pods) {
      if (!query.node_or_pod.empty() && !is_meant(pod, query.node_or_pod)) {
        continue;
      }
      found = true;
      auto& of_pod = files[pod.pod_name];
      if (of_pod.empty()) {
        of_pod = folder.files_of(workflow->key().namespace_, pod.pod_name);
      }
      const bool has_main = std::ranges::any_of(
          of_pod, [](const LogFile& file) { return file.container() == "main"; });
      for (LogFile& file : of_pod) {
        // Without a main container (container sets) all of them are meant.
        const std::string& container = !query.container.empty() ? query.container
                                       : has_main               ? kMainContainer
                                                                : file.container();
        std::vector<cli::LogLine> own;
        file.read_new(own, pod.ended ? LogWriter::ended : LogWriter::running);
        std::erase_if(own, [&](const cli::LogLine& line) { return line.container != container; });
        if (first && query.tail &&
            own.size() > static_cast<std::size_t>(std::max<std::int64_t>(*query.tail, 0))) {
          own.erase(own.begin(), own.end() - std::max<std::int64_t>(*query.tail, 0));
        }
        lines.insert(lines.end(), std::make_move_iterator(own.begin()),
                     std::make_move_iterator(own.end()));
      }
    }
    sort_by_time(lines);
    for (const cli::LogLine& line : lines) {
      const bool wanted = (query.grep.empty() || RE2::PartialMatch(line.text, pattern)) &&
                          (!query.since || is_after(line.timestamp, *query.since));
      if (wanted && !on_line(line)) {
        return {};
      }
    }
    if (!query.follow || has_ended(workflow->document())) {
      return found || query.node_or_pod.empty() ? Result<>() : no_step(workflow, query.node_or_pod);
    }
    TRY([[maybe_unused]] const bool changed, look_again());
  }
}

Result<cli::RunEnd> LocalSession::run(cli::RunRequest request, cli::RunObserver& observer) {
  std::vector<kube::ObjectKey> resume;
  for (const std::string& name : request.resume) {
    TRY(const kube::ObjectRef object, find(name));
    resume.push_back(object->key());
  }
  const bool nodes = request.with_nodes;
  RunOutcome outcome;
  {
    LocalRun run(*loop_, *store_, paths_, environment_, std::move(request), std::move(resume),
                 observer);
    TRY(outcome, run.carry_out());
  }
  cli::RunEnd end{.workflows = {}, .left = outcome.left};
  for (const kube::ObjectKey& key : outcome.runs) {
    if (const kube::ObjectRef object = store_->get(key)) {
      if (nodes) {
        TRY(end.workflows.emplace_back(), with_nodes(object));
      } else {
        end.workflows.push_back(object->document());
      }
    } else {
      return fail(ErrorCode::not_found, kube::describe(key) + " has been deleted");
    }
  }
  TRY_VOID(store_->close());
  return end;
}

Result<> LocalSession::tell(const kube::ObjectRef& workflow, Told& told,
                            cli::RunObserver& observer) {
  cli::RunLine run;
  run.name = workflow->key().name;
  run.phase = phase_of(workflow->document());
  if (const doc::Value* status = doc::find(workflow->document(), "status")) {
    const auto started = kube::parse_time(doc::find_string(*status, "startedAt"));
    run.started =
        std::chrono::floor<std::chrono::milliseconds>(started ? *started : decltype(run.started)());
    run.message = doc::find_string(*status, "message");
  }
  TRY(const auto rows, stored_rows(*store_, workflow->uid()));
  if (rows.empty()) {
    observer.on_run(run);
    return {};
  }
  const workflows::ApiReferences references(*store_, workflow->key().namespace_);
  const auto now = std::chrono::floor<std::chrono::milliseconds>(clock_.now());
  TRY(const auto engine,
      workflows::Engine::restore(workflow->document(), rows, references, {}, now));
  run.progress = engine.progress();
  observer.on_run(run);
  tell_nodes(engine, told.phases, told.first, observer);
  told.first = false;
  return {};
}

Result<doc::Value> LocalSession::watch(const std::string& name, cli::RunObserver& observer) {
  TRY(const kube::ObjectRef first, find(name));
  const std::string uid = first->uid();
  Told told;
  int quiet = 0;
  for (bool changed = true;;) {
    if (changed) {
      const kube::ObjectRef workflow = store_->find_uid(uid);
      if (workflow == nullptr) {
        return fail(ErrorCode::not_found,
                    "workflows.argoproj.io \"" + first->key().name + "\" has been deleted");
      }
      TRY_VOID(tell(workflow, told, observer));
      if (has_ended(workflow->document())) {
        return with_nodes(workflow);
      }
    }
    observer.on_tick();
    TRY(changed, look_again());
    quiet = changed ? 0 : quiet + 1;
    if (quiet == kQuietLooks && !is_served(paths_.root)) {
      observer.on_notice("no program runs " + first->key().name + "; `tiphys run --resume " +
                         first->key().name + "` goes on with it");
    }
  }
}

std::vector<std::string> LocalSession::log_tail(const std::string& pod, std::size_t lines) {
  if (tails_ == nullptr) {
    tails_ = std::make_unique<LogFolder>(paths_.logs());
  }
  return tails_->tail_of(pod, lines);
}

Result<Value> LocalSession::ask(const Value& request,
                                const std::function<Result<Value>()>& record) {
  for (int left = kTries; !writable_; --left) {
    auto sent = send_request(paths_.root, request);
    if (sent || sent.error().code != ErrorCode::unavailable) {
      if (sent) {
        // What is read from here on shows what the other program has done.
        TRY_VOID(open_store());
      }
      return sent;
    }
    // Nobody has the directory: its record is changed, and runs go on from there when resumed.
    writable_ = true;
    const auto opened = open_store();
    if (opened) {
      break;
    }
    if (opened.error().code != ErrorCode::conflict || left == 0) {
      return std::unexpected(opened.error());
    }
    // The program that holds the directory is just starting, and will listen.
    writable_ = false;
    wait_a_little(kBetweenTries);
    TRY_VOID(open_store());
  }
  TRY(Value answer, record());
  TRY_VOID(flush());
  return answer;
}

Result<Value> LocalSession::change(const Value& request) {
  return ask(request, [&] {
    return carry_out(
        {*store_, paths_.logs(), std::chrono::floor<std::chrono::milliseconds>(clock_.now())},
        request);
  });
}

Result<> LocalSession::control(const cli::Control& control) {
  TRY_VOID(ask(request_of(control), [&]() -> Result<Value> {
    TRY_VOID(change_record(
        {*store_, paths_.logs(), std::chrono::floor<std::chrono::milliseconds>(clock_.now())},
        control));
    return Value();
  }));
  return {};
}

Result<std::string> LocalSession::retry(const cli::RetryRequest& request) {
  TRY(const kube::ObjectRef object, find(request.workflow));
  cli::RetryRequest named = request;
  named.workflow = object->key().name;
  TRY_VOID(change(request_of(named, object->key().namespace_)));
  return named.workflow;
}

Result<std::string> LocalSession::resubmit(const cli::ResubmitRequest& request) {
  TRY(const kube::ObjectRef object, find(request.workflow));
  cli::ResubmitRequest named = request;
  named.workflow = object->key().name;
  std::string name = workflows::resubmit_prefix(object->document()) + request.suffix;
  TRY_VOID(change(request_of(named, object->key().namespace_, name)));
  return name;
}

Result<> LocalSession::start(const std::vector<std::string>& names,
                             const cli::RunOptions& options) {
  doc::Array runs;
  std::vector<kube::ObjectKey> keys;
  for (const std::string& name : names) {
    TRY(const kube::ObjectRef object, find(name));
    keys.push_back(object->key());
    runs.push_back(
        doc::Object{{"namespace", object->key().namespace_}, {"workflow", object->key().name}});
  }
  if (writable_) {
    TRY_VOID(store_->close());
    writable_ = false;
    TRY_VOID(open_store());
  }
  const Value request = doc::Object{{"verb", "run"}, {"workflows", std::move(runs)}};
  bool begun = false;
  for (int left = kTries;; --left) {
    const auto sent = send_request(paths_.root, request);
    if (sent || sent.error().code != ErrorCode::unavailable) {
      return sent ? open_store() : Result<>(std::unexpected(sent.error()));
    }
    if (begun && std::ranges::all_of(keys, [&](const kube::ObjectKey& key) {
          const kube::ObjectRef object = store_->get(key);
          return object == nullptr || has_ended(object->document());
        })) {
      return {};
    }
    if (left == 0) {
      return fail(ErrorCode::timeout, "the program begun in the background does not answer; " +
                                          (paths_.root / "background.log").string() +
                                          " may say why");
    }
    if (!begun) {
      TRY_VOID(begin_background(keys, options));
      begun = true;
    }
    wait_a_little(kBetweenTries);
    TRY_VOID(open_store());
  }
}

Result<> LocalSession::begin_background(const std::vector<kube::ObjectKey>& keys,
                                        const cli::RunOptions& options) const {
  if (!environment_.start_program) {
    return fail(ErrorCode::unavailable, "no program can be begun in the background");
  }
  std::vector<std::string> arguments = {"--state", paths_.root.string(), "background"};
  if (options.slots > 0) {
    arguments.insert(arguments.end(), {"--jobs", std::to_string(options.slots)});
  }
  if (options.reuse) {
    arguments.emplace_back("--reuse");
  }
  static constexpr std::array<const char*, 3> kIsolation = {"process", "namespaces", "layer"};
  arguments.insert(arguments.end(),
                   {"--isolation", kIsolation.at(static_cast<std::size_t>(options.isolation))});
  if (!options.config_file.empty()) {
    arguments.insert(arguments.end(), {"--config", options.config_file});
  }
  if (!options.artifact_key_format.empty()) {
    arguments.insert(arguments.end(), {"--artifact-key-format", options.artifact_key_format});
  }
  for (const kube::ObjectKey& key : keys) {
    arguments.push_back(key.namespace_ + "/" + key.name);
  }
  return environment_.start_program(arguments, paths_.root / "background.log");
}

Result<> LocalSession::remove(const std::string& name, cli::Removal removal) {
  TRY(const kube::ObjectRef object, find(name));
  if (removal == cli::Removal::ordinary &&
      workflows::ArtifactCollector::is_due(*object, workflows::GcMoment::deletion)) {
    if (!writable_) {
      return fail(ErrorCode::conflict,
                  "artifacts go with workflow " + object->key().name +
                      ", and another program runs workflows in this directory: delete it when that "
                      "has ended, or leave the artifacts behind with --force");
    }
    TRY_VOID(remove_artifacts_of(*loop_, *store_, paths_, object));
  }
  return remove_object("Workflow", object->key().namespace_, object->key().name);
}

Result<> LocalSession::store(std::vector<doc::Value> objects, Write write) {
  const std::string_view verb = write == Write::create ? "create"
                                : write == Write::put  ? "put"
                                                       : "update";
  TRY_VOID(change(objects_request(verb, std::move(objects))));
  return {};
}

Result<std::vector<doc::Value>> LocalSession::objects(std::string_view kind,
                                                      const std::string& namespace_name) {
  std::vector<doc::Value> out;
  for (const kube::ObjectRef& object : store_->list(kind, namespace_name, {})) {
    out.push_back(object->document());
  }
  return out;
}

Result<> LocalSession::remove_object(std::string_view kind, const std::string& namespace_name,
                                     const std::string& name) {
  TRY_VOID(change(doc::Object{{"verb", "remove"},
                              {"kind", std::string(kind)},
                              {"namespace", namespace_name},
                              {"name", name}}));
  return {};
}

Result<> LocalSession::collect() {
  LogNames names;
  for (const kube::ObjectRef& workflow : store_->list("Workflow", "", {})) {
    const auto expiry = workflows::expiry_of(*workflow);
    if (expiry && *expiry <= clock_.now()) {
      // One whose artifacts cannot be removed stays, and is tried again the next time.
      if (remove_artifacts_of(*loop_, *store_, paths_, workflow)) {
        TRY(auto removed, remove_objects(*store_, workflow));
        names.merge(removed);
      }
    }
  }
  if (!names.empty()) {
    TRY_VOID(flush());
    remove_logs(paths_.logs(), names);
  }
  return {};
}

Result<> LocalSession::copy_artifact(const doc::Value& workflow, const doc::Value& artifact,
                                     const std::string& destination) {
  return app::copy_artifact(paths_, workflow, artifact, destination);
}

Result<std::string> LocalSession::explain(const std::string& workflow, const std::string& node) {
  TRY(const kube::ObjectRef object, find(workflow));
  TRY(const doc::Value document, with_nodes(object));
  return workflows::explain(StoreRecords(*store_), document, node);
}

void LocalSession::wait_a_little(std::chrono::milliseconds time) {
  // The timer ends before anybody replaces the loop that it belongs to.
  const async::Timer timer = loop_->call_after(time, [this] { loop_->stop(); });
  loop_->run();
}

Result<bool> LocalSession::look_again() {
  wait_a_little(kLookAgain);
  if (settled_ && look_of(paths_.root) == seen_) {
    return false;
  }
  TRY_VOID(open_store());
  return true;
}

Result<> LocalSession::flush() {
  Result<> out;
  store_->flush([&](Result<> flushed) {
    out = std::move(flushed);
    loop_->stop();
  });
  loop_->run();
  return out;
}

}  // namespace tiphys::app

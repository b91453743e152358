#include "cluster/node/pod_run.h"

#include "cluster/node/files.h"
#include "cluster/node/host_mounts.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sys/stat.h>
#include <unistd.h>

namespace tiphys::node {
namespace {

constexpr std::chrono::seconds kDefaultGrace{30};
constexpr int kStartErrorExitCode = 128;

const doc::Value& empty_object() {
  static const doc::Value kEmpty = doc::Object();
  return kEmpty;
}

const doc::Value& member(const doc::Value& value, std::string_view key) {
  const doc::Value* found = doc::find(value, key);
  return found != nullptr ? *found : empty_object();
}

std::optional<std::int64_t> integer(const doc::Value& value, std::string_view key) {
  const doc::Value* found = doc::find(value, key);
  return found != nullptr && found->is_int64() ? std::optional(found->get_int64()) : std::nullopt;
}

/// A container's own security setting, or the pod's.
std::optional<std::int64_t> security(const doc::Value& pod, const doc::Value& container,
                                     std::string_view key) {
  const auto own = integer(member(container, "securityContext"), key);
  return own ? own : integer(member(member(pod, "spec"), "securityContext"), key);
}

bool small_staging(const executor::StepPlan& plan) { return plan.input_artifacts.empty(); }

bool small_capture(const executor::StepPlan& plan) {
  return plan.output_artifacts.empty() && plan.output_parameters.empty() && plan.logs.empty();
}

/// Whether a program of this name stands on the environment's PATH.
bool is_program(const std::string& name, const std::vector<std::string>& environment) {
  constexpr std::string_view kPath = "PATH=";
  const auto path = std::ranges::find_if(
      environment, [&](const std::string& variable) { return variable.starts_with(kPath); });
  if (name.empty() || path == environment.end()) {
    return false;
  }
  std::string_view folders = std::string_view(*path).substr(kPath.size());
  while (!folders.empty()) {
    const std::string_view folder = folders.substr(0, folders.find(':'));
    folders.remove_prefix(std::min(folder.size() + 1, folders.size()));
    if (access((std::string(folder) + "/" + name).c_str(), X_OK) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

PodRun::PodRun(NodeShared& shared, PodKey key, std::shared_ptr<const doc::Value> pod,
               std::function<void()> on_processes_over, std::function<void()> on_done)
    : shared_(shared),
      key_(std::move(key)),
      pod_(std::move(pod)),
      on_processes_over_(std::move(on_processes_over)),
      on_done_(std::move(on_done)) {
  pod_folder_ = fmt::format("{}/pods/{}", shared_.config.state_folder, key_.uid);
  memory_folder_ = fmt::format("/dev/shm/tiphys-{}-{}", getpid(), key_.uid);
}

PodRun::~PodRun() = default;

PodContext PodRun::context() const {
  return {*pod_,
          shared_.callbacks.lookup,
          shared_.config.name,
          shared_.config.address,
          shared_.config.cpu_milli,
          shared_.config.memory_bytes,
          shared_.config.path};
}

void PodRun::read_document() {
  const doc::Value& spec = member(*pod_, "spec");
  const auto read = [&](std::string_view key, std::vector<ContainerState>& states,
                        std::vector<Container>& containers) {
    const doc::Array* list = member(spec, key).if_array();
    if (list == nullptr) {
      return;
    }
    states.resize(list->size());
    containers.resize(list->size());
    for (std::size_t i = 0; i < list->size(); ++i) {
      const doc::Value& document = (*list)[i];
      states[i].name = doc::find_string(document, "name");
      states[i].image = doc::find_string(document, "image");
      states[i].reason = "PodInitializing";
      containers[i].document = &document;
      containers[i].state = &states[i];
      if (shared_.note_image) {
        shared_.note_image(states[i].image);
      }
    }
  };
  read("initContainers", state_.init_containers, init_);
  read("containers", state_.containers, containers_);
  if (init_.empty()) {
    for (ContainerState& container : state_.containers) {
      container.reason = "ContainerCreating";
    }
  }
}

Result<> PodRun::read_plan() {
  const std::string_view text =
      doc::find_string(member(member(*pod_, "metadata"), "annotations"), executor::kPlanAnnotation);
  if (!text.empty() && shared_.work != nullptr) {
    TRY(plan_, shared_.work->parse(text));
  }
  const bool named = plan_ && std::any_of(containers_.begin(), containers_.end(), [&](auto& one) {
                       return one.state->name == plan_->main_container;
                     });
  for (Container& container : containers_) {
    container.main = !named || container.state->name == plan_->main_container;
  }
  return {};
}

std::chrono::seconds PodRun::grace_period() const {
  const auto seconds = integer(member(*pod_, "spec"), "terminationGracePeriodSeconds");
  return seconds && *seconds >= 0 ? std::chrono::seconds(*seconds) : kDefaultGrace;
}

void PodRun::prepare() {
  prepared_ = true;
  state_.start_time = shared_.loop.now();
  read_document();
  if (const auto read = read_plan(); !read || containers_.empty()) {
    state_.message = read ? "a pod needs a container" : read.error().message;
    finish(std::nullopt);
    return;
  }
  set_up();
}

void PodRun::begin() {
  if (done_) {
    return;
  }
  has_place_ = true;
  state_.start_time = shared_.loop.now();
  state_.unschedulable.clear();
  if (const auto seconds = integer(member(*pod_, "spec"), "activeDeadlineSeconds")) {
    deadline_ = shared_.loop.call_after(std::chrono::seconds(*seconds), [self = weak_from_this()] {
      if (const auto pod = self.lock(); pod && pod->stopping_ == Stopping::no) {
        pod->stopping_ = Stopping::deadline;
        pod->kill_after(pod->grace_period());
      }
    });
  }
  if (!prepared_) {
    prepare();
  } else if (waits_for_place_) {
    go_on();
  }
}

void PodRun::set_up() {
  waits_for_objects_ = false;
  auto volumes = prepare_volumes(
      context(),
      {pod_folder_, memory_folder_, fmt::format("{}/claims", shared_.config.state_folder)});
  const doc::Array* list = member(member(*pod_, "spec"), "volumes").if_array();
  has_folder_ = has_folder_ || (list != nullptr && !list->empty());
  if (!volumes) {
    wait_for_objects(volumes.error());
    return;
  }
  volumes_ = std::move(*volumes);
  stage();
}

/// As on a real node the pod stays Pending until what is missing appears.
void PodRun::wait_for_objects(const Error& error) {
  waits_for_objects_ = true;
  for (auto* list : {&state_.init_containers, &state_.containers}) {
    for (ContainerState& container : *list) {
      if (container.phase == ContainerPhase::waiting && container.message.empty()) {
        container.message = error.message;
      }
    }
  }
  report_soon();
}

void PodRun::look_again() {
  if (!waits_for_objects_ || done_) {
    return;
  }
  waits_for_objects_ = false;
  for (auto* list : {&state_.init_containers, &state_.containers}) {
    for (ContainerState& container : *list) {
      if (container.phase == ContainerPhase::waiting) {
        container.message.clear();
      }
    }
  }
  if (volumes_.empty()) {
    set_up();
  } else {
    go_on();
  }
}

StepWork::Staging PodRun::make_staging() {
  StepWork::Staging staging;
  const bool layered = shared_.sandbox.isolation() == Isolation::layer;
  if (layered) {
    input_ = fmt::format("{}/{}", shared_.sandbox.inputs_folder(), ++shared_.last_input);
  } else {
    input_ = pod_folder_ + "/inputs";
    has_folder_ = true;
  }
  staging.folder = input_;
  staging.own_copy = !layered;
  // Twice "overlay": the inputs are seen through an overlay of their own, which takes one away.
  staging.opaque_attribute = !layered         ? ""
                             : geteuid() == 0 ? "trusted.overlay.overlay.opaque"
                                              : "user.overlay.overlay.opaque";
  for (const Container& container : containers_) {
    if (!container.main) {
      continue;
    }
    if (const auto mounts = container_mounts(volumes_, *container.document, {})) {
      for (const Mount& mount : *mounts) {
        staging.volumes.push_back(
            {mount.target, mount.sub_path.empty()
                               ? std::filesystem::path(mount.source)
                               : std::filesystem::path(mount.source) / mount.sub_path});
      }
    }
    break;
  }
  return staging;
}

void PodRun::stage() {
  if (!plan_ || (plan_->input_artifacts.empty() && !plan_->script_source)) {
    go_on();
    return;
  }
  StepWork::Staging staging = make_staging();
  if (const auto made = make_folders(input_); !made) {
    staged(made);
    return;
  }
  if (small_staging(*plan_)) {
    staged(shared_.work->stage(*plan_, staging));
    return;
  }
  auto plan = std::make_shared<const executor::StepPlan>(*plan_);
  const auto queued = shared_.pool.run(
      [work = shared_.work, plan, staging = std::move(staging)] {
        return work->stage(*plan, staging);
      },
      [self = shared_from_this()](const Result<>& result) { self->staged(result); });
  if (!queued) {
    staged(queued);
  }
}

void PodRun::staged(const Result<>& result) {
  if (done_) {
    return;
  }
  if (!result) {
    staged_error_ = result.error().message;
    state_.message = staged_error_;
    executor::StepOutputs outputs;
    outputs.error = staged_error_;
    finish(std::move(outputs));
    return;
  }
  go_on();
}

/// Starts what comes next: an init container, or all containers.
void PodRun::go_on() {
  if (stopping_ != Stopping::no) {
    finish(std::nullopt);
    return;
  }
  if (!has_place_) {
    waits_for_place_ = true;
    return;
  }
  if (next_init_ < init_.size()) {
    start(init_[next_init_]);
    return;
  }
  mains_begun_ = true;
  for (Container& container : containers_) {
    if (!done_ && container.state->phase == ContainerPhase::waiting && container.run == 0) {
      start(container);
    }
  }
}

void PodRun::start(Container& container) {
  ContainerState& state = *container.state;
  state.reason = "ContainerCreating";
  if (const auto filled = fill_spec(container); !filled) {
    if (filled.error().code == ErrorCode::not_found) {
      state.reason = "CreateContainerConfigError";
      state.message = filled.error().message;
      waits_for_objects_ = true;
      report_soon();
      return;
    }
    const StartFailure failure{filled.error().message, true};
    on_started(container, &failure);
    return;
  }
  const bool keep = plan_ && plan_->capture_result && container.main && mains_begun_;
  auto log = ContainerLog::open(shared_.loop, shared_.log_file(key_, state.name),
                                keep ? Keep::standard_output : Keep::nothing,
                                executor::kMaximumResultBytes + 1);
  if (!log) {
    const StartFailure failure{log.error().message, true};
    on_started(container, &failure);
    return;
  }
  container.log = std::move(*log);
  const auto self = shared_from_this();
  container.run = shared_.sandbox.start(
      container.spec, container.log->output(), container.log->errors(),
      [self, &container](const StartFailure* failure) { self->on_started(container, failure); },
      [self, &container](const Ended& ended) { self->on_ended(container, ended); });
  container.log->handed_over();
}

Result<> PodRun::fill_spec(Container& container) {
  ContainerSpec& spec = container.spec;
  const doc::Value& document = *container.document;
  spec = {};
  spec.host_name = doc::find_string(member(*pod_, "spec"), "hostname");
  if (spec.host_name.empty()) {
    // As the kubelet cuts it: a host name has at most 63 characters.
    spec.host_name = key_.name.substr(0, 63);
    spec.host_name.erase(spec.host_name.find_last_not_of("-.") + 1);
  }
  TRY(spec.environment, make_environment(context(), document));
  if (plan_) {
    spec.environment.emplace_back(kProgressVariable);
    if (container.main && mains_begun_ && shared_.callbacks.on_progress) {
      spec.on_progress = [this](const std::string& text) {
        shared_.callbacks.on_progress(key_, text);
      };
    }
  }
  spec.arguments = make_arguments(document, spec.environment);
  const doc::Array* command = member(document, "command").if_array();
  const std::string entrypoint = entrypoint_of_image(doc::find_string(document, "image"));
  if ((command == nullptr || command->empty()) && is_program(entrypoint, spec.environment)) {
    spec.arguments.insert(spec.arguments.begin(), entrypoint);
  }
  if (spec.arguments.empty()) {
    return fail(ErrorCode::invalid,
                fmt::format("failed to generate container \"{}\" spec: failed to generate spec: no "
                            "command specified",
                            container.state->name));
  }
  TRY(spec.mounts, container_mounts(volumes_, document, spec.environment));
  spec.working_directory = doc::find_string(document, "workingDir");
  const Isolation isolation = shared_.sandbox.isolation();
  spec.user = security(*pod_, document, "runAsUser");
  spec.group = security(*pod_, document, "runAsGroup");
  if (geteuid() != 0) {
    // There is one user without root, and it is the one that runs everything.
    spec.user = std::nullopt;
    spec.group = std::nullopt;
  }
  if (spec.working_directory.empty()) {
    spec.working_directory = "/";
  }
  if (isolation == Isolation::layer) {
    const doc::Value* read_only =
        doc::find(member(document, "securityContext"), "readOnlyRootFilesystem");
    spec.read_only_root = read_only != nullptr && read_only->is_bool() && read_only->get_bool();
  }
  if (container.main && mains_begun_ && !input_.empty()) {
    TRY_VOID(add_staged_files(container));
  }
  if (isolation == Isolation::layer) {
    TRY(spec.layer,
        shared_.sandbox.make_layer(spec.lowers.empty() ? LayerUse::alone : LayerUse::over_lowers));
  }
  if (isolation == Isolation::process) {
    TRY_VOID(place_links(spec.mounts));
    spec.mounts.clear();
  }
  return {};
}

/// The staged files become a layer, or else mounts of their own.
Result<> PodRun::add_staged_files(Container& container) {
  if (shared_.sandbox.isolation() == Isolation::layer) {
    if (plan_->input_artifacts.empty()) {
      // Only a script: its folder stands ready in every layer, and a mount costs less than a layer.
      const std::string folder(executor::kScriptPath.substr(0, executor::kScriptPath.rfind('/')));
      container.spec.mounts.push_back({input_ + folder, "", folder, false});
      return {};
    }
    container.spec.lowers.push_back(input_.substr(input_.rfind('/') + 1));
    return {};
  }
  std::vector<std::string> paths;
  for (const executor::InputArtifact& artifact : plan_->input_artifacts) {
    paths.push_back(artifact.path);
  }
  // A script's path is only an argument: it is pointed to where the script is.
  for (std::string& argument : container.spec.arguments) {
    if (plan_->script_source && argument == executor::kScriptPath) {
      argument = input_ + argument;
    }
  }
  for (const std::string& path : paths) {
    const auto clean = clean_path(path);
    struct stat status{};
    if (clean && lstat((input_ + *clean).c_str(), &status) == 0) {
      container.spec.mounts.push_back({input_ + *clean, "", *clean, false});
    }
  }
  return {};
}

/// Without namespaces a link stands where a mount would; nothing of the machine is replaced.
Result<> PodRun::place_links(const std::vector<Mount>& mounts) {
  for (const Mount& mount : mounts) {
    const std::string source =
        mount.sub_path.empty() ? mount.source : mount.source + "/" + mount.sub_path;
    if (!mount.sub_path.empty()) {
      TRY_VOID(make_folders(source));
    }
    TRY_VOID(
        make_folders(mount.target.substr(0, std::max<std::size_t>(mount.target.rfind('/'), 1))));
    if (symlink(source.c_str(), mount.target.c_str()) == 0) {
      links_.push_back(mount.target);
      continue;
    }
    struct stat there{};
    struct stat ours{};
    const bool same = stat(mount.target.c_str(), &there) == 0 && stat(source.c_str(), &ours) == 0 &&
                      there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
    if (!same) {
      return fail(ErrorCode::invalid,
                  fmt::format("{} is in use on this machine, and without namespaces nothing else "
                              "can stand there",
                              mount.target));
    }
  }
  return {};
}

void PodRun::on_started(Container& container, const StartFailure* failure) {
  ContainerState& state = *container.state;
  if (failure != nullptr) {
    state.phase = ContainerPhase::terminated;
    state.reason = "StartError";
    state.message = failure->message;
    state.exit_code = kStartErrorExitCode;
    state.started = async::TimePoint{};
    state.finished = shared_.loop.now();
    if (container.log) {
      container.log->finish();
    }
    container.run = 0;
    ended(container);
    return;
  }
  state.phase = ContainerPhase::running;
  state.reason.clear();
  state.message.clear();
  state.started = shared_.loop.now();
  if (stopping_ != Stopping::no) {
    shared_.sandbox.signal(container.run, SIGTERM);
  }
  const bool all = std::all_of(containers_.begin(), containers_.end(), [](const auto& one) {
    return one.state->phase != ContainerPhase::waiting;
  });
  if (all && state_.phase == PodPhase::pending) {
    state_.phase = PodPhase::running;
    report_soon();
  }
}

void PodRun::on_ended(Container& container, const Ended& result) {
  ContainerState& state = *container.state;
  container.run = 0;
  container.log->finish();
  container.peak_memory_bytes = result.peak_memory_bytes;
  container.cpu_microseconds = result.cpu_microseconds;
  state.phase = ContainerPhase::terminated;
  state.exit_code = result.exit_code;
  state.reason = result.exit_code == 0 ? "Completed" : "Error";
  state.finished = shared_.loop.now();
  ended(container);
}

/// What follows from a container's end.
void PodRun::ended(Container& container) {
  if (done_) {
    return;
  }
  if (!mains_begun_) {
    if (container.state->exit_code == 0) {
      ++next_init_;
      go_on();
    } else {
      finish(std::nullopt);
    }
    return;
  }
  bool all = true;
  bool mains = true;
  for (const Container& one : containers_) {
    const bool over = one.state->phase == ContainerPhase::terminated;
    all = all && over;
    mains = mains && (over || !one.main);
  }
  if (all) {
    collect();
  } else if (mains && container.main && stopping_ == Stopping::no) {
    signal_all(SIGTERM, true);
    kill_ = shared_.loop.call_after(grace_period(), [self = weak_from_this()] {
      if (const auto pod = self.lock()) {
        pod->signal_all(SIGKILL, true);
      }
    });
  } else {
    report_soon();
  }
}

void PodRun::signal_all(int number, bool sidecars_only) {
  for (auto* list : {&init_, &containers_}) {
    for (Container& container : *list) {
      if (container.run != 0 && !(sidecars_only && container.main)) {
        shared_.sandbox.signal(container.run, number);
      }
    }
  }
}

void PodRun::stop(std::optional<std::chrono::seconds> grace) {
  if (done_ || collecting_) {
    return;
  }
  if (stopping_ == Stopping::no) {
    stopping_ = Stopping::asked;
  }
  kill_after(grace.value_or(grace_period()));
}

void PodRun::kill_after(std::chrono::seconds grace) {
  if (done_ || collecting_) {
    return;
  }
  const auto runs = [](const std::vector<Container>& list) {
    return std::any_of(list.begin(), list.end(), [](const auto& one) { return one.run != 0; });
  };
  if (!runs(init_) && !runs(containers_)) {
    // Nothing runs. Work on the pool comes back to `staged`, which finds the pod done.
    finish(std::nullopt);
    return;
  }
  if (grace.count() <= 0) {
    signal_all(SIGKILL, false);
    return;
  }
  signal_all(SIGTERM, false);
  kill_ = shared_.loop.call_after(grace, [self = weak_from_this()] {
    if (const auto pod = self.lock()) {
      pod->signal_all(SIGKILL, false);
    }
  });
}

ViewSources PodRun::view_sources(const Container& container) const {
  ViewSources sources;
  sources.mounts = container.spec.mounts;
  sources.merge_folder = pod_folder_ + "/merged";
  if (!container.spec.layer.empty()) {
    sources.layers.push_back(shared_.sandbox.upper_folder(container.spec.layer));
    sources.parts = shared_.sandbox.parts(container.spec.layer);
    sources.private_folder =
        fmt::format("{}/{}", shared_.config.state_folder, container.spec.layer);
    for (const std::string& lower : container.spec.lowers) {
      sources.layers.push_back(fmt::format("{}/{}", shared_.sandbox.inputs_folder(), lower));
    }
    sources.hidden.assign(std::begin(kHiddenFolders), std::end(kHiddenFolders));
    sources.hidden.push_back(shared_.config.state_folder);
  }
  for (const Container& one : containers_) {
    if (one.state->started.value_or(async::TimePoint{}) != async::TimePoint{}) {
      sources.logs.emplace(one.state->name, shared_.log_file(key_, one.state->name));
    }
  }
  return sources;
}

/// All containers have ended: the outputs of the main one are captured.
void PodRun::collect() {
  const auto main = std::find_if(containers_.begin(), containers_.end(),
                                 [](const auto& container) { return container.main; });
  if (!plan_ || shared_.work == nullptr || main == containers_.end()) {
    finish(std::nullopt);
    return;
  }
  collecting_ = true;
  std::optional<std::string> output;
  if (plan_->capture_result && main->log) {
    output = main->log->kept();
  }
  const auto add_usage = [main](executor::StepOutputs outputs) {
    outputs.peak_memory_bytes = main->peak_memory_bytes;
    outputs.cpu_microseconds = main->cpu_microseconds;
    return outputs;
  };
  auto view = std::make_shared<const LayerView>(view_sources(*main));
  if (small_capture(*plan_)) {
    finish(add_usage(shared_.work->capture(*plan_, *view, output)));
    return;
  }
  has_folder_ = true;
  on_processes_over_();
  auto plan = std::make_shared<const executor::StepPlan>(*plan_);
  const auto queued = shared_.pool.run(
      [work = shared_.work, plan, view, output] { return work->capture(*plan, *view, output); },
      [self = shared_from_this(), add_usage](executor::StepOutputs outputs) {
        self->finish(add_usage(std::move(outputs)));
      });
  if (!queued) {
    executor::StepOutputs outputs;
    outputs.error = queued.error().message;
    finish(add_usage(std::move(outputs)));
  }
}

void PodRun::finish(std::optional<executor::StepOutputs> outputs) {
  if (done_) {
    return;
  }
  done_ = true;
  deadline_.cancel();
  kill_.cancel();
  const bool good =
      std::all_of(containers_.begin(), containers_.end(), [](const Container& container) {
        return container.state->phase == ContainerPhase::terminated &&
               container.state->exit_code == 0;
      });
  state_.phase = good && !containers_.empty() && stopping_ != Stopping::deadline
                     ? PodPhase::succeeded
                     : PodPhase::failed;
  if (stopping_ == Stopping::deadline) {
    state_.reason = "DeadlineExceeded";
    state_.message = "Pod was active on the node longer than the specified deadline";
  }
  clean_up();
  std::optional<std::string> text;
  if (outputs && shared_.work != nullptr) {
    text = shared_.work->to_json(*outputs);
  }
  shared_.loop.post(
      [self = shared_from_this(), text = std::move(text), hold = shared_.loop.hold()] {
        const doc::Value status =
            make_status(self->state_, self->shared_.config.address, self->shared_.loop.now());
        self->shared_.callbacks.on_status(self->key_, status, text);
        self->on_done_();
      });
}

namespace {

/// Whether containers could write to files of the machine that others see through their layers.
bool reaches_machine(const doc::Value& pod) {
  const doc::Array* volumes = member(member(pod, "spec"), "volumes").if_array();
  return volumes != nullptr &&
         std::any_of(volumes->begin(), volumes->end(), [](const doc::Value& volume) {
           return doc::find(volume, "hostPath") != nullptr;
         });
}

}  // namespace

/// Nothing of the pod stays but its logs and claims. Deleting is left to the pool.
void PodRun::clean_up() {
  if (reaches_machine(*pod_)) {
    shared_.sandbox.machine_changed();
  }
  std::vector<std::string> doomed;
  for (auto* list : {&init_, &containers_}) {
    for (Container& container : *list) {
      if (!container.spec.layer.empty() && !shared_.sandbox.recycle_layer(container.spec.layer)) {
        doomed.push_back(fmt::format("{}/{}", shared_.config.state_folder, container.spec.layer));
      }
      container.log.reset();
    }
  }
  for (const std::string& link : links_) {
    unlink(link.c_str());
  }
  if (has_folder_) {
    doomed.push_back(pod_folder_);
    doomed.push_back(memory_folder_);
  }
  if (!input_.empty() && !lies_in(input_, pod_folder_)) {
    doomed.push_back(input_);
  }
  if (doomed.empty()) {
    return;
  }
  const auto remove = [doomed = std::move(doomed)] {
    for (const std::string& path : doomed) {
      remove_tree(path);
    }
  };
  if (!shared_.pool.run(remove, [] {})) {
    remove();
  }
}

void PodRun::report_soon() {
  if (reporting_) {
    return;
  }
  reporting_ = true;
  shared_.loop.at_end_of_turn([self = shared_from_this()] {
    self->reporting_ = false;
    if (!self->done_ && !self->collecting_) {
      self->report();
    }
  });
}

void PodRun::report() {
  shared_.callbacks.on_status(key_, make_status(state_, shared_.config.address, shared_.loop.now()),
                              std::nullopt);
}

}  // namespace tiphys::node

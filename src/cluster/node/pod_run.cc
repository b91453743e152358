#include "cluster/node/pod_run.h"

#include "cluster/node/files.h"
#include "cluster/node/host_mounts.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace tiphys::node {
namespace {

constexpr std::chrono::seconds kDefaultGrace{30};

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

bool small_staging(const executor::StepPlan& plan) { return plan.input_artifacts.empty(); }

bool small_capture(const executor::StepPlan& plan) {
  return plan.output_artifacts.empty() && plan.output_parameters.empty() && plan.logs.empty();
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
  if (!plan_) {
    for (Container& container : containers_) {
      container.main = true;
    }
    return {};
  }
  bool any = false;
  for (Container& container : containers_) {
    container.captured = container.state->name == plan_->main_container;
    container.main = container.captured && plan_->containers.empty();
    any = any || container.main;
  }
  for (const executor::ContainerRule& rule : plan_->containers) {
    const auto named = std::ranges::find_if(
        containers_, [&](const Container& one) { return one.state->name == rule.name; });
    if (named != containers_.end()) {
      named->main = true;
      named->rule = &rule;
      any = true;
    }
  }
  for (Container& container : containers_) {
    container.main = container.main || !any;
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
    if (!container.captured) {
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

/// All containers have ended: the outputs of the main one are captured, however it ended.
void PodRun::collect() {
  // One that was never started has no files to look at.
  const auto main = std::ranges::find_if(containers_, [](const Container& container) {
    return container.captured && container.log != nullptr;
  });
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

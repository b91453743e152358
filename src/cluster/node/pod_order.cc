#include "cluster/node/pod_run.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace tiphys::node {
namespace {

constexpr int kStartErrorExitCode = 128;
/// What upstream's emissary ends with when it could not do its work.
constexpr int kRefusedExitCode = 64;
constexpr int kTerminatedExitCode = 128 + SIGTERM;

bool is_true(const doc::Value& value, std::string_view key) {
  const doc::Value* found = doc::find(value, key);
  return found != nullptr && found->is_bool() && found->get_bool();
}

}  // namespace

const PodRun::Container* PodRun::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      containers_, [&](const Container& one) { return one.state->name == name; });
  return found == containers_.end() ? nullptr : &*found;
}

/// Whether a container may start. Dependencies count in the order in which they are named, as for
/// upstream's emissary, which waits for one after the other.
PodRun::Turn PodRun::turn_of(const Container& container, const Container** failed) const {
  if (container.rule == nullptr) {
    return Turn::now;
  }
  for (const std::string& name : container.rule->dependencies) {
    const Container* dependency = find(name);
    if (dependency == nullptr || dependency == &container) {
      continue;
    }
    if (dependency->state->phase != ContainerPhase::terminated) {
      return Turn::later;
    }
    if (dependency->state->exit_code != 0) {
      *failed = dependency;
      return Turn::never;
    }
  }
  return Turn::now;
}

bool PodRun::waits_for_others(const Container& container) const {
  const Container* failed = nullptr;
  return turn_of(container, &failed) != Turn::now;
}

/// Starts what comes next: an init container, or the others.
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
  start_ready();
}

/// Starts every container that may, and refuses those that never will.
void PodRun::start_ready() {
  for (bool again = true; again && !done_;) {
    again = false;
    for (Container& container : containers_) {
      if (done_ || container.state->phase != ContainerPhase::waiting || container.run != 0) {
        continue;
      }
      const Container* failed = nullptr;
      const Turn turn = turn_of(container, &failed);
      if (turn == Turn::never) {
        refuse(container, kRefusedExitCode, failed->told_code,
               fmt::format("dependency \"{}\" exited with non-zero code: {}", failed->state->name,
                           failed->told_code));
        again = true;
      } else if (turn == Turn::later) {
        container.state->reason = "WaitingForDependencies";
        container.state->message = fmt::to_string(fmt::join(container.rule->dependencies, ", "));
      } else if (!failing_ && stopping_ == Stopping::no) {
        start(container);
      }
    }
  }
}

/// A container ends without having been started.
void PodRun::refuse(Container& container, int exit_code, int told_code, std::string message) {
  ContainerState& state = *container.state;
  state.phase = ContainerPhase::terminated;
  state.reason = "Error";
  state.message = std::move(message);
  state.exit_code = exit_code;
  state.ready = false;
  state.started = shared_.loop.now();
  state.finished = state.started;
  container.told_code = told_code;
}

/// Nothing starts any more: what waits for others, or for its next attempt, ends as its emissary
/// would have.
void PodRun::refuse_waiting() {
  if (!mains_begun_) {
    return;
  }
  for (Container& container : containers_) {
    if (container.run != 0 || container.state->phase == ContainerPhase::terminated) {
      continue;
    }
    container.retry.cancel();
    if (container.rule != nullptr) {
      refuse(container, kTerminatedExitCode, kTerminatedExitCode, "");
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
  const bool keep = plan_ && plan_->capture_result && container.captured;
  auto log = ContainerLog::open(shared_.loop, shared_.log_file(key_, state.name),
                                keep ? Keep::standard_output : Keep::nothing,
                                executor::kMaximumResultBytes + 1);
  if (!log) {
    const StartFailure failure{log.error().message, true};
    on_started(container, &failure);
    return;
  }
  container.log = std::move(*log);
  launch(container);
}

void PodRun::launch(Container& container) {
  if (!container.spec.terminal && is_true(*container.document, "stdin")) {
    // Nobody is attached: the input stays open and nothing ever comes.
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) == 0) {
      container.spec.input = ends[0];
      container.input = Descriptor(ends[1]);
    }
  }
  const auto self = shared_from_this();
  container.run = shared_.sandbox.start(
      container.spec, container.log->output(), container.log->errors(),
      [self, &container](const StartFailure* failure) { self->on_started(container, failure); },
      [self, &container](const Ended& ended) { self->on_ended(container, ended); },
      [self, &container](Descriptor terminal) {
        container.log->take_terminal(std::move(terminal));
      });
  if (container.spec.input >= 0) {
    close(std::exchange(container.spec.input, -1));
  }
  container.log->handed_over();
}

/// True when a container that failed is started again.
bool PodRun::start_again(Container& container, int exit_code) {
  if (exit_code == 0 || container.rule == nullptr ||
      container.attempts >= container.rule->retries || stopping_ != Stopping::no || failing_ ||
      done_) {
    return false;
  }
  ++container.attempts;
  container.retry = shared_.loop.call_after(
      container.rule->retry_delay,
      [self = weak_from_this(), &container, hold = shared_.loop.hold()] {
        const auto pod = self.lock();
        if (!pod || pod->done_ || container.state->phase == ContainerPhase::terminated) {
          return;
        }
        pod->shared_.sandbox.reuse_layer(container.spec.layer);
        if (const auto opened = container.log->reopen(); !opened) {
          const StartFailure failure{opened.error().message, true};
          pod->on_started(container, &failure);
          return;
        }
        pod->launch(container);
      });
  return true;
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
    state.ready = false;
    if (container.log) {
      container.log->finish();
    }
    container.run = 0;
    container.told_code = kStartErrorExitCode;
    ended(container);
    return;
  }
  state.phase = ContainerPhase::running;
  state.reason.clear();
  state.message.clear();
  if (container.attempts == 0) {
    state.started = shared_.loop.now();
  }
  if (stopping_ != Stopping::no || failing_) {
    shared_.sandbox.signal(container.run, SIGTERM);
  }
  if (mains_begun_ && doc::find(*container.document, "readinessProbe") != nullptr) {
    state.ready = false;
    container.probe =
        Probe::start({shared_.loop, shared_.pool, shared_.sandbox, shared_.config.address},
                     container.run, *container.document, [this, &state](bool ready) {
                       state.ready = ready;
                       report_soon();
                     });
  }
  const bool all = std::ranges::all_of(containers_, [this](const Container& one) {
    return one.state->phase != ContainerPhase::waiting || waits_for_others(one);
  });
  if (all && state_.phase == PodPhase::pending) {
    state_.phase = PodPhase::running;
    report_soon();
  } else if (container.rule != nullptr) {
    report_soon();
  }
}

void PodRun::on_ended(Container& container, const Ended& result) {
  ContainerState& state = *container.state;
  container.run = 0;
  container.probe.reset();
  container.input.reset();
  container.log->finish();
  container.peak_memory_bytes = std::max(container.peak_memory_bytes, result.peak_memory_bytes);
  container.cpu_microseconds += result.cpu_microseconds;
  if (start_again(container, result.exit_code)) {
    return;
  }
  state.phase = ContainerPhase::terminated;
  state.exit_code = result.exit_code;
  state.reason = result.exit_code == 0 ? "Completed" : "Error";
  state.finished = shared_.loop.now();
  container.told_code = result.exit_code;
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
  if (container.rule != nullptr) {
    start_ready();
  }
  main_ended(container);
}

void PodRun::main_ended(const Container& container) {
  if (done_ || collecting_) {
    return;
  }
  // Upstream ends a pod's other containers as soon as one of the main ones has failed.
  const bool fails = container.main && container.rule != nullptr &&
                     container.state->exit_code != 0 && stopping_ == Stopping::no && !failing_;
  if (fails) {
    failing_ = true;
    refuse_waiting();
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
    return;
  }
  if (fails || (mains && container.main && stopping_ == Stopping::no && !failing_)) {
    kill_later(grace_period(), mains);
  }
  report_soon();
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

/// Ends what runs: SIGTERM, and SIGKILL after the grace period.
void PodRun::kill_after(std::chrono::seconds grace) {
  if (done_ || collecting_) {
    return;
  }
  refuse_waiting();
  const auto runs = [](const std::vector<Container>& list) {
    return std::any_of(list.begin(), list.end(), [](const auto& one) { return one.run != 0; });
  };
  if (!runs(init_) && !runs(containers_)) {
    // Nothing runs. Work on the pool comes back to `staged`, which finds the pod done.
    finish(std::nullopt);
    return;
  }
  kill_later(grace, false);
}

void PodRun::kill_later(std::chrono::seconds grace, bool sidecars_only) {
  if (grace.count() <= 0) {
    signal_all(SIGKILL, sidecars_only);
    return;
  }
  signal_all(SIGTERM, sidecars_only);
  kill_ = shared_.loop.call_after(grace, [self = weak_from_this(), sidecars_only] {
    if (const auto pod = self.lock()) {
      pod->signal_all(SIGKILL, sidecars_only);
    }
  });
}

}  // namespace tiphys::node

#include "async/loop.h"

#include "base/error.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <deque>
#include <map>
#include <mutex>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tiphys::async {
namespace {

constexpr int kMaximumCallsInATurn = 1024;
constexpr std::uint64_t kWakeId = 0;
constexpr std::uint64_t kTimerId = 1;
constexpr std::uint64_t kFirstWatchId = 2;

struct WatchEntry {
  int descriptor = -1;
  Function function;
};

void drain(int descriptor) {
  std::uint64_t count = 0;
  // A timer descriptor answers ECANCELED when the wall clock was set; being woken is all we need.
  [[maybe_unused]] const ssize_t got = read(descriptor, &count, sizeof count);
}

}  // namespace

class Loop::Impl final {
 public:
  enum class Until { stopped, idle };

  Impl(const Clock& clock, SimulatedClock* simulated) : clock_(clock), simulated_(simulated) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(epoll_ >= 0 && wake_ >= 0, "no descriptors left for the event loop");
    add(wake_, EPOLLIN, kWakeId);
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  ~Impl() {
    // What the functions hold may reach back into the loop while it is destroyed.
    while (!local_.empty() || !timers_.empty() || !watches_.empty() || !end_of_turn_.empty()) {
      auto local = std::exchange(local_, {});
      auto timers = std::exchange(timers_, {});
      auto watches = std::exchange(watches_, {});
      auto end_of_turn = std::exchange(end_of_turn_, {});
    }
    remote_.clear();
    close(wake_);
    close(epoll_);
    if (timer_ >= 0) {
      close(timer_);
    }
  }

  const Clock& clock() const { return clock_; }

  void post(Function function) {
    if (std::this_thread::get_id() == owner_) {
      local_.push_back(std::move(function));
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      remote_.push_back(std::move(function));
    }
    wake();
  }

  void at_end_of_turn(Function function) { end_of_turn_.push_back(std::move(function)); }

  std::uint64_t add_timer(TimePoint moment, Function function) {
    const std::uint64_t id = next_timer_++;
    timers_.emplace(std::pair(moment, id), std::move(function));
    return id;
  }

  void cancel_timer(TimePoint moment, std::uint64_t id) {
    // The node is destroyed after the map is whole again: its function may hold other handles.
    const auto node = timers_.extract(std::pair(moment, id));
  }

  std::uint64_t add_watch(int descriptor, Interest interest, Function function) {
    const std::uint64_t id = next_watch_++;
    add(descriptor, interest == Interest::readable ? EPOLLIN : EPOLLOUT, id);
    watches_.emplace(id, std::make_shared<WatchEntry>(descriptor, std::move(function)));
    return id;
  }

  void cancel_watch(std::uint64_t id) {
    const auto node = watches_.extract(id);
    if (!node.empty()) {
      epoll_ctl(epoll_, EPOLL_CTL_DEL, node.mapped()->descriptor, nullptr);
    }
  }

  void add_hold() { ++holds_; }

  void release_hold() { --holds_; }

  void run(Until until) {
    CHECK(std::this_thread::get_id() == owner_, "a loop runs on the thread that made it");
    CHECK(!running_, "a loop does not run inside itself");
    running_ = true;
    while (!stopped_.exchange(false)) {
      run_turn();
      if (has_work()) {
        poll(0);
      } else if (!wait(until)) {
        break;
      }
    }
    running_ = false;
  }

  void stop() {
    stopped_ = true;
    if (std::this_thread::get_id() != owner_) {
      wake();
    }
  }

 private:
  void add(int descriptor, std::uint32_t events, std::uint64_t id) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    const int added = epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
    CHECK(added == 0, "a watched descriptor is open, can be polled and is watched once");
  }

  void wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
  }

  bool has_work() const { return !local_.empty() || stopped_; }

  void run_turn() {
    run_due_timers();
    for (int calls = 0; calls < kMaximumCallsInATurn && !local_.empty(); ++calls) {
      Function function = std::move(local_.front());
      local_.pop_front();
      function();
    }
    while (!end_of_turn_.empty()) {
      for (Function& function : std::exchange(end_of_turn_, {})) {
        function();
      }
    }
  }

  void run_due_timers() {
    if (timers_.empty()) {
      return;
    }
    const TimePoint now = clock_.now();
    // Timers that are set meanwhile wait for the next turn, or a past moment could starve the rest.
    const std::uint64_t first_new = next_timer_;
    auto next = timers_.begin();
    while (next != timers_.end() && next->first.first <= now) {
      if (next->first.second >= first_new) {
        ++next;
        continue;
      }
      const auto key = next->first;
      auto node = timers_.extract(next);
      node.mapped()();
      next = timers_.upper_bound(key);
    }
  }

  /// Nothing is ready: waits for the outside or moves simulated time. False when the run is over.
  bool wait(Until until) {
    const bool idle = holds_ == 0;
    if (idle && (until == Until::idle || simulated_ != nullptr)) {
      if (poll(0) || has_work()) {
        return true;
      }
      if (due_now()) {
        return true;
      }
      if (until == Until::idle) {
        return false;
      }
      if (!timers_.empty()) {
        simulated_->advance_to(timers_.begin()->first.first);
        return true;
      }
    }
    if (due_now()) {
      return true;
    }
    arm_timer();
    poll(-1);
    return true;
  }

  bool due_now() const { return !timers_.empty() && timers_.begin()->first.first <= clock_.now(); }

  /// An absolute timer of the kernel follows the wall clock when somebody sets it.
  void arm_timer() {
    if (simulated_ != nullptr) {
      return;
    }
    const TimePoint next = timers_.empty() ? TimePoint{} : timers_.begin()->first.first;
    if (next == armed_) {
      return;
    }
    if (timer_ < 0) {
      timer_ = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
      CHECK(timer_ >= 0, "no descriptors left for the event loop");
      add(timer_, EPOLLIN, kTimerId);
    }
    const auto nanoseconds = next.time_since_epoch().count();
    itimerspec setting{};
    setting.it_value.tv_sec = nanoseconds / 1'000'000'000;
    setting.it_value.tv_nsec = nanoseconds % 1'000'000'000;
    timerfd_settime(timer_, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &setting, nullptr);
    armed_ = next;
  }

  /// Calls what is ready outside; with `timeout` -1 waits for something. True when anything was.
  bool poll(int timeout) {
    std::array<epoll_event, 128> events;
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
    for (int i = 0; i < count; ++i) {
      dispatch(events[static_cast<std::size_t>(i)].data.u64);
    }
    return count > 0;
  }

  void dispatch(std::uint64_t id) {
    if (id == kWakeId) {
      drain(wake_);
      const std::lock_guard lock(mutex_);
      for (Function& function : remote_) {
        local_.push_back(std::move(function));
      }
      remote_.clear();
    } else if (id == kTimerId) {
      drain(timer_);
      armed_ = TimePoint{};
    } else if (const auto found = watches_.find(id); found != watches_.end()) {
      const auto entry = found->second;
      entry->function();
    }
  }

  const Clock& clock_;
  SimulatedClock* simulated_;
  const std::thread::id owner_ = std::this_thread::get_id();
  int epoll_ = -1;
  int wake_ = -1;
  int timer_ = -1;
  TimePoint armed_{};
  bool running_ = false;
  std::size_t holds_ = 0;
  /// Not bounded: what the loop's own functions post is bounded by what they work on, and other
  /// threads only send back what they were given.
  std::deque<Function> local_;
  std::vector<Function> end_of_turn_;
  std::map<std::pair<TimePoint, std::uint64_t>, Function> timers_;
  std::uint64_t next_timer_ = 1;
  std::unordered_map<std::uint64_t, std::shared_ptr<WatchEntry>> watches_;
  std::uint64_t next_watch_ = kFirstWatchId;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::vector<Function> remote_;
};

Loop::Loop(const Clock& clock) : impl_(std::make_unique<Impl>(clock, nullptr)) {}

Loop::Loop(SimulatedClock& clock) : impl_(std::make_unique<Impl>(clock, &clock)) {}

Loop::~Loop() = default;

const Clock& Loop::clock() const { return impl_->clock(); }

TimePoint Loop::now() const { return impl_->clock().now(); }

void Loop::post(Function function) { impl_->post(std::move(function)); }

void Loop::at_end_of_turn(Function function) { impl_->at_end_of_turn(std::move(function)); }

Timer Loop::call_at(TimePoint moment, Function function) {
  return {this, moment, impl_->add_timer(moment, std::move(function))};
}

Timer Loop::call_after(Duration delay, Function function) {
  return call_at(now() + delay, std::move(function));
}

Watch Loop::watch_fd(int descriptor, Interest interest, Function function) {
  return {this, impl_->add_watch(descriptor, interest, std::move(function))};
}

Hold Loop::hold() {
  impl_->add_hold();
  return Hold(this);
}

void Loop::run() { impl_->run(Impl::Until::stopped); }

void Loop::run_until_idle() { impl_->run(Impl::Until::idle); }

void Loop::run_until(TimePoint moment) {
  const Timer timer = call_at(moment, [this] { stop(); });
  run();
}

void Loop::stop() { impl_->stop(); }

Timer::Timer(Timer&& other) noexcept
    : loop_(std::exchange(other.loop_, nullptr)), moment_(other.moment_), id_(other.id_) {}

Timer& Timer::operator=(Timer&& other) noexcept {
  if (this != &other) {
    cancel();
    loop_ = std::exchange(other.loop_, nullptr);
    moment_ = other.moment_;
    id_ = other.id_;
  }
  return *this;
}

Timer::~Timer() { cancel(); }

void Timer::cancel() {
  if (Loop* loop = std::exchange(loop_, nullptr); loop != nullptr) {
    loop->impl_->cancel_timer(moment_, id_);
  }
}

Watch::Watch(Watch&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)), id_(other.id_) {}

Watch& Watch::operator=(Watch&& other) noexcept {
  if (this != &other) {
    cancel();
    loop_ = std::exchange(other.loop_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

Watch::~Watch() { cancel(); }

void Watch::cancel() {
  if (Loop* loop = std::exchange(loop_, nullptr); loop != nullptr) {
    loop->impl_->cancel_watch(id_);
  }
}

Hold::Hold(Hold&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)) {}

Hold& Hold::operator=(Hold&& other) noexcept {
  if (this != &other) {
    Hold dropped(std::exchange(loop_, std::exchange(other.loop_, nullptr)));
  }
  return *this;
}

Hold::~Hold() {
  if (loop_ != nullptr) {
    loop_->impl_->release_hold();
  }
}

}  // namespace tiphys::async

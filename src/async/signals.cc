#include "async/signals.h"

#include "base/error.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace tiphys::async {
namespace {

/// A handler has no argument of ours: the descriptor of each signal, plus one; 0 = not watched.
std::array<std::atomic<int>, NSIG> descriptors_plus_one{};
std::atomic<pid_t> watching_process = 0;

void note_signal(int signal_number) {
  const int former_errno = errno;
  if (getpid() != watching_process.load()) {
    // A child that has not started its program yet shares the descriptor: its signals are its own.
    std::signal(signal_number, SIG_DFL);
    raise(signal_number);
    errno = former_errno;
    return;
  }
  const int descriptor = descriptors_plus_one[static_cast<std::size_t>(signal_number)].load() - 1;
  if (descriptor >= 0) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(descriptor, &one, sizeof one);
  }
  errno = former_errno;
}

}  // namespace

SignalWatch::SignalWatch(Loop& loop, int signal_number, Function function)
    : signal_number_(signal_number), descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(descriptor_ >= 0, "no descriptors left to watch a signal");
  auto& slot = descriptors_plus_one[static_cast<std::size_t>(signal_number)];
  CHECK(slot.exchange(descriptor_ + 1) == 0, "a signal is watched once at a time");
  watching_process = getpid();
  watch_ = loop.watch_fd(descriptor_, Interest::readable,
                         [descriptor = descriptor_, function = std::move(function)]() mutable {
                           std::uint64_t count = 0;
                           if (read(descriptor, &count, sizeof count) == sizeof count) {
                             function();
                           }
                         });
  struct sigaction action{};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  CHECK(sigaction(signal_number, &action, &former_) == 0, "only signals that can be caught");
}

SignalWatch::~SignalWatch() {
  sigaction(signal_number_, &former_, nullptr);
  descriptors_plus_one[static_cast<std::size_t>(signal_number_)] = 0;
  watch_.cancel();
  close(descriptor_);
}

}  // namespace tiphys::async

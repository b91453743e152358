#pragma once
/// Signals as calls on the loop. A handler of the process notes the signal in a descriptor that the
/// loop watches, so no signal is blocked and nothing is inherited by programs that are started.

#include "async/loop.h"

#include <csignal>

namespace tiphys::async {

/// Calls a function on the loop when the process gets a signal; several that come before the loop
/// looks are one call. Destroying it puts the former handling back. One at a time for each signal.
/// A child between fork and exec that gets the signal dies of it.
class SignalWatch final {
 public:
  SignalWatch(Loop& loop, int signal_number, Function function);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();

 private:
  int signal_number_;
  int descriptor_;
  struct sigaction former_{};
  Watch watch_;
};

}  // namespace tiphys::async

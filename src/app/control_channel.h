#pragma once
/// How a verb reaches the program that is running workflows: a Unix socket in its state directory,
/// readable by its owner only. One request a connection, a line of JSON each way.

#include "async/loop.h"
#include "base/error.h"
#include "cli/session.h"

#include <filesystem>
#include <functional>
#include <memory>

namespace tiphys::app {

/// Longer requests are refused: no manifest comes near.
inline constexpr std::size_t kMaximumRequestBytes = 16 * 1024 * 1024;

class ControlServer final {
 public:
  /// To be called once, now or later, on the loop. What comes after the server's end goes nowhere.
  using Reply = std::move_only_function<void(Result<doc::Value>)>;
  /// The request is an object with a `verb`.
  using Handler = std::function<void(const doc::Value& request, Reply reply)>;

  /// Listens at <directory>/control.sock, replacing what a program that is gone left there. Error
  /// io.
  static Result<std::unique_ptr<ControlServer>> listen(async::Loop& loop,
                                                       const std::filesystem::path& directory,
                                                       Handler handler);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ~ControlServer();

 private:
  class Impl;
  explicit ControlServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

/// Sends a request to the program that has the directory, and returns its answer. Errors:
/// unavailable when none listens, timeout, else the server's.
Result<doc::Value> send_request(const std::filesystem::path& directory, const doc::Value& request);

/// Whether a program listens there.
bool is_served(const std::filesystem::path& directory);

/// A control verb as a request and back; errors name the member.
doc::Value request_of(const cli::Control& control);
Result<cli::Control> control_of(const doc::Value& request);

/// Whether a request is a control verb.
bool is_control(const doc::Value& request);

}  // namespace tiphys::app

#pragma once
/// How a verb reaches the program that is running a workflow: a Unix socket in its state directory,
/// readable by its owner only. One request a connection, a line of JSON each way.

#include "async/loop.h"
#include "base/error.h"
#include "cli/session.h"

#include <filesystem>
#include <functional>
#include <memory>

namespace tiphys::app {

/// Longer requests are refused.
inline constexpr std::size_t kMaximumRequestBytes = 1024 * 1024;

class ControlServer final {
 public:
  using Handler = std::function<Result<>(const cli::Control&)>;

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

/// Sends a request to the program that has the directory. Errors: unavailable when none listens,
/// else the server's answer.
Result<> send_control(const std::filesystem::path& directory, const cli::Control& control);

/// The request as JSON and back; errors name the member.
std::string control_to_json(const cli::Control& control);
Result<cli::Control> control_from_json(std::string_view text);

}  // namespace tiphys::app

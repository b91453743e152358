// The program: takes what it needs from the process, constructs, and hands it along.

#include "app/local_session.h"
#include "cli/session.h"
#include "kube/names.h"

#include <cerrno>
#include <csignal>
#include <iostream>
#include <iterator>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef TIPHYS_VERSION
#error "the build says which version this is"
#endif

extern char** environ;

namespace {

using namespace tiphys;  // NOLINT(google-build-using-namespace)

cli::ScreenSize terminal_size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {size.ws_col, size.ws_row};
}

cli::Surroundings surroundings_of(int count, char** arguments) {
  cli::Surroundings out;
  out.arguments.assign(arguments + (count > 0 ? 1 : 0), arguments + count);
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      out.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  out.output_is_terminal = isatty(STDOUT_FILENO) == 1;
  out.terminal_size = terminal_size;
  out.version = TIPHYS_VERSION;
  return out;
}

Result<std::string> read_standard_input() {
  std::string text((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
  if (std::cin.bad()) {
    return fail_errno("read standard input", errno);
  }
  return text;
}

}  // namespace

int main(int count, char** arguments) {
  std::ios::sync_with_stdio(false);
  std::signal(SIGPIPE, SIG_IGN);
  async::SystemClock clock;
  async::SystemRandom random;
  cli::Surroundings surroundings = surroundings_of(count, arguments);
  surroundings.now = [&] { return std::chrono::floor<std::chrono::seconds>(clock.now()); };
  surroundings.now_exactly = [&] {
    return std::chrono::floor<std::chrono::milliseconds>(clock.now());
  };
  surroundings.random_suffix = [&] { return kube::generate_name(random, ""); };
  surroundings.read_input = read_standard_input;
  surroundings.open_session = [&](const cli::SessionOptions& options) {
    const auto path = surroundings.environment.find("PATH");
    app::SessionEnvironment environment;
    environment.path = path == surroundings.environment.end()
                           ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
                           : path->second;
    return app::LocalSession::open(options, std::move(environment));
  };
  return cli::main(surroundings);
}

// The program: takes what it needs from the process, constructs, and hands it along.

#include "app/local_session.h"
#include "cli/session.h"
#include "kube/names.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <spawn.h>
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

/// This program once more, in a session of its own, so that no terminal ends it.
Result<> start_program(const std::vector<std::string>& arguments,
                       const std::filesystem::path& log) {
  std::vector<std::string> words = {"tiphys"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  pid_t child = 0;
  const int code =
      posix_spawn(&child, "/proc/self/exe", &files, &attributes, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return code == 0 ? Result<>() : fail_errno("begin a program in the background", code);
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
    environment.start_program = start_program;
    return app::LocalSession::open(options, std::move(environment));
  };
  return cli::main(surroundings);
}

#include "cluster/node/keeper/program.h"

#include "cluster/node/keeper/mounts.h"
#include "cluster/node/keeper/protocol.h"

#include <climits>

#include <asm/ioctls.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tiphys::node::keeper {

Terminal open_terminal() {
  Terminal terminal;
  terminal.ours = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal.ours < 0) {
    return terminal;
  }
  const int unlocked = 0;
  if (ioctl(terminal.ours, TIOCSPTLCK, &unlocked) == 0) {
    terminal.theirs = ioctl(terminal.ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  }
  if (terminal.theirs < 0) {
    const int error = errno;
    close(terminal.ours);
    errno = error;
    return {};
  }
  return terminal;
}

void take_streams(const Program& program) {
  if (program.terminal >= 0) {
    ioctl(program.terminal, TIOCSCTTY, 0);
    for (int stream = 0; stream < 3; ++stream) {
      dup2(program.terminal, stream);
    }
    return;
  }
  dup2(program.input >= 0 ? program.input : kNull, 0);
  dup2(program.output, 1);
  dup2(program.errors, 2);
}

bool enter_folder(const char* folder, bool make) {
  if (*folder == '\0' || chdir(folder) == 0) {
    return true;
  }
  return make && errno == ENOENT && make_folders(folder, 0755) && chdir(folder) == 0;
}

bool become_user(const Program& program) {
  constexpr int kCapabilities = 64;
  for (int i = 0; i < kCapabilities && ~program.capabilities != 0; ++i) {
    if ((program.capabilities >> i & 1U) == 0 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0) {
      if (errno != EINVAL) {
        return false;
      }
      // The kernel knows no capability from here on.
      break;
    }
  }
  const bool changes = program.group >= 0 || program.user >= 0 || program.group_count > 0;
  if (changes) {
    const auto group = static_cast<gid_t>(program.group >= 0 ? program.group : 0);
    syscall(SYS_setgroups, program.group_count, program.groups);
    if (syscall(SYS_setresgid, group, group, group) != 0) {
      return false;
    }
  }
  if (program.user >= 0) {
    const auto user = static_cast<uid_t>(program.user);
    if (syscall(SYS_setresuid, user, user, user) != 0) {
      return false;
    }
  }
  return !program.no_new_privileges || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

void execute(const Program& program) {
  const char* name = program.arguments[0];
  if (std::strchr(name, '/') != nullptr || *name == '\0') {
    execve(name, program.arguments, program.environment);
    return;
  }
  int error = ENOENT;
  const char* at = program.path;
  while (true) {
    const char* end = strchrnul(at, ':');
    char path[PATH_MAX];
    const auto size = static_cast<int>(end - at);
    const int length = size == 0 ? std::snprintf(path, sizeof path, "./%s", name)
                                 : std::snprintf(path, sizeof path, "%.*s/%s", size, at, name);
    if (length > 0 && static_cast<std::size_t>(length) < sizeof path) {
      execve(path, program.arguments, program.environment);
      if (errno == EACCES) {
        error = EACCES;
      } else if (errno != ENOENT && errno != ENOTDIR) {
        return;
      }
    }
    if (*end == '\0') {
      break;
    }
    at = end + 1;
  }
  errno = error;
}

}  // namespace tiphys::node::keeper

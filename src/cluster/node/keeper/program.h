#pragma once
/// The program of a container between clone and exec: its user, privileges, terminal and folder.
/// All of it runs in a process that borrows its parent's memory, so only plain system calls are
/// made here, never those of a library that looks for other threads.

#include <cstdint>

namespace tiphys::node::keeper {

inline constexpr int kMaximumGroups = 64;

struct Program {
  const char* host_name = "";
  const char* folder = "";
  const char* path = "";
  std::int64_t user = -1;
  std::int64_t group = -1;
  int group_count = 0;
  std::uint32_t groups[kMaximumGroups];
  /// Bits of the capabilities that may be had at all; all ones = as they are.
  std::uint64_t capabilities = ~std::uint64_t{0};
  bool no_new_privileges = false;
  bool wants_terminal = false;
  /// Lists for execve; made with malloc, owned by whoever holds the Program.
  char** arguments = nullptr;
  char** environment = nullptr;
  int input = -1;  ///< -1 = nothing to read
  int output = -1;
  int errors = -1;
  int terminal = -1;  ///< the program's end of its terminal; it stands for all three
};

/// A terminal: both ends, or -1 and errno.
struct Terminal {
  int ours = -1;
  int theirs = -1;
};

Terminal open_terminal();
/// Makes the program's descriptors its standard ones.
void take_streams(const Program& program);
/// Changes to the folder, making it first where `make` says so.
bool enter_folder(const char* folder, bool make);
/// Gives up what the program may not have. False with errno.
bool become_user(const Program& program);
/// Looks a program without a slash up in PATH, as execvp does, but with the container's PATH.
/// Returns only when it cannot be started, with errno.
void execute(const Program& program);

}  // namespace tiphys::node::keeper

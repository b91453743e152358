#include "cluster/node/keeper/worker.h"

#include "cluster/node/keeper/packets.h"
#include "cluster/node/keeper/program.h"

#include <climits>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tiphys::node::keeper {
namespace {

/// So long a clean layer is used again.
constexpr long kKeptMilliseconds = 1000;
/// At most so many descriptors come with a packet.
constexpr int kDescriptors = 4;

/// A packet under construction; what does not fit is left out, the fields in front count.
struct Packet {
  char bytes[1024];
  std::size_t size = 0;

  void append(const char* data, std::size_t count) {
    if (size + count <= sizeof bytes) {
      std::memcpy(bytes + size, data, count);
      size += count;
    }
  }
};

/// A further program in the container that runs.
struct Extra {
  std::uint64_t id = 0;
  pid_t process = -1;
};

constexpr int kMaximumExtras = 8;

/// Everything one worker has; a process has one.
struct Worker {
  const Setup* setup = nullptr;
  int socket = -1;
  int signals = -1;
  char kept_layer[64] = "";  ///< mounted at /root and not written to by any container
  std::uint64_t kept_generation = 0;
  timespec kept_since{};
  int queues = -1;               ///< the ipc namespace's message queues as a file system, or -1
  std::uint64_t generation = 0;  ///< of the machine's files, as the node counts their changes
  RootPlan plan;
  Program program;
  Program extra_program;  ///< of the one that is just being started
  int extra_mounts = -1;  ///< the mount namespace of the container, for it
  Extra extras[kMaximumExtras];
  Failure failure;
  alignas(64) char running_packet[kMaximumRunningPacket];
  alignas(64) char packet[kMaximumPacket];
  alignas(64) char stack[256 * 1024];
};

Worker worker;

/// The container's side between clone and exec. It borrows the worker's memory, and the worker
/// stands still meanwhile: what it writes to `worker.failure` is what the worker then reads.
int become_container(void* /*unused*/) {
  const Setup& setup = *worker.setup;
  const Program& program = worker.program;
  sigset_t none;
  sigemptyset(&none);
  setsid();
  if (setup.level == Level::process) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
  }
  Failure failure;
  if (setup.level == Level::layer) {
    failure = enter_layer(setup, worker.plan);
  } else if (worker.plan.mount_count > 0) {
    failure = mount_volumes(setup, worker.plan);
  }
  if (!failure) {
    take_streams(program);
    if (!enter_folder(program.folder, setup.level == Level::layer)) {
      failure = {Stage::working_directory, errno, program.folder};
    } else if (!become_user(program)) {
      failure = {Stage::user, errno, ""};
    } else {
      sigprocmask(SIG_SETMASK, &none, nullptr);
      execute(program);
      failure = {Stage::exec, errno, program.arguments[0]};
    }
  }
  worker.failure = failure;
  _exit(127);
}

void let_go() {
  if (*worker.kept_layer != '\0') {
    unmount_root(*worker.setup, worker.kept_layer);
    *worker.kept_layer = '\0';
  }
}

/// A layer that no container has written to stays mounted for the next one, which saves most of
/// what a layer costs. Not for long: what changes on the machine would not all be seen through it.
Failure keep_layer() {
  RootPlan& plan = worker.plan;
  plan.mounted = false;
  if (plan.lower_count > 0 || std::strlen(plan.layer) >= sizeof worker.kept_layer) {
    return {};
  }
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const long age = (now.tv_sec - worker.kept_since.tv_sec) * 1000 +
                   (now.tv_nsec - worker.kept_since.tv_nsec) / 1'000'000;
  const bool fits = std::strcmp(worker.kept_layer, plan.layer) == 0 &&
                    worker.kept_generation == worker.generation && age < kKeptMilliseconds;
  if (!fits) {
    let_go();
    if (const Failure failure = mount_root(*worker.setup, plan)) {
      unmount_root(*worker.setup, plan.layer);
      return failure;
    }
    std::strcpy(worker.kept_layer, plan.layer);
    worker.kept_generation = worker.generation;
    worker.kept_since = now;
  }
  plan.mounted = true;
  return {};
}

pid_t start_container() {
  const Setup& setup = *worker.setup;
  worker.failure = {};
  if (setup.level != Level::process) {
    sethostname(worker.program.host_name, std::strlen(worker.program.host_name));
  }
  if (setup.level == Level::layer) {
    worker.failure = keep_layer();
    if (worker.failure) {
      return -1;
    }
  }
  const bool own_mounts = setup.level == Level::layer || worker.plan.mount_count > 0;
  const int flags = CLONE_VM | CLONE_VFORK | SIGCHLD | (own_mounts ? CLONE_NEWNS : 0);
  const pid_t child = clone(become_container, worker.stack + sizeof worker.stack, flags, nullptr);
  if (child < 0) {
    worker.failure = {Stage::worker, errno, "clone"};
  } else if (worker.failure) {
    waitpid(child, nullptr, 0);
    return -1;
  }
  return child;
}

void drain_signals() {
  signalfd_siginfo info[8];
  [[maybe_unused]] const ssize_t got = read(worker.signals, info, sizeof info);
}

/// Kills whatever the container left and waits until it is gone.
void kill_rest(pid_t leader) {
  int status = 0;
  if (waitpid(-1, &status, WNOHANG) < 0 && errno == ECHILD) {
    return;
  }
  const bool own_pids = worker.setup->level != Level::process;
  while (true) {
    if (own_pids) {
      kill(-1, SIGKILL);
    } else {
      kill(-leader, SIGKILL);
      // Orphans come to us as their subreaper; those of other groups are found among our children.
      char path[64];
      std::snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
      if (FILE* file = std::fopen(path, "re"); file != nullptr) {
        int child = 0;
        while (std::fscanf(file, "%d", &child) == 1) {
          kill(child, SIGKILL);
        }
        std::fclose(file);
      }
    }
    if (waitpid(-1, &status, 0) < 0 && errno == ECHILD) {
      return;
    }
  }
}

/// The side of a further program: what is around the container's own becomes its surroundings.
int become_extra(void* /*unused*/) {
  const Program& program = worker.extra_program;
  sigset_t none;
  sigemptyset(&none);
  setsid();
  if (worker.extra_mounts < 0 || setns(worker.extra_mounts, CLONE_NEWNS) == 0) {
    take_streams(program);
    if (enter_folder(program.folder, false) && become_user(program)) {
      sigprocmask(SIG_SETMASK, &none, nullptr);
      execute(program);
    }
  }
  _exit(127);
}

void report_extra(std::uint64_t id, std::int32_t status) {
  Packet packet;
  Writer writer(packet);
  writer.number(Message::exec_ended);
  writer.number(id);
  writer.number(status);
  send(worker.socket, packet.bytes, packet.size, MSG_NOSIGNAL);
}

/// Starts a further program beside the container's first process.
void start_extra(pid_t leader, Reader& reader, int output, int errors) {
  const auto id = reader.number<std::uint64_t>();
  Extra* free_place = nullptr;
  for (Extra& extra : worker.extras) {
    free_place = extra.process < 0 ? &extra : free_place;
  }
  Program& program = worker.extra_program;
  program = worker.program;
  program.terminal = -1;
  program.input = -1;
  program.output = output;
  program.errors = errors;
  program.arguments = read_list(reader);
  const bool valid = reader.ok() && program.arguments != nullptr && program.arguments[0] != nullptr;
  pid_t child = -1;
  if (valid && free_place != nullptr) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d/ns/mnt", leader);
    const bool own_mounts = worker.setup->level == Level::layer || worker.plan.mount_count > 0;
    worker.extra_mounts = own_mounts ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (!own_mounts || worker.extra_mounts >= 0) {
      const int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
      child = clone(become_extra, worker.stack + sizeof worker.stack, flags, nullptr);
    }
    if (worker.extra_mounts >= 0) {
      close(worker.extra_mounts);
    }
  }
  std::free(program.arguments);
  close(output);
  close(errors);
  if (child < 0) {
    report_extra(id, -1);
    return;
  }
  *free_place = {id, child};
}

void extra_ended(pid_t child, int status) {
  for (Extra& extra : worker.extras) {
    if (extra.process == child) {
      extra.process = -1;
      report_extra(extra.id, status);
    }
  }
}

/// A signal for the container: to the group of its first process, as upstream's executor does.
void deliver(pid_t leader, int number) {
  if (number == SIGKILL && worker.setup->level != Level::process) {
    kill(-1, SIGKILL);
  } else {
    kill(-leader, number);
  }
}

void report_end(int status, const rusage& usage) {
  const auto microseconds = [](const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(time.tv_usec);
  };
  Packet packet;
  Writer writer(packet);
  writer.number(Message::ended);
  writer.number(static_cast<std::int32_t>(status));
  writer.number(static_cast<std::uint64_t>(usage.ru_maxrss));
  writer.number(microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
  send(worker.socket, packet.bytes, packet.size, MSG_NOSIGNAL);
}

/// Receives one packet and the descriptors that came with it, waiting when `flags` allow it. What
/// recvmsg answers.
ssize_t receive(char* bytes, std::size_t most, int flags, int (&descriptors)[kDescriptors]) {
  alignas(cmsghdr) char control[CMSG_SPACE(kDescriptors * sizeof(int))];
  iovec part{bytes, most};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = -1;
  do {
    got = recvmsg(worker.socket, &message, MSG_CMSG_CLOEXEC | flags);
  } while (got < 0 && errno == EINTR && (flags & MSG_DONTWAIT) == 0);
  const cmsghdr* header = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    std::memcpy(descriptors, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
  }
  return got;
}

/// Handles packets that come while the container runs. False when the node is gone.
bool take_message(pid_t leader) {
  int descriptors[kDescriptors] = {-1, -1, -1, -1};
  const ssize_t got =
      receive(worker.running_packet, sizeof worker.running_packet, MSG_DONTWAIT, descriptors);
  if (got <= 0) {
    return got < 0 && (errno == EAGAIN || errno == EINTR);
  }
  Reader reader(worker.running_packet, static_cast<std::size_t>(got));
  const auto type = reader.number<Message>();
  if (type == Message::signal) {
    deliver(leader, reader.number<std::int32_t>());
  } else if (type == Message::release) {
    let_go();
  } else if (type == Message::exec) {
    start_extra(leader, reader, descriptors[0], descriptors[1]);
  }
  return true;
}

void supervise(pid_t leader) {
  while (true) {
    int status = 0;
    rusage usage{};
    const pid_t child = wait4(-1, &status, WNOHANG, &usage);
    if (child == leader) {
      kill_rest(leader);
      for (Extra& extra : worker.extras) {
        extra.process = -1;
      }
      report_end(status, usage);
      return;
    }
    if (child > 0) {
      extra_ended(child, status);
      continue;
    }
    pollfd watched[] = {{worker.signals, POLLIN, 0}, {worker.socket, POLLIN, 0}};
    poll(watched, 2, -1);
    if (watched[0].revents != 0) {
      drain_signals();
    }
    if (watched[1].revents != 0 && !take_message(leader)) {
      kill_rest(leader);
      _exit(0);
    }
  }
}

void open_queues() {
  if (worker.queues >= 0) {
    close(worker.queues);
    worker.queues = -1;
  }
  const int context = fsopen("mqueue", FSOPEN_CLOEXEC);
  if (context < 0) {
    return;
  }
  if (fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0) {
    const int mounted = fsmount(context, FSMOUNT_CLOEXEC, 0);
    if (mounted >= 0) {
      worker.queues = openat(mounted, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      close(mounted);
    }
  }
  close(context);
}

/// A fresh ipc namespace if the last container left shared memory, semaphores or queues in it.
Failure renew_ipc() {
  shm_info memory{};
  msginfo messages{};
  seminfo semaphores{};
  const bool left =
      shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&memory)) < 0 || memory.used_ids > 0 ||
      msgctl(0, MSG_INFO, reinterpret_cast<msqid_ds*>(&messages)) < 0 || messages.msgpool > 0 ||
      semctl(0, 0, SEM_INFO, &semaphores) < 0 || semaphores.semusz > 0;
  bool queued = worker.queues < 0;
  if (worker.queues >= 0) {
    char entries[256];
    lseek(worker.queues, 0, SEEK_SET);
    const long size = syscall(SYS_getdents64, worker.queues, entries, sizeof entries);
    // "." and ".." take 24 bytes each.
    queued = size > 48;
  }
  if (!left && !queued) {
    return {};
  }
  if (unshare(CLONE_NEWIPC) != 0) {
    return {Stage::worker, errno, "ipc namespace"};
  }
  open_queues();
  return {};
}

/// Leaves nothing of the last container to the next one.
Failure clean_up() {
  if (worker.setup->level == Level::process) {
    return {};
  }
  const Failure failure = renew_ipc();
  if (failure || worker.setup->level != Level::layer) {
    return failure;
  }
  return renew_shared_memory();
}

void run_container(Reader reader) {
  Failure failure;
  pid_t leader = -1;
  int send_terminal = -1;
  if (!read_start(reader, worker.plan, worker.program, worker.generation)) {
    failure = {Stage::message, EINVAL, ""};
  } else {
    Terminal terminal;
    if (worker.program.wants_terminal) {
      terminal = open_terminal();
      worker.program.terminal = terminal.theirs;
    }
    if (worker.program.wants_terminal && terminal.ours < 0) {
      failure = {Stage::devices, errno, "/dev/ptmx"};
    } else {
      leader = start_container();
      failure = worker.failure;
    }
    send_terminal = terminal.ours;
  }
  for (const int stream : {worker.program.input, worker.program.output, worker.program.errors,
                           worker.program.terminal}) {
    if (stream >= 0) {
      close(stream);
    }
  }
  send_answer(worker.socket, Message::started, failure, leader > 0 ? send_terminal : -1);
  if (send_terminal >= 0) {
    close(send_terminal);
  }
  if (leader > 0) {
    supervise(leader);
  }
  std::free(worker.program.arguments);
  std::free(worker.program.environment);
  worker.program = {};
  if (clean_up()) {
    _exit(1);
  }
}

void run_far(int file) {
  struct stat status{};
  if (fstat(file, &status) != 0) {
    _exit(1);
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  if (bytes == MAP_FAILED) {
    _exit(1);
  }
  run_container(Reader(static_cast<const char*>(bytes), size));
  munmap(bytes, size);
}

void serve() {
  while (true) {
    int descriptors[kDescriptors] = {-1, -1, -1, -1};
    const ssize_t got = receive(worker.packet, sizeof worker.packet, 0, descriptors);
    if (got <= 0) {
      _exit(0);
    }
    Reader reader(worker.packet, static_cast<std::size_t>(got));
    const auto type = reader.number<Message>();
    worker.program.output = descriptors[0];
    worker.program.errors = descriptors[1];
    worker.program.input = descriptors[type == Message::start_far ? 3 : 2];
    if (type == Message::start) {
      run_container(reader);
    } else if (type == Message::start_far) {
      run_far(descriptors[2]);
    } else if (type == Message::release) {
      let_go();
    }
  }
}

}  // namespace

void send_answer(int socket, Message type, const Failure& failure, int descriptor) {
  Packet packet;
  Writer writer(packet);
  writer.number(type);
  writer.number(static_cast<std::int32_t>(failure.stage == Stage::none ? 0 : failure.error));
  writer.number(failure.stage);
  writer.text(std::string_view(failure.detail, strnlen(failure.detail, 512)));
  if (descriptor < 0) {
    send(socket, packet.bytes, packet.size, MSG_NOSIGNAL);
    return;
  }
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
  iovec part{packet.bytes, packet.size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  sendmsg(socket, &message, MSG_NOSIGNAL);
}

void run_worker(const Setup& setup, int socket) {
  worker.setup = &setup;
  worker.socket = socket;
  std::signal(SIGCHLD, SIG_DFL);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, nullptr);
  worker.signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Failure failure = mount_worker(setup);
  if (setup.level == Level::process) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  } else {
    open_queues();
    prctl(PR_SET_DUMPABLE, 0);
  }
  const int said = setup.level == Level::layer && !failure
                       ? open("/dev/argo", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                       : -1;
  send_answer(socket, Message::answer, failure, said);
  if (failure) {
    _exit(1);
  }
  close(said);
  serve();
  _exit(0);
}

}  // namespace tiphys::node::keeper

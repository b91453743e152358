/// The keeper: enters the namespaces that all containers share, builds the private root, and forks
/// a worker whenever the node asks for one. It dies with the node, and everything dies with it.

#include "cluster/node/keeper/packets.h"
#include "cluster/node/keeper/worker.h"

#include <climits>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tiphys::node::keeper {
namespace {

Setup setup;
char setup_packet[kMaximumPacket];

/// What a container may do at most: enough to install packages, change owners and users, and bind
/// low ports; nothing that reaches the machine's mounts, devices, kernel or other processes.
constexpr unsigned kKept[] = {CAP_CHOWN,      CAP_DAC_OVERRIDE, CAP_FSETID,  CAP_FOWNER,
                              CAP_SETGID,     CAP_SETUID,       CAP_SETPCAP, CAP_NET_BIND_SERVICE,
                              CAP_KILL,       CAP_SETFCAP,      CAP_NET_RAW, CAP_SYS_CHROOT,
                              CAP_AUDIT_WRITE};

bool kept(unsigned capability) {
  for (const unsigned one : kKept) {
    if (one == capability) {
      return true;
    }
  }
  return false;
}

/// The bounding set limits what an exec may gain, so it is narrowed once and here: workers keep
/// what they hold, containers get no more than this.
void narrow() {
  for (unsigned capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    if (!kept(capability)) {
      prctl(PR_CAPBSET_DROP, capability);
    }
  }
}

/// Mounts of the machine that no container needs: each would be copied for every container.
void detach_mounts(const char* list, std::size_t size) {
  for (const char* at = list; at < list + size; at += std::strlen(at) + 1) {
    char path[PATH_MAX];
    std::snprintf(path, sizeof path, "/host%s", at);
    umount2(path, MNT_DETACH);
  }
}

Failure prepare(const char* detach, std::size_t size) {
  if (const Failure failure = enter_namespaces(setup)) {
    return failure;
  }
  if (setup.level == Level::layer) {
    if (const Failure failure = enter_private_root(setup)) {
      return failure;
    }
    detach_mounts(detach, size);
    if (const Failure failure = try_layer(setup)) {
      return failure;
    }
  }
  if (setup.level != Level::process) {
    narrow();
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return {};
}

void fork_worker(int socket) {
  const int namespaces = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS;
  const int flags = SIGCHLD | (setup.level == Level::process ? 0 : namespaces);
  const long child = syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr);
  if (child == 0) {
    close(kSocket);
    run_worker(setup, socket);
  }
  if (child < 0) {
    send_answer(socket, Message::answer, {Stage::worker, errno, "clone"});
  }
}

/// Receives a packet with at most one descriptor.
ssize_t receive(int& descriptor, char* bytes, std::size_t size) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  iovec part{bytes, size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = -1;
  do {
    got = recvmsg(kSocket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (got > 0 && header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  }
  return got;
}

int run() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGCHLD, SIG_IGN);
  umask(022);
  syscall(SYS_close_range, kNull + 1, ~0U, 0);
  fcntl(kSocket, F_SETFD, FD_CLOEXEC);
  fcntl(kNull, F_SETFD, FD_CLOEXEC);
  int descriptor = -1;
  const ssize_t size = receive(descriptor, setup_packet, sizeof setup_packet);
  const char* detach = nullptr;
  std::size_t detach_size = 0;
  if (size <= 0 || !read_setup(Reader(setup_packet, static_cast<std::size_t>(size)), setup, detach,
                               detach_size)) {
    return 1;
  }
  const Failure failure = prepare(detach, detach_size);
  send_answer(kSocket, Message::answer, failure);
  if (failure) {
    return 1;
  }
  while (true) {
    char bytes[16];
    descriptor = -1;
    if (receive(descriptor, bytes, sizeof bytes) <= 0) {
      return 0;
    }
    if (descriptor >= 0) {
      fork_worker(descriptor);
      close(descriptor);
    }
  }
}

}  // namespace
}  // namespace tiphys::node::keeper

int main() { return tiphys::node::keeper::run(); }

#include "cluster/node/keeper_process.h"

#include "cluster/node/host_mounts.h"
#include "cluster/node/keeper_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace tiphys::node {
namespace {

using keeper::Message;
using keeper::Stage;

constexpr int kAnswerTimeoutMilliseconds = 10'000;

#ifndef MFD_EXEC
constexpr unsigned MFD_EXEC = 0x0010U;
#endif

Result<> write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      return fail_errno("writing to a file in memory", errno);
    }
    bytes.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return {};
}

/// The keeper as a file that can be executed, and its path.
struct Image {
  Descriptor file;
  std::string path;
};

Result<Image> open_image(const std::string& state_folder) {
  Image image;
  image.file =
      Descriptor(memfd_create("tiphys-keeper", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC));
  if (!image.file) {
    image.file = Descriptor(memfd_create("tiphys-keeper", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  }
  if (image.file) {
    TRY_VOID(write_all(image.file.get(), keeper_image()));
    // Containers must not be able to change the program that keeps them.
    fcntl(image.file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    image.path = fmt::format("/proc/self/fd/{}", image.file.get());
    return image;
  }
  image.path = state_folder + "/keeper";
  Descriptor file(open(image.path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0700));
  if (!file) {
    return fail_errno("writing " + image.path, errno);
  }
  TRY_VOID(write_all(file.get(), keeper_image()));
  return image;
}

Result<std::pair<Descriptor, Descriptor>> socket_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail_errno("making a socket pair", errno);
  }
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

Result<int> spawn(const std::string& path, int socket) {
  // Out of the way of the numbers they are to get.
  const Descriptor high_socket(fcntl(socket, F_DUPFD_CLOEXEC, 16));
  const Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  const Descriptor high_null(fcntl(null.get(), F_DUPFD_CLOEXEC, 16));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int standard : {0, 1, 2, keeper::kNull}) {
    posix_spawn_file_actions_adddup2(&actions, high_null.get(), standard);
  }
  posix_spawn_file_actions_adddup2(&actions, high_socket.get(), keeper::kSocket);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all;
  sigset_t none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  // A session of its own: what a terminal sends to this program is not for containers.
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  std::string name = "tiphys-keeper";
  std::array<char*, 2> arguments{name.data(), nullptr};
  std::array<char*, 1> environment{nullptr};
  int process = -1;
  const int error = posix_spawn(&process, path.c_str(), &actions, &attributes, arguments.data(),
                                environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return fail_errno("starting the keeper", error);
  }
  return process;
}

std::string setup_packet(const KeeperSetup& setup) {
  const bool root = geteuid() == 0;
  const HostMounts& mounts = setup.mounts;
  std::string packet;
  keeper::Writer writer(packet);
  writer.number(Message::setup);
  writer.number(setup.level);
  writer.number(static_cast<std::uint8_t>(root));
  writer.number(static_cast<std::uint32_t>(geteuid()));
  writer.number(static_cast<std::uint32_t>(getegid()));
  writer.text(setup.state_folder);
  const bool hidden =
      std::any_of(std::begin(kHiddenFolders), std::end(kHiddenFolders),
                  [&](std::string_view outer) { return lies_in(setup.state_folder, outer); });
  writer.number(static_cast<std::uint8_t>(hidden));
  writer.text(setup.root_folder);
  writer.number(static_cast<std::uint32_t>(mounts.others.size()));
  for (const HostMounts::Other& other : mounts.others) {
    writer.number(other.kind);
    writer.text(other.path);
  }
  writer.number(static_cast<std::uint32_t>(mounts.links.size()));
  for (const HostMounts::Link& link : mounts.links) {
    writer.text(link.path);
    writer.text(link.target);
  }
  std::string detach;
  // In a user namespace mounts come locked together, and a fresh /proc needs the old one in sight.
  for (const std::string& path : root ? mounts.detach : std::vector<std::string>()) {
    detach += path;
    detach += '\0';
  }
  writer.text(detach);
  return packet;
}

Result<> wait_for_answer(int socket, Descriptor& folder) {
  pollfd watched{socket, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&watched, 1, kAnswerTimeoutMilliseconds);
  } while (ready < 0 && errno == EINTR);
  std::array<char, 1024> bytes{};
  const ssize_t got = ready > 0 ? receive_packet(socket, bytes, folder) : -1;
  if (got <= 0) {
    return fail(ErrorCode::internal, "the keeper does not answer");
  }
  keeper::Reader reader(bytes.data(), static_cast<std::size_t>(got));
  reader.number<Message>();
  const auto error = reader.number<std::int32_t>();
  const auto stage = reader.number<Stage>();
  if (stage != Stage::none) {
    return fail(ErrorCode::forbidden, describe(stage, error, reader.text()));
  }
  return {};
}

}  // namespace

std::string describe(keeper::Stage stage, int error, std::string_view detail) {
  static constexpr std::array<std::string_view, 15> kNames{
      "nothing",      "user namespace", "mount namespace",
      "private root", "hidden folders", "container worker",
      "/proc",        "devices",        "overlay",
      "volume mount", "change of root", "chdir",
      "user",         "exec",           "message"};
  const auto index = static_cast<std::size_t>(stage);
  return fmt::format("{}{}{}: {}", kNames[std::min(index, kNames.size() - 1)],
                     detail.empty() ? "" : " ", detail, std::strerror(error));
}

Result<> send_packet(int socket, std::string_view bytes, std::span<const int> descriptors) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(4 * sizeof(int))> control{};
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent = -1;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    return fail_errno("sending to the keeper", errno);
  }
  return {};
}

ssize_t receive_packet(int socket, std::span<char> bytes, Descriptor& descriptor) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const cmsghdr* header = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int number = -1;
    std::memcpy(&number, CMSG_DATA(header), sizeof number);
    descriptor = Descriptor(number);
  }
  return got;
}

Result<KeeperProcess> KeeperProcess::start(const KeeperSetup& setup, Descriptor& first_worker,
                                           Descriptor& folder) {
  TRY(auto image, open_image(setup.state_folder));
  TRY(auto ends, socket_pair());
  TRY(const int process, spawn(image.path, ends.second.get()));
  KeeperProcess started(std::move(ends.first), process);
  ends.second.reset();
  const std::string packet = setup_packet(setup);
  if (packet.size() > keeper::kMaximumPacket) {
    return fail(ErrorCode::internal, "too many file systems are mounted");
  }
  TRY_VOID(send_packet(started.socket_.get(), packet, {}));
  TRY_VOID(wait_for_answer(started.socket_.get(), folder));
  TRY(Descriptor worker, started.new_worker());
  TRY_VOID(wait_for_answer(worker.get(), folder));
  first_worker = std::move(worker);
  return started;
}

KeeperProcess::~KeeperProcess() {
  if (socket_) {
    socket_.reset();
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
}

Result<Descriptor> KeeperProcess::new_worker() {
  TRY(auto ends, socket_pair());
  const int theirs = ends.second.get();
  const auto type = static_cast<char>(Message::worker);
  TRY_VOID(send_packet(socket_.get(), std::string_view(&type, 1), std::span(&theirs, 1)));
  return std::move(ends.first);
}

}  // namespace tiphys::node

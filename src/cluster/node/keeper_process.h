#pragma once
/// The keeper as the node sees it: started, set up, asked for workers. Waits for the keeper's
/// answer to the set-up, which comes within a millisecond or two.

#include "base/error.h"
#include "cluster/node/descriptor.h"
#include "cluster/node/host_mounts.h"
#include "cluster/node/keeper/protocol.h"

#include <span>
#include <string>

namespace tiphys::node {

struct KeeperSetup {
  keeper::Level level = keeper::Level::process;
  std::string state_folder;
  HostMounts mounts;        ///< for level layer
  std::string root_folder;  ///< an empty folder that the private root may stand on
};

class KeeperProcess final {
 public:
  /// Starts a keeper and one worker at exactly this level; the error says what the machine
  /// refused. `first_worker` is the worker's socket, `folder` what came with its answer.
  static Result<KeeperProcess> start(const KeeperSetup& setup, Descriptor& first_worker,
                                     Descriptor& folder);
  KeeperProcess(KeeperProcess&& other) noexcept = default;
  KeeperProcess& operator=(KeeperProcess&& other) noexcept = delete;
  /// Ends the keeper and with it everything it started.
  ~KeeperProcess();

  /// The socket of a new worker; its first packet is the answer whether it could be set up.
  Result<Descriptor> new_worker();

 private:
  KeeperProcess(Descriptor socket, int process) : socket_(std::move(socket)), process_(process) {}

  Descriptor socket_;
  int process_;
};

/// Sends one packet with descriptors; bytes beyond a packet's size go through a memory file when
/// the message is `start`.
Result<> send_packet(int socket, std::string_view bytes, std::span<const int> descriptors);

/// Receives one packet, without waiting, and the descriptor that came with it, if one did. As recv.
ssize_t receive_packet(int socket, std::span<char> bytes, Descriptor& descriptor);

/// What a failed stage means, for a person.
std::string describe(keeper::Stage stage, int error, std::string_view detail);

}  // namespace tiphys::node

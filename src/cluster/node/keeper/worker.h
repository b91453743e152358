#pragma once
/// A worker: pid 1 of its own pid namespace, one container after another. It parks between them, so
/// that a step pays for its process and its root and for nothing else.

#include "cluster/node/keeper/mounts.h"

namespace tiphys::node::keeper {

/// Sends one packet, with a descriptor unless that is -1.
void send_answer(int socket, Message type, const Failure& failure, int descriptor = -1);

/// Serves `socket` until its other side is closed; never returns.
[[noreturn]] void run_worker(const Setup& setup, int socket);

}  // namespace tiphys::node::keeper

#pragma once
/// The packets that the node sends, read. What is read points into the packet, whose bytes must
/// stay; the keeper trusts its node no further than that a malformed packet is refused.

#include "cluster/node/keeper/mounts.h"
#include "cluster/node/keeper/program.h"

namespace tiphys::node::keeper {

/// A `setup` packet with its type. `detach` and `left`: the paths to detach, each ended by a zero
/// byte, and their size together.
bool read_setup(Reader reader, Setup& setup, const char*& detach, std::size_t& left);

/// A `start` packet behind its type. Generation: of the machine's files, as the node counts their
/// changes. Also after a refusal the lists in `program` are to be freed.
bool read_start(Reader& reader, RootPlan& plan, Program& program, std::uint64_t& generation);

/// A list of texts for execve, made with malloc; null when there is none.
char** read_list(Reader& reader);

}  // namespace tiphys::node::keeper

#pragma once
/// Packing files and folders into archives and back (reference, workflows A19, A20).
///
/// Archives are reproducible: the same content gives the same bytes. Names are sorted, owners are 0
/// without names, permission bits are kept (without set-user-id and its kin), and all modification
/// times are kArchiveTime. Upstream keeps the files' times; we do not, because a step that is run
/// again and makes the same files would then store different bytes, and everything after it would
/// have to run again too. Consumers that compare times (make) find the files of one artifact
/// equally old.
///
/// Unpacking trusts nothing: see unpack().

#include "artifacts/artifacts.h"
#include "base/error.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tiphys::executor {

using artifacts::Archive;

/// 1980-01-01T00:00:00Z in Unix seconds, the first moment that zip can express.
inline constexpr std::int64_t kArchiveTime = 315532800;

/// Writes a gzip-compressed tar (Archive::tar) or a zip of the file or folder `source` to the new
/// file `destination`. In the archive it is called `name`, or all is below `name`/. Symbolic links
/// within folders are kept as links. Errors: not_found; invalid for levels gzip does not have and
/// for devices, sockets and pipes, which are named.
Result<> pack(const std::filesystem::path& source, std::string_view name, Archive archive,
              int compression_level, const std::filesystem::path& destination);

struct UnpackLimits {
  std::uint64_t bytes = std::uint64_t{64} << 30U;  ///< of all files together, holes included
  std::uint64_t entries = 4'000'000;
};

/// Whether a file is a gzip stream that begins with the header of a tar (upstream's isTarball).
bool looks_like_tarball(const std::filesystem::path& file);

/// Unpacks `archive` to `destination`, which must not exist while its parent must. Upstream's rule:
/// an archive with one entry at its top becomes that entry, others a folder. Archive::sniff and
/// none are not allowed here.
///
/// Refused, with the entry named and nothing left behind: absolute names, "..", links that lead out
/// of the archive's folder, entries that pass through links, hard links to what is not a file of
/// the archive, devices, pipes and sockets, folders nested too deep, damaged archives, and more
/// content than `limits`.
Result<> unpack(const std::filesystem::path& archive, Archive kind,
                const std::filesystem::path& destination, const UnpackLimits& limits = {});

}  // namespace tiphys::executor

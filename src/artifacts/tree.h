#pragma once
/// Folders as artifacts: copying them, and making them fit to be stored.
///
/// The digest of a folder is the SHA-256 over one record for each entry, depth first and sorted by
/// bytes: its path below the folder, its kind (file, executable file, folder, link) and the SHA-256
/// of its bytes, or of a link its target. Times and owners do not count, and neither do permission
/// bits other than "executable", so that the same content has the same digest wherever and whenever
/// it was made.

#include "artifacts/artifacts.h"
#include "artifacts/digest.h"
#include "base/error.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace tiphys::artifacts {

/// A stored file's permission bits: read-only, executable if its owner could execute it.
mode_t sealed_mode(mode_t mode);

/// A stored file's digest as written down beside it, in an extended attribute: valid as long as
/// size and modification time are the same. File systems without such attributes have none.
std::optional<RawDigest> read_record(int file, std::uint64_t size, std::int64_t modified);
void write_record(int file, const RawDigest& digest, std::uint64_t size, std::int64_t modified);
void drop_record(int file);
/// The record of a folder that was stored as one object: {digest, sum of sizes}.
std::optional<Stored> read_folder_record(int folder);
void write_folder_record(int folder, const Stored& stored);

/// Makes the regular file `folder`/`name` an object: hashed, recorded, read-only, owned by us.
/// A file with further hard links is replaced by a copy, as somebody else could write to it.
Result<Stored> seal_file(int folder, const std::string& name);
/// The same for a file or a folder and all that is in it. Links that leave the folder, devices,
/// sockets and pipes are an error that names them.
Result<Stored> seal(int folder, const std::string& name);
/// Digest and size of an open folder of sealed objects.
Result<Stored> describe_folder(int folder, FileDigests& digests);

/// Makes `to`/`name` a copy of the open folder: its files hard links or copies, its folders new.
/// Names equal to kSelfName are left out: they are objects of their own.
Result<> copy_tree(int folder, int to, const std::string& name, Sharing sharing);

}  // namespace tiphys::artifacts

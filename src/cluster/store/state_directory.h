#pragma once
/// The directory a store lives in, and the lock that keeps a second program out of it. The lock
/// goes with the process that holds it, however that ends. Private to the store.

#include "base/error.h"

#include <filesystem>

namespace tiphys::store {

/// Makes a directory's own entry, and those of its files, survive power loss.
Result<> sync_directory(const std::filesystem::path& directory);

class StateDirectory final {
 public:
  /// Makes the directory where it is missing and locks it. Errors: conflict when another program
  /// holds it (its process id is in the message), io.
  static Result<StateDirectory> lock(const std::filesystem::path& directory);

  StateDirectory() = default;
  StateDirectory(StateDirectory&& other) noexcept;
  StateDirectory& operator=(StateDirectory&& other) noexcept;
  ~StateDirectory();

 private:
  int descriptor_ = -1;
};

}  // namespace tiphys::store

#pragma once
/// What stands where in a state directory.

#include <filesystem>

namespace tiphys::app {

struct StatePaths {
  std::filesystem::path root;

  std::filesystem::path artifacts() const { return root / "artifacts"; }

  std::filesystem::path node() const { return root / "node"; }

  std::filesystem::path logs() const { return root / "logs"; }
};

}  // namespace tiphys::app

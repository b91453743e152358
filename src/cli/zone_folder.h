#pragma once
/// The time zones that this machine knows, for schedules that name one.

#include "lang/gotime/gotime.h"

#include <filesystem>
#include <memory>

namespace tiphys::cli {

class ZoneFolder final : public lang::ZoneFiles {
 public:
  /// Null when the machine has no zones (Debian's tzdata): names cannot be judged then.
  static std::unique_ptr<ZoneFolder> open(
      const std::filesystem::path& folder = "/usr/share/zoneinfo");

  std::optional<std::string> load(std::string_view name) const override;

 private:
  explicit ZoneFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
};

}  // namespace tiphys::cli

#include "cli/zone_folder.h"

#include <fstream>
#include <iterator>

namespace tiphys::cli {

std::unique_ptr<ZoneFolder> ZoneFolder::open(const std::filesystem::path& folder) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(folder / "UTC", code)) {
    return nullptr;
  }
  return std::unique_ptr<ZoneFolder>(new ZoneFolder(folder));
}

std::optional<std::string> ZoneFolder::load(std::string_view name) const {
  const std::filesystem::path relative(name);
  std::error_code code;
  if (relative.is_absolute() || name.find("..") != std::string_view::npos ||
      !std::filesystem::is_regular_file(folder_ / relative, code)) {
    return std::nullopt;
  }
  std::ifstream in(folder_ / relative, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

}  // namespace tiphys::cli

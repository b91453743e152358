#pragma once
/// Artifacts written into the manifest itself: {"raw": {"data": "..."}}. They can only be read.

#include "artifacts/artifacts.h"

namespace tiphys::artifacts {

class RawSource final : public Store {
 public:
  Result<> load(const doc::Value& location, const std::filesystem::path& destination,
                Sharing sharing) override;
  Result<Stored> save(const doc::Value& location, const std::filesystem::path& source,
                      Source mode) override;
  Result<Stored> stat(const doc::Value& location) override;
  Result<> link(const doc::Value& from, const doc::Value& to) override;
  Result<> remove(const doc::Value& location) override;
  std::filesystem::path scratch() const override;
};

}  // namespace tiphys::artifacts

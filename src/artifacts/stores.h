#pragma once
/// All stores of a program behind the face of one: each call goes to the store that serves the
/// location's type. A location that nothing here serves is an error that names the type, which is
/// also the field of the location it stands in.

#include "artifacts/artifacts.h"

#include <map>
#include <memory>
#include <string>

namespace tiphys::artifacts {

class Stores final : public Store {
 public:
  /// `main` serves s3 locations and lends its scratch folder; raw artifacts are always served.
  explicit Stores(std::shared_ptr<Store> main);

  /// Lets `store` serve the locations of `type`, instead of what did before.
  void add(std::string type, std::shared_ptr<Store> store);

  Result<> load(const doc::Value& location, const std::filesystem::path& destination,
                Sharing sharing) override;
  Result<Stored> save(const doc::Value& location, const std::filesystem::path& source,
                      Source mode) override;
  Result<Stored> stat(const doc::Value& location) override;
  /// Between two stores the object is loaded and saved.
  Result<> link(const doc::Value& from, const doc::Value& to) override;
  Result<> remove(const doc::Value& location) override;
  std::filesystem::path scratch() const override;

 private:
  Result<Store*> find(const doc::Value& location) const;

  std::shared_ptr<Store> main_;
  std::map<std::string, std::shared_ptr<Store>, std::less<>> stores_;
};

}  // namespace tiphys::artifacts

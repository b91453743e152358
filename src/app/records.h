#pragma once
/// The records of StepMemory, kept in the store.

#include "cluster/store/store.h"
#include "workflows/controller/step_memory.h"

namespace tiphys::app {

class StoreRecords final : public workflows::Records {
 public:
  explicit StoreRecords(store::Store& store) : store_(store) {}

  std::optional<std::string> find(std::string_view key) const override {
    auto found = store_.find_reuse(key);
    return found ? std::move(*found) : std::nullopt;
  }

  void put(std::string key, std::string record) override {
    store_.put_reuse(std::move(key), std::move(record));
  }

  void touch(std::string_view key) override { store_.touch_reuse(std::string(key)); }

 private:
  store::Store& store_;
};

}  // namespace tiphys::app

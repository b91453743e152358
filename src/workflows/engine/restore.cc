#include "workflows/engine/machine.h"
#include "workflows/engine/status.h"

#include <boost/json.hpp>

namespace tiphys::workflows {

Result<> Engine::Machine::load_rows(std::span<const StoredRow> rows, TimePoint now) {
  TRY(auto stored, read_rows(metadata_.name, names_pods_v1(metadata_.annotations), rows));
  return take_nodes(std::move(stored), now);
}

Result<> Engine::Machine::load_nodes(const doc::Value& nodes, TimePoint now) {
  TRY(auto stored, read_statuses(metadata_.name, names_pods_v1(metadata_.annotations), nodes));
  return take_nodes(std::move(stored), now);
}

Result<> Engine::Machine::take_nodes(StoredNodes stored, TimePoint now) {
  now_ = now;
  *nodes_ = std::move(stored.nodes);
  wakes_ = std::move(stored.wakes);
  stop_messages_ = std::move(stored.stopping);
  bubbling_ = std::move(stored.bubbling);
  const Present present(now, seed_at(now));
  rebuild();
  return {};
}

}  // namespace tiphys::workflows

#pragma once
/// Brings events to those who watch, each in a call of its own on the loop and in the order of the
/// changes. Private to the store.

#include "async/loop.h"
#include "kube/api.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::store {

class WatchHub final : public std::enable_shared_from_this<WatchHub> {
 public:
  explicit WatchHub(async::Loop& loop) : loop_(loop) {}

  [[nodiscard]] std::unique_ptr<kube::Subscription> watch(std::string_view kind,
                                                          kube::EventHandler handler);
  void publish(kube::Event event);

 private:
  struct Watcher;
  class Registration;
  using Watchers = std::vector<std::shared_ptr<Watcher>>;

  void remove(const std::string& kind, const Watcher* watcher);

  async::Loop& loop_;
  std::map<std::string, Watchers, std::less<>> watchers_;
};

}  // namespace tiphys::store

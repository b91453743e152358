#include "cluster/store/watch_hub.h"

#include <utility>

namespace tiphys::store {

struct WatchHub::Watcher {
  kube::EventHandler handler;
  bool active = true;
};

class WatchHub::Registration final : public kube::Subscription {
 public:
  Registration(std::weak_ptr<WatchHub> hub, std::string kind, std::shared_ptr<Watcher> watcher)
      : hub_(std::move(hub)), kind_(std::move(kind)), watcher_(std::move(watcher)) {}

  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  ~Registration() override {
    watcher_->active = false;
    if (const auto hub = hub_.lock()) {
      hub->remove(kind_, watcher_.get());
    }
  }

 private:
  std::weak_ptr<WatchHub> hub_;
  std::string kind_;
  std::shared_ptr<Watcher> watcher_;
};

std::unique_ptr<kube::Subscription> WatchHub::watch(std::string_view kind,
                                                    kube::EventHandler handler) {
  auto watcher = std::make_shared<Watcher>(std::move(handler));
  std::string name(kind);
  watchers_[name].push_back(watcher);
  return std::make_unique<Registration>(weak_from_this(), std::move(name), std::move(watcher));
}

void WatchHub::publish(kube::Event event) {
  const auto found = watchers_.find(event.object->key().kind);
  if (found == watchers_.end()) {
    return;
  }
  // Whoever watches now gets the event, and nobody who begins to watch before it is delivered: a
  // list has shown it to them already.
  if (found->second.size() == 1) {
    loop_.post([watcher = found->second.front(), event = std::move(event)] {
      if (watcher->active) {
        watcher->handler(event);
      }
    });
    return;
  }
  const auto shared = std::make_shared<const kube::Event>(std::move(event));
  for (const auto& watcher : found->second) {
    loop_.post([watcher, shared] {
      if (watcher->active) {
        watcher->handler(*shared);
      }
    });
  }
}

void WatchHub::remove(const std::string& kind, const Watcher* watcher) {
  const auto found = watchers_.find(kind);
  if (found == watchers_.end()) {
    return;
  }
  std::erase_if(found->second, [&](const auto& entry) { return entry.get() == watcher; });
  if (found->second.empty()) {
    watchers_.erase(found);
  }
}

}  // namespace tiphys::store

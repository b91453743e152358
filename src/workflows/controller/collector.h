#pragma once
/// Removes runs that have ended and are not wanted any longer: those whose ttlStrategy says so, and
/// those beyond the number to keep. Three nouns: the `expiry` of a run, the moment from which it
/// may go; `Retention`, how many of each outcome stay; `Collector`, which watches runs end and
/// waits for the next expiry.
///
/// Nothing polls: there is one timer, for the run that expires first. Whether a run has a
/// ttlStrategy is looked for in its text, so that starting reads only those that have one.
///
/// Rules: upstream workflow/gccontroller.

#include "async/loop.h"
#include "kube/api.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace tiphys::workflows {

/// When an ended run may go by its ttlStrategy; nothing while it runs or when it has none. A
/// strategy taken from a template counts as well.
std::optional<async::TimePoint> expiry_of(const kube::Object& workflow);

/// How many ended runs stay by their outcome, over all namespaces; nothing = all.
struct Retention {
  std::optional<std::size_t> succeeded;
  std::optional<std::size_t> failed;
  std::optional<std::size_t> errored;
};

class Collector final {
 public:
  /// Removes a run and all that belongs to it; may decline, and is not asked again then.
  using Remove = std::function<void(const kube::ObjectRef& workflow)>;

  /// Loop and api must outlive the collector.
  Collector(async::Loop& loop, kube::Api& api, Retention retention, Remove remove);
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  ~Collector();

  /// Removes what may go now, and watches from then on.
  void start();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tiphys::workflows

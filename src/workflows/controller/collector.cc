#include "workflows/controller/collector.h"

#include "doc/json.h"
#include "kube/time.h"

#include <boost/json.hpp>

#include <array>
#include <map>
#include <set>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kCompletedLabel = "workflows.argoproj.io/completed";
constexpr std::string_view kPhaseLabel = "workflows.argoproj.io/phase";

std::optional<std::chrono::seconds> seconds_at(const doc::Value& strategy, std::string_view key) {
  const doc::Value* value = doc::find(strategy, key);
  if (value == nullptr || !value->is_int64()) {
    return std::nullopt;
  }
  return std::chrono::seconds(value->get_int64());
}

const doc::Value* strategy_of(const doc::Value& document) {
  const doc::Value* status = doc::find(document, "status");
  const doc::Value* stored =
      status == nullptr ? nullptr : doc::find(*status, "storedWorkflowTemplateSpec");
  for (const doc::Value* spec : {stored, doc::find(document, "spec")}) {
    const doc::Value* strategy = spec == nullptr ? nullptr : doc::find(*spec, "ttlStrategy");
    if (strategy != nullptr && strategy->is_object()) {
      return strategy;
    }
  }
  return nullptr;
}

}  // namespace

std::optional<async::TimePoint> expiry_of(const kube::Object& workflow) {
  if (workflow.label(kCompletedLabel) != "true" || !workflow.bytes().contains("\"ttlStrategy\"")) {
    return std::nullopt;
  }
  const doc::Value* strategy = strategy_of(workflow.document());
  const doc::Value* status = doc::find(workflow.document(), "status");
  if (strategy == nullptr || status == nullptr) {
    return std::nullopt;
  }
  const auto finished = kube::parse_time(doc::find_string(*status, "finishedAt"));
  if (!finished) {
    return std::nullopt;
  }
  const bool succeeded = doc::find_string(*status, "phase") == "Succeeded";
  auto after = seconds_at(*strategy, succeeded ? "secondsAfterSuccess" : "secondsAfterFailure");
  if (!after) {
    after = seconds_at(*strategy, "secondsAfterCompletion");
  }
  // Beyond a century nothing expires, and no sum overflows.
  constexpr std::chrono::seconds kForEver = std::chrono::hours(24 * 36525);
  if (!after || *after > kForEver) {
    return std::nullopt;
  }
  return *finished + *after;
}

class Collector::Impl {
 public:
  Impl(async::Loop& loop, kube::Api& api, Retention retention, Remove remove)
      : loop_(loop), api_(api), retention_(retention), remove_(std::move(remove)) {}

  void start() {
    workflows_ = api_.watch("Workflow", [this](const kube::Event& event) {
      forget(event.object->key());
      if (event.type != kube::EventType::deleted) {
        note(*event.object);
        collect();
      }
    });
    for (const kube::ObjectRef& workflow : api_.list("Workflow", "", {})) {
      note(*workflow);
    }
    collect();
  }

 private:
  using Due = std::pair<async::TimePoint, kube::ObjectKey>;

  /// What is kept of an ended run, so that it can be forgotten.
  struct Known {
    std::optional<async::TimePoint> expiry;
    std::size_t outcome = 0;
    async::TimePoint created;
  };

  static std::optional<std::size_t> outcome_of(const kube::Object& workflow) {
    static constexpr std::array<std::string_view, 3> kPhases = {"Succeeded", "Failed", "Error"};
    for (std::size_t i = 0; i < kPhases.size(); ++i) {
      if (workflow.label(kPhaseLabel) == kPhases.at(i)) {
        return i;
      }
    }
    return std::nullopt;
  }

  void note(const kube::Object& workflow) {
    const auto outcome = outcome_of(workflow);
    if (workflow.label(kCompletedLabel) != "true" || !outcome) {
      return;
    }
    Known known{expiry_of(workflow), *outcome, workflow.creation_time()};
    if (known.expiry) {
      due_.emplace(*known.expiry, workflow.key());
    }
    if (most(*outcome)) {
      ended_.at(*outcome).emplace(known.created, workflow.key());
    } else if (!known.expiry) {
      return;
    }
    known_.insert_or_assign(workflow.key(), known);
  }

  void forget(const kube::ObjectKey& key) {
    const auto found = known_.find(key);
    if (found == known_.end()) {
      return;
    }
    if (found->second.expiry) {
      due_.erase({*found->second.expiry, key});
    }
    ended_.at(found->second.outcome).erase({found->second.created, key});
    known_.erase(found);
  }

  std::optional<std::size_t> most(std::size_t outcome) const {
    return outcome == 0   ? retention_.succeeded
           : outcome == 1 ? retention_.failed
                          : retention_.errored;
  }

  void collect() {
    const async::TimePoint now = loop_.now();
    while (!due_.empty() && due_.begin()->first <= now) {
      let_go(due_.begin()->second);
    }
    for (std::size_t outcome = 0; outcome < ended_.size(); ++outcome) {
      const auto limit = most(outcome);
      while (limit && ended_.at(outcome).size() > *limit) {
        let_go(ended_.at(outcome).begin()->second);
      }
    }
    timer_ =
        due_.empty() ? async::Timer() : loop_.call_at(due_.begin()->first, [this] { collect(); });
  }

  void let_go(kube::ObjectKey key) {
    forget(key);
    // Retried in the meantime, it is not to go.
    const kube::ObjectRef workflow = api_.get(key);
    if (workflow != nullptr && workflow->label(kCompletedLabel) == "true") {
      remove_(workflow);
    }
  }

  async::Loop& loop_;
  kube::Api& api_;
  Retention retention_;
  Remove remove_;
  std::map<kube::ObjectKey, Known> known_;
  std::set<Due> due_;
  std::array<std::set<Due>, 3> ended_;  ///< by creation
  std::unique_ptr<kube::Subscription> workflows_;
  async::Timer timer_;
};

Collector::Collector(async::Loop& loop, kube::Api& api, Retention retention, Remove remove)
    : impl_(std::make_unique<Impl>(loop, api, retention, std::move(remove))) {}

Collector::~Collector() = default;

void Collector::start() { impl_->start(); }

}  // namespace tiphys::workflows

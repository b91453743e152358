#pragma once
/// What must be true whatever goes wrong. Three nouns: `Ledger`, which is told everything that is
/// written, acknowledged, begun and ended, and says what broke a rule; `WitnessedApi`, through
/// which a program's writes pass so that the ledger sees them; a violation, one sentence.

#include "cluster/store/testing/simulated_disk.h"
#include "kube/api.h"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tiphys::simulation {

class Ledger final {
 public:
  using Number = std::uint64_t;

  // Writes. Each gets a number; what is acknowledged must still be there after a crash, or have
  // been replaced by a later write.
  Number object_written(const kube::ObjectKey& key, const kube::ObjectRef& now);
  void object_acknowledged(const kube::ObjectKey& key, Number number);
  Number row_written(const std::string& owner, std::uint64_t index, const std::string& bytes);
  void row_acknowledged(const std::string& owner, std::uint64_t index, Number number);
  /// Compares with what a crash has left, and forgets what it has taken.
  void compare(const store::testing::SimulatedDisk& disk);

  // Attempts. A step is known by the uid of its workflow and the id of its node.
  void attempt_begins(const std::string& step, const std::string& pod_uid);
  void attempt_ends(const std::string& pod_uid);
  void result_acknowledged(const std::string& step, bool succeeded);

  /// The machine has died, and every process on it.
  void all_processes_died() { live_.clear(); }

  void violation(std::string what);

  const std::vector<std::string>& violations() const { return violations_; }

  std::size_t attempts() const { return attempts_; }

 private:
  struct Version {
    Number number = 0;
    /// Of an object its revision, of a row a hash of its bytes; zero: removed.
    std::uint64_t content = 0;
  };

  struct History {
    std::vector<Version> versions;
    Number acknowledged = 0;
  };

  void check(const std::string& what, History& history, std::uint64_t content);

  Number last_ = 0;
  std::map<kube::ObjectKey, History> objects_;
  std::map<std::pair<std::string, std::uint64_t>, History> rows_;
  std::map<std::string, std::string> live_;   ///< step -> uid of its pod
  std::map<std::string, bool> acknowledged_;  ///< results by step
  std::size_t attempts_ = 0;
  std::vector<std::string> violations_;
};

/// Passes everything on.
class WitnessedApi final : public kube::Api {
 public:
  /// `on_operation` is called before each write; all must outlive this.
  WitnessedApi(kube::Api& api, Ledger& ledger, std::function<void()> on_operation)
      : api_(api), ledger_(ledger), on_operation_(std::move(on_operation)) {}

  void create(doc::Value object, kube::Done done) override;
  void update(doc::Value object, kube::Done done) override;
  void remove(const kube::ObjectKey& key, kube::Done done) override;

  kube::ObjectRef get(const kube::ObjectKey& key) const override { return api_.get(key); }

  std::vector<kube::ObjectRef> list(std::string_view kind, std::string_view namespace_,
                                    const kube::LabelSelector& selector) const override {
    return api_.list(kind, namespace_, selector);
  }

  [[nodiscard]] std::unique_ptr<kube::Subscription> watch(std::string_view kind,
                                                          kube::EventHandler handler) override {
    return api_.watch(kind, std::move(handler));
  }

  void put_rows(std::string_view owner, std::vector<kube::Row> rows, kube::RowsDone done) override;

  Result<std::vector<kube::Row>> rows(std::string_view owner) const override {
    return api_.rows(owner);
  }

  Result<kube::Row> row(std::string_view owner, std::uint64_t index) const override {
    return api_.row(owner, index);
  }

 private:
  kube::Done witnessed(const kube::ObjectKey& key, std::shared_ptr<Ledger::Number> number,
                       kube::Done done);
  void note(const kube::ObjectKey& key, const kube::ObjectRef& before, Ledger::Number& number);

  kube::Api& api_;
  Ledger& ledger_;
  std::function<void()> on_operation_;
};

}  // namespace tiphys::simulation

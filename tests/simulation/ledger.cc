#include "ledger.h"

#include <algorithm>

namespace tiphys::simulation {
namespace {

std::uint64_t hash_of(const std::string& bytes) {
  return bytes.empty() ? 0 : std::hash<std::string>()(bytes) | 1U;
}

}  // namespace

void Ledger::violation(std::string what) { violations_.push_back(std::move(what)); }

Ledger::Number Ledger::object_written(const kube::ObjectKey& key, const kube::ObjectRef& now) {
  objects_[key].versions.push_back({++last_, now == nullptr ? 0 : now->resource_version()});
  return last_;
}

void Ledger::object_acknowledged(const kube::ObjectKey& key, Number number) {
  History& history = objects_[key];
  history.acknowledged = std::max(history.acknowledged, number);
}

Ledger::Number Ledger::row_written(const std::string& owner, std::uint64_t index,
                                   const std::string& bytes) {
  rows_[{owner, index}].versions.push_back({++last_, hash_of(bytes)});
  return last_;
}

void Ledger::row_acknowledged(const std::string& owner, std::uint64_t index, Number number) {
  History& history = rows_[{owner, index}];
  history.acknowledged = std::max(history.acknowledged, number);
}

void Ledger::check(const std::string& what, History& history, std::uint64_t content) {
  // The latest version with this content: the same bytes may have been written more than once.
  const auto found =
      std::find_if(history.versions.rbegin(), history.versions.rend(),
                   [&](const Version& version) { return version.content == content; });
  const Number number = found == history.versions.rend() ? 0 : found->number;
  if (number < history.acknowledged) {
    violation("an acknowledged write of " + what +
              " is lost: " + (content == 0 ? "nothing is there" : "an older version is there"));
  }
  if (found == history.versions.rend() && content != 0) {
    violation(what + " holds what nobody wrote");
  }
  history.versions = {{number, content}};
  history.acknowledged = number;
}

void Ledger::compare(const store::testing::SimulatedDisk& disk) {
  std::map<kube::ObjectKey, std::uint64_t> versions;
  std::map<std::string, const std::map<std::uint64_t, std::string>*> rows;
  for (const auto& [id, stored] : disk.objects()) {
    versions[stored.object->key()] = stored.object->resource_version();
    rows[stored.object->uid()] = &stored.rows;
  }
  for (auto& [key, history] : objects_) {
    const auto found = versions.find(key);
    check(kube::describe(key), history, found == versions.end() ? 0 : found->second);
  }
  for (auto& [row, history] : rows_) {
    const auto owner = rows.find(row.first);
    if (owner == rows.end()) {
      // Rows go with their object, whose loss would have been seen above.
      history = {};
      continue;
    }
    const auto found = owner->second->find(row.second);
    check("row " + std::to_string(row.second), history,
          found == owner->second->end() ? 0 : hash_of(found->second));
  }
}

void Ledger::attempt_begins(const std::string& step, const std::string& pod_uid) {
  ++attempts_;
  if (const auto result = acknowledged_.find(step); result != acknowledged_.end()) {
    violation("step " + step + " runs again though it is known to have " +
              (result->second ? "succeeded" : "failed"));
  }
  if (!live_.emplace(step, pod_uid).second) {
    violation("step " + step + " has two live attempts");
  }
}

void Ledger::attempt_ends(const std::string& pod_uid) {
  std::erase_if(live_, [&](const auto& entry) { return entry.second == pod_uid; });
}

void Ledger::result_acknowledged(const std::string& step, bool succeeded) {
  acknowledged_.emplace(step, succeeded);
}

kube::Done WitnessedApi::witnessed(const kube::ObjectKey& key,
                                   std::shared_ptr<Ledger::Number> number, kube::Done done) {
  return [&ledger = ledger_, key, number = std::move(number),
          done = std::move(done)](Result<kube::ObjectRef> outcome) mutable {
    if (outcome) {
      ledger.object_acknowledged(key, *number);
    }
    if (done) {
      done(std::move(outcome));
    }
  };
}

void WitnessedApi::note(const kube::ObjectKey& key, const kube::ObjectRef& before,
                        Ledger::Number& number) {
  const kube::ObjectRef now = api_.get(key);
  if (now != before) {
    number = ledger_.object_written(key, now);
  }
}

void WitnessedApi::create(doc::Value object, kube::Done done) {
  on_operation_();
  const kube::ObjectKey key = kube::key_of(object).value_or(kube::ObjectKey{});
  const kube::ObjectRef before = api_.get(key);
  auto number = std::make_shared<Ledger::Number>(0);
  api_.create(std::move(object), witnessed(key, number, std::move(done)));
  note(key, before, *number);
}

void WitnessedApi::update(doc::Value object, kube::Done done) {
  on_operation_();
  const kube::ObjectKey key = kube::key_of(object).value_or(kube::ObjectKey{});
  const kube::ObjectRef before = api_.get(key);
  auto number = std::make_shared<Ledger::Number>(0);
  api_.update(std::move(object), witnessed(key, number, std::move(done)));
  note(key, before, *number);
}

void WitnessedApi::remove(const kube::ObjectKey& key, kube::Done done) {
  on_operation_();
  const kube::ObjectKey kept = key;
  const kube::ObjectRef before = api_.get(kept);
  auto number = std::make_shared<Ledger::Number>(0);
  api_.remove(key, witnessed(kept, number, std::move(done)));
  note(kept, before, *number);
}

void WitnessedApi::put_rows(std::string_view owner, std::vector<kube::Row> rows,
                            kube::RowsDone done) {
  on_operation_();
  const std::string uid(owner);
  std::vector<std::pair<std::uint64_t, Ledger::Number>> written;
  for (const kube::Row& row : rows) {
    written.emplace_back(row.index, ledger_.row_written(uid, row.index, row.bytes));
  }
  api_.put_rows(owner, std::move(rows),
                [&ledger = ledger_, uid, written = std::move(written),
                 done = std::move(done)](Result<> outcome) mutable {
                  if (outcome) {
                    for (const auto& [index, number] : written) {
                      ledger.row_acknowledged(uid, index, number);
                    }
                  }
                  if (done) {
                    done(std::move(outcome));
                  }
                });
}

}  // namespace tiphys::simulation

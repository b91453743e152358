#include "cluster/store/testing/fixture.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace tiphys::store {
namespace {

using testing::manifest;

/// What the store should hold: an object's number of the write, and its rows.
struct Expected {
  std::int64_t content = 0;
  std::string uid;
  std::map<std::uint64_t, std::string> rows;
};

class StoreModel : public testing::StoreTest {
 protected:
  void run(std::uint64_t seed, int steps) {
    dice_.emplace(seed);
    open();
    watch();
    for (int step = 0; step < steps; ++step) {
      step_once(step);
      if (HasFatalFailure()) {
        return;
      }
    }
    loop().run_until_idle();
    compare();
  }

 private:
  kube::ObjectKey random_key() {
    return {dice_->below(2) == 0 ? "Pod" : "Workflow", "n" + std::to_string(dice_->below(2)),
            "o" + std::to_string(dice_->below(12))};
  }

  void watch() {
    mirror_.clear();
    for (const char* kind : {"Pod", "Workflow"}) {
      for (const auto& object : store().list(kind, "", {})) {
        mirror_[object->key()] = object;
      }
    }
    const auto follow = [this](const kube::Event& event) {
      auto& mine = mirror_[event.object->key()];
      EXPECT_EQ(mine, event.previous);
      mine = event.object;
      if (event.type == kube::EventType::deleted) {
        mirror_.erase(event.object->key());
      }
    };
    pods_ = store().watch("Pod", follow);
    workflows_ = store().watch("Workflow", follow);
  }

  void put(const kube::ObjectKey& key, std::int64_t content) {
    auto object = manifest(key.kind, key.name, key.namespace_, {{"content", "x"}});
    object.as_object()["content"] = content;
    const auto known = model_.find(key);
    if (known == model_.end()) {
      store().create(object, {});
      model_[key] = {content, store().get(key)->uid(), {}};
    } else {
      store().update(object, {});
      known->second.content = content;
    }
  }

  void put_row(const kube::ObjectKey& key, int step) {
    const auto known = model_.find(key);
    if (known == model_.end()) {
      return;
    }
    const std::uint64_t index = dice_->below(5);
    if (dice_->below(4) == 0) {
      known->second.rows.erase(index);
      store().put_rows(known->second.uid, {{index, ""}}, {});
    } else {
      known->second.rows[index] = std::to_string(step);
      store().put_rows(known->second.uid, {{index, std::to_string(step)}}, {});
    }
  }

  void step_once(int step) {
    const kube::ObjectKey key = random_key();
    switch (dice_->below(20)) {
      case 0:
        pods_.reset();
        workflows_.reset();
        reopen();
        watch();
        compare();
        break;
      case 1:
      case 2:
        loop().run_until_idle();
        compare();
        break;
      case 3:
      case 4:
      case 5:
      case 6:
        store().remove(key, {});
        model_.erase(key);
        break;
      case 7:
        store().flush([](Result<> result) { EXPECT_TRUE(result); });
        break;
      case 8:
      case 9:
      case 10:
      case 11:
        put_row(key, step);
        break;
      case 12: {
        const std::string reuse = "k" + std::to_string(dice_->below(5));
        reuse_[reuse] = std::to_string(step);
        store().put_reuse(reuse, std::to_string(step));
        break;
      }
      default:
        put(key, step);
    }
  }

  void compare() {
    std::size_t count = 0;
    for (const char* kind : {"Pod", "Workflow"}) {
      count += store().list(kind, "", {}).size();
    }
    ASSERT_EQ(count, model_.size());
    for (const auto& [key, expected] : model_) {
      const auto object = store().get(key);
      ASSERT_NE(object, nullptr) << kube::describe(key);
      ASSERT_EQ(object->document().at("content"), expected.content);
      ASSERT_EQ(object->uid(), expected.uid);
      std::map<std::uint64_t, std::string> rows;
      for (const kube::Row& row : store().rows(expected.uid).value()) {
        rows[row.index] = row.bytes;
      }
      ASSERT_EQ(rows, expected.rows);
      ASSERT_EQ(mirror_[key], object);
    }
    ASSERT_EQ(mirror_.size(), model_.size());
    for (const auto& [key, record] : reuse_) {
      ASSERT_EQ(store().find_reuse(key).value(), record);
    }
  }

  std::optional<async::SeededRandom> dice_;
  std::map<kube::ObjectKey, Expected> model_;
  std::map<std::string, std::string> reuse_;
  std::map<kube::ObjectKey, kube::ObjectRef> mirror_;
  std::unique_ptr<kube::Subscription> pods_;
  std::unique_ptr<kube::Subscription> workflows_;
};

class SeededStoreModel : public StoreModel, public ::testing::WithParamInterface<int> {};

TEST_P(SeededStoreModel, behaves_like_a_map_whatever_is_done_to_it) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  run(static_cast<std::uint64_t>(GetParam()), 300);
}

INSTANTIATE_TEST_SUITE_P(seeds, SeededStoreModel, ::testing::Range(1, 13));

}  // namespace
}  // namespace tiphys::store

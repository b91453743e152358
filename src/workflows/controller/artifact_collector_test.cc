// The collector over the real store in a folder of its own; artifacts are names in a set.
#include "workflows/controller/artifact_collector.h"

#include "cluster/store/store.h"
#include "cluster/store/testing/fixture.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>

namespace tiphys::workflows {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A store that knows keys only. What begins with "stuck" cannot be removed.
class KeyStore final : public artifacts::Store {
 public:
  Result<> load(const doc::Value&, const std::filesystem::path&, artifacts::Sharing) override {
    return fail(ErrorCode::internal, "not asked for");
  }

  Result<artifacts::Stored> save(const doc::Value&, const std::filesystem::path&,
                                 artifacts::Source) override {
    return fail(ErrorCode::internal, "not asked for");
  }

  Result<artifacts::Stored> stat(const doc::Value&) override {
    return fail(ErrorCode::internal, "not asked for");
  }

  Result<> link(const doc::Value&, const doc::Value&) override {
    return fail(ErrorCode::internal, "not asked for");
  }

  Result<> remove(const doc::Value& location) override {
    const doc::Value& s3 = *doc::find(location, "s3");
    std::string key(doc::find_string(s3, "key"));
    const std::lock_guard lock(mutex_);
    if (key.starts_with("stuck")) {
      return fail(ErrorCode::io, "it is stuck");
    }
    buckets.emplace(doc::find_string(s3, "bucket"));
    return keys.erase(key) != 0 ? Result<>{} : fail(ErrorCode::not_found, "no such key");
  }

  std::filesystem::path scratch() const override { return {}; }

  std::set<std::string> keys;
  std::set<std::string> buckets;

 private:
  std::mutex mutex_;
};

class ArtifactCollectorTest : public store::testing::StoreTest {
 protected:
  static inline const kube::ObjectKey kKey{"Workflow", "default", "wf"};

  /// A Workflow that has ended, with a row for each list of artifacts ("KEY" or "KEY STRATEGY").
  void make(std::string_view strategy, const std::vector<std::vector<std::string>>& artifacts,
            bool forced = false) {
    open();
    store().create(
        doc::parse_json(
            fmt::format(
                R"({{"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{{"name":"wf","namespace":"default",
                "finalizers":["workflows.argoproj.io/artifact-gc"]}},"spec":{{"artifactGC":{{"strategy":"{}",
                "forceFinalizerRemoval":{}}}}},"status":{{"phase":"Succeeded","conditions":[{{"type":"Completed","status":"True"}}],
                "artifactRepositoryRef":{{"artifactRepository":{{"s3":{{"bucket":"bucket","endpoint":"e"}}}}}}}}}})",
                strategy, forced))
            .value(),
        {});
    std::vector<kube::Row> rows;
    for (const auto& list : artifacts) {
      doc::Array outputs;
      for (const std::string& artifact : list) {
        const std::string key = artifact.substr(0, artifact.find(' '));
        bytes->keys.insert(key);
        doc::Object one{{"name", key}, {"s3", doc::Object{{"key", key}}}};
        if (key != artifact) {
          one["artifactGC"] = doc::Object{{"strategy", artifact.substr(key.size() + 1)}};
        }
        outputs.push_back(std::move(one));
      }
      rows.push_back(
          {rows.size(),
           doc::to_json(doc::Object{{"name", fmt::format("wf({})", rows.size())},
                                    {"type", "Pod"},
                                    {"outputs", doc::Object{{"artifacts", std::move(outputs)}}}})});
    }
    store().put_rows(object()->uid(), std::move(rows), {});
  }

  kube::ObjectRef object() { return store().get(kKey); }

  std::string collect(GcMoment moment) {
    async::BlockingPool pool(loop(), {.threads = 2});
    ArtifactCollector collector(pool, store(), bytes);
    std::string error = "never done";
    collector.collect(object(), moment, [&](const std::string& last) {
      error = last;
      loop().stop();
    });
    EXPECT_EQ(collector.active(), 1U);
    loop().run();
    EXPECT_EQ(collector.active(), 0U);
    return error;
  }

  /// Keys that rows call deleted.
  std::set<std::string> deleted() {
    std::set<std::string> out;
    for (const kube::Row& row : store().rows(object()->uid()).value()) {
      const auto document = doc::parse_json(row.bytes).value();
      for (const doc::Value& artifact :
           doc::find(*doc::find(document, "outputs"), "artifacts")->get_array()) {
        if (doc::find(artifact, "deleted") != nullptr) {
          out.emplace(doc::find_string(artifact, "name"));
        }
      }
    }
    return out;
  }

  bool has_finalizer() { return ArtifactCollector::is_due(*object(), GcMoment::deletion); }

  std::string condition() {
    for (const doc::Value& one :
         doc::find(*doc::find(object()->document(), "status"), "conditions")->get_array()) {
      if (doc::find_string(one, "type") == "ArtifactGCError") {
        return std::string(doc::find_string(one, "message"));
      }
    }
    return "";
  }

  std::shared_ptr<KeyStore> bytes = std::make_shared<KeyStore>();
};

TEST_F(ArtifactCollectorTest, removes_what_goes_with_the_end_and_keeps_the_rest) {
  make("OnWorkflowCompletion", {{"a", "b OnWorkflowDeletion"}, {"c Never"}});
  EXPECT_TRUE(ArtifactCollector::is_due(*object(), GcMoment::completion));
  EXPECT_EQ(collect(GcMoment::completion), "");
  EXPECT_THAT(bytes->keys, ElementsAre("b", "c"));
  EXPECT_THAT(bytes->buckets, ElementsAre("bucket"));
  EXPECT_THAT(deleted(), ElementsAre("a"));
  EXPECT_FALSE(ArtifactCollector::is_due(*object(), GcMoment::completion));
  EXPECT_TRUE(has_finalizer());
  EXPECT_EQ(collect(GcMoment::deletion), "");
  EXPECT_THAT(bytes->keys, ElementsAre("c"));
  EXPECT_THAT(deleted(), ElementsAre("a", "b"));
  EXPECT_FALSE(has_finalizer());
}

TEST_F(ArtifactCollectorTest, takes_what_is_gone_already_for_removed) {
  make("OnWorkflowCompletion", {{"a"}});
  bytes->keys.clear();
  EXPECT_EQ(collect(GcMoment::completion), "");
  EXPECT_THAT(deleted(), ElementsAre("a"));
  EXPECT_FALSE(has_finalizer());
}

TEST_F(ArtifactCollectorTest, keeps_the_finalizer_and_says_why_when_something_stays) {
  make("OnWorkflowCompletion", {{"stuck", "a"}});
  EXPECT_EQ(collect(GcMoment::completion), "artifact stuck of wf(0): it is stuck");
  EXPECT_THAT(deleted(), ElementsAre("a"));
  EXPECT_EQ(condition(), "artifact stuck of wf(0): it is stuck");
  EXPECT_TRUE(has_finalizer());
}

TEST_F(ArtifactCollectorTest,
       gives_up_the_finalizer_when_that_is_forced_but_not_before_the_deletion) {
  make("OnWorkflowCompletion", {{"stuck", "late OnWorkflowDeletion"}}, true);
  EXPECT_NE(collect(GcMoment::completion), "");
  EXPECT_TRUE(has_finalizer());
  EXPECT_NE(collect(GcMoment::deletion), "");
  EXPECT_THAT(bytes->keys, ElementsAre("stuck"));
  EXPECT_FALSE(has_finalizer());
}

TEST_F(ArtifactCollectorTest, goes_over_many_rows_in_slices) {
  std::vector<std::vector<std::string>> artifacts;
  for (int i = 0; i < 1000; ++i) {
    artifacts.push_back({fmt::format("k{}", i)});
  }
  make("OnWorkflowDeletion", artifacts);
  EXPECT_EQ(collect(GcMoment::completion), "");
  EXPECT_EQ(bytes->keys.size(), 1000U);
  EXPECT_EQ(collect(GcMoment::deletion), "");
  EXPECT_THAT(bytes->keys, IsEmpty());
  EXPECT_EQ(deleted().size(), 1000U);
}

}  // namespace
}  // namespace tiphys::workflows

// Which ended runs go, and when.
#include "workflows/controller/collector.h"

#include "cluster/store/testing/fixture.h"
#include "kube/time.h"
#include "workflows/controller/estimate.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CollectorTest : public store::testing::StoreTest {
 protected:
  /// A run that ends now.
  doc::Value ended(const std::string& name, const std::string& phase = "Succeeded",
                   std::string_view strategy = "{}") {
    doc::Value out = store::testing::manifest(
        "Workflow", name, "default",
        {{"workflows.argoproj.io/completed", "true"}, {"workflows.argoproj.io/phase", phase}});
    doc::Object spec;
    if (strategy != "{}") {
      spec["ttlStrategy"] = doc::parse_json(strategy).value();
    }
    out.as_object()["spec"] = std::move(spec);
    out.as_object()["status"] =
        doc::Object{{"phase", phase}, {"finishedAt", kube::format_time(clock().now())}};
    return out;
  }

  std::unique_ptr<Collector> collecting(Retention retention = {}) {
    auto out = std::make_unique<Collector>(loop(), store(), retention,
                                           [this](const kube::ObjectRef& workflow) {
                                             gone.push_back(workflow->key().name);
                                             store().remove(workflow->key(), {});
                                           });
    out->start();
    loop().run_until_idle();
    return out;
  }

  /// Runs what has to happen until then.
  void pass(std::chrono::seconds time) { loop().run_until(clock().now() + time); }

  std::vector<std::string> gone;
};

std::optional<std::int64_t> seconds_until_expiry(std::string_view strategy,
                                                 const std::string& phase) {
  kube::ObjectHeader header;
  header.labels = {{"workflows.argoproj.io/completed", "true"}};
  const auto object = kube::Object::from_document(
      header, doc::parse_json(R"({"spec":{"ttlStrategy":)" + std::string(strategy) +
                              R"(},"status":{"finishedAt":"1970-01-01T00:00:00Z","phase":")" +
                              phase + R"("}})")
                  .value());
  const auto expiry = expiry_of(*object);
  return expiry ? std::optional(
                      std::chrono::duration_cast<std::chrono::seconds>(expiry->time_since_epoch())
                          .count())
                : std::nullopt;
}

TEST(Expiry, depends_on_how_a_run_ended) {
  constexpr std::string_view kAll =
      R"({"secondsAfterCompletion":1,"secondsAfterSuccess":2,"secondsAfterFailure":3})";
  EXPECT_EQ(seconds_until_expiry(kAll, "Succeeded"), 2);
  EXPECT_EQ(seconds_until_expiry(kAll, "Failed"), 3);
  EXPECT_EQ(seconds_until_expiry(kAll, "Error"), 3);
  constexpr std::string_view kSuccess = R"({"secondsAfterSuccess":2})";
  EXPECT_EQ(seconds_until_expiry(kSuccess, "Failed"), std::nullopt);
  EXPECT_EQ(seconds_until_expiry(R"({"secondsAfterCompletion":0})", "Failed"), 0);
  EXPECT_EQ(seconds_until_expiry(R"({"secondsAfterCompletion":"soon"})", "Failed"), std::nullopt);
  EXPECT_EQ(seconds_until_expiry(R"({"secondsAfterCompletion":9223372036854775807})", "Failed"),
            std::nullopt);
}

TEST_F(CollectorTest, removes_at_start_what_has_expired_already) {
  open();
  store().create(ended("old", "Succeeded", R"({"secondsAfterCompletion":0})"), {});
  store().create(ended("kept"), {});
  const auto collector = collecting();
  EXPECT_THAT(gone, ElementsAre("old"));
}

TEST_F(CollectorTest, waits_for_the_first_expiry) {
  open();
  store().create(ended("late", "Failed", R"({"secondsAfterFailure":100})"), {});
  const auto collector = collecting();
  store().create(ended("early", "Succeeded", R"({"secondsAfterSuccess":10})"), {});
  pass(std::chrono::seconds(9));
  EXPECT_THAT(gone, IsEmpty());
  pass(std::chrono::seconds(2));
  EXPECT_THAT(gone, ElementsAre("early"));
  pass(std::chrono::seconds(100));
  EXPECT_THAT(gone, ElementsAre("early", "late"));
}

TEST_F(CollectorTest, a_run_that_was_retried_stays) {
  open();
  store().create(ended("wf", "Failed", R"({"secondsAfterCompletion":10})"), {});
  const auto collector = collecting();
  doc::Value again = store().get({"Workflow", "default", "wf"})->document();
  again.as_object()["metadata"].as_object()["labels"] = doc::Object();
  store().update(std::move(again), {});
  pass(std::chrono::seconds(20));
  EXPECT_THAT(gone, IsEmpty());
}

TEST_F(CollectorTest, keeps_so_many_of_each_outcome) {
  open();
  for (const char* name : {"a", "b", "c"}) {
    store().create(ended(name), {});
    clock().advance_by(std::chrono::seconds(5));
    store().create(ended(std::string("failed-") + name, "Failed"), {});
    clock().advance_by(std::chrono::seconds(5));
  }
  const auto collector = collecting({.succeeded = 2, .failed = std::nullopt, .errored = 0});
  EXPECT_THAT(gone, ElementsAre("a"));
  clock().advance_by(std::chrono::seconds(5));
  store().create(ended("d"), {});
  store().create(ended("e", "Error"), {});
  loop().run_until_idle();
  EXPECT_THAT(gone, ElementsAre("a", "b", "e"));
}

TEST_F(CollectorTest, earlier_runs_of_a_template_tell_how_long_the_next_takes) {
  open();
  const auto of_template = [&](const std::string& name, const std::string& phase, int seconds) {
    doc::Value run = ended(name, phase);
    run.as_object()["metadata"]
        .as_object()["labels"]
        .as_object()["workflows.argoproj.io/workflow-template"] = "t";
    run.as_object()["status"].as_object()["startedAt"] =
        kube::format_time(clock().now() - std::chrono::seconds(seconds));
    store().create(std::move(run), {});
    clock().advance_by(std::chrono::seconds(1));
  };
  Metadata next;
  next.namespace_ = "default";
  EXPECT_EQ(estimate_seconds(store(), next), 0);
  next.labels["workflows.argoproj.io/workflow-template"] = "t";
  EXPECT_EQ(estimate_seconds(store(), next), 0);
  of_template("first", "Succeeded", 100);
  of_template("second", "Succeeded", 70);
  of_template("third", "Failed", 5);
  EXPECT_EQ(estimate_seconds(store(), next), 70);
  next.namespace_ = "other";
  EXPECT_EQ(estimate_seconds(store(), next), 0);
}

}  // namespace
}  // namespace tiphys::workflows

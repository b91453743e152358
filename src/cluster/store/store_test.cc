#include "cluster/store/store.h"

#include "cluster/store/testing/fixture.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tiphys::store {
namespace {

using kube::ObjectKey;
using testing::manifest;
using testing::StoreTest;

class StoreBehaviour : public StoreTest {};

TEST_F(StoreBehaviour, the_last_row_is_known_without_reading_the_others) {
  open();
  const auto made =
      wait([&](kube::Done done) { store().create(manifest("Workflow", "w"), std::move(done)); });
  ASSERT_TRUE(made);
  const std::string uid = (*made)->uid();
  EXPECT_EQ(store().last_row(uid).value(), std::nullopt);
  store().put_rows(uid, {{0, "a"}, {7, "b"}}, {});
  EXPECT_EQ(store().last_row(uid).value(), 7U);
  loop().run_until_idle();
  EXPECT_EQ(store().last_row(uid).value(), 7U);
  store().put_rows(uid, {{9, "c"}}, {});
  EXPECT_EQ(store().last_row(uid).value(), 9U);
  EXPECT_EQ(store().last_row("nobody").error().code, ErrorCode::not_found);
}

ErrorCode code_of(const Result<kube::ObjectRef>& result) { return result.error().code; }

TEST_F(StoreBehaviour, an_object_is_there_at_once_and_after_reopening) {
  open();
  store().create(manifest("Pod", "a"), {});
  const auto made = store().get({"Pod", "default", "a"});
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->creation_time(), loop().now());
  EXPECT_EQ(doc::find_string(*doc::find(made->document(), "metadata"), "uid"), made->uid());
  reopen();
  const auto loaded = store().get({"Pod", "default", "a"});
  ASSERT_NE(loaded, nullptr);
  EXPECT_EQ(loaded->bytes(), made->bytes());
  EXPECT_EQ(loaded->document(), made->document());
  EXPECT_EQ(loaded->uid(), made->uid());
  EXPECT_EQ(loaded->resource_version(), made->resource_version());
  EXPECT_EQ(loaded->labels(), made->labels());
}

TEST_F(StoreBehaviour, done_is_called_later_when_the_object_is_durable) {
  open();
  Result<kube::ObjectRef> answer = fail(ErrorCode::internal, "not yet");
  store().create(manifest("Pod", "a"), [&](auto result) {
    answer = std::move(result);
    EXPECT_EQ(store().durable_revision(), store().revision());
  });
  EXPECT_FALSE(answer);
  loop().run_until_idle();
  ASSERT_TRUE(answer);
  EXPECT_EQ((*answer)->key().name, "a");
}

TEST_F(StoreBehaviour, gives_a_generated_name) {
  open();
  auto object = manifest("Pod", "x");
  auto& metadata = object.as_object()["metadata"].as_object();
  metadata.erase("name");
  metadata["generateName"] = "job-";
  const auto answer = wait([&](auto done) { store().create(object, std::move(done)); });
  ASSERT_TRUE(answer);
  EXPECT_TRUE((*answer)->key().name.starts_with("job-"));
  EXPECT_EQ((*answer)->key().name.size(), 9U);
}

TEST_F(StoreBehaviour, refuses_a_second_object_of_the_same_name) {
  open();
  store().create(manifest("Pod", "a"), {});
  const auto answer =
      wait([&](auto done) { store().create(manifest("Pod", "a"), std::move(done)); });
  EXPECT_EQ(code_of(answer), ErrorCode::already_exists);
  EXPECT_EQ(answer.error().message, "Pod \"a\" already exists");
  EXPECT_TRUE(wait([&](auto done) { store().create(manifest("Job", "a"), std::move(done)); }));
}

TEST_F(StoreBehaviour, refuses_objects_without_kind_or_name) {
  open();
  for (const char* json : {"{}", "[]", "1", R"({"kind":"Pod"})",
                           R"({"kind":"Pod","metadata":{"name":"a","labels":{"a":"\u0000"}}})"}) {
    const auto answer =
        wait([&](auto done) { store().create(doc::parse_json(json).value(), std::move(done)); });
    EXPECT_EQ(code_of(answer), ErrorCode::invalid) << json;
  }
}

TEST_F(StoreBehaviour, an_update_keeps_identity_and_moves_the_version) {
  open();
  store().create(manifest("Pod", "a"), {});
  const auto first = store().get({"Pod", "default", "a"});
  clock().advance_by(std::chrono::hours(1));
  auto changed = first->document();
  changed.as_object()["spec"] = 5;
  ASSERT_TRUE(wait([&](auto done) { store().update(changed, std::move(done)); }));
  const auto second = store().get({"Pod", "default", "a"});
  EXPECT_EQ(second->uid(), first->uid());
  EXPECT_EQ(second->creation_time(), first->creation_time());
  EXPECT_GT(second->resource_version(), first->resource_version());
  EXPECT_EQ(second->document().at("spec"), 5);
  const auto stale = wait([&](auto done) { store().update(changed, std::move(done)); });
  EXPECT_EQ(code_of(stale), ErrorCode::conflict);
  EXPECT_TRUE(wait([&](auto done) { store().update(manifest("Pod", "a"), std::move(done)); }));
}

TEST_F(StoreBehaviour, an_update_of_another_objects_uid_is_a_conflict) {
  open();
  store().create(manifest("Pod", "a"), {});
  auto other = manifest("Pod", "a");
  other.as_object()["metadata"].as_object()["uid"] = "other";
  EXPECT_EQ(code_of(wait([&](auto done) { store().update(other, std::move(done)); })),
            ErrorCode::conflict);
}

TEST_F(StoreBehaviour, what_is_not_there_cannot_be_updated_or_removed) {
  open();
  EXPECT_EQ(
      code_of(wait([&](auto done) { store().update(manifest("Pod", "a"), std::move(done)); })),
      ErrorCode::not_found);
  EXPECT_EQ(code_of(wait([&](auto done) { store().remove({"Pod", "d", "a"}, std::move(done)); })),
            ErrorCode::not_found);
}

TEST_F(StoreBehaviour, revisions_go_on_after_reopening_even_when_nothing_is_left) {
  open();
  store().create(manifest("Pod", "a"), {});
  store().remove({"Pod", "default", "a"}, {});
  const auto before = store().revision();
  reopen();
  EXPECT_EQ(store().revision(), before);
  EXPECT_EQ(store().get({"Pod", "default", "a"}), nullptr);
}

TEST_F(StoreBehaviour, lists_by_namespace_and_label_in_order) {
  open();
  for (const char* name : {"c", "a", "b"}) {
    store().create(manifest("Pod", name, "n1", {{"app", name}}), {});
  }
  store().create(manifest("Pod", "a", "n2"), {});
  store().create(manifest("Job", "a", "n1"), {});
  const auto names = [&](std::string_view namespace_, std::string_view selector) {
    std::string joined;
    for (const auto& object :
         store().list("Pod", namespace_, kube::LabelSelector::parse(selector).value())) {
      joined += object->key().namespace_ + "/" + object->key().name + " ";
    }
    return joined;
  };
  EXPECT_EQ(names("", ""), "n1/a n1/b n1/c n2/a ");
  EXPECT_EQ(names("n1", ""), "n1/a n1/b n1/c ");
  EXPECT_EQ(names("n1", "app in (a,c)"), "n1/a n1/c ");
  EXPECT_EQ(names("n3", ""), "");
  EXPECT_EQ(store().list("Secret", "", {}).size(), 0U);
}

TEST_F(StoreBehaviour, watchers_get_every_change_in_order_and_later) {
  open();
  std::string trace;
  store().create(manifest("Pod", "before"), {});
  const auto watch = store().watch("Pod", [&](const kube::Event& event) {
    trace += std::string(event.type == kube::EventType::added      ? "+"
                         : event.type == kube::EventType::modified ? "~"
                                                                   : "-") +
             event.object->key().name + (event.previous ? "'" : "") + " ";
  });
  store().create(manifest("Pod", "a"), {});
  store().create(manifest("Job", "other"), {});
  store().update(manifest("Pod", "a"), {});
  store().remove({"Pod", "default", "a"}, {});
  EXPECT_EQ(trace, "");
  loop().run_until_idle();
  EXPECT_EQ(trace, "+a ~a' -a' ");
}

TEST_F(StoreBehaviour, a_watch_may_end_within_its_handler) {
  open();
  int calls = 0;
  std::unique_ptr<kube::Subscription> watch;
  watch = store().watch("Pod", [&](const kube::Event&) {
    ++calls;
    watch.reset();
  });
  store().create(manifest("Pod", "a"), {});
  store().create(manifest("Pod", "b"), {});
  loop().run_until_idle();
  EXPECT_EQ(calls, 1);
}

TEST_F(StoreBehaviour, rows_are_read_one_by_one_or_all_before_and_after_they_are_durable) {
  open();
  store().create(manifest("Workflow", "w"), {});
  store().create(manifest("Workflow", "other"), {});
  const std::string uid = store().get({"Workflow", "default", "w"})->uid();
  store().put_rows(store().get({"Workflow", "default", "other"})->uid(), {{1, "other"}}, {});
  store().put_rows(uid, {{3, "three"}, {1, "one"}, {2, "two"}}, {});
  const std::vector<kube::Row> all = {{1, "one"}, {2, "two"}, {3, "three"}};
  EXPECT_EQ(store().rows(uid).value(), all);
  loop().run_until_idle();
  EXPECT_EQ(store().rows(uid).value(), all);
  store().put_rows(uid, {{2, "zwei"}, {1, ""}, {4, "four"}}, {});
  const std::vector<kube::Row> changed = {{2, "zwei"}, {3, "three"}, {4, "four"}};
  EXPECT_EQ(store().rows(uid).value(), changed);
  EXPECT_EQ(store().row(uid, 2).value().bytes, "zwei");
  EXPECT_EQ(store().row(uid, 1).error().code, ErrorCode::not_found);
  EXPECT_EQ(store().row(uid, 3).value().bytes, "three");
  reopen();
  EXPECT_EQ(store().rows(uid).value(), changed);
}

TEST_F(StoreBehaviour, rows_go_with_their_object) {
  open();
  store().create(manifest("Workflow", "w"), {});
  const std::string uid = store().get({"Workflow", "default", "w"})->uid();
  store().put_rows(uid, {{1, "one"}}, {});
  loop().run_until_idle();
  store().remove({"Workflow", "default", "w"}, {});
  EXPECT_EQ(store().rows(uid).error().code, ErrorCode::not_found);
  Result<> answer;
  store().put_rows(uid, {{2, "two"}}, [&](Result<> result) { answer = std::move(result); });
  loop().run_until_idle();
  EXPECT_EQ(answer.error().code, ErrorCode::not_found);
  reopen();
  store().create(manifest("Workflow", "w"), {});
  EXPECT_TRUE(store().rows(store().get({"Workflow", "default", "w"})->uid()).value().empty());
}

TEST_F(StoreBehaviour, reuse_records_are_kept_until_removed_or_old) {
  open();
  store().put_reuse("old", "1");
  store().put_reuse("touched", "2");
  store().put_reuse("removed", "3");
  EXPECT_EQ(store().find_reuse("old").value(), "1");
  loop().run_until_idle();
  store().remove_reuse("removed");
  EXPECT_EQ(store().find_reuse("removed").value(), std::nullopt);
  clock().advance_by(std::chrono::hours(2));
  store().touch_reuse("touched");
  store().put_reuse("new", "4");
  store().prune_reuse(loop().now() - std::chrono::hours(1));
  reopen();
  EXPECT_EQ(store().find_reuse("old").value(), std::nullopt);
  EXPECT_EQ(store().find_reuse("touched").value(), "2");
  EXPECT_EQ(store().find_reuse("removed").value(), std::nullopt);
  EXPECT_EQ(store().find_reuse("new").value(), "4");
}

TEST_F(StoreBehaviour, tells_when_a_revision_is_durable) {
  open();
  std::string trace;
  store().when_durable(store().revision(), [&](Result<>) { trace += "nothing "; });
  store().create(manifest("Pod", "a"), [&](auto) { trace += "a "; });
  const auto first = store().revision();
  store().create(manifest("Pod", "b"), [&](auto) { trace += "b "; });
  store().when_durable(first, [&](Result<> result) { trace += result ? "first " : "failed "; });
  store().flush([&](Result<> result) { trace += result ? "flushed " : "failed "; });
  loop().run_until_idle();
  EXPECT_EQ(trace, "nothing a first b flushed ");
  store().flush([&](Result<> result) { trace += result ? "again" : "failed"; });
  loop().run_until_idle();
  EXPECT_EQ(trace, "nothing a first b flushed again");
}

TEST_F(StoreBehaviour, closing_stores_what_is_queued_and_answers_it) {
  open();
  bool done = false;
  store().create(manifest("Pod", "a"), [&](auto result) { done = result.has_value(); });
  EXPECT_TRUE(store().close());
  loop().run_until_idle();
  EXPECT_TRUE(done);
  EXPECT_EQ(code_of(wait([&](auto d) { store().create(manifest("Pod", "b"), std::move(d)); })),
            ErrorCode::forbidden);
  EXPECT_NE(store().get({"Pod", "default", "a"}), nullptr);
}

TEST_F(StoreBehaviour, writes_of_one_turn_are_one_commit) {
  int commits = 0;
  open({.directory = directory(), .before_commit = [&]() -> Result<> {
          ++commits;
          return {};
        }});
  loop().post([&] {
    for (int i = 0; i < 50; ++i) {
      store().create(manifest("Pod", "p" + std::to_string(i)), {});
      loop().post([&, i] { store().remove({"Pod", "default", "p" + std::to_string(i)}, {}); });
    }
  });
  loop().run_until_idle();
  EXPECT_EQ(commits, 1);
}

TEST_F(StoreBehaviour, another_program_may_read_while_one_writes) {
  open();
  store().create(manifest("Workflow", "w"), {});
  const std::string uid = store().get({"Workflow", "default", "w"})->uid();
  store().put_rows(uid, {{1, "one"}}, {});
  loop().run_until_idle();
  auto reader =
      Store::open(loop(), random(), {.directory = directory(), .mode = Mode::read_only}).value();
  EXPECT_NE(reader->get({"Workflow", "default", "w"}), nullptr);
  EXPECT_EQ(reader->rows(uid).value().size(), 1U);
  EXPECT_EQ(code_of(wait([&](auto d) { reader->create(manifest("Pod", "b"), std::move(d)); })),
            ErrorCode::forbidden);
}

}  // namespace
}  // namespace tiphys::store

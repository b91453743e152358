// Whole runs that need not be made, over the real store; steps are made to succeed by a script.
#include "workflows/controller/run_memory.h"

#include "artifacts/local_store.h"
#include "cluster/store/testing/fixture.h"
#include "doc/yaml.h"
#include "workflows/engine/status.h"
#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

using testing::DocumentReferences;

constexpr TimePoint kMoment{std::chrono::milliseconds(1'700'000'000'000)};
constexpr TimePoint kLater = kMoment + std::chrono::hours(1);

constexpr std::string_view kPlain = R"(
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: a, template: say, arguments: {parameters: [{name: word, value: yes}]}, withItems: [1, 2]}
  - name: say
    inputs: {parameters: [{name: word}]}
    container: {image: any, command: ["true", "{{inputs.parameters.word}}"]}
)";

class MapRecords final : public Records {
 public:
  std::optional<std::string> find(std::string_view key) const override {
    const auto found = texts.find(key);
    return found == texts.end() ? std::nullopt : std::optional(found->second);
  }

  void put(std::string key, std::string record) override {
    texts[std::move(key)] = std::move(record);
  }

  void touch(std::string_view /*key*/) override {}

  std::map<std::string, std::string, std::less<>> texts;
};

class RunMemoryTest : public store::testing::StoreTest {
 protected:
  RunMemoryTest() {
    artifacts_ = artifacts::LocalStore::open(folder_.path() / "artifacts").value();
    open();
  }

  /// A run under another process' memory: recalled, or else made, with all its steps ending so.
  std::optional<RecalledRun> run(const std::string& name, std::string_view spec, bool reuse = true,
                                 PodPhase end = PodPhase::succeeded) {
    const std::string text =
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: " + name +
        ", namespace: default, labels: {team: x}}\nspec:" + std::string(spec);
    wait([&](kube::Done done) {
      store().create(doc::parse_yaml(text).value().value, std::move(done));
    });
    const kube::ObjectRef object = store().get({"Workflow", "default", name});
    StepMemoryOptions options;
    options.reuse = reuse;
    options.path = "/usr/bin:/bin";
    StepMemory steps(records_, *artifacts_, digests_, options);
    RunMemory memory(records_, store(), steps, reuse, options.path);
    auto known = memory.recall(*object, reuse ? kLater : kMoment);
    if (known) {
      write(object->uid(), known->rows, known->workflow);
      return known;
    }
    Engine engine = Engine::create(object->document(), references_, {}).value();
    play(engine, steps, object->uid(), end);
    std::vector<kube::Row> rows;
    for (NodeIndex i = 0; i < engine.nodes().size(); ++i) {
      rows.push_back({i, engine.row(i)});
    }
    write(object->uid(), std::move(rows), engine.workflow(Engine::WithNodes::no));
    memory.remember(engine);
    return std::nullopt;
  }

  void put(std::string_view text) {
    wait([&](kube::Done done) {
      store().create(doc::parse_yaml(text).value().value, std::move(done));
    });
  }

  MapRecords records_;
  DocumentReferences references_;

 private:
  void play(Engine& engine, StepMemory& steps, const std::string& uid, PodPhase end) {
    Decisions decisions = engine.apply(Start{}, kMoment).value();
    std::vector<CreatePod> pods = std::move(decisions.create_pods);
    while (!pods.empty()) {
      const CreatePod pod = std::move(pods.back());
      pods.pop_back();
      PodUpdate update = steps.recall(engine, pod, uid).value_or(PodUpdate{});
      update.node = pod.node;
      update.phase = end;
      update.exit_code = end == PodPhase::succeeded ? "0" : "1";
      steps.remember(engine, update, uid);
      decisions = engine.apply(update, kMoment).value();
      std::ranges::move(decisions.create_pods, std::back_inserter(pods));
    }
    EXPECT_TRUE(engine.finished());
  }

  void write(const std::string& uid, std::vector<kube::Row> rows, doc::Value workflow) {
    store().put_rows(uid, std::move(rows), {});
    workflow.as_object()["metadata"].as_object().erase("resourceVersion");
    wait([&](kube::Done done) { store().update(std::move(workflow), std::move(done)); });
  }

  store::testing::TemporaryDirectory folder_;
  std::unique_ptr<artifacts::LocalStore> artifacts_;
  artifacts::FileDigests digests_;
};

TEST_F(RunMemoryTest, a_run_like_an_earlier_one_is_taken_over_as_it_is) {
  EXPECT_FALSE(run("one", kPlain, false));
  const auto known = run("two", kPlain);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->source, "one");
  EXPECT_EQ(known->rows.size(), 4U);
  std::vector<StoredRow> rows;
  for (const kube::Row& row : known->rows) {
    rows.push_back({static_cast<NodeIndex>(row.index), row.bytes});
  }
  const auto document = workflow_with_nodes(known->workflow, rows).value();
  const doc::Value& status = *doc::find(document, "status");
  EXPECT_EQ(doc::find_string(status, "phase"), "Succeeded");
  EXPECT_EQ(doc::find_string(status, "startedAt"), "2023-11-14T23:13:20Z");
  for (const auto& [id, node] : doc::find(status, "nodes")->get_object()) {
    EXPECT_TRUE(doc::find_string(node, "name").starts_with("two"));
    EXPECT_EQ(doc::find_string(node, "phase"), "Succeeded");
  }
  // And one like that again, from the copy.
  EXPECT_EQ(run("three", kPlain).value_or(RecalledRun{}).source, "two");
}

TEST_F(RunMemoryTest, without_reuse_nothing_is_recalled) {
  EXPECT_FALSE(run("one", kPlain, false));
  EXPECT_FALSE(run("two", kPlain, false));
}

TEST_F(RunMemoryTest, another_spec_template_or_config_map_is_another_run) {
  EXPECT_FALSE(run("one", kPlain, false));
  std::string other(kPlain);
  other.replace(other.find("value: yes"), 10, "value: no ");
  EXPECT_FALSE(run("two", other));
  EXPECT_TRUE(run("three", kPlain));
  put("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: default}\ndata: {a: b}\n");
  EXPECT_FALSE(run("four", kPlain));
}

TEST_F(RunMemoryTest, a_run_that_failed_is_not_remembered) {
  EXPECT_FALSE(run("one", kPlain, false, PodPhase::failed));
  EXPECT_FALSE(run("two", kPlain));
}

TEST_F(RunMemoryTest, a_run_that_says_what_differs_from_run_to_run_is_not_remembered) {
  for (const std::string_view word : {"{{workflow.name}}", "{{workflow.creationTimestamp}}",
                                      "{{=sprig.now()}}", "{{pod.name}}"}) {
    std::string spec(kPlain);
    spec.replace(spec.find("value: yes"), 10, "value: \"" + std::string(word) + "\"");
    const std::string name = "wf" + std::to_string(records_.texts.size());
    EXPECT_FALSE(run(name + "-a", spec, false)) << word;
    EXPECT_FALSE(run(name + "-b", spec)) << word;
  }
}

TEST_F(RunMemoryTest, an_earlier_run_that_is_gone_or_was_changed_is_not_taken_over) {
  EXPECT_FALSE(run("one", kPlain, false));
  const kube::ObjectRef earlier = store().get({"Workflow", "default", "one"});
  doc::Value changed = earlier->document();
  changed.as_object()["status"].as_object()["finishedAt"] = "2024-01-01T00:00:00Z";
  wait([&](kube::Done done) { store().update(std::move(changed), std::move(done)); });
  EXPECT_FALSE(run("two", kPlain));
  wait([&](kube::Done done) { store().remove({"Workflow", "default", "two"}, std::move(done)); });
  EXPECT_FALSE(run("three", kPlain));
}

}  // namespace
}  // namespace tiphys::workflows

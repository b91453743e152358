#include "workflows/controller/step_memory.h"

#include "artifacts/local_store.h"
#include "artifacts/testing/folder.h"
#include "doc/yaml.h"
#include "workflows/controller/explain.h"
#include "workflows/controller/place.h"
#include "workflows/controller/reason.h"
#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace tiphys::workflows {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MapRecords final : public Records {
 public:
  std::optional<std::string> find(std::string_view key) const override {
    const auto found = texts.find(key);
    return found == texts.end() ? std::nullopt : std::optional(found->second);
  }

  void put(std::string key, std::string record) override {
    texts[std::move(key)] = std::move(record);
  }

  void touch(std::string_view key) override { touched.emplace_back(key); }

  std::map<std::string, std::string, std::less<>> texts;
  std::vector<std::string> touched;
};

/// What one step's template may say; the rest is the same for all.
struct StepText {
  std::string script = "echo hello";
  std::string threshold = "3";
  std::string input_key = "shared/in";
  std::string extra;
};

std::string workflow_text(const StepText& step) {
  return R"(
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: wf-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: limit, value: ")" +
         step.threshold + R"("}]}
  templates:
  - name: main
    steps:
    - - name: one
        template: work
        arguments:
          parameters: [{name: threshold, value: "{{workflow.parameters.limit}}"}]
          artifacts: [{name: in, s3: {key: ")" +
         step.input_key + R"("}}]
  - name: work
    inputs: {parameters: [{name: threshold}], artifacts: [{name: in, path: /in}]}
    outputs: {artifacts: [{name: out, path: /out, s3: {key: "{{workflow.name}}/out"}}]}
    script:
      image: any
      command: [sh]
      source: ")" +
         step.script + "\"\n" + step.extra;
}

class StepMemoryTest : public ::testing::Test {
 protected:
  StepMemoryTest() { save("shared/in", "reads"); }

  static doc::Value location(const std::string& key) {
    return doc::Object{{"s3", doc::Object{{"key", key}}}};
  }

  void save(const std::string& key, const std::string& content) {
    artifacts::testing::write_file(folder_ / "file", content);
    ASSERT_TRUE(store_->save(location(key), folder_ / "file", artifacts::Source::keep));
  }

  /// One run of the workflow up to its step, which succeeds or fails unless it is recalled.
  struct Decided {
    std::optional<PodUpdate> known;
    bool marked = false;
    std::string why;
    Reason reason;
  };

  Decided run(const std::string& name, const StepText& step, bool reuse = true,
              PodPhase end = PodPhase::succeeded) {
    doc::Value document = doc::parse_yaml(workflow_text(step)).value().value;
    doc::Object& metadata = document.get_object()["metadata"].get_object();
    metadata["name"] = name;
    metadata["namespace"] = "default";
    metadata["uid"] = "uid-" + name;
    StepMemoryOptions options;
    options.reuse = reuse;
    options.path = (folder_ / "bin").string() + ":/usr/bin:/bin";
    options.object = [this](std::string_view kind, std::string_view object) -> const doc::Value* {
      const auto found = objects_.find(std::string(kind) + "/" + std::string(object));
      return found == objects_.end() ? nullptr : &found->second;
    };
    StepMemory memory(records_, *store_, digests_, options);
    Engine engine = Engine::create(document, references_, {}).value();
    const Decisions decisions = engine.apply(Start{}, kMoment).value();
    EXPECT_EQ(decisions.create_pods.size(), 1U) << engine.message();
    const CreatePod& pod = decisions.create_pods.at(0);
    Decided out;
    out.known = memory.recall(engine, pod, "uid-" + name);
    out.marked = memory.was_recalled("uid-" + name, pod.node);
    PodUpdate update = out.known.value_or(PodUpdate{});
    if (!out.known) {
      update.node = pod.node;
      update.phase = end;
      update.exit_code = end == PodPhase::succeeded ? "0" : "1";
      save(name + "/out", "result of " + step.script);
      update.artifacts = {
          {"out", location(name + "/out"), store_->stat(location(name + "/out")).value().digest}};
      memory.remember(engine, update, "uid-" + name);
      EXPECT_FALSE(memory.was_recalled("uid-" + name, pod.node));
    }
    EXPECT_TRUE(engine.apply(update, kMoment));
    out.why = explain(records_, engine.workflow(Engine::WithNodes::yes), "one").value_or("");
    const std::string id = engine.nodes().id(pod.node);
    out.reason =
        Reason::from_json(records_.find(reason_key("uid-" + name, id)).value_or("")).value();
    return out;
  }

  static constexpr TimePoint kMoment{std::chrono::seconds(1'700'000'000)};

  artifacts::testing::TemporaryFolder folder_;
  std::unique_ptr<artifacts::LocalStore> store_ =
      artifacts::LocalStore::open(folder_ / "store").value();
  artifacts::FileDigests digests_;
  MapRecords records_;
  testing::DocumentReferences references_;
  std::map<std::string, doc::Value> objects_;
};

TEST_F(StepMemoryTest, the_first_run_of_a_step_is_no_reuse_and_says_so) {
  const Decided first = run("wf-a", {});
  EXPECT_FALSE(first.known);
  EXPECT_FALSE(first.marked);
  EXPECT_EQ(first.reason.kind, Reason::Kind::first_time);
  EXPECT_THAT(first.why, HasSubstr("no earlier run of this step is known"));
}

TEST_F(StepMemoryTest, a_result_is_used_again_under_the_new_runs_names) {
  run("wf-a", {});
  const Decided second = run("wf-b", {});
  ASSERT_TRUE(second.known);
  EXPECT_TRUE(second.marked);
  EXPECT_EQ(second.known->exit_code, "0");
  ASSERT_EQ(second.known->artifacts.size(), 1U);
  EXPECT_EQ(second.known->artifacts[0].location, location("wf-b/out"));
  EXPECT_TRUE(store_->stat(location("wf-b/out")));
  EXPECT_THAT(second.why, HasSubstr("did not run: the result of wf-a[0].one was reused"));
}

TEST_F(StepMemoryTest, without_reuse_the_step_runs_and_the_reason_tells) {
  run("wf-a", {});
  const Decided second = run("wf-b", {}, false);
  EXPECT_FALSE(second.known);
  EXPECT_THAT(second.why, HasSubstr("reuse was not asked for (--reuse)"));
}

TEST_F(StepMemoryTest, the_place_of_an_input_does_not_count_but_its_bytes_do) {
  run("wf-a", {});
  save("elsewhere/in", "reads");
  EXPECT_TRUE(run("wf-b", {.input_key = "elsewhere/in"}).known);
  save("elsewhere/in", "other reads");
  const Decided third = run("wf-c", {.input_key = "elsewhere/in"});
  EXPECT_FALSE(third.known);
  EXPECT_THAT(third.why, HasSubstr("its input \"in\" has other content than in wf-b"));
  EXPECT_THAT(third.why,
              HasSubstr("was not made by this run: it is what is stored as elsewhere/in"));
}

TEST_F(StepMemoryTest, metadata_and_retries_do_not_count) {
  run("wf-a", {});
  EXPECT_TRUE(
      run("wf-b", {.extra = "    metadata: {labels: {a: b}}\n    activeDeadlineSeconds: 9\n"})
          .known);
}

TEST_F(StepMemoryTest, a_parameter_is_named_with_its_values_and_where_it_came_from) {
  run("wf-a", {});
  const Decided second = run("wf-b", {.threshold = "60"});
  EXPECT_FALSE(second.known);
  EXPECT_THAT(second.why, HasSubstr("its parameter \"threshold\" was 3 in wf-a and is 60 now."));
  EXPECT_THAT(second.why, HasSubstr("\"threshold\" comes from the workflow's parameter \"limit\""));
  EXPECT_THAT(second.why, Not(HasSubstr("further")));
}

TEST_F(StepMemoryTest, a_script_is_named_when_nothing_else_differs) {
  run("wf-a", {});
  EXPECT_THAT(
      run("wf-b", {.script = "echo bye"}).why,
      HasSubstr("script.source of its template was echo hello in wf-a and is echo bye now"));
  EXPECT_THAT(run("wf-c", {.script = "echo " + std::string(1000, 'x')}).why,
              HasSubstr("the text of its script.source is another one than in wf-b"));
}

TEST_F(StepMemoryTest, another_program_is_another_key) {
  run("wf-a", {});
  artifacts::testing::write_file(folder_ / "bin/sh", "#!/bin/dash\n", 0755);
  const Decided second = run("wf-b", {});
  EXPECT_FALSE(second.known);
  EXPECT_THAT(second.why, HasSubstr("the program sh is another one than in wf-a"));
}

TEST_F(StepMemoryTest, the_content_of_a_config_map_counts) {
  const StepText step{
      .extra = "      env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: a}}}]\n"};
  objects_["ConfigMap/settings"] = doc::parse_json(R"({"data":{"a":"1"}})").value();
  run("wf-a", step);
  EXPECT_TRUE(run("wf-b", step).known);
  objects_["ConfigMap/settings"] = doc::parse_json(R"({"data":{"a":"2"}})").value();
  const Decided third = run("wf-c", step);
  EXPECT_FALSE(third.known);
  EXPECT_THAT(third.why, HasSubstr("ConfigMap settings has other content than in wf-b"));
}

TEST_F(StepMemoryTest, what_failed_is_never_recalled) {
  run("wf-a", {}, true, PodPhase::failed);
  const Decided second = run("wf-b", {});
  EXPECT_FALSE(second.known);
  EXPECT_THAT(second.why, HasSubstr("it did not succeed in wf-a"));
}

TEST_F(StepMemoryTest, nothing_is_reused_whose_artifact_is_gone_or_replaced) {
  run("wf-a", {});
  ASSERT_TRUE(store_->remove(location("wf-a/out")));
  const Decided second = run("wf-b", {});
  EXPECT_FALSE(second.known);
  EXPECT_THAT(second.why, HasSubstr("cannot be used: its artifact out is gone"));
  save("wf-b/out", "something else");
  const Decided third = run("wf-c", {});
  EXPECT_FALSE(third.known);
  EXPECT_THAT(third.why, HasSubstr("its artifact out has been replaced since"));
  EXPECT_TRUE(run("wf-d", {}).known);
}

TEST_F(StepMemoryTest, a_step_that_begins_a_second_time_in_a_run_keeps_its_first_reason) {
  run("wf-a", {}, true, PodPhase::failed);
  run("wf-b", {.threshold = "4"}, true, PodPhase::failed);
  const Decided again = run("wf-b", {.threshold = "4"});
  EXPECT_EQ(again.reason.kind, Reason::Kind::changed);
  EXPECT_THAT(again.why, HasSubstr("was 3 in wf-a and is 4 now. It had begun before"));
}

TEST_F(StepMemoryTest, records_that_are_pruned_or_damaged_let_the_step_run) {
  run("wf-a", {});
  const std::string digest_key = std::string(records_.texts.lower_bound("key/")->first);
  const std::string record = records_.texts[digest_key];
  records_.texts.erase(digest_key);
  EXPECT_THAT(run("wf-b", {}).why, HasSubstr("its result of wf-a is not kept any more"));
  for (const std::string& bad :
       {std::string("{"), std::string("[]"), std::string("{\"artifacts\":[{}]}"),
        record.substr(0, record.size() / 2)}) {
    records_.texts[digest_key] = bad;
    EXPECT_FALSE(run("wf-c", {}).known) << bad;
    ASSERT_TRUE(records_.texts.contains(digest_key));
  }
}

TEST_F(StepMemoryTest, a_step_with_content_nobody_compares_runs) {
  const StepText step{.extra =
                          "      volumeMounts: [{name: disk, mountPath: /d}]\n"
                          "    volumes: [{name: disk, hostPath: {path: /tmp}}]\n"};
  run("wf-a", step);
  const Decided second = run("wf-b", step);
  EXPECT_FALSE(second.known);
  EXPECT_THAT(second.why, HasSubstr("it mounts volume disk, whose content is not compared"));
}

TEST_F(StepMemoryTest, sidecars_and_daemons_run) {
  const StepText sidecar{.extra = "    sidecars: [{name: s, image: any, command: [sleep, '1']}]\n"};
  run("wf-a", sidecar);
  EXPECT_FALSE(run("wf-b", sidecar).known);
  const StepText daemon{.extra = "    daemon: true\n"};
  run("wf-c", daemon);
  EXPECT_FALSE(run("wf-d", daemon).known);
}

TEST(Reason, survives_being_written_down) {
  Reason reason;
  reason.kind = Reason::Kind::changed;
  reason.run = "wf-a";
  reason.differences = {{"parameter.x", "1", std::nullopt}, {"y", std::nullopt, ""}};
  reason.further = 2;
  reason.again = true;
  const auto read = Reason::from_json(reason.to_json());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->kind, reason.kind);
  EXPECT_EQ(read->run, reason.run);
  EXPECT_EQ(read->differences, reason.differences);
  EXPECT_EQ(read->further, 2U);
  EXPECT_TRUE(read->again);
  for (const char* bad : {"", "{}", "[]", "{\"kind\":\"none\"}", "{\"kind\":1}"}) {
    EXPECT_FALSE(Reason::from_json(bad)) << bad;
  }
}

TEST(Place, leaves_out_the_values_of_items) {
  EXPECT_EQ(without_item(".task"), ".task");
  EXPECT_EQ(without_item("[0].step"), "[0].step");
  EXPECT_EQ(without_item("[0].step(3:a:b)"), "[0].step(3)");
  EXPECT_EQ(without_item(".step(3:f(x))(1)"), ".step(3)(1)");
  EXPECT_EQ(without_item(".step(1)"), ".step(1)");
  EXPECT_EQ(without_item(".step(x"), ".step(x");
  EXPECT_EQ(without_item("("), "(");
  EXPECT_EQ(without_item("(3:"), "(3)");
}

}  // namespace
}  // namespace tiphys::workflows

#include "cluster/node/node.h"

#include "cluster/node/testing/node_fixture.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <dirent.h>
#include <filesystem>
#include <unistd.h>

namespace tiphys::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_P(NodeTest, runs_a_pod_to_its_end) {
  const doc::Value status = run(shell_pod("one", "echo out; echo err >&2; printf part"));
  EXPECT_EQ(status.at("phase"), "Succeeded");
  const doc::Value& ended = container_state(status).at("terminated");
  EXPECT_EQ(ended.at("exitCode"), 0);
  EXPECT_EQ(ended.at("reason"), "Completed");
  EXPECT_THAT(log("one"), HasSubstr("stdout F out\n"));
  EXPECT_THAT(log("one"), HasSubstr("stderr F err\n"));
  EXPECT_THAT(log("one"), HasSubstr("stdout P part\n"));
  EXPECT_EQ(node_->pods(), 0U);
}

TEST_P(NodeTest, reports_exit_codes_and_signals) {
  const doc::Value failed = run(shell_pod("failed", "exit 7"));
  EXPECT_EQ(failed.at("phase"), "Failed");
  EXPECT_EQ(container_state(failed).at("terminated").at("exitCode"), 7);
  EXPECT_EQ(container_state(failed).at("terminated").at("reason"), "Error");
  const doc::Value killed = run(shell_pod("killed", "kill -9 $$$$"));
  EXPECT_EQ(container_state(killed).at("terminated").at("exitCode"), 137);
}

TEST_P(NodeTest, a_program_that_is_missing_is_a_start_error) {
  const doc::Value status = run(
      pod("missing", R"json({"containers":[{"name":"main","command":["no-such-thing"]}]})json"));
  EXPECT_EQ(status.at("phase"), "Failed");
  const doc::Value& ended = container_state(status).at("terminated");
  EXPECT_EQ(ended.at("exitCode"), 128);
  EXPECT_EQ(ended.at("reason"), "StartError");
  EXPECT_THAT(std::string(ended.at("message").as_string()),
              HasSubstr("executable file not found in $PATH"));
  const doc::Value none =
      run(pod("none", R"json({"containers":[{"name":"main","image":"x"}]})json"));
  EXPECT_THAT(std::string(container_state(none).at("terminated").at("message").as_string()),
              HasSubstr("no command specified"));
}

TEST_P(NodeTest, says_once_that_an_image_is_replaced) {
  run(shell_pod("a", "true"));
  run(shell_pod("b", "true"));
  EXPECT_THAT(notices_, ElementsAre("image alpine:3 is replaced by this machine's own files"));
}

TEST_P(NodeTest, init_containers_run_in_order_and_a_failing_one_ends_the_pod) {
  const auto spec = [](std::string_view second) {
    return fmt::format(
        R"json({{"initContainers":[{{"name":"i1","command":["echo","1"]}},{{"name":"i2","command":["sh","-c","{}"]}}],"containers":[{{"name":"main","command":["echo","main"]}}]}})json",
        second);
  };
  const doc::Value good = run(pod("good", spec("echo 2")));
  EXPECT_EQ(good.at("phase"), "Succeeded");
  EXPECT_EQ(good.at("initContainerStatuses").as_array().size(), 2U);
  EXPECT_EQ(log("good"), "stdout F main\n");
  const doc::Value bad = run(pod("bad", spec("exit 4")));
  EXPECT_EQ(bad.at("phase"), "Failed");
  EXPECT_EQ(
      bad.at("initContainerStatuses").as_array()[1].at("state").at("terminated").at("exitCode"), 4);
  EXPECT_EQ(container_state(bad).at("waiting").at("reason"), "PodInitializing");
}

TEST_P(NodeTest, environment_comes_from_all_sources) {
  objects_["ConfigMap/cm"] = std::make_shared<doc::Value>(
      *doc::parse_json(R"json({"data":{"key":"from-map","other":"o"}})json"));
  objects_["Secret/s"] = std::make_shared<doc::Value>(
      *doc::parse_json(R"json({"data":{"password":"aHVudGVyMg=="}})json"));
  run(pod(
      "env",
      R"json({"containers":[{"name":"main","command":["sh","-c","echo $A $B $C $D $E $P_other $G $HOSTNAME $(A)-x '$$(A)'"],
    "resources":{"limits":{"cpu":"1500m","memory":"64Mi"}},
    "envFrom":[{"prefix":"P_","configMapRef":{"name":"cm"}},{"secretRef":{"name":"gone","optional":true}}],
    "env":[{"name":"A","value":"a"},{"name":"B","value":"$(A)b$(NO)"},
      {"name":"C","valueFrom":{"configMapKeyRef":{"name":"cm","key":"key"}}},
      {"name":"D","valueFrom":{"secretKeyRef":{"name":"s","key":"password"}}},
      {"name":"E","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['app']"}}},
      {"name":"F","valueFrom":{"configMapKeyRef":{"name":"cm","key":"none","optional":true}}},
      {"name":"G","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}}]
}]
})json"));
  EXPECT_EQ(log("env"), "stdout F a ab$(NO) from-map hunter2 x o 2 env a-x $(A)\n");
}

TEST_P(NodeTest, waits_for_a_missing_config_map_and_goes_on_when_it_appears) {
  const auto document =
      pod("waits", R"json({"containers":[{"name":"main","command":["sh","-c","echo $A"],
    "env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"cm","key":"k"}}}]}]})json");
  const doc::Value waiting = run(document);
  EXPECT_EQ(waiting.at("phase"), "Pending");
  EXPECT_EQ(container_state(waiting).at("waiting").at("reason"), "CreateContainerConfigError");
  EXPECT_EQ(container_state(waiting).at("waiting").at("message"), "configmap \"cm\" not found");
  objects_["ConfigMap/cm"] =
      std::make_shared<doc::Value>(*doc::parse_json(R"json({"data":{}})json"));
  node_->objects_changed();
  loop_.run_until_idle();
  EXPECT_EQ(container_state(statuses_["waits"].back()).at("waiting").at("message"),
            "couldn't find key k in ConfigMap ns/cm");
  objects_["ConfigMap/cm"] =
      std::make_shared<doc::Value>(*doc::parse_json(R"json({"data":{"k":"v"}})json"));
  node_->objects_changed();
  loop_.run_until_idle();
  EXPECT_EQ(statuses_["waits"].back().at("phase"), "Succeeded");
  EXPECT_EQ(log("waits"), "stdout F v\n");
}

TEST_P(NodeTest, mounts_volumes_of_all_kinds) {
  if (GetParam() != Isolation::layer) {
    GTEST_SKIP() << "would make the mount points on this machine";
  }
  objects_["ConfigMap/cm"] = std::make_shared<doc::Value>(
      *doc::parse_json(R"json({"data":{"a.txt":"A","b.txt":"B"}})json"));
  objects_["Secret/s"] = std::make_shared<doc::Value>(
      *doc::parse_json(R"json({"data":{"password":"aHVudGVyMg=="}})json"));
  objects_["PersistentVolumeClaim/claim"] = std::make_shared<doc::Value>(doc::Object());
  const std::string spec =
      R"json({"volumes":[{"name":"e","emptyDir":{}},{"name":"m","emptyDir":{"medium":"Memory"}},
    {"name":"c","configMap":{"name":"cm","items":[{"key":"a.txt","path":"sub/x","mode":256}]}},
    {"name":"s","secret":{"secretName":"s"}},{"name":"p","persistentVolumeClaim":{"claimName":"claim"}},
    {"name":"d","projected":{"sources":[{"configMap":{"name":"cm"}},{"downwardAPI":{"items":[{"path":"labels","fieldRef":{"fieldPath":"metadata.labels"}}]}}]}}],
    "containers":[{"name":"main","command":["sh","-c","echo 1 > /e/f; echo 2 > /m/f; cat /v/c/sub/x /v/s/password /v/d/b.txt /v/d/labels /e/f /m/f; stat -Lc %a /v/c/sub/x; cat /p/kept; echo kept > /p/kept; (echo x > /v/c/new) 2>/dev/null || echo ro; ls /one"],
    "volumeMounts":[{"name":"e","mountPath":"/e"},{"name":"m","mountPath":"/m"},{"name":"c","mountPath":"/v/c"},
      {"name":"s","mountPath":"/v/s"},{"name":"d","mountPath":"/v/d"},{"name":"p","mountPath":"/p"},{"name":"e","mountPath":"/one","subPath":"deep/er"}]}]})json";
  EXPECT_EQ(run(pod("v1", spec)).at("phase"), "Succeeded");
  run(pod("v2", spec));
  EXPECT_THAT(log("v2"), HasSubstr("stdout F Ahunter2Bapp=\"x\"1\n"));
  EXPECT_THAT(log("v2"), HasSubstr("stdout F 2\n"));
  EXPECT_THAT(log("v2"), HasSubstr("stdout F 400\n"));
  EXPECT_THAT(log("v2"), HasSubstr("stdout F kept\n"));
  EXPECT_THAT(log("v2"), HasSubstr("stdout F ro\n"));
}

TEST_P(NodeTest, ends_a_pod_at_its_deadline) {
  const doc::Value status =
      run(shell_pod("late", "trap '' TERM; while :; do sleep 10; done",
                    R"json(,"activeDeadlineSeconds":0,"terminationGracePeriodSeconds":0)json"));
  // A deadline of nothing is refused upstream; here it is over at once.
  const doc::Value last = statuses_["late"].back();
  EXPECT_EQ(last.at("phase"), "Failed");
  EXPECT_EQ(last.at("reason"), "DeadlineExceeded");
  EXPECT_EQ(last.at("message"), "Pod was active on the node longer than the specified deadline");
}

TEST_P(NodeTest, stopping_asks_first_and_kills_after_the_grace_period) {
  on_status_ = [this](const PodKey& key, const doc::Value& status) {
    if (status.at("phase") == "Running") {
      node_->stop(key.uid, std::chrono::seconds(key.name == "polite" ? 30 : 0));
    }
  };
  const doc::Value polite = run(shell_pod("polite", "sleep 100"));
  EXPECT_EQ(polite.at("phase"), "Failed");
  EXPECT_EQ(container_state(polite).at("terminated").at("exitCode"), 143);
  const doc::Value stubborn = run(shell_pod("stubborn", "trap '' TERM; sleep 100 & wait; wait"));
  EXPECT_EQ(container_state(stubborn).at("terminated").at("exitCode"), 137);
}

TEST_P(NodeTest, sidecars_end_with_the_main_container) {
  const auto document =
      pod("sidecar", R"json({"containers":[{"name":"main","command":["echo","done"]},
    {"name":"side","command":["sleep","1000"]}]})json");
  add_plan(*document, R"json({"mainContainer":"main"})json");
  const doc::Value status = run(document);
  EXPECT_EQ(container_state(status, 0).at("terminated").at("exitCode"), 0);
  EXPECT_EQ(container_state(status, 1).at("terminated").at("exitCode"), 143);
}

TEST_P(NodeTest, captures_the_result_and_the_resources_of_a_step) {
  const auto document = shell_pod("result", "echo hello");
  add_plan(*document, R"json({"mainContainer":"main","captureResult":true})json");
  run(document);
  const auto outputs = executor::StepOutputs::from_json(outputs_["result"]);
  ASSERT_TRUE(outputs.has_value());
  EXPECT_EQ(outputs->result, "hello");
  EXPECT_GT(outputs->peak_memory_bytes, 100'000U);
  EXPECT_GT(outputs->cpu_microseconds, 10U);
}

TEST_P(NodeTest, stages_inputs_and_captures_outputs) {
  if (GetParam() != Isolation::layer) {
    GTEST_SKIP() << "would leave files on this machine";
  }
  ASSERT_TRUE(write_text(folder_ + "/in", "raw bytes\n", 0644));
  ASSERT_TRUE(store_->save(*doc::parse_json(R"json({"s3":{"key":"in"}})json"), folder_ + "/in",
                           artifacts::Source::keep));
  const auto document = shell_pod(
      "io",
      "cat /work-in/in.txt; echo changed >> /work-in/in.txt; mkdir -p /tmp/out/d; "
      "echo one > /tmp/out/d/1; ln -s /tmp/out/d/1 /tmp/link; ln -s "
      "../../../../../../etc/../tmp/out/d/1 /tmp/up; "
      "printf value > /tmp/param; echo extra > /etc/apt/tiphys-extra; rm -f /etc/apt/sources.list");
  add_plan(*document, R"json({"mainContainer":"main",
    "inputArtifacts":[{"name":"in","path":"/work-in/in.txt","location":{"s3":{"key":"in"}}},
                      {"name":"t","path":"/tmp/t.txt","location":{"s3":{"key":"in"}}}],
    "outputParameters":[{"name":"p","path":"/tmp/param"},{"name":"l","path":"/tmp/link"},{"name":"u","path":"/tmp/up"},{"name":"in","path":"/work-in/in.txt"}],
    "outputArtifacts":[{"name":"d","path":"/tmp/out","location":{"s3":{"key":"out.tgz"}}},
       {"name":"e","path":"/etc/apt","location":{"s3":{"key":"apt"}},"archive":"none"}]})json");
  const doc::Value status = run(document);
  EXPECT_EQ(status.at("phase"), "Succeeded") << doc::to_json(status) << log("io");
  const auto outputs = executor::StepOutputs::from_json(outputs_["io"]);
  ASSERT_TRUE(outputs.has_value());
  EXPECT_EQ(outputs->error, "");
  ASSERT_EQ(outputs->parameters.size(), 4U);
  EXPECT_EQ(outputs->parameters[0].value, "value");
  EXPECT_EQ(outputs->parameters[1].value, "one");
  EXPECT_EQ(outputs->parameters[2].value, "one");
  EXPECT_EQ(outputs->parameters[3].value, "raw bytes\nchanged");
  EXPECT_EQ(outputs->artifacts.size(), 2U);
  const auto apt = store_->path_of(*doc::parse_json(R"json({"s3":{"key":"apt"}})json"));
  ASSERT_TRUE(apt.has_value());
  // Without root the machine's own folders belong to a user whom the container does not have.
  if (geteuid() == 0) {
    EXPECT_TRUE(std::filesystem::exists(*apt / "tiphys-extra"));
    EXPECT_FALSE(std::filesystem::exists(*apt / "sources.list"));
  }
  EXPECT_EQ(std::filesystem::exists("/etc/apt/apt.conf.d"),
            std::filesystem::exists(*apt / "apt.conf.d"));
}

TEST_P(NodeTest, a_script_stands_where_it_is_expected) {
  for (const std::string_view name : {"script1", "script2"}) {
    const auto document =
        pod(name,
            R"json({"containers":[{"name":"main","command":["sh","/argo/staging/script"]}]})json");
    add_plan(
        *document,
        fmt::format(R"json({{"mainContainer":"main","scriptSource":"echo I am {}"}})json", name));
    EXPECT_EQ(run(document).at("phase"), "Succeeded");
    EXPECT_EQ(log(std::string(name)), fmt::format("stdout F I am {}\n", name));
  }
}

TEST_P(NodeTest, a_staged_folder_covers_the_machines_own) {
  if (GetParam() != Isolation::layer) {
    GTEST_SKIP() << "needs a layer";
  }
  ASSERT_TRUE(make_folders(folder_ + "/tree/sub"));
  ASSERT_TRUE(write_text(folder_ + "/tree/sub/file", "x", 0644));
  ASSERT_TRUE(store_->save(*doc::parse_json(R"json({"s3":{"key":"tree"}})json"), folder_ + "/tree",
                           artifacts::Source::keep));
  const auto document = shell_pod("cover", "ls /etc/apt");
  add_plan(
      *document,
      R"json({"mainContainer":"main","inputArtifacts":[{"name":"in","path":"/etc/apt","archive":"none","location":{"s3":{"key":"tree"}}}]})json");
  run(document);
  EXPECT_EQ(log("cover"), "stdout F sub\n");
}

TEST_P(NodeTest, an_output_never_comes_from_outside_the_container) {
  if (GetParam() != Isolation::layer) {
    GTEST_SKIP() << "needs a layer";
  }
  ASSERT_TRUE(write_text(folder_ + "/outside", "secret", 0644));
  const auto document = shell_pod("escape", "ln -s " + folder_ + "/outside /tmp/o");
  add_plan(*document,
           R"json({"mainContainer":"main","outputParameters":[{"name":"o","path":"/tmp/o"}]})json");
  run(document);
  const auto outputs = executor::StepOutputs::from_json(outputs_["escape"]);
  ASSERT_TRUE(outputs.has_value());
  EXPECT_NE(outputs->error, "");
}

TEST_P(NodeTest, a_missing_input_fails_the_pod_before_it_starts) {
  const auto document = shell_pod("noinput", "echo ran");
  add_plan(
      *document,
      R"json({"mainContainer":"main","inputArtifacts":[{"name":"in","path":"/tmp/none.txt","location":{"s3":{"key":"none"}}}]})json");
  const doc::Value status = run(document);
  EXPECT_EQ(status.at("phase"), "Failed");
  EXPECT_EQ(log("noinput"), "");
  EXPECT_THAT(outputs_["noinput"], HasSubstr("artifact in failed to load"));
}

TEST_P(NodeTest, says_why_a_pod_cannot_be_placed) {
  const doc::Value large =
      run(shell_pod("large", "true", "", R"json(,"resources":{"requests":{"cpu":"1000"}})json"));
  EXPECT_EQ(large.at("conditions").as_array()[0].at("message"),
            "0/1 nodes are available: 1 Insufficient cpu.");
  const doc::Value picky =
      run(shell_pod("picky", "true", R"json(,"nodeSelector":{"gpu":"yes"})json"));
  EXPECT_EQ(picky.at("conditions").as_array()[0].at("reason"), "Unschedulable");
  node_->stop("uid-picky", std::nullopt);
  node_->stop("uid-large", std::nullopt);
  loop_.run_until_idle();
  EXPECT_EQ(statuses_["picky"].back().at("phase"), "Failed");
  EXPECT_EQ(node_->pods(), 0U);
}

TEST_P(NodeTest, no_more_pods_than_slots_run_at_once) {
  make({.slots = 2});
  int running = 0;
  int most = 0;
  on_status_ = [&](const PodKey&, const doc::Value& status) {
    running += status.at("phase") == "Running" ? 1 : -1;
    most = std::max(most, running);
  };
  for (int i = 0; i < 6; ++i) {
    node_->run(shell_pod(fmt::format("s{}", i), "sleep 0.05"));
  }
  loop_.run_until_idle();
  EXPECT_EQ(most, 2);
  EXPECT_EQ(statuses_["s5"].back().at("phase"), "Succeeded");
}

/// Leaves a file when it has staged something.
class NotingWork final : public StepWork {
 public:
  NotingWork(StepWork& work, std::string file) : work_(work), file_(std::move(file)) {}

  Result<executor::StepPlan> parse(std::string_view text) override { return work_.parse(text); }

  Result<> stage(const executor::StepPlan& plan, const Staging& staging) override {
    auto staged = work_.stage(plan, staging);
    EXPECT_TRUE(write_text(file_, "staged", 0644));
    return staged;
  }

  executor::StepOutputs capture(const executor::StepPlan& plan, const executor::FileView& files,
                                const std::optional<std::string>& output) override {
    return work_.capture(plan, files, output);
  }

  std::string to_json(const executor::StepOutputs& outputs) override {
    return work_.to_json(outputs);
  }

 private:
  StepWork& work_;
  std::string file_;
};

TEST_P(NodeTest, the_next_pod_is_staged_while_the_last_one_has_its_place) {
  if (GetParam() != Isolation::layer) {
    GTEST_SKIP() << "would leave files on this machine";
  }
  ASSERT_TRUE(make_folders(folder_ + "/shared"));
  NotingWork work(*work_, folder_ + "/shared/staged");
  other_work_ = &work;
  make({.slots = 1});
  ASSERT_TRUE(write_text(folder_ + "/in", "input", 0644));
  ASSERT_TRUE(store_->save(*doc::parse_json(R"json({"s3":{"key":"in"}})json"), folder_ + "/in",
                           artifacts::Source::keep));
  node_->run(shell_pod(
      "first", "while ! test -e /shared/staged; do sleep 0.01; done",
      fmt::format(
          R"json(,"activeDeadlineSeconds":20,"volumes":[{{"name":"s","hostPath":{{"path":"{}/shared"}}}}])json",
          folder_),
      R"json(,"volumeMounts":[{"name":"s","mountPath":"/shared"}])json"));
  const auto second = shell_pod("second", "cat /work-in.txt");
  add_plan(*second, R"json({"mainContainer":"main",
    "inputArtifacts":[{"name":"in","path":"/work-in.txt","location":{"s3":{"key":"in"}}}]})json");
  const auto stopped = shell_pod("stopped", "true");
  node_->run(second);
  node_->run(stopped);
  int running = 0;
  on_status_ = [&](const PodKey& pod, const doc::Value& status) {
    running += status.at("phase") == "Running" ? 1 : pod.name == "stopped" ? 0 : -1;
    EXPECT_LE(running, 1);
    if (pod.name == "first" && running == 1) {
      node_->stop("uid-stopped", std::nullopt);
    }
  };
  loop_.run_until_idle();
  EXPECT_EQ(statuses_["first"].back().at("phase"), "Succeeded");
  EXPECT_EQ(statuses_["second"].back().at("phase"), "Succeeded") << log("second");
  EXPECT_EQ(statuses_["stopped"].back().at("phase"), "Failed");
  EXPECT_EQ(log("second"), "stdout P input\n");
}

TEST_P(NodeTest, two_hundred_pods_leave_nothing_behind) {
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  run(shell_pod("warm", "true"));
  const auto before = descriptors();
  for (int i = 0; i < 200; ++i) {
    node_->run(shell_pod(fmt::format("p{}", i), i % 20 == 0 && GetParam() == Isolation::layer
                                                    ? "echo x > /tmp/x"
                                                    : "true"));
  }
  loop_.run_until_idle();
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(statuses_[fmt::format("p{}", i)].back().at("phase"), "Succeeded");
  }
  // Parked workers keep a socket each.
  EXPECT_LE(descriptors(), before + 8);
  EXPECT_TRUE(!std::filesystem::exists(folder_ + "/state/pods") ||
              is_empty_folder(folder_ + "/state/pods"));
  if (GetParam() == Isolation::layer) {
    const auto layers =
        std::distance(std::filesystem::directory_iterator(folder_ + "/state/layers"), {});
    EXPECT_LE(layers, 16);
    EXPECT_TRUE(is_empty_folder(folder_ + "/state/inputs"));
  }
  EXPECT_EQ(read_text("/proc/self/mountinfo").find(folder_), std::string::npos);
}

TEST_P(NodeTest, cleans_up_after_a_node_that_was_killed) {
  node_.reset();
  ASSERT_TRUE(make_folders(folder_ + "/state/layers/1/u/left"));
  ASSERT_TRUE(make_folders(folder_ + "/state/pods/old"));
  make({});
  run(shell_pod("after", "true"));
  EXPECT_EQ(statuses_["after"].back().at("phase"), "Succeeded");
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/state/layers/1/u/left"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/state/pods/old"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/state/trash"));
}

INSTANTIATE_TEST_SUITE_P(levels, NodeTest,
                         testing::Values(Isolation::process, Isolation::namespaces,
                                         Isolation::layer),
                         [](const auto& level) { return std::string(name_of(level.param)); });

}  // namespace
}  // namespace tiphys::node

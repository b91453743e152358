// Pods of several containers: which runs when, again, and what ends the others.

#include "cluster/node/testing/node_fixture.h"

#include <gmock/gmock.h>

namespace tiphys::node {
namespace {

using testing::HasSubstr;
using testing::Not;

class PodOrderTest : public NodeTest {
 protected:
  /// A pod of shell containers, name and script; the plan names them as main ones.
  static std::shared_ptr<doc::Value> set(
      std::string_view name, const std::vector<std::pair<std::string, std::string>>& containers,
      std::string_view plan, std::string_view more = "") {
    std::string list;
    for (const auto& [container, script] : containers) {
      std::string text;
      doc::append_json_string(text, script);
      list +=
          fmt::format(R"json({}{{"name":"{}","image":"alpine:3","command":["sh","-c",{}]}})json",
                      list.empty() ? "" : ",", container, text);
    }
    auto out = pod(name, fmt::format(R"json({{"containers":[{}]{}}})json", list, more));
    add_plan(*out, plan);
    return out;
  }

  static const doc::Value& terminated(const doc::Value& status, std::size_t index) {
    return container_state(status, index).at("terminated");
  }
};

TEST_P(PodOrderTest, a_container_starts_when_those_it_depends_on_have_succeeded) {
  const doc::Value status = run(set(
      "order", {{"c", "date +%s%N"}, {"a", "sleep 0.05; date +%s%N"}, {"b", "date +%s%N"}},
      R"json({"containers":[{"name":"c","dependencies":["a","b"]},{"name":"a"},{"name":"b","dependencies":["a"]}]})json"));
  EXPECT_EQ(status.at("phase"), "Succeeded");
  EXPECT_LT(log("order", "a"), log("order", "b"));
  EXPECT_LT(log("order", "b"), log("order", "c"));
  bool waited = false;
  for (const doc::Value& seen : statuses_["order"]) {
    const doc::Value& first = container_state(seen);
    waited = waited || (seen.at("phase") == "Running" && doc::find(first, "waiting") != nullptr &&
                        first.at("waiting").at("message") == "a, b");
  }
  EXPECT_TRUE(waited);
}

TEST_P(PodOrderTest, a_failure_is_told_to_dependants_and_ends_the_others) {
  const doc::Value status = run(set(
      "failure",
      {{"a", "exit 3"}, {"b", "echo b"}, {"c", "echo c"}, {"d", "sleep 20"}, {"e", "echo e"}},
      R"json({"containers":[{"name":"a"},{"name":"b","dependencies":["a"]},{"name":"c","dependencies":["b"]},
        {"name":"d"},{"name":"e","dependencies":["d"]}]})json"));
  EXPECT_EQ(status.at("phase"), "Failed");
  EXPECT_EQ(terminated(status, 0).at("exitCode"), 3);
  EXPECT_EQ(terminated(status, 1).at("exitCode"), 64);
  EXPECT_EQ(terminated(status, 1).at("message"), "dependency \"a\" exited with non-zero code: 3");
  EXPECT_EQ(terminated(status, 2).at("exitCode"), 64);
  EXPECT_EQ(terminated(status, 2).at("message"), "dependency \"b\" exited with non-zero code: 3");
  EXPECT_EQ(terminated(status, 3).at("exitCode"), 143);
  EXPECT_EQ(terminated(status, 4).at("exitCode"), 143);
}

TEST_P(PodOrderTest, a_container_that_failed_is_started_again_with_its_files) {
  const std::string file = GetParam() == Isolation::layer ? "/count" : folder_ + "/count";
  const doc::Value status = run(set(
      "again",
      {{"main", fmt::format("echo x >> {0}; echo $(wc -l < {0}); test $(wc -l < {0}) -ge 3", file)},
       {"next", "echo next"}},
      R"json({"captureResult":true,"containers":[{"name":"main","retries":2,"retryDelayMilliseconds":5},
        {"name":"next","dependencies":["main"]}]})json"));
  EXPECT_EQ(status.at("phase"), "Succeeded");
  EXPECT_EQ(log("again"), "stdout F 1\nstdout F 2\nstdout F 3\n");
  EXPECT_THAT(outputs_["again"], HasSubstr(R"json("result":"1\n2\n3")json"));
  EXPECT_EQ(log("again", "next"), "stdout F next\n");
  const doc::Value failed = run(set("spent", {{"main", "echo x; exit 2"}},
                                    R"json({"containers":[{"name":"main","retries":1}]})json"));
  EXPECT_EQ(terminated(failed, 0).at("exitCode"), 2);
  EXPECT_EQ(log("spent"), "stdout F x\nstdout F x\n");
}

TEST_P(PodOrderTest, outputs_come_from_the_captured_container_even_when_it_failed) {
  const std::string file = GetParam() == Isolation::layer ? "/tmp/o" : folder_ + "/o";
  run(set(
      "outputs", {{"main", fmt::format("echo kept > {}; exit 1", file)}, {"b", "true"}},
      fmt::format(
          R"json({{"containers":[{{"name":"main"}},{{"name":"b"}}],"outputParameters":[{{"name":"o","path":"{}"}}]}})json",
          file)));
  EXPECT_THAT(outputs_["outputs"], HasSubstr(R"json("value":"kept")json"));
  // A plan without that container has no outputs, and nothing to capture them from.
  run(set("none", {{"a", "true"}, {"b", "true"}},
          R"json({"containers":[{"name":"a"},{"name":"b"}]})json"));
  EXPECT_EQ(statuses_["none"].back().at("phase"), "Succeeded");
  EXPECT_FALSE(outputs_.contains("none"));
}

TEST_P(PodOrderTest, sidecars_end_with_the_last_main_container) {
  const doc::Value status =
      run(set("sidecars", {{"a", "true"}, {"b", "sleep 0.05"}, {"proxy", "sleep 30"}},
              R"json({"containers":[{"name":"a"},{"name":"b"}]})json"));
  EXPECT_EQ(terminated(status, 1).at("exitCode"), 0);
  EXPECT_EQ(terminated(status, 2).at("exitCode"), 143);
  const doc::Value deaf = run(
      set("deaf", {{"main", "sleep 0.2"}, {"proxy", "trap '' TERM; while true; do sleep 1; done"}},
          "{}", R"json(,"terminationGracePeriodSeconds":1)json"));
  EXPECT_EQ(terminated(deaf, 1).at("exitCode"), 137);
}

TEST_P(PodOrderTest, what_waits_ends_when_the_pod_is_stopped) {
  auto document =
      set("stopped", {{"a", "sleep 30"}, {"b", "true"}},
          R"json({"containers":[{"name":"a","retries":5},{"name":"b","dependencies":["a"]}]})json");
  on_status_ = [this](const PodKey& pod, const doc::Value& status) {
    if (status.at("phase") == "Running") {
      loop_.post([this, uid = pod.uid] { node_->stop(uid, std::chrono::seconds(5)); });
    }
  };
  const doc::Value status = run(document);
  EXPECT_EQ(status.at("phase"), "Failed");
  EXPECT_EQ(terminated(status, 0).at("exitCode"), 143);
  EXPECT_EQ(terminated(status, 1).at("exitCode"), 143);
  EXPECT_EQ(node_->pods(), 0U);
}

TEST_P(PodOrderTest, a_terminal_stands_for_all_streams) {
  const doc::Value status =
      run(shell_pod("tty", "test -t 0 && test -t 1 && test -t 2 && echo yes; echo err >&2", "",
                    R"(,"tty":true)"));
  EXPECT_EQ(status.at("phase"), "Succeeded");
  EXPECT_THAT(log("tty"), HasSubstr("stdout F yes\r\n"));
  EXPECT_THAT(log("tty"), HasSubstr("stdout F err\r\n"));
  EXPECT_EQ(run(shell_pod("plain", "test -t 1")).at("phase"), "Failed");
}

TEST_P(PodOrderTest, an_input_that_is_asked_for_stays_open) {
  run(shell_pod("closed", "cat; echo end"));
  EXPECT_EQ(log("closed"), "stdout F end\n");
  run(shell_pod("open", "timeout 0.2 cat; echo $?", "", R"(,"stdin":true)"));
  EXPECT_EQ(log("open"), "stdout F 124\n");
}

TEST_P(PodOrderTest, an_argument_too_long_for_the_kernel_becomes_a_file) {
  const std::string large(200 * 1024, 'x');
  run(pod(
      "large",
      fmt::format(
          R"json({{"containers":[{{"name":"main","command":["sh","-c","echo $0 $1; wc -c < ${{1#@}}"],"args":["first","{}"]}}]}})json",
          large)));
  EXPECT_THAT(log("large"), HasSubstr("argo_arg_3.txt\n"));
  EXPECT_THAT(log("large"), HasSubstr(std::to_string(large.size())));
}

TEST_P(PodOrderTest, a_user_and_its_groups_come_from_the_security_context) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  const doc::Value status = run(shell_pod(
      "user", "id -u; id -g; id -G; cat /proc/self/status | grep -E 'CapEff|NoNewPrivs'",
      R"json(,"securityContext":{"runAsUser":1234,"runAsGroup":55,"supplementalGroups":[77],"fsGroup":88})json",
      R"json(,"securityContext":{"runAsUser":4321,"allowPrivilegeEscalation":false})json"));
  EXPECT_EQ(status.at("phase"), "Succeeded");
  EXPECT_THAT(log("user"), HasSubstr("stdout F 4321\nstdout F 55\nstdout F 55 77 88\n"));
  EXPECT_THAT(log("user"), HasSubstr("CapEff:\t0000000000000000"));
  EXPECT_THAT(log("user"), HasSubstr("NoNewPrivs:\t1"));
  run(shell_pod("other", "id -u", R"json(,"securityContext":{"runAsNonRoot":true})json"));
  EXPECT_EQ(log("other"), "stdout F 65534\n");
  const doc::Value refused = run(shell_pod(
      "refused", "id -u", R"json(,"securityContext":{"runAsNonRoot":true,"runAsUser":0})json"));
  EXPECT_THAT(std::string(terminated(refused, 0).at("message").as_string()),
              HasSubstr("breaks non-root policy"));
}

TEST_P(PodOrderTest, capabilities_can_be_dropped_and_never_gained) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  const std::string show = "grep CapEff /proc/self/status";
  run(shell_pod("default", show));
  run(shell_pod("added", show, "",
                R"json(,"securityContext":{"capabilities":{"add":["SYS_ADMIN"]}})json"));
  EXPECT_EQ(log("added"), log("default"));
  EXPECT_THAT(notices_.back(), HasSubstr("have no effect"));
  run(shell_pod(
      "dropped", show, "",
      R"json(,"securityContext":{"capabilities":{"drop":["ALL"],"add":["NET_BIND_SERVICE"]}})json"));
  EXPECT_THAT(log("dropped"), HasSubstr("CapEff:\t0000000000000400"));
}

TEST_P(PodOrderTest, volumes_belong_to_the_pods_group) {
  if (GetParam() != Isolation::layer || geteuid() != 0) {
    GTEST_SKIP() << "needs root, and mounts";
  }
  run(shell_pod(
      "group", "stat -c '%g %a' /e; echo x > /e/f && stat -c %g /e/f",
      R"json(,"volumes":[{"name":"e","emptyDir":{}}],"securityContext":{"runAsUser":1234,"fsGroup":77})json",
      R"json(,"volumeMounts":[{"name":"e","mountPath":"/e"}])json"));
  EXPECT_EQ(log("group"), "stdout F 77 2777\nstdout F 77\n");
}

TEST_P(PodOrderTest, a_probe_says_when_a_container_is_ready) {
  const std::string file = GetParam() == Isolation::layer ? "/ready" : folder_ + "/ready";
  auto document = shell_pod(
      "probe", fmt::format("sleep 0.1; touch {}; sleep 30", file), "",
      fmt::format(
          R"json(,"readinessProbe":{{"exec":{{"command":["test","-e","{}"]}},"periodSeconds":1}})json",
          file));
  bool unready = false;
  on_status_ = [&, this](const PodKey& pod, const doc::Value& status) {
    const bool ready = status.at("containerStatuses").as_array()[0].at("ready").as_bool();
    unready = unready || (status.at("phase") == "Running" && !ready);
    if (ready) {
      loop_.post([this, uid = pod.uid] { node_->stop(uid, std::chrono::seconds(5)); });
    }
  };
  const doc::Value status = run(document);
  EXPECT_TRUE(unready);
  EXPECT_EQ(terminated(status, 0).at("exitCode"), 143);
}

INSTANTIATE_TEST_SUITE_P(levels, PodOrderTest,
                         testing::Values(Isolation::process, Isolation::namespaces,
                                         Isolation::layer),
                         [](const auto& level) { return std::string(name_of(level.param)); });

}  // namespace
}  // namespace tiphys::node

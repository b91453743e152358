#include "cluster/node/sandbox.h"

#include "cluster/node/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

namespace tiphys::node {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Outcome {
  std::string output;
  std::string failure;
  Ended ended;
};

class SandboxTest : public testing::TestWithParam<Isolation> {
 protected:
  SandboxTest() {
    std::string text = "/var/tmp/tiphys-sandbox-XXXXXX";
    folder_ = mkdtemp(text.data());
    chmod(folder_.c_str(), 0755);
    make();
  }

  ~SandboxTest() override {
    sandbox_.reset();
    remove_tree(folder_);
  }

  void SetUp() override {
    if (sandbox_->isolation() != GetParam()) {
      GTEST_SKIP() << warning_;
    }
  }

  void make() {
    sandbox_ = std::make_unique<Sandbox>(
        loop_, SandboxConfig{folder_ + "/state", GetParam(),
                             [this](std::string text) { warning_ = std::move(text); }});
  }

  Outcome run(ContainerSpec spec, std::function<void(node::Run)> meanwhile = {}) {
    Outcome outcome;
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    if (GetParam() == Isolation::layer && spec.layer.empty()) {
      spec.layer =
          *sandbox_->make_layer(spec.lowers.empty() ? LayerUse::alone : LayerUse::over_lowers);
    }
    node::Run number = 0;
    number = sandbox_->start(
        spec, ends[1], ends[1],
        [&](const StartFailure* failure) {
          if (failure != nullptr) {
            outcome.failure = failure->message;
          } else if (meanwhile) {
            meanwhile(number);
          }
        },
        [&](const Ended& ended) { outcome.ended = ended; });
    close(ends[1]);
    loop_.run_until_idle();
    std::array<char, 4096> bytes{};
    ssize_t got = 0;
    while ((got = read(ends[0], bytes.data(), bytes.size())) > 0) {
      outcome.output.append(bytes.data(), static_cast<std::size_t>(got));
    }
    close(ends[0]);
    return outcome;
  }

  static ContainerSpec program(std::vector<std::string> arguments) {
    ContainerSpec spec;
    spec.host_name = "pod-name";
    spec.arguments = std::move(arguments);
    spec.environment = {"PATH=/usr/bin:/bin"};
    spec.working_directory = "/";
    return spec;
  }

  static ContainerSpec shell(std::string script) {
    return program({"sh", "-c", std::move(script)});
  }

  bool isolated() const { return GetParam() != Isolation::process; }

  async::SystemClock clock_;
  async::Loop loop_{clock_};
  std::string folder_;
  std::string warning_;
  std::unique_ptr<Sandbox> sandbox_;
};

TEST_P(SandboxTest, runs_a_program_and_reports_its_exit_code) {
  const Outcome outcome = run(shell("echo hello; exit 3"));
  EXPECT_EQ(outcome.failure, "");
  EXPECT_EQ(outcome.output, "hello\n");
  EXPECT_EQ(outcome.ended.exit_code, 3);
  EXPECT_EQ(outcome.ended.signal, 0);
}

TEST_P(SandboxTest, a_container_says_how_far_it_is) {
  std::vector<std::string> said;
  ContainerSpec spec = shell(
      "echo 1/10 > $ARGO_PROGRESS_FILE; echo nonsense > $ARGO_PROGRESS_FILE; echo 5/10 >> "
      "$ARGO_PROGRESS_FILE; ls -a $(dirname $ARGO_PROGRESS_FILE)/");
  spec.environment.emplace_back(kProgressVariable);
  spec.on_progress = [&](const std::string& text) { said.push_back(text); };
  run(spec);
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(said.back(), "5/10");
  said.clear();
  ContainerSpec next = shell("cat $ARGO_PROGRESS_FILE 2>&1; ln -s /etc/passwd $ARGO_PROGRESS_FILE");
  next.environment.emplace_back(kProgressVariable);
  next.on_progress = spec.on_progress;
  EXPECT_THAT(run(next).output, HasSubstr("No such file"));
  EXPECT_TRUE(said.empty());
}

TEST_P(SandboxTest, a_program_can_kill_itself_as_outside_a_container) {
  EXPECT_EQ(run(shell("kill -9 $$")).ended.exit_code, 137);
  EXPECT_EQ(run(shell("kill -TERM $$")).ended.exit_code, 143);
  const Outcome outcome = run(shell("kill -ABRT $$"));
  EXPECT_EQ(outcome.ended.exit_code, 134);
  EXPECT_EQ(outcome.ended.signal, SIGABRT);
}

TEST_P(SandboxTest, signals_reach_the_program_and_its_children) {
  const Outcome outcome = run(shell("sleep 100; true"),
                              [this](node::Run number) { sandbox_->signal(number, SIGTERM); });
  EXPECT_EQ(outcome.ended.exit_code, 143);
  const Outcome killed = run(shell("trap '' TERM; sleep 100 & wait"),
                             [this](node::Run number) { sandbox_->signal(number, SIGKILL); });
  EXPECT_EQ(killed.ended.exit_code, 137);
}

TEST_P(SandboxTest, nothing_of_a_container_is_left_when_it_has_ended) {
  const Outcome outcome = run(shell("setsid sleep 1000 & sleep 1000 & echo gone"));
  // Reading to the end of the pipe shows that no process holds it any more.
  EXPECT_EQ(outcome.output, "gone\n");
  EXPECT_EQ(outcome.ended.exit_code, 0);
}

TEST_P(SandboxTest, says_what_containerd_says_when_a_program_is_missing) {
  EXPECT_THAT(run(program({"no-such-program"})).failure,
              HasSubstr("exec: \"no-such-program\": executable file not found in $PATH"));
  EXPECT_THAT(run(program({"/no/such"})).failure,
              HasSubstr("exec: \"/no/such\": stat /no/such: no such file or directory"));
  EXPECT_THAT(run(program({"/etc/passwd"})).failure,
              HasSubstr("exec: \"/etc/passwd\": permission denied"));
  // The worker goes on.
  EXPECT_EQ(run(shell("exit 5")).ended.exit_code, 5);
}

TEST_P(SandboxTest, arguments_larger_than_a_packet_arrive) {
  ContainerSpec spec = program({"sh", "-c", "printf %s \"$1$BIG\" | wc -c", "sh"});
  spec.arguments.emplace_back(120'000, 'x');
  spec.environment.push_back("BIG=" + std::string(100'000, 'y'));
  EXPECT_EQ(run(spec).output, "220000\n");
}

TEST_P(SandboxTest, a_program_gets_no_descriptors_but_the_three) {
  EXPECT_EQ(run(program({"ls", "/proc/self/fd"})).output, "0\n1\n2\n3\n");
}

TEST_P(SandboxTest, measures_memory_and_time) {
  const Outcome outcome = run(program({"python3", "-c", "b = bytearray(50_000_000)"}));
  if (!outcome.failure.empty()) {
    GTEST_SKIP() << "no python3";
  }
  EXPECT_GT(outcome.ended.peak_memory_bytes, 50'000'000U);
  EXPECT_GT(outcome.ended.cpu_microseconds, 1000U);
  EXPECT_LT(run(program({"true"})).ended.peak_memory_bytes, 20'000'000U);
}

TEST_P(SandboxTest, has_its_own_processes_and_host_name) {
  if (!isolated()) {
    GTEST_SKIP() << "level process";
  }
  EXPECT_EQ(run(program({"hostname"})).output, "pod-name\n");
  EXPECT_EQ(run(shell("echo $$; ls -d /proc/[0-9]* | wc -l")).output.substr(0, 2) != "1\n", true);
  const Outcome outcome = run(shell("kill -9 " + std::to_string(getpid()) + "; echo $?"));
  EXPECT_THAT(outcome.output, HasSubstr("1\n"));
  EXPECT_THAT(
      run(shell("cat /proc/1/root/etc/passwd; ls /proc/1/root; readlink /proc/1/exe")).output,
      Not(HasSubstr("root:")));
}

TEST_P(SandboxTest, leaves_no_ipc_to_the_next_container) {
  if (!isolated()) {
    GTEST_SKIP() << "level process";
  }
  run(program({"ipcmk", "-M", "1000", "-Q", "-S", "2"}));
  const Outcome outcome =
      run(shell("cat /proc/sysvipc/shm /proc/sysvipc/msg /proc/sysvipc/sem | wc -l"));
  EXPECT_EQ(outcome.output, "3\n");
}

TEST_P(SandboxTest, may_not_mount_or_trace) {
  if (!isolated()) {
    GTEST_SKIP() << "level process";
  }
  const Outcome outcome =
      run(shell("mount -t tmpfs none /mnt && echo mounted; mknod /tmp/d b 8 0 && echo made; "
                "hostname other && echo renamed; grep NoNewPrivs /proc/self/status"));
  EXPECT_THAT(outcome.output, Not(HasSubstr("mounted")));
  EXPECT_THAT(outcome.output, Not(HasSubstr("made")));
  EXPECT_THAT(outcome.output, Not(HasSubstr("renamed")));
  EXPECT_THAT(outcome.output, HasSubstr("NoNewPrivs:\t1"));
}

TEST_P(SandboxTest, a_layer_keeps_the_machines_files_as_they_are) {
  if (GetParam() != Isolation::layer) {
    GTEST_SKIP() << "needs a layer";
  }
  const std::string file = folder_ + "/precious";
  ASSERT_TRUE(write_text(file, "kept", 0666));
  const Outcome outcome =
      run(shell("echo gone > /etc/tiphys-test; rm -f /etc/issue; ls -A /tmp /run "
                "/var/tmp /dev/shm; echo x > /tmp/x; cat /etc/tiphys-test; "
                "test -e /etc/issue || echo removed; test -e " +
                folder_ + " || echo hidden"));
  EXPECT_THAT(outcome.output, HasSubstr("gone"));
  EXPECT_THAT(outcome.output, HasSubstr("removed"));
  EXPECT_THAT(outcome.output, HasSubstr("hidden"));
  EXPECT_TRUE(std::filesystem::exists("/etc/issue"));
  EXPECT_FALSE(std::filesystem::exists("/etc/tiphys-test"));
  EXPECT_EQ(read_text(file), "kept");
  EXPECT_THAT(run(shell("cat /etc/tiphys-test /tmp/x; wc -l < /etc/passwd")).output,
              Not(HasSubstr("gone")));
}

TEST_P(SandboxTest, the_layers_root_has_safe_devices_and_a_read_only_kernel) {
  if (GetParam() != Isolation::layer) {
    GTEST_SKIP() << "needs a layer";
  }
  const Outcome outcome = run(
      shell("echo a > /dev/null && head -c 4 /dev/zero | wc -c; ls /dev | tr '\\n' ' '; "
            "(echo 1 > /sys/kernel/mm/ksm/run) 2>/dev/null && echo wrote; "
            "(echo x > /proc/sys/kernel/core_pattern) 2>/dev/null && echo wrote; "
            "echo y > /dev/shm/y && cat /dev/shm/y; (echo z > /dev/z) 2>/dev/null && echo wrote"));
  EXPECT_EQ(outcome.output,
            "4\nargo fd full null ptmx pts random shm stderr stdin stdout tty urandom zero y\n");
  EXPECT_EQ(run(program({"ls", "/dev/shm"})).output, "");
}

TEST_P(SandboxTest, an_empty_layer_is_used_again_and_a_full_one_is_not) {
  if (GetParam() != Isolation::layer) {
    GTEST_SKIP() << "needs a layer";
  }
  ContainerSpec spec = program({"true"});
  spec.layer = *sandbox_->make_layer(LayerUse::alone);
  EXPECT_EQ(run(spec).ended.exit_code, 0);
  EXPECT_TRUE(sandbox_->recycle_layer(spec.layer));
  EXPECT_EQ(*sandbox_->make_layer(LayerUse::alone), spec.layer);
  ContainerSpec writer = shell("echo x > /root/x || echo x > /tmp/x");
  writer.layer = spec.layer;
  const Outcome second = run(writer);
  EXPECT_EQ(second.ended.exit_code, 0) << second.failure;
  EXPECT_FALSE(sandbox_->recycle_layer(spec.layer));
}

TEST_P(SandboxTest, a_layer_that_is_still_mounted_does_not_go_to_a_container_with_inputs) {
  if (GetParam() != Isolation::layer) {
    GTEST_SKIP() << "needs a layer";
  }
  ContainerSpec plain = program({"true"});
  plain.layer = *sandbox_->make_layer(LayerUse::alone);
  EXPECT_EQ(run(plain).ended.exit_code, 0);
  EXPECT_TRUE(sandbox_->recycle_layer(plain.layer));
  const std::string input = sandbox_->inputs_folder() + "/one";
  ASSERT_TRUE(make_folder(input, 0755));
  ASSERT_TRUE(make_folder(input + "/data", 0755));
  ContainerSpec with_input = program({"test", "-d", "/data"});
  with_input.lowers = {"one"};
  const Outcome outcome = run(with_input);
  EXPECT_EQ(outcome.ended.exit_code, 0) << outcome.failure;
}

TEST_P(SandboxTest, a_layer_that_is_waited_for_stays_with_the_worker_that_has_it_mounted) {
  if (GetParam() != Isolation::layer) {
    GTEST_SKIP() << "needs a layer";
  }
  ContainerSpec first = program({"true"});
  first.layer = *sandbox_->make_layer(LayerUse::alone);
  EXPECT_EQ(run(first).ended.exit_code, 0);
  EXPECT_TRUE(sandbox_->recycle_layer(first.layer));
  // The next container has taken the layer; before it starts, others do.
  ContainerSpec waiting = program({"true"});
  waiting.layer = *sandbox_->make_layer(LayerUse::alone);
  EXPECT_EQ(waiting.layer, first.layer);
  EXPECT_EQ(run(program({"true"})).ended.exit_code, 0);
  EXPECT_EQ(run(program({"true"})).ended.exit_code, 0);
  const Outcome outcome = run(waiting);
  EXPECT_EQ(outcome.ended.exit_code, 0) << outcome.failure;
}

TEST_P(SandboxTest, mounts_volumes_and_keeps_links_inside_them) {
  if (!isolated()) {
    GTEST_SKIP() << "level process";
  }
  const std::string volume = folder_ + "/state/volume";
  std::filesystem::create_directories(volume);
  chmod(volume.c_str(), 0777);
  std::filesystem::create_symlink("/etc", volume + "/escape");
  ContainerSpec spec = shell("echo data > /mnt/f; cat /mnt/f");
  spec.mounts = {{volume, "", "/mnt", false}};
  EXPECT_EQ(run(spec).output, "data\n");
  EXPECT_EQ(read_text(volume + "/f"), "data\n");
  spec = shell("(echo other > /mnt/f) 2>/dev/null || echo refused");
  spec.mounts = {{volume, "", "/mnt", true}};
  EXPECT_EQ(run(spec).output, "refused\n");
  spec = shell("ls /mnt");
  spec.mounts = {{volume, "escape", "/mnt", false}};
  EXPECT_THAT(run(spec).failure, HasSubstr("volume mount /mnt"));
  spec = shell("touch /mnt/made");
  spec.mounts = {{volume, "a/b", "/mnt", false}};
  EXPECT_EQ(run(spec).ended.exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(volume + "/a/b/made"));
}

TEST_P(SandboxTest, containers_end_with_the_sandbox) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  ContainerSpec spec = program({"sleep", "1000"});
  if (GetParam() == Isolation::layer) {
    spec.layer = *sandbox_->make_layer(LayerUse::alone);
  }
  sandbox_->start(
      spec, ends[1], ends[1], [this](const StartFailure*) { loop_.stop(); }, [](const Ended&) {});
  close(ends[1]);
  loop_.run();
  sandbox_.reset();
  char byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), 0);
  close(ends[0]);
}

INSTANTIATE_TEST_SUITE_P(levels, SandboxTest,
                         testing::Values(Isolation::process, Isolation::namespaces,
                                         Isolation::layer),
                         [](const auto& level) { return std::string(name_of(level.param)); });

/// All of the above once more without root, in a process that gives it up.
TEST(SandboxRootless, everything_holds_for_a_user_without_privileges) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "the other tests show it";
  }
  const pid_t child = fork();
  if (child == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0) {
      _exit(0);
    }
    execl("/proc/self/exe", "cluster_node_test",
          "--gtest_filter=levels/*/layer:levels/SandboxTest*/namespaces", "--gtest_brief=1",
          nullptr);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace tiphys::node

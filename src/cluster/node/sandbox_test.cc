#include "cluster/node/sandbox.h"

#include "cluster/node/files.h"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <iostream>
#include <sys/wait.h>
#include <unistd.h>

namespace tiphys::node {
namespace {

struct Outcome {
  std::string output;
  std::string failure;
  Ended ended;
};

class SandboxTest : public testing::TestWithParam<Isolation> {
 protected:
  SandboxTest() {
    std::string text = testing::TempDir() + "tiphys-sandbox-XXXXXX";
    folder_ = mkdtemp(text.data());
    sandbox_ = std::make_unique<Sandbox>(
        loop_, SandboxConfig{folder_, GetParam(), [](std::string w) { std::cerr << w << "\n"; }});
  }

  ~SandboxTest() override {
    sandbox_.reset();
    remove_tree(folder_);
  }

  Outcome run(ContainerSpec spec) {
    Outcome outcome;
    std::array<int, 2> pipe_ends{};
    EXPECT_EQ(pipe2(pipe_ends.data(), O_CLOEXEC), 0);
    if (sandbox_->isolation() == Isolation::layer) {
      spec.layer = *sandbox_->make_layer();
    }
    sandbox_->start(
        spec, pipe_ends[1], pipe_ends[1],
        [&](const StartFailure* failure) {
          if (failure != nullptr) {
            outcome.failure = failure->message;
          }
        },
        [&](const Ended& ended) { outcome.ended = ended; });
    close(pipe_ends[1]);
    loop_.run_until_idle();
    std::array<char, 4096> bytes{};
    ssize_t got = 0;
    while ((got = read(pipe_ends[0], bytes.data(), bytes.size())) > 0) {
      outcome.output.append(bytes.data(), static_cast<std::size_t>(got));
    }
    close(pipe_ends[0]);
    return outcome;
  }

  static ContainerSpec shell(std::string script) {
    ContainerSpec spec;
    spec.host_name = "pod-name";
    spec.arguments = {"sh", "-c", std::move(script)};
    spec.environment = {"PATH=/usr/bin:/bin"};
    spec.working_directory = "/";
    return spec;
  }

  async::SystemClock clock_;
  async::Loop loop_{clock_};
  std::string folder_;
  std::unique_ptr<Sandbox> sandbox_;
};

TEST_P(SandboxTest, runs_a_program_and_reports_its_exit_code) {
  const Outcome outcome = run(shell("echo hello; exit 3"));
  EXPECT_EQ(outcome.failure, "");
  EXPECT_EQ(outcome.output, "hello\n");
  EXPECT_EQ(outcome.ended.exit_code, 3);
  const Outcome o2 =
      run(shell("ls -la / /dev /tmp /run; cat /proc/self/mountinfo; ps ax; hostname; id; grep Cap "
                "/proc/self/status"));
  std::cerr << o2.failure << o2.output;
}

INSTANTIATE_TEST_SUITE_P(levels, SandboxTest,
                         testing::Values(Isolation::process, Isolation::namespaces,
                                         Isolation::layer),
                         [](const auto& level) { return std::string(name_of(level.param)); });

}  // namespace
}  // namespace tiphys::node

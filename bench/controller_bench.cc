// The whole of a run but its processes: real engine, controller and store, pods that end as soon as
// they are durable. CPU (all threads), wall time and resident memory per step for runs of 10^3 to
// 10^6 steps. Usage: controller_bench DIRECTORY [STEPS...]; each run is left in DIRECTORY/<steps>,
// where the program's own verbs can look at it.
#include "async/loop.h"
#include "async/random.h"
#include "cluster/store/store.h"
#include "workflows/controller/controller.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace tiphys {
namespace {

constexpr std::string_view kName = "million";

/// Loops of at most a thousand steps, a thousand steps at a time.
doc::Value workflow_of(std::size_t steps) {
  const std::size_t side = steps < 1000 ? steps : 1000;
  return doc::parse_json(
             fmt::format(
                 R"({{"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{{"name":"{}","namespace":"default"}},
"spec":{{"entrypoint":"main","parallelism":1000,"templates":[
{{"name":"main","steps":[[{{"name":"outer","template":"inner","withSequence":{{"count":"{}"}},"arguments":{{"parameters":[{{"name":"part","value":"{{{{item}}}}"}}]}}}}]]}},
{{"name":"inner","inputs":{{"parameters":[{{"name":"part"}}]}},"steps":[[{{"name":"step","template":"work","withSequence":{{"count":"{}"}},
  "arguments":{{"parameters":[{{"name":"number","value":"{{{{inputs.parameters.part}}}}-{{{{item}}}}"}}]}}}}]]}},
{{"name":"work","inputs":{{"parameters":[{{"name":"number"}}]}},"container":{{"image":"busybox","command":["echo"],"args":["{{{{inputs.parameters.number}}}}"]}}}}]}}}})",
                 kName, (steps + side - 1) / side, side))
      .value();
}

/// Ends every pod as soon as it is durable.
class StubbedNode {
 public:
  explicit StubbedNode(store::Store& store) : store_(store) {
    pods_ = store.watch("Pod", [this](const kube::Event& event) {
      if (event.type == kube::EventType::added) {
        store_.when_durable(event.object->resource_version(), [this, pod = event.object](Result<>) {
          doc::Value document = pod->document();
          document.get_object()["status"] = ended();
          store_.update(std::move(document), {});
        });
      }
    });
  }

 private:
  static doc::Value ended() {
    return doc::Object{
        {"phase", "Succeeded"},
        {"containerStatuses",
         doc::Array{doc::Object{
             {"name", "main"},
             {"state",
              doc::Object{{"terminated", doc::Object{{"exitCode", 0},
                                                     {"reason", "Completed"},
                                                     {"startedAt", "2024-01-01T00:00:00Z"},
                                                     {"finishedAt", "2024-01-01T00:00:01Z"}}}}}}}}};
  }

  store::Store& store_;
  std::unique_ptr<kube::Subscription> pods_;
};

class Watcher final : public workflows::RunListener {
 public:
  explicit Watcher(async::Loop& loop) : loop_(loop) {}

  void on_nodes(const workflows::Engine&, std::span<const workflows::NodeIndex>) override {}

  void on_run(const workflows::Engine& engine) override {
    if (engine.finished()) {
      fmt::print("  ended {}, progress {}\n", workflows::name_of(engine.phase()),
                 engine.progress());
      loop_.stop();
    }
  }

  void on_failure(const kube::ObjectKey&, const Error& error) override {
    fmt::print(stderr, "{}\n", error.message);
    loop_.stop();
  }

 private:
  async::Loop& loop_;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

double resident_bytes() {
  std::ifstream in("/proc/self/statm");
  double total = 0;
  double pages = 0;
  in >> total >> pages;
  return pages * 4096;
}

void measure(const std::filesystem::path& directory, std::size_t steps) {
  const async::SystemClock clock;
  async::SystemRandom random;
  async::Loop loop(clock);
  auto opened = store::Store::open(loop, random, {.directory = directory});
  if (!opened) {
    fmt::print(stderr, "{}\n", opened.error().message);
    _exit(1);
  }
  store::Store& store = **opened;
  Watcher watcher(loop);
  const StubbedNode node(store);
  workflows::Controller controller(
      loop, store, {}, [](const kube::ObjectRef&) {}, nullptr, &watcher);
  store.create(workflow_of(steps), {});
  const double memory = resident_bytes();
  const double cpu = cpu_seconds();
  const auto began = clock.now();
  controller.start();
  loop.run();
  static_cast<void>(store.close());
  const auto count = static_cast<double>(steps);
  const double wall = std::chrono::duration<double>(clock.now() - began).count();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{:>9} steps {:>9.1f} us CPU a step {:>9.1f} us wall {:>8.0f} bytes resident a step, peak "
      "{} MiB\n",
      steps, (cpu_seconds() - cpu) * 1e6 / count, wall * 1e6 / count,
      (resident_bytes() - memory) / count, usage.ru_maxrss / 1024);
  std::fflush(stdout);
}

int run(const std::filesystem::path& directory, const std::vector<std::size_t>& sizes) {
  for (const std::size_t steps : sizes) {
    // A process of its own: memory that was given back is not given back to the kernel.
    const pid_t child = fork();
    if (child == 0) {
      measure(directory / std::to_string(steps), steps);
      std::fflush(stdout);
      _exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0) {
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace tiphys

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: controller_bench DIRECTORY [STEPS...]\n");
    return 2;
  }
  std::vector<std::size_t> sizes;
  for (int i = 2; i < count; ++i) {
    const std::string_view text = arguments[i];
    std::from_chars(text.data(), text.data() + text.size(), sizes.emplace_back());
  }
  if (sizes.empty()) {
    sizes = {1000, 10'000, 100'000, 1'000'000};
  }
  return tiphys::run(arguments[1], sizes);
}

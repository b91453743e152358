// The engine alone: microseconds of CPU per decision (one pod created and ended) for shapes of
// workflows from 10^2 to 10^6 steps. A decision is what turns one ended pod into the next ones.
#include "workflows/engine/engine.h"
#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kStep =
    R"({"name":"t","inputs":{"parameters":[{"name":"p","value":"x"}]},"container":{"image":"busybox","command":["sh","-c"],"args":["echo {{inputs.parameters.p}} {{workflow.name}} {{pod.name}}"]}})";

doc::Value workflow_of(const std::string& templates) {
  const std::string text =
      R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"name":"bench","namespace":"default","uid":"u","creationTimestamp":"2024-01-02T03:04:05Z"},"spec":{"entrypoint":"main","templates":[)" +
      templates + "," + std::string(kStep) + "]}}";
  return doc::parse_json(text).value();
}

doc::Value fan_out(std::size_t steps) {
  return workflow_of(fmt::format(
      R"({{"name":"main","steps":[[{{"name":"a","template":"t","withSequence":{{"count":"{}"}},"arguments":{{"parameters":[{{"name":"p","value":"{{{{item}}}}"}}]}}}}]]}})",
      steps));
}

/// Layers of a hundred tasks, each task after one of the layer before.
doc::Value layers(std::size_t steps) {
  constexpr std::size_t kWidth = 100;
  std::string tasks;
  for (std::size_t i = 0; i < steps; ++i) {
    const std::string after = i < kWidth
                                  ? ""
                                  : fmt::format(R"(,"depends":"t{} && t{}")", i - kWidth,
                                                (i / kWidth - 1) * kWidth + (i + 1) % kWidth);
    tasks += fmt::format(R"({}{{"name":"t{}","template":"t"{}}})", i == 0 ? "" : ",", i, after);
  }
  return workflow_of(R"({"name":"main","dag":{"tasks":[)" + tasks + "]}}");
}

/// Steps in steps, fifty deep; the innermost loops.
doc::Value nested(std::size_t steps) {
  constexpr int kDepth = 50;
  std::string templates;
  for (int i = 0; i < kDepth; ++i) {
    templates += fmt::format(R"({{"name":"{}","steps":[[{{"name":"n","template":"n{}"}}]]}},)",
                             i == 0 ? std::string("main") : fmt::format("n{}", i), i + 1);
  }
  templates += fmt::format(
      R"({{"name":"n{}","steps":[[{{"name":"a","template":"t","withSequence":{{"count":"{}"}}}}]]}})",
      kDepth, steps);
  return workflow_of(templates);
}

/// A loop of loops, each about as long as the other.
doc::Value loops(std::size_t steps) {
  std::size_t side = 1;
  while (side * side < steps) {
    ++side;
  }
  return workflow_of(fmt::format(
      R"({{"name":"main","dag":{{"tasks":[{{"name":"o","template":"inner","withSequence":{{"count":"{0}"}}}}]}}}},{{"name":"inner","steps":[[{{"name":"i","template":"t","withSequence":{{"count":"{0}"}}}}]]}})",
      side));
}

/// A loop over the results of a loop, in a DAG.
doc::Value loop_after_loop(std::size_t steps) {
  return workflow_of(fmt::format(
      R"({{"name":"main","dag":{{"tasks":[{{"name":"a","template":"t","withSequence":{{"count":"{0}"}}}},{{"name":"b","depends":"a","template":"t","withParam":"{{{{tasks.a.outputs.result}}}}","arguments":{{"parameters":[{{"name":"p","value":"{{{{item}}}}"}}]}}}}]}}}})",
      std::max<std::size_t>(steps / 2, 1)));
}

doc::Value retries(std::size_t steps) {
  return workflow_of(fmt::format(
      R"({{"name":"main","steps":[[{{"name":"a","template":"r","withSequence":{{"count":"{}"}}}}]]}},{{"name":"r","retryStrategy":{{"limit":"3"}},"container":{{"image":"busybox","command":["x"],"args":["{{{{retries}}}}"]}}}})",
      std::max<std::size_t>(steps / 2, 1)));
}

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Resident memory in bytes.
std::size_t resident() {
  std::ifstream in("/proc/self/statm");
  std::size_t total = 0;
  std::size_t pages = 0;
  in >> total >> pages;
  return pages * 4096;
}

struct Figure {
  std::size_t decisions = 0;
  double microseconds = 0;
  double bytes = 0;
};

/// Runs a workflow, at most a thousand pods alive, every first attempt failing if `fail_first`.
Figure measure(const doc::Value& workflow, bool fail_first) {
  static const testing::DocumentReferences kNone;
  EngineConfig config;
  config.maximum_launches = 1000;
  const std::size_t before = resident();
  auto engine = Engine::create(workflow, kNone, config).value();
  std::vector<NodeIndex> live;
  std::vector<NodeIndex> next;
  Figure figure;
  TimePoint now{std::chrono::seconds(1'700'000'000)};
  const double began = cpu_seconds();
  const auto apply = [&](const Event& event) {
    Decisions decisions = engine.apply(event, now).value();
    for (const CreatePod& pod : decisions.create_pods) {
      next.push_back(pod.node);
    }
    return decisions.more;
  };
  bool more = apply(Start{});
  while (!engine.finished()) {
    live.swap(next);
    next.clear();
    now += std::chrono::seconds(1);
    for (const NodeIndex node : live) {
      PodUpdate update;
      update.node = node;
      const bool fails = fail_first && engine.nodes()[node].slot == 0;
      update.phase = fails ? PodPhase::failed : PodPhase::succeeded;
      update.exit_code = fails ? "1" : "0";
      update.result = "7";
      update.message = fails ? "main: Error (exit code 1)" : "";
      ++figure.decisions;
      more = apply(update) || more;
    }
    if (more && !engine.finished()) {
      more = apply(Continue{});
    }
    if (live.empty() && next.empty() && !more) {
      break;
    }
  }
  const double spent = cpu_seconds() - began;
  if (engine.phase() != RunPhase::succeeded) {
    fmt::print(stderr, "the run ended {}: {}\n", name_of(engine.phase()), engine.message());
  }
  figure.microseconds =
      spent * 1e6 / static_cast<double>(std::max<std::size_t>(1, figure.decisions));
  figure.bytes = static_cast<double>(resident() - std::min(before, resident())) /
                 static_cast<double>(std::max<std::size_t>(1, figure.decisions));
  return figure;
}

int run(std::size_t most) {
  struct Shape {
    const char* name;
    doc::Value (*make)(std::size_t);
    bool fail_first;
  };

  const Shape shapes[] = {{"fan-out", fan_out, false},
                          {"layers", layers, false},
                          {"nested", nested, false},
                          {"loops of loops", loops, false},
                          {"loop after loop", loop_after_loop, false},
                          {"retries", retries, true}};
  fmt::print("{:<16} {:>9} {:>12} {:>14}\n", "shape", "steps", "us/decision", "bytes/decision");
  for (const Shape& shape : shapes) {
    for (std::size_t steps = 100; steps <= most; steps *= 10) {
      // A process of its own, or the next run would live in the memory of this one.
      std::fflush(stdout);
      const pid_t child = fork();
      if (child == 0) {
        const Figure figure = measure(shape.make(steps), shape.fail_first);
        fmt::print("{:<16} {:>9} {:>12.2f} {:>14.0f}\n", shape.name, figure.decisions,
                   figure.microseconds, figure.bytes);
        std::fflush(stdout);
        _exit(0);
      }
      waitpid(child, nullptr, 0);
    }
  }
  return 0;
}

}  // namespace
}  // namespace tiphys::workflows

int main(int count, char** arguments) {
  std::size_t most = 1'000'000;
  if (count > 1) {
    const std::string_view text = arguments[1];
    std::from_chars(text.data(), text.data() + text.size(), most);
  }
  return tiphys::workflows::run(most);
}

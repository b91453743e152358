// Simulated worlds by seed: workflow_simulation [--seeds A-B] [--print] [--trace] [--no-shrink].
// Each seed makes a workflow, runs it undisturbed and then with faults, and says what broke. What a
// seed does never depends on anything else. Exit code 1 when anything broke.
#include "doc/yaml.h"
#include "world.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string_view>

namespace tiphys::simulation {
namespace {

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 1000;
  bool print = false;
  bool trace = false;
  bool shrink = true;
};

/// The two lists of choices from which a world follows.
struct Seeds {
  ChoiceList shape;
  ChoiceList faults;
};

struct Verdict {
  std::vector<std::string> broken;
  Story story;
};

Verdict judge(const GeneratedWorkflow& generated, Choices& faults, std::uint64_t salt,
              Tracing tracing) {
  Choices none{ChoiceList{}};
  const Story undisturbed = simulate(generated, none, salt, Tracing::no);
  Verdict out;
  if (!undisturbed.violations.empty()) {
    out.broken = undisturbed.violations;
    out.broken.insert(out.broken.begin(), "without any fault:");
    if (tracing == Tracing::yes) {
      Choices again{ChoiceList{}};
      out.story = simulate(generated, again, salt, tracing);
    }
    return out;
  }
  out.story = simulate(generated, faults, salt, tracing);
  out.broken = differences(generated, undisturbed.ending, out.story);
  return out;
}

Verdict repeat(const Seeds& seeds, std::uint64_t salt, Tracing tracing) {
  Choices shape(seeds.shape);
  const GeneratedWorkflow generated = generate_workflow(shape);
  Choices faults(seeds.faults);
  return judge(generated, faults, salt, tracing);
}

/// The beginning of a violation: shrinking must not wander off to another one.
std::string kind_of(const std::vector<std::string>& broken) {
  const std::string& first = broken.size() > 1 && broken[0].ends_with(':') ? broken[1] : broken[0];
  std::string out;
  for (std::size_t i = 0; i < first.size() && out.size() < 60; ++i) {
    const char c = first[i];
    if (c == '\n') {
      break;
    }
    const bool is_name = c == '.' || c == '[' || c == '(' || (c >= '0' && c <= '9');
    if (!is_name) {
      out += c;
    } else {
      break;
    }
  }
  return out;
}

void print_workflow(const GeneratedWorkflow& generated) {
  for (const doc::Value& document : generated.templates) {
    fmt::print("{}---\n", doc::to_yaml(document));
  }
  fmt::print("{}", doc::to_yaml(generated.workflow));
}

void explain(Seeds seeds, std::uint64_t salt, const std::vector<std::string>& broken,
             const Options& options) {
  for (const std::string& what : broken) {
    fmt::print("  {}\n", what);
  }
  if (!options.shrink) {
    return;
  }
  const std::string kind = kind_of(broken);
  constexpr int kAttempts = 1500;
  const auto still = [&](const Seeds& candidate) {
    const Verdict verdict = repeat(candidate, salt, Tracing::no);
    return !verdict.broken.empty() && kind_of(verdict.broken) == kind;
  };
  seeds.shape = shrink(
      seeds.shape, [&](const ChoiceList& list) { return still({list, seeds.faults}); }, kAttempts);
  seeds.faults = shrink(
      seeds.faults, [&](const ChoiceList& list) { return still({seeds.shape, list}); }, kAttempts);
  const Verdict verdict = repeat(seeds, salt, Tracing::yes);
  fmt::print("  at its simplest:\n");
  Choices shape(seeds.shape);
  print_workflow(generate_workflow(shape));
  for (const std::string& line : verdict.story.trace) {
    fmt::print("  {}\n", line);
  }
  for (const std::string& what : verdict.broken) {
    fmt::print("  {}\n", what);
  }
}

bool run_seed(std::uint64_t seed, const Options& options, Story& totals) {
  Choices shape(seed * 2);
  Choices faults(seed * 2 + 1);
  const GeneratedWorkflow generated = generate_workflow(shape);
  if (options.print) {
    print_workflow(generated);
  }
  const Verdict verdict =
      judge(generated, faults, seed, options.trace ? Tracing::yes : Tracing::no);
  totals.attempts += verdict.story.attempts;
  totals.lives += verdict.story.lives;
  for (const std::string& line : verdict.story.trace) {
    fmt::print("  {}\n", line);
  }
  if (verdict.broken.empty()) {
    return true;
  }
  fmt::print("seed {}:\n", seed);
  explain({shape.drawn(), faults.drawn()}, seed, verdict.broken, options);
  std::fflush(stdout);
  return false;
}

int run(const Options& options) {
  Story totals;
  std::uint64_t failed = 0;
  const std::clock_t began = std::clock();
  for (std::uint64_t seed = options.first; seed <= options.last; ++seed) {
    failed += run_seed(seed, options, totals) ? 0 : 1;
  }
  const double spent = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  const auto count = static_cast<double>(options.last - options.first + 1);
  fmt::print("{} seeds: {} broken; {} lives, {} steps run, {:.2f} ms of CPU a seed\n",
             options.last - options.first + 1, failed, totals.lives, totals.attempts,
             spent * 1000 / count);
  return failed == 0 ? 0 : 1;
}

bool number_of(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse(int count, char** arguments, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--print") {
      options.print = true;
    } else if (argument == "--trace") {
      options.trace = true;
    } else if (argument == "--no-shrink") {
      options.shrink = false;
    } else if (argument == "--seeds" && i + 1 < count) {
      const std::string_view range = arguments[++i];
      const std::size_t hyphen = range.find('-');
      if (!number_of(range.substr(0, hyphen), options.first)) {
        return false;
      }
      options.last = options.first;
      if (hyphen != std::string_view::npos && !number_of(range.substr(hyphen + 1), options.last)) {
        return false;
      }
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace
}  // namespace tiphys::simulation

int main(int count, char** arguments) {
  tiphys::simulation::Options options;
  if (!tiphys::simulation::parse(count, arguments, options)) {
    fmt::print(stderr,
               "usage: workflow_simulation [--seeds A-B] [--print] [--trace] [--no-shrink]\n");
    return 2;
  }
  return tiphys::simulation::run(options);
}

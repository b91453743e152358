#include "workflows/plan/condition.h"

#include <algorithm>
#include <map>

namespace tiphys::workflows {
namespace {

using lang::TaskOutcome;

/// Combinations of outcomes that are tried; a formula over more uncertain tasks `may` hold.
constexpr std::size_t kMaximumCombinations = 1024;

TaskOutcome succeeded() { return {.succeeded = true, .any_succeeded = true}; }

TaskOutcome failed() { return {.failed = true, .all_failed = true}; }

TaskOutcome partly_failed() { return {.failed = true, .any_succeeded = true}; }

TaskOutcome errored() { return {.errored = true}; }

std::vector<TaskOutcome> outcomes_of(const TaskExpectation& expectation) {
  std::vector<TaskOutcome> out;
  if (expectation.can_run) {
    out.push_back(succeeded());
  }
  if (expectation.can_be_skipped) {
    out.push_back({.skipped = true});
  }
  if (expectation.can_be_omitted) {
    out.push_back({.omitted = true});
  }
  return out;
}

using Choice = std::map<std::string, TaskOutcome, std::less<>>;

bool holds(const lang::Depends& depends, const Choice& choice) {
  const auto value = depends.evaluate([&](std::string_view task) {
    const auto found = choice.find(task);
    return found == choice.end() ? TaskOutcome{} : found->second;
  });
  return value && *value;
}

/// Whether the failing of some that can run makes the formula true.
bool holds_after_failure(const lang::Depends& depends, const Choice& nominal,
                         const std::vector<std::string>& can_run) {
  for (const TaskOutcome& outcome : {failed(), partly_failed(), errored()}) {
    Choice all = nominal;
    for (const std::string& name : can_run) {
      all[name] = outcome;
      Choice one = nominal;
      one[name] = outcome;
      if (holds(depends, one)) {
        return true;
      }
    }
    if (!can_run.empty() && holds(depends, all)) {
      return true;
    }
  }
  return false;
}

}  // namespace

Result<Certainty> decide(std::string_view when) {
  if (when.empty()) {
    return Certainty::will;
  }
  if (when.contains("{{")) {
    return Certainty::may;
  }
  TRY(const bool proceed, should_execute(when));
  return proceed ? Certainty::will : Certainty::never;
}

Certainty expect(const lang::Depends& depends,
                 const std::function<TaskExpectation(std::string_view task)>& expectation_of) {
  const std::vector<std::string>& names = depends.dependencies();
  std::vector<std::vector<TaskOutcome>> outcomes;
  std::vector<std::string> can_run;
  Choice nominal;
  std::size_t combinations = 1;
  for (const std::string& name : names) {
    const TaskExpectation expectation = expectation_of(name);
    outcomes.push_back(outcomes_of(expectation));
    if (expectation.can_run) {
      can_run.push_back(name);
    }
    nominal[name] = outcomes.back().empty() ? TaskOutcome{} : outcomes.back().front();
    combinations *= std::max<std::size_t>(outcomes.back().size(), 1);
    if (combinations > kMaximumCombinations) {
      return Certainty::may;
    }
  }
  std::size_t held = 0;
  for (std::size_t number = 0; number < combinations; ++number) {
    Choice choice;
    std::size_t rest = number;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::size_t count = std::max<std::size_t>(outcomes[i].size(), 1);
      choice[names[i]] = outcomes[i].empty() ? TaskOutcome{} : outcomes[i][rest % count];
      rest /= count;
    }
    held += holds(depends, choice) ? 1 : 0;
  }
  if (held == combinations) {
    return Certainty::will;
  }
  return held > 0 || holds_after_failure(depends, nominal, can_run) ? Certainty::may
                                                                    : Certainty::never;
}

Result<std::vector<std::uint32_t>> task_order(const CompiledTemplate& dag,
                                              std::string_view target) {
  std::vector<char> wanted(dag.calls.size(), target.empty() ? 1 : 0);
  std::vector<std::uint32_t> open;
  for (std::size_t begin = 0; begin < target.size();) {
    const std::size_t end = std::min(target.find(' ', begin), target.size());
    const std::string name(target.substr(begin, end - begin));
    begin = end + 1;
    const auto found = dag.numbers.find(name);
    if (found == dag.numbers.end()) {
      return fail(ErrorCode::bad_request, "target " + name + " does not exist");
    }
    open.push_back(found->second);
  }
  while (!open.empty()) {
    const std::uint32_t number = open.back();
    open.pop_back();
    if (wanted[number] == 0) {
      wanted[number] = 1;
      open.insert(open.end(), dag.calls[number].dependencies.begin(),
                  dag.calls[number].dependencies.end());
    }
  }
  std::vector<std::size_t> missing(dag.calls.size(), 0);
  std::vector<std::uint32_t> ready;
  for (std::uint32_t number = 0; number < dag.calls.size(); ++number) {
    missing[number] = dag.calls[number].dependencies.size();
    if (missing[number] == 0) {
      ready.push_back(number);
    }
  }
  std::vector<std::uint32_t> out;
  std::ranges::make_heap(ready, std::greater<>());
  while (!ready.empty()) {
    std::ranges::pop_heap(ready, std::greater<>());
    const std::uint32_t number = ready.back();
    ready.pop_back();
    if (wanted[number] != 0) {
      out.push_back(number);
    }
    for (const std::uint32_t dependant : dag.calls[number].dependants) {
      if (--missing[dependant] == 0) {
        ready.push_back(dependant);
        std::ranges::push_heap(ready, std::greater<>());
      }
    }
  }
  return out;
}

}  // namespace tiphys::workflows

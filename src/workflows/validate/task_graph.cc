#include "workflows/validate/task_graph.h"

#include <algorithm>

namespace tiphys::workflows {
namespace {

constexpr std::size_t kBatch = 64;

Result<lang::Depends> read_depends(const Call& task) {
  // Bare names of no task are told by their sorting, like all others.
  const lang::ContinueOnOf any = [](std::string_view) { return lang::ContinueOn{}; };
  return task.depends.empty() ? lang::Depends::all_of(task.dependencies, any)
                              : lang::Depends::parse(task.depends, any);
}

/// Where a task names a dependency.
std::string suffix_of(const Call& task, std::string_view dependency) {
  if (!task.depends.empty()) {
    return ".depends";
  }
  const auto place = std::ranges::find(task.dependencies, dependency);
  return place == task.dependencies.end()
             ? ".dependencies"
             : ".dependencies[" + std::to_string(place - task.dependencies.begin()) + "]";
}

}  // namespace

Result<TaskGraph> TaskGraph::read(const std::vector<Call>& tasks, const Place& place) {
  TaskGraph graph;
  TRY_VOID(graph.link(tasks, place));
  TRY_VOID(graph.sort(tasks, place));
  return graph;
}

Result<> TaskGraph::link(const std::vector<Call>& tasks, const Place& place) {
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!by_name_.emplace(tasks[i].name, i).second) {
      return fail_at(place.element("", i), ".name", "duplicated nodeName " + tasks[i].name);
    }
  }
  dependencies_.resize(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    auto depends = read_depends(tasks[i]);
    if (!depends) {
      return moved_to(place.element("", i), ".depends", std::move(depends).error());
    }
    for (const std::string& name : depends->dependencies()) {
      const std::size_t index = find(name);
      if (index == tasks.size()) {
        return fail_at(place.element("", i), suffix_of(tasks[i], name),
                       "invalid dependency " + name);
      }
      dependencies_[i].push_back(static_cast<std::uint32_t>(index));
    }
    depends_.push_back(std::move(*depends));
  }
  return {};
}

Result<> TaskGraph::sort(const std::vector<Call>& tasks, const Place& place) {
  std::vector<std::vector<std::uint32_t>> next(tasks.size());
  std::vector<std::size_t> waits_for(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    waits_for[i] = dependencies_[i].size();
    for (const std::uint32_t dependency : dependencies_[i]) {
      next[dependency].push_back(static_cast<std::uint32_t>(i));
    }
    if (waits_for[i] == 0) {
      order_.push_back(i);
    }
  }
  for (std::size_t head = 0; head < order_.size(); ++head) {
    for (const std::uint32_t successor : next[order_[head]]) {
      if (--waits_for[successor] == 0) {
        order_.push_back(successor);
      }
    }
  }
  if (order_.size() < tasks.size()) {
    const std::size_t task = any_in_cycle(waits_for);
    return fail_at(place.element("", task),
                   tasks[task].depends.empty() ? ".dependencies" : ".depends", "graph with cycle");
  }
  return {};
}

/// Of the tasks that still wait, going back and back ends in a cycle.
std::size_t TaskGraph::any_in_cycle(const std::vector<std::size_t>& waits_for) const {
  const auto waits = [&](std::size_t task) { return waits_for[task] > 0; };
  std::size_t task = 0;
  while (!waits(task)) {
    ++task;
  }
  std::vector<bool> seen(waits_for.size());
  while (!seen[task]) {
    seen[task] = true;
    task = *std::ranges::find_if(dependencies_[task], waits);
  }
  return task;
}

std::size_t TaskGraph::find(std::string_view name) const {
  const auto place = by_name_.find(name);
  return place == by_name_.end() ? dependencies_.size() : place->second;
}

void TaskGraph::expect(std::size_t task, std::string_view name) {
  const std::size_t ancestor = find(name);
  if (ancestor == dependencies_.size()) {
    return;
  }
  if (std::ranges::find(dependencies_[task], ancestor) != dependencies_[task].end()) {
    ancestry_.insert(pair(task, ancestor));
  } else {
    questions_[static_cast<std::uint32_t>(ancestor)].push_back(static_cast<std::uint32_t>(task));
  }
}

void TaskGraph::answer() {
  std::vector<std::uint32_t> ancestors;
  for (const auto& [ancestor, tasks] : questions_) {
    ancestors.push_back(ancestor);
  }
  for (std::size_t first = 0; first < ancestors.size(); first += kBatch) {
    answer_some(ancestors, first);
  }
  questions_.clear();
}

void TaskGraph::answer_some(const std::vector<std::uint32_t>& ancestors, std::size_t first) {
  std::vector<std::uint64_t> start(order_.size());
  const std::size_t end = std::min(first + kBatch, ancestors.size());
  for (std::size_t i = first; i < end; ++i) {
    start[ancestors[i]] |= std::uint64_t{1} << (i - first);
  }
  // A bit for each of the ancestors that a task waits for.
  std::vector<std::uint64_t> reached(order_.size());
  for (const std::size_t task : order_) {
    for (const std::uint32_t dependency : dependencies_[task]) {
      reached[task] |= reached[dependency] | start[dependency];
    }
  }
  for (std::size_t i = first; i < end; ++i) {
    for (const std::uint32_t task : questions_[ancestors[i]]) {
      if ((reached[task] >> (i - first) & 1U) != 0) {
        ancestry_.insert(pair(task, ancestors[i]));
      }
    }
  }
}

bool TaskGraph::is_ancestor(std::size_t task, std::string_view name) const {
  const std::size_t ancestor = find(name);
  return ancestor != dependencies_.size() && ancestry_.contains(pair(task, ancestor));
}

}  // namespace tiphys::workflows

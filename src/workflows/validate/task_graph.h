#pragma once
/// The tasks of a DAG and what they wait for. Private to the module.
/// Source: Argo Workflows v4.1.2 util/sorting, workflow/common/ancestry.go.

#include "lang/depends/depends.h"
#include "workflows/model/model.h"
#include "workflows/validate/place.h"

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace tiphys::workflows {

class TaskGraph {
 public:
  /// `place` is that of the list of tasks. Errors as upstream's sorting words them: `duplicated
  /// nodeName a`, `invalid dependency b`, `graph with cycle`.
  static Result<TaskGraph> read(const std::vector<Call>& tasks, const Place& place);

  /// Indices of the tasks; each stands behind all it waits for.
  const std::vector<std::size_t>& order() const { return order_; }

  /// Index of a task, or the number of tasks.
  std::size_t find(std::string_view name) const;

  const lang::Depends& depends(std::size_t task) const { return depends_[task]; }

  const std::vector<std::uint32_t>& dependencies(std::size_t task) const {
    return dependencies_[task];
  }

  /// Notes that `is_ancestor(task, name)` will be asked.
  void expect(std::size_t task, std::string_view name);
  /// Answers all that was noted, 64 ancestors a pass over the graph.
  void answer();
  /// Whether `task` waits for the task `name`, directly or not. Must have been noted.
  bool is_ancestor(std::size_t task, std::string_view name) const;

 private:
  Result<> sort(const std::vector<Call>& tasks, const Place& place);
  Result<> link(const std::vector<Call>& tasks, const Place& place);
  std::size_t any_in_cycle(const std::vector<std::size_t>& waits_for) const;
  void answer_some(const std::vector<std::uint32_t>& ancestors, std::size_t first);

  static std::uint64_t pair(std::size_t task, std::size_t ancestor) {
    return (std::uint64_t{task} << 32U) | ancestor;
  }

  std::unordered_map<std::string_view, std::size_t> by_name_;
  std::vector<lang::Depends> depends_;
  std::vector<std::vector<std::uint32_t>> dependencies_;
  std::vector<std::size_t> order_;
  /// By ancestor: the tasks that ask.
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> questions_;
  std::unordered_set<std::uint64_t> ancestry_;
};

}  // namespace tiphys::workflows

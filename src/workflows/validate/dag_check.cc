#include "workflows/validate/names.h"
#include "workflows/validate/task_graph.h"
#include "workflows/validate/workflow_check.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

/// The task that a text names behind "tasks.", up to the next dot.
std::string_view task_named(std::string_view text) { return text.substr(0, text.find('.')); }

constexpr std::string_view kTaskTag = "{{tasks.";

}  // namespace

/// The tasks of one template: a pass over their templates, then one over their tags.
class WorkflowCheck::Dag {
 public:
  Dag(WorkflowCheck& check, const Frame& frame)
      : check_(check),
        frame_(frame),
        tasks_(frame.filled.dag->tasks),
        place_(frame.place.below(".dag.tasks")),
        prefix_("templates." + frame.filled.name) {}

  Result<> run() {
    auto graph = TaskGraph::read(tasks_, place_);
    if (!graph) {
      return behind(prefix_ + " sorting failed: ", std::move(graph).error());
    }
    graph_ = std::move(*graph);
    TRY_VOID(check_task_names());
    uses_depends_ =
        std::ranges::any_of(tasks_, [](const Call& task) { return !task.depends.empty(); });
    called_.resize(tasks_.size());
    for (const std::size_t task : graph_.order()) {
      TRY_VOID(check_called(task));
    }
    TRY_VOID(check_targets());
    for (const std::size_t task : graph_.order()) {
      expect_ancestors(task);
    }
    graph_.answer();
    for (const std::size_t task : graph_.order()) {
      TRY_VOID(check_task(task));
    }
    return {};
  }

 private:
  std::string name_of(std::size_t task) const { return prefix_ + ".tasks." + tasks_[task].name; }

  Place place_of(std::size_t task) const { return place_.element("", task); }

  /// In sorted order, as upstream counts them.
  Result<> check_task_names() {
    NameList names(NameRule::field);
    for (const std::size_t task : graph_.order()) {
      if (std::string problem = names.add(tasks_[task].name); !problem.empty()) {
        return fail_at(place_of(task), ".name", prefix_ + ".tasks" + problem);
      }
    }
    return {};
  }

  Result<> check_style(std::size_t index) const {
    const Call& task = tasks_[index];
    const Place place = place_of(index);
    const bool starts_with_digit = task.name.front() >= '0' && task.name.front() <= '9';
    if ((uses_depends_ || !task.dependencies.empty()) && starts_with_digit) {
      return fail_at(place, ".name",
                     name_of(index) +
                         " name cannot begin with a digit when using either 'depends' or "
                         "'dependencies'");
    }
    if (uses_depends_ && !task.dependencies.empty()) {
      return fail_at(
          place, ".dependencies",
          prefix_ + " cannot use both 'depends' and 'dependencies' in the same DAG template");
    }
    if (uses_depends_ && task.continue_on) {
      return fail_at(place, ".continueOn",
                     prefix_ +
                         " cannot use 'continueOn' when using 'depends'. Instead use "
                         "'dep-task.Failed'/'dep-task.Errored'");
    }
    return {};
  }

  Result<> check_called(std::size_t index) {
    TRY_VOID(check_style(index));
    const Call& task = tasks_[index];
    const Place place = place_of(index);
    auto resolved = check_.check_call(Caller::of(task, place), {}, frame_.base);
    if (!resolved) {
      return behind(name_of(index) + " ", std::move(resolved).error());
    }
    called_[index] = resolved->called;
    check_.add_outputs(resolved->called, "tasks", task.name, frame_.names, is_aggregate(task));
    if (auto results = lang::check_task_results(task.depends); !results) {
      return fail_at(place, ".depends", name_of(index) + " " + results.error().message);
    }
    for (const std::uint32_t dependency : graph_.dependencies(index)) {
      const Call& other = tasks_[dependency];
      const bool has_items = is_aggregate(other) || other.with_sequence;
      if (graph_.depends(index).wants_members_of(other.name) && !has_items) {
        // Upstream names the dependency here, not the task.
        return fail_at(place, ".depends",
                       name_of(dependency) + " dependency '" + other.name +
                           "' uses an items-based condition such as .AnySucceeded or .AllFailed "
                           "but does not contain any items");
      }
    }
    return {};
  }

  Result<> check_targets() {
    const std::string& targets = frame_.filled.dag->target;
    const Place place = frame_.place.below(".dag.target");
    if (targets.empty()) {
      return {};
    }
    if (auto tags = check_.check_tags_of(frame_.names, doc::Value(targets), place); !tags) {
      return behind(prefix_ + ".targets ", std::move(tags).error());
    }
    std::string_view rest = targets;
    while (true) {
      const std::string_view target = rest.substr(0, rest.find(' '));
      if (!holds_parameter_tag(target) && graph_.find(target) == tasks_.size()) {
        return fail_at(place, "",
                       prefix_ + ".targets: target '" + std::string(target) + "' is not defined");
      }
      if (target.size() == rest.size()) {
        return {};
      }
      rest.remove_prefix(target.size() + 1);
    }
  }

  /// Every task that the text of this one may mean to wait for.
  void expect_ancestors(std::size_t task) {
    constexpr std::string_view kTasks = "tasks.";
    const std::string text = doc::to_json(tasks_[task].document);
    for (std::size_t at = text.find(kTasks); at != std::string::npos; at = text.find(kTasks, at)) {
      at += kTasks.size();
      graph_.expect(task, task_named(std::string_view(text).substr(at)));
    }
  }

  Result<> check_task(std::size_t index) {
    const Call& task = tasks_[index];
    const Place place = place_of(index);
    const std::string prefix = name_of(index) + " ";
    if (doc::find(task.document, "hooks") != nullptr) {
      frame_.names.add("tasks." + task.name + ".status");
    }
    TagNames names(&frame_.names);
    if (task.inline_template != nullptr) {
      for (const Parameter& parameter : task.inline_template->inputs.parameters) {
        names.add("inputs.parameters." + parameter.name);
      }
    }
    if (auto items = add_items(task, names); !items) {
      return fail_at(place, items_suffix(task), prefix + items.error().message);
    }
    const auto is_status_of_ancestor = [&](std::string_view tag) {
      return tag.starts_with("tasks.") && tag.ends_with(".status") &&
             has_status(index, tag.substr(6, tag.size() - std::min<std::size_t>(tag.size(), 13)));
    };
    if (auto tags = check_.check_tags_of(names, task.document, place, is_status_of_ancestor);
        !tags) {
      return behind(prefix, std::move(tags).error());
    }
    const Place arguments = place.below(".arguments");
    TRY_VOID(check_arguments(name_of(index) + ".arguments.", task.arguments, arguments, false));
    TRY_VOID(check_argument_dependencies(index, arguments));
    auto resolved = check_.check_call(
        Caller::of(task, place), {&task.arguments, find_in(task.document, "arguments"), arguments},
        frame_.base);
    if (!resolved) {
      return behind(prefix, std::move(resolved).error());
    }
    return {};
  }

  bool has_status(std::size_t task, std::string_view name) const {
    return graph_.is_ancestor(task, name) && called_[graph_.find(name)] != nullptr;
  }

  Result<> check_reference(std::size_t task, std::string_view text, const std::string& what,
                           const Place& place) const {
    if (!text.starts_with(kTaskTag)) {
      return {};
    }
    const std::string_view name = task_named(text.substr(kTaskTag.size()));
    if (graph_.is_ancestor(task, name)) {
      return {};
    }
    return fail_at(place, "",
                   name_of(task) + " missing dependency '" + std::string(name) + "' for " + what);
  }

  Result<> check_argument_dependencies(std::size_t index, const Place& place) const {
    const Arguments& arguments = tasks_[index].arguments;
    for (std::size_t i = 0; i < arguments.parameters.size(); ++i) {
      const Parameter& parameter = arguments.parameters[i];
      TRY_VOID(check_reference(index, parameter.value.value_or(""),
                               "parameter '" + parameter.name + "'",
                               place.element(".parameters", i).below(".value")));
    }
    for (std::size_t i = 0; i < arguments.artifacts.size(); ++i) {
      const Artifact& artifact = arguments.artifacts[i];
      TRY_VOID(check_reference(index, artifact.from, "artifact '" + artifact.name + "'",
                               place.element(".artifacts", i).below(".from")));
    }
    return {};
  }

  WorkflowCheck& check_;
  const Frame& frame_;
  const std::vector<Call>& tasks_;
  Place place_;
  std::string prefix_;
  TaskGraph graph_;
  bool uses_depends_ = false;
  /// The tasks' templates, null where they are known only when the workflow runs.
  std::vector<const Template*> called_;
};

Result<> WorkflowCheck::check_dag(const Frame& frame) {
  const std::string prefix = "templates." + frame.filled.name;
  if (frame.filled.active_deadline_seconds) {
    return fail_at(frame.place, ".activeDeadlineSeconds",
                   prefix + ".activeDeadlineSeconds is only valid for leaf templates");
  }
  if (frame.filled.dag->tasks.empty()) {
    return fail_at(frame.place, ".dag.tasks", prefix + " must have at least one task");
  }
  return Dag(*this, frame).run();
}

}  // namespace tiphys::workflows

// Table depends.

#include "doc/yaml.h"
#include "lang/depends/depends.h"
#include "reader.h"
#include "workflows/validate/validate.h"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace tiphys::table {
namespace {

using namespace lang;

using Tasks = std::map<std::string, doc::Value, std::less<>>;

std::vector<std::string> names_at(const doc::Value& task, std::string_view key) {
  std::vector<std::string> names;
  if (const doc::Value* list = doc::find(task, key)) {
    for (const doc::Value& name : list->as_array()) {
      names.emplace_back(doc::text_of(name.as_string()));
    }
  }
  return names;
}

doc::Array texts(const std::vector<std::string>& list) {
  doc::Array out;
  for (const std::string& text : list) {
    out.push_back(text_value(text));
  }
  return out;
}

Result<Depends> depends_of(const doc::Value& task, const Tasks& tasks) {
  const auto policy = [&tasks](std::string_view name) -> std::optional<ContinueOn> {
    const auto place = tasks.find(name);
    if (place == tasks.end()) {
      return std::nullopt;
    }
    const doc::Value* continue_on = doc::find(place->second, "continueOn");
    return continue_on == nullptr ? ContinueOn{}
                                  : ContinueOn{.error = flag_at(*continue_on, "error"),
                                               .failed = flag_at(*continue_on, "failed")};
  };
  const std::string depends = text_at(task, "depends");
  return depends.empty() ? Depends::all_of(names_at(task, "dependencies"), policy)
                         : Depends::parse(depends, policy);
}

Outcome expand_case(const doc::Value& in) {
  Tasks tasks;
  for (const doc::Value& task : doc::find(in, "tasks")->as_array()) {
    tasks.emplace(text_at(task, "name"), task);
  }
  std::set<std::string> roots;
  std::set<std::string> wanted;
  doc::Object out;
  for (const auto& [name, task] : tasks) {
    const auto depends = depends_of(task, tasks);
    if (!depends) {
      return failed(depends.error());
    }
    roots.insert(name);
    wanted.insert(depends->dependencies().begin(), depends->dependencies().end());
    if (name == text_at(in, "task")) {
      out["dependencies"] = texts(depends->dependencies());
      out["logic"] = text_value(depends->logic());
    }
  }
  std::vector<std::string> free;
  std::ranges::set_difference(roots, wanted, std::back_inserter(free));
  out["roots"] = texts(free);
  return out;
}

bool is_fulfilled(const doc::Value& node) {
  const std::string phase = text_at(node, "phase");
  const doc::Value* synced = doc::find(node, "taskResultSynced");
  const bool is_synced = synced == nullptr || !synced->is_bool() || synced->get_bool();
  const bool is_done = phase == "Succeeded" || phase == "Failed" || phase == "Error" ||
                       phase == "Skipped" || phase == "Omitted";
  return (is_done && is_synced) || (flag_at(node, "daemoned") && phase != "Pending");
}

TaskOutcome outcome_of(const doc::Value& node) {
  const std::string phase = text_at(node, "phase");
  TaskOutcome outcome{.succeeded = phase == "Succeeded",
                      .failed = phase == "Failed",
                      .errored = phase == "Error",
                      .skipped = phase == "Skipped",
                      .omitted = phase == "Omitted",
                      .daemoned = flag_at(node, "daemoned") && phase != "Pending"};
  if (text_at(node, "type") == "TaskGroup") {
    const auto children = names_at(node, "children");
    outcome.all_failed =
        !children.empty() &&
        std::ranges::all_of(children, [](const std::string& child) { return child == "Failed"; });
    outcome.any_succeeded = std::ranges::find(children, "Succeeded") != children.end();
  }
  return outcome;
}

Outcome evaluate_case(const doc::Value& in) {
  Tasks tasks;
  for (const char* name : {"a", "b", "c", "a-b", "t"}) {
    tasks.emplace(name, doc::Object{});
  }
  if (const doc::Value* policy = doc::find(in, "continueOnOfA")) {
    tasks["a"] = doc::Object{{"continueOn", *policy}};
  }
  const auto depends = depends_of(in, tasks);
  if (!depends) {
    return failed(depends.error());
  }
  const doc::Value nothing = doc::Object{};
  const doc::Value* given = doc::find(in, "nodes");
  const doc::Value& nodes = given == nullptr ? nothing : *given;
  doc::Object out{{"execute", false}, {"logic", text_value(depends->logic())}, {"proceed", false}};
  if (doc::find(nodes, "t") != nullptr) {
    out["execute"] = out["proceed"] = true;
    return out;
  }
  for (const std::string& name : depends->dependencies()) {
    const doc::Value* node = doc::find(nodes, name);
    if (node == nullptr || !is_fulfilled(*node)) {
      return out;
    }
  }
  const auto executes = depends->evaluate(
      [&nodes](std::string_view name) { return outcome_of(*doc::find(nodes, name)); });
  if (!executes) {
    return failed(executes.error());
  }
  out["execute"] = *executes;
  out["proceed"] = true;
  return out;
}

/// The table's decoder knew that tasks hold texts: `y` stands there for the text "true".
void booleans_to_texts(doc::Value& value) {
  if (value.is_bool()) {
    value = value.get_bool() ? "true" : "false";
  } else if (value.is_array()) {
    for (doc::Value& element : value.get_array()) {
      booleans_to_texts(element);
    }
  } else if (value.is_object()) {
    for (auto& [name, member] : value.get_object()) {
      booleans_to_texts(member);
    }
  }
}

void make_texts(doc::Value& workflow) {
  doc::Value& dag = workflow.at("spec").at("templates").at(2).at("dag");
  doc::Value* tasks = dag.is_object() ? dag.get_object().if_contains("tasks") : nullptr;
  if (tasks == nullptr || !tasks->is_array()) {
    return;
  }
  for (doc::Value& task : tasks->get_array()) {
    for (const char* member : {"name", "template", "depends", "dependencies", "inline"}) {
      doc::Value* value = task.is_object() ? task.get_object().if_contains(member) : nullptr;
      if (value != nullptr) {
        booleans_to_texts(*value);
      }
    }
  }
}

/// The DAG inside template main of a Workflow that also has the templates `t` (no inputs) and `p`
/// (input q, output o).
Outcome validate_case(const doc::Value& in) {
  std::string text =
      "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: wf}\nspec:\n"
      "  entrypoint: main\n  templates:\n"
      "  - {name: t, container: {image: x, command: [c]}}\n"
      "  - name: p\n    inputs: {parameters: [{name: q}]}\n"
      "    outputs: {parameters: [{name: o, valueFrom: {path: /o}}]}\n"
      "    container: {image: x, command: [c]}\n"
      "  - name: main\n    dag:\n      ";
  for (const char c : text_at(in, "dag")) {
    text += c;
    text += c == '\n' ? "      " : "";
  }
  auto document = doc::parse_yaml(text);
  if (!document) {
    return failed(document.error());
  }
  make_texts(document->value);
  const std::vector<workflows::Candidate> candidates{{&document->value, &document->positions}};
  workflows::ValidateOptions options;
  options.strict = false;
  options.submitting = true;
  for (const workflows::Finding& finding : workflows::validate(candidates, options)) {
    if (finding.severity == workflows::Severity::error) {
      return failed(Error{ErrorCode::invalid, finding.message, {}});
    }
  }
  return text_value("valid");
}

}  // namespace

Outcome read_depends(const Case& one) {
  const std::string op = text_at(one.in, "op");
  if (op == "expand") {
    return expand_case(one.in);
  }
  if (op == "evaluate") {
    return evaluate_case(one.in);
  }
  if (op == "validate") {
    return validate_case(one.in);
  }
  return std::unexpected("no reader for op " + op);
}

}  // namespace tiphys::table

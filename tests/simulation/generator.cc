#include "generator.h"

#include <boost/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

namespace tiphys::simulation {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

/// Pods a run may have, attempts of retries not counted.
constexpr int kMostPods = 24;

/// Where a template is defined. It can call those of its own object and of later ones.
enum class Home : std::uint8_t { workflow, library, cluster };

enum class ResultKind : std::uint8_t { none, number, list };

/// A template that can be called.
struct Made {
  std::string name;
  Home home = Home::workflow;
  int pods = 1;
  std::vector<std::string> inputs;  ///< without defaults
  bool has_output = false;          ///< outputs.parameters.o
  ResultKind result = ResultKind::none;
};

/// A call that later calls of the same template can refer to.
struct Earlier {
  std::string name;
  const Made* target = nullptr;
  bool loops = false;
};

std::string tag(const std::string& inner) { return "{{" + inner + "}}"; }

/// What the arguments of a call may be made of.
struct Surroundings {
  bool is_dag = false;
  std::vector<std::string> inputs;
  std::vector<Earlier> earlier;
  enum class Item : std::uint8_t { none, scalar, map } item = Item::none;

  std::string prefix() const { return is_dag ? "tasks." : "steps."; }
};

class Generator {
 public:
  explicit Generator(Choices& choices) : choices_(choices) {}

  GeneratedWorkflow run();

 private:
  Value leaf_template(Made& made);
  Value suspend_template(Made& made);
  Value composite_template(Made& made);
  Value recursive_template(Made& made);
  void fill_steps(Object& out, Made& made, Surroundings& around);
  void fill_dag(Object& out, Made& made, Surroundings& around);
  Value call(const std::string& name, Made& made, Surroundings& around);
  void set_target(Object& out, const Made& target, Home home);
  int set_loop(Object& out, Surroundings& around, int most);
  Value arguments(const Made& target, const Surroundings& around);
  std::string argument(const Surroundings& around);
  std::string reference(const Surroundings& around);
  std::optional<std::string> condition(const Surroundings& around);
  void set_hook(Object& out, Home home, const Surroundings& around, const std::string& self);
  Value retry_strategy();
  Array script_lines(Made& made, const std::vector<std::string>& inputs);
  void set_inputs(Object& out, Made& made, std::vector<std::string>& names);
  void set_composite_outputs(Object& out, Made& made, const Surroundings& around);
  const Made* callee(Home home, int most);
  std::string depends(const std::vector<Earlier>& earlier);
  Object workflow_spec(const Made& entry);

  Choices& choices_;
  std::vector<std::unique_ptr<Made>> made_;
  std::vector<std::unique_ptr<Made>> inlined_;
  Array templates_[3];
  std::uint32_t fail_percent_ = 0;
  bool depends_on_timing_ = false;
  bool has_parallelism_ = false;
};

Value Generator::retry_strategy() {
  Object out;
  out["limit"] = std::to_string(choices_.below(4));
  static const std::vector<std::string> kPolicies = {"Always", "OnFailure", "OnError",
                                                     "OnTransientError"};
  if (choices_.chance(60)) {
    out["retryPolicy"] = choices_.among(kPolicies);
  }
  if (choices_.chance(50)) {
    Object backoff;
    backoff["duration"] = std::to_string(1 + choices_.below(5));
    if (choices_.chance(50)) {
      backoff["factor"] = choices_.below(2) == 0 ? Value(2) : Value("3");
    }
    if (choices_.chance(30)) {
      backoff["cap"] = "5s";
    }
    out["backoff"] = std::move(backoff);
  }
  if (choices_.chance(20)) {
    out["expression"] =
        choices_.below(2) == 0 ? "asInt(lastRetry.exitCode) != 2" : "lastRetry.status == 'Failed'";
  }
  return out;
}

/// Inputs "p" and perhaps "q"; some have a default.
void Generator::set_inputs(Object& out, Made& made, std::vector<std::string>& names) {
  Array parameters;
  static const std::vector<std::string> kNames = {"p", "q"};
  const std::uint32_t count = choices_.below(3);
  for (std::uint32_t i = 0; i < count; ++i) {
    Object parameter{{"name", kNames[i]}};
    if (choices_.chance(30)) {
      parameter[choices_.below(2) == 0 ? "default" : "value"] = "d" + kNames[i];
    } else {
      made.inputs.push_back(kNames[i]);
    }
    names.push_back(kNames[i]);
    parameters.push_back(std::move(parameter));
  }
  if (!parameters.empty()) {
    out["inputs"] = Object{{"parameters", std::move(parameters)}};
  }
}

Array Generator::script_lines(Made& made, const std::vector<std::string>& inputs) {
  Array lines;
  lines.emplace_back("seconds=" + std::to_string(choices_.below(3) * 10));
  if (fail_percent_ != 0 && choices_.chance(50)) {
    lines.emplace_back("fail=" + std::to_string(fail_percent_));
  }
  if (made.result != ResultKind::none) {
    lines.emplace_back(made.result == ResultKind::list ? "result=list" : "result=int");
  }
  if (made.has_output) {
    lines.emplace_back("param:o=" + (inputs.empty() ? std::string("x")
                                                    : tag("inputs.parameters." + inputs.back())));
  }
  return lines;
}

Value Generator::leaf_template(Made& made) {
  Object out{{"name", made.name}};
  std::vector<std::string> inputs;
  set_inputs(out, made, inputs);
  made.result = static_cast<ResultKind>(choices_.below(3));
  made.has_output = choices_.chance(50);
  Array lines = script_lines(made, inputs);
  if (made.has_output) {
    Object from{{"path", "/tmp/o"}};
    if (choices_.chance(30)) {
      from["default"] = "od";
    }
    out["outputs"] =
        Object{{"parameters", Array{Object{{"name", "o"}, {"valueFrom", std::move(from)}}}}};
  }
  if (choices_.chance(5)) {
    // Surely too slow: the step fails with and without faults.
    depends_on_timing_ = true;
    lines.emplace_back("seconds=90000");
    if (choices_.below(2) == 0) {
      out["activeDeadlineSeconds"] = 5;
    } else {
      out["timeout"] = "30s";
    }
  }
  if (choices_.below(2) == 0) {
    out["container"] =
        Object{{"image", "sim"}, {"command", Array{"step"}}, {"args", std::move(lines)}};
  } else {
    std::string source;
    for (const Value& line : lines) {
      source += std::string(doc::text_of(line.get_string())) + "\n";
    }
    out["script"] = Object{{"image", "sim"}, {"command", Array{"step"}}, {"source", source}};
  }
  if (choices_.chance(30)) {
    out["retryStrategy"] = retry_strategy();
  }
  return out;
}

Value Generator::suspend_template(Made& made) {
  made.pods = 0;
  Object out{{"name", made.name}};
  out["suspend"] = Object{{"duration", std::to_string(1 + choices_.below(40))}};
  if (choices_.chance(40)) {
    made.has_output = true;
    out["outputs"] =
        Object{{"parameters",
                Array{Object{{"name", "o"},
                             {"valueFrom", Object{{"supplied", Object{}}, {"default", "sd"}}}}}}};
  }
  return out;
}

/// A template that may be called from `home`, with at most so many pods.
const Made* Generator::callee(Home home, int most) {
  std::vector<const Made*> fitting;
  for (const auto& made : made_) {
    if (made->home >= home && made->pods <= most) {
      fitting.push_back(made.get());
    }
  }
  return fitting.empty() ? nullptr : choices_.among(fitting);
}

void Generator::set_target(Object& out, const Made& target, Home home) {
  if (target.home == home) {
    out["template"] = target.name;
    return;
  }
  Object reference{{"name", target.home == Home::library ? "library" : "shelf"},
                   {"template", target.name}};
  if (target.home == Home::cluster) {
    reference["clusterScope"] = true;
  }
  out["templateRef"] = std::move(reference);
}

/// Makes the call a loop; gives how many elements it has at most.
int Generator::set_loop(Object& out, Surroundings& around, int most) {
  const int count =
      1 + static_cast<int>(choices_.below(static_cast<std::uint32_t>(std::clamp(most, 1, 5))));
  around.item = Surroundings::Item::scalar;
  switch (choices_.below(7)) {
    case 0: {
      Array items;
      for (int i = 0; i < count; ++i) {
        items.emplace_back(i);
      }
      out["withItems"] = std::move(items);
      return count;
    }
    case 1: {
      Array items;
      for (int i = 0; i < count; ++i) {
        items.emplace_back(Object{{"k", "k" + std::to_string(i)}, {"v", i}});
      }
      out["withItems"] = std::move(items);
      around.item = Surroundings::Item::map;
      return count;
    }
    case 2:
      out["withSequence"] = Object{{"count", std::to_string(count)}};
      return count;
    case 3:
      out["withSequence"] =
          Object{{"start", "3"}, {"end", std::to_string(2 + count)}, {"format", "n%02d"}};
      return count;
    case 4:
      out["withParam"] = "[\"a\", \"b c\"]";
      return 2;
    case 5:
      out["withItems"] = Array{};
      return 1;
    default:
      for (const Earlier& earlier : around.earlier) {
        if (earlier.target->result == ResultKind::list && !earlier.loops) {
          out["withParam"] = tag(around.prefix() + earlier.name + ".outputs.result");
          return 3;
        }
      }
      out["withSequence"] = Object{{"count", tag("workflow.parameters.two")}};
      return 2;
  }
}

/// Something an earlier call left, or the template's inputs.
std::string Generator::reference(const Surroundings& around) {
  if (around.earlier.empty()) {
    return tag("workflow.parameters.w");
  }
  const Earlier& earlier = choices_.among(around.earlier);
  const std::string name = around.prefix() + earlier.name;
  if (earlier.target->result != ResultKind::none && choices_.below(2) == 0) {
    return tag(name + ".outputs.result");
  }
  if (earlier.target->has_output) {
    return choices_.chance(20) ? tag("=" + name + ".outputs.parameters.o + '!'")
                               : tag(name + ".outputs.parameters.o");
  }
  return earlier.loops ? tag("workflow.name") : tag(name + ".status");
}

std::string Generator::argument(const Surroundings& around) {
  switch (choices_.below(7)) {
    case 0:
      return "v" + std::to_string(choices_.below(3));
    case 1:
      return around.inputs.empty() ? tag("workflow.parameters.w")
                                   : tag("inputs.parameters." + choices_.among(around.inputs));
    case 2:
    case 3:
      return reference(around);
    case 4:
      return around.inputs.empty()
                 ? tag("=asInt(workflow.parameters.two) + 1")
                 : tag("=sprig.upper(inputs.parameters." + choices_.among(around.inputs) + ")");
    default:
      if (around.item == Surroundings::Item::map) {
        return choices_.below(2) == 0 ? tag("item.k") : tag("item.v") + "-" + tag("item.k");
      }
      return around.item == Surroundings::Item::scalar ? tag("item") : tag("node.name");
  }
}

Value Generator::arguments(const Made& target, const Surroundings& around) {
  Array parameters;
  for (const std::string& name : target.inputs) {
    parameters.push_back(Object{{"name", name}, {"value", argument(around)}});
  }
  return Object{{"parameters", std::move(parameters)}};
}

std::optional<std::string> Generator::condition(const Surroundings& around) {
  if (!choices_.chance(25)) {
    return std::nullopt;
  }
  switch (choices_.below(6)) {
    case 0:
      return tag("workflow.parameters.w") + " == w0";
    case 1:
      return tag("workflow.parameters.two") + " > 2";
    case 2:
      return around.item == Surroundings::Item::scalar ? "'" + tag("item") + "' != '1'"
             : around.item == Surroundings::Item::map  ? tag("item.v") + " < 1"
                                                       : "'" + tag("workflow.name") + "' != ''";
    case 3:
      for (const Earlier& earlier : around.earlier) {
        if (earlier.target->result == ResultKind::number && !earlier.loops) {
          return tag(around.prefix() + earlier.name + ".outputs.result") + " >= 2";
        }
      }
      return "false";
    case 4:
      for (const Earlier& earlier : around.earlier) {
        if (!earlier.loops) {
          return tag(around.prefix() + earlier.name + ".status") + " == Succeeded";
        }
      }
      return "true";
    default:
      return tag("=workflow.parameters.w == 'w0' ? 'true' : 'false'");
  }
}

void Generator::set_hook(Object& out, Home home, const Surroundings& around,
                         const std::string& self) {
  const Made* target = callee(home, 1);
  if (target == nullptr || target->pods != 1 || target->home != home) {
    return;
  }
  if (choices_.below(3) == 0 && target->inputs.empty()) {
    out["onExit"] = target->name;
    return;
  }
  Object hook{{"template", target->name}};
  Array parameters;
  for (const std::string& name : target->inputs) {
    parameters.push_back(
        Object{{"name", name},
               {"value", choices_.below(2) == 0 ? "h" : tag(around.prefix() + self + ".status")}});
  }
  if (!parameters.empty()) {
    hook["arguments"] = Object{{"parameters", std::move(parameters)}};
  }
  if (choices_.chance(30)) {
    hook["expression"] = around.prefix() + self + ".status == 'Failed'";
  }
  out["hooks"] = Object{{"exit", std::move(hook)}};
}

Value Generator::call(const std::string& name, Made& made, Surroundings& around) {
  Object out{{"name", name}};
  around.item = Surroundings::Item::none;
  const int left = kMostPods - made.pods;
  const Made* target = callee(made.home, left);
  if (target == nullptr) {
    target = made_.front().get();
  }
  int times = 1;
  if (choices_.chance(30)) {
    times = set_loop(out, around, target->pods == 0 ? 4 : left / target->pods);
  }
  made.pods += times * target->pods;
  if (choices_.chance(8)) {
    // In place, without a name.
    auto own = std::make_unique<Made>();
    Value document = leaf_template(*own);
    document.get_object().erase("name");
    out["inline"] = std::move(document);
    target = own.get();
    inlined_.push_back(std::move(own));
  } else {
    set_target(out, *target, made.home);
  }
  if (!target->inputs.empty()) {
    out["arguments"] = arguments(*target, around);
  }
  if (auto when = condition(around)) {
    out["when"] = *when;
  }
  if (choices_.chance(20)) {
    out["continueOn"] = choices_.below(3) == 0   ? Object{{"failed", true}}
                        : choices_.below(2) == 0 ? Object{{"error", true}}
                                                 : Object{{"failed", true}, {"error", true}};
  }
  if (times == 1 && !out.contains("withItems") && choices_.chance(12)) {
    set_hook(out, made.home, around, name);
  }
  const bool loops = around.item != Surroundings::Item::none;
  around.item = Surroundings::Item::none;
  around.earlier.push_back({name, target, loops});
  return out;
}

void Generator::fill_steps(Object& out, Made& made, Surroundings& around) {
  Array groups;
  const std::uint32_t count = 1 + choices_.below(3);
  for (std::uint32_t g = 0; g < count; ++g) {
    Array group;
    Surroundings inside = around;
    const std::uint32_t width = 1 + choices_.below(2);
    for (std::uint32_t i = 0; i < width; ++i) {
      // Steps of one group do not see each other.
      Surroundings own = around;
      group.push_back(call("s" + std::to_string(g) + "x" + std::to_string(i), made, own));
      inside.earlier.push_back(own.earlier.back());
    }
    around = std::move(inside);
    groups.push_back(std::move(group));
  }
  out["steps"] = std::move(groups);
}

std::string Generator::depends(const std::vector<Earlier>& earlier) {
  static const std::vector<std::string> kOutcomes = {
      "",         ".Succeeded", ".Failed",       ".Errored",
      ".Skipped", ".Omitted",   ".AnySucceeded", ".AllFailed"};
  std::string out;
  for (const Earlier& task : earlier) {
    std::string term = task.name;
    const std::string& outcome = choices_.chance(30) ? choices_.among(kOutcomes) : kOutcomes[0];
    const bool of_loop = outcome == ".AnySucceeded" || outcome == ".AllFailed";
    term += of_loop && !task.loops ? "" : outcome;
    if (choices_.chance(15)) {
      term = "(" + term + " || " + task.name + ".Failed || " + task.name + ".Omitted)";
    } else if (choices_.chance(5)) {
      term = "!" + term;
    }
    out += out.empty() ? term : (choices_.chance(30) ? " || " : " && ") + term;
  }
  return out;
}

void Generator::fill_dag(Object& out, Made& made, Surroundings& around) {
  Array tasks;
  const std::uint32_t count = 1 + choices_.below(4);
  const bool uses_depends = choices_.below(2) == 1;
  const Surroundings empty = around;
  std::vector<Earlier> all;
  for (std::uint32_t i = 0; i < count; ++i) {
    Surroundings own = empty;
    for (const Earlier& earlier : all) {
      if (choices_.chance(50)) {
        own.earlier.push_back(earlier);
      }
    }
    const std::vector<Earlier> needed = own.earlier;
    Value task = call("t" + std::to_string(i), made, own);
    if (!needed.empty() && uses_depends) {
      task.get_object()["depends"] = depends(needed);
      task.get_object().erase("continueOn");
    } else if (!needed.empty()) {
      Array names;
      for (const Earlier& earlier : needed) {
        names.emplace_back(earlier.name);
      }
      task.get_object()["dependencies"] = std::move(names);
    }
    all.push_back(own.earlier.back());
    tasks.push_back(std::move(task));
  }
  if (uses_depends) {
    for (Value& task : tasks) {
      task.get_object().erase("continueOn");
    }
  }
  around.earlier = all;
  Object dag{{"tasks", std::move(tasks)}};
  if (choices_.chance(15)) {
    dag["failFast"] = false;
  }
  if (choices_.chance(10)) {
    dag["target"] = all.back().name;
    around.earlier = {all.back()};
  }
  out["dag"] = std::move(dag);
}

void Generator::set_composite_outputs(Object& out, Made& made, const Surroundings& around) {
  for (const Earlier& earlier : around.earlier) {
    if (!earlier.target->has_output || !choices_.chance(60)) {
      continue;
    }
    const std::string from = around.prefix() + earlier.name + ".outputs.parameters.o";
    Object value_from;
    if (choices_.chance(25) && !earlier.loops) {
      value_from["expression"] = from;
    } else {
      value_from["parameter"] = tag(from);
    }
    if (choices_.chance(40)) {
      value_from["default"] = "cd";
    }
    made.has_output = true;
    out["outputs"] =
        Object{{"parameters", Array{Object{{"name", "o"}, {"valueFrom", std::move(value_from)}}}}};
    return;
  }
}

Value Generator::composite_template(Made& made) {
  Object out{{"name", made.name}};
  made.pods = 0;
  Surroundings around;
  set_inputs(out, made, around.inputs);
  around.is_dag = choices_.below(2) == 1;
  if (around.is_dag) {
    fill_dag(out, made, around);
  } else {
    fill_steps(out, made, around);
  }
  set_composite_outputs(out, made, around);
  if (choices_.chance(15)) {
    out["parallelism"] = 1 + choices_.below(3);
    has_parallelism_ = true;
  }
  if (choices_.chance(8)) {
    out["failFast"] = true;
    depends_on_timing_ = true;
  }
  if (choices_.chance(10)) {
    out["retryStrategy"] = retry_strategy();
  }
  return out;
}

/// A template that calls itself until a counter says that it is enough.
Value Generator::recursive_template(Made& made) {
  Made turn{.name = made.name, .home = made.home, .pods = 0, .inputs = {}};
  Surroundings around;
  around.inputs = {"n"};
  Value work = call("work", turn, around);
  const std::uint32_t turns = 1 + choices_.below(2);
  made.pods = turn.pods * static_cast<int>(turns + 1);
  Object again{
      {"name", "again"},
      {"template", made.name},
      {"when", tag("inputs.parameters.n") + " < " + std::to_string(turns)},
      {"arguments",
       Object{{"parameters",
               Array{Object{{"name", "n"}, {"value", tag("=asInt(inputs.parameters.n) + 1")}}}}}}};
  Object out{{"name", made.name},
             {"inputs", Object{{"parameters", Array{Object{{"name", "n"}, {"value", "0"}}}}}}};
  if (choices_.below(2) == 0) {
    out["steps"] = Array{Array{std::move(work)}, Array{std::move(again)}};
  } else {
    again["depends"] = "work || work.Failed";
    work.get_object().erase("continueOn");
    out["dag"] = Object{{"tasks", Array{std::move(work), std::move(again)}}};
  }
  return out;
}

Object Generator::workflow_spec(const Made& entry) {
  Object spec{{"entrypoint", entry.name}};
  spec["arguments"] = Object{
      {"parameters",
       Array{Object{{"name", "w"}, {"value", "w0"}}, Object{{"name", "two"}, {"value", "2"}},
             Object{{"name", "p"}, {"value", "wp"}}, Object{{"name", "q"}, {"value", "wq"}}}}};
  spec["templates"] = std::move(templates_[0]);
  if (choices_.chance(25)) {
    spec["parallelism"] = 1 + choices_.below(4);
    has_parallelism_ = true;
  }
  if (choices_.chance(25)) {
    const Made* handler = callee(Home::workflow, 3);
    if (handler != nullptr && handler->home == Home::workflow) {
      if (choices_.below(2) == 0) {
        spec["onExit"] = handler->name;
      } else {
        spec["hooks"] = Object{{"exit", Object{{"template", handler->name}}}};
      }
    }
  }
  if (choices_.chance(5)) {
    spec["activeDeadlineSeconds"] = 86400 * 300;
  }
  if (choices_.chance(5)) {
    spec["retryStrategy"] = retry_strategy();
  }
  return spec;
}

GeneratedWorkflow Generator::run() {
  static const std::vector<std::uint32_t> kFailures = {0, 0, 10, 30, 60};
  fail_percent_ = choices_.among(kFailures);
  const auto add = [&](std::string name, auto make) {
    auto made = std::make_unique<Made>();
    made->name = std::move(name);
    made->home = static_cast<Home>(choices_.chance(25) ? 1 + choices_.below(2) : 0);
    Value document = make(*made);
    templates_[static_cast<std::size_t>(made->home)].push_back(std::move(document));
    made_.push_back(std::move(made));
  };
  const std::uint32_t leaves = 1 + choices_.below(4);
  for (std::uint32_t i = 0; i < leaves; ++i) {
    add("leaf" + std::to_string(i), [&](Made& made) {
      made.home = i == 0 ? Home::cluster : made.home;
      return i != 0 && choices_.chance(20) ? suspend_template(made) : leaf_template(made);
    });
  }
  const std::uint32_t composites = choices_.below(4);
  for (std::uint32_t i = 0; i < composites; ++i) {
    add("part" + std::to_string(i), [&](Made& made) {
      return choices_.chance(15) ? recursive_template(made) : composite_template(made);
    });
  }
  add("main", [&](Made& made) {
    made.home = Home::workflow;
    return composite_template(made);
  });
  GeneratedWorkflow out;
  Object spec = workflow_spec(*made_.back());
  if (choices_.chance(10)) {
    out.templates.push_back(
        Object{{"apiVersion", "argoproj.io/v1alpha1"},
               {"kind", "WorkflowTemplate"},
               {"metadata", Object{{"name", "whole"}, {"namespace", "default"}}},
               {"spec", std::move(spec)}});
    spec = Object{{"workflowTemplateRef", Object{{"name", "whole"}}}};
  }
  out.workflow = Object{{"apiVersion", "argoproj.io/v1alpha1"},
                        {"kind", "Workflow"},
                        {"metadata", Object{{"name", "wf"}, {"namespace", "default"}}},
                        {"spec", std::move(spec)}};
  if (!templates_[1].empty()) {
    out.templates.push_back(
        Object{{"apiVersion", "argoproj.io/v1alpha1"},
               {"kind", "WorkflowTemplate"},
               {"metadata", Object{{"name", "library"}, {"namespace", "default"}}},
               {"spec", Object{{"templates", std::move(templates_[1])}}}});
  }
  if (!templates_[2].empty()) {
    out.templates.push_back(Object{{"apiVersion", "argoproj.io/v1alpha1"},
                                   {"kind", "ClusterWorkflowTemplate"},
                                   {"metadata", Object{{"name", "shelf"}}},
                                   {"spec", Object{{"templates", std::move(templates_[2])}}}});
  }
  out.depends_on_timing = depends_on_timing_;
  out.has_parallelism = has_parallelism_;
  return out;
}

}  // namespace

GeneratedWorkflow generate_workflow(Choices& choices) { return Generator(choices).run(); }

}  // namespace tiphys::simulation

#include "workflows/workflow_tests/test_run.h"

#include "workflows/engine/status.h"
#include "workflows/engine/tag_text.h"
#include "workflows/engine/testing/scripted_run.h"
#include "workflows/workflow_tests/expectations.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

using testing::Outcome;
using testing::ScriptedRun;

bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) {
    return pattern == text;
  }
  if (!text.starts_with(pattern.substr(0, star))) {
    return false;
  }
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= text.size(); ++at) {
    if (matches(rest, text.substr(at))) {
      return true;
    }
  }
  return false;
}

/// The node a stub is written for: of an attempt its Retry node.
NodeIndex subject_of(const NodeTable& nodes, NodeIndex index) {
  return nodes[index].retried ? nodes[index].owner : index;
}

const Stub* find_stub(const std::vector<Stub>& stubs, const NodeTable& nodes, NodeIndex index) {
  const NodeIndex subject = subject_of(nodes, index);
  const std::string display = nodes.display_name(subject);
  const auto found = std::ranges::find_if(stubs, [&](const Stub& stub) {
    return (stub.template_name.empty() || stub.template_name == nodes.call(subject).target()) &&
           (stub.node.empty() ||
            names_node(stub.node, nodes[subject].name, display, nodes.workflow_name()));
  });
  return found == stubs.end() ? nullptr : &*found;
}

std::chrono::milliseconds duration_of(const ScalarText& text, std::chrono::milliseconds otherwise) {
  const auto parsed =
      text.text.empty() ? Result<std::chrono::milliseconds>(otherwise) : parse_timeout(text.text);
  return parsed ? *parsed : otherwise;
}

PodPhase phase_of(const StubOutcome& stub) {
  if (stub.phase == "Error") {
    return PodPhase::error;
  }
  return stub.phase == "Failed" || (stub.phase.empty() && stub.exit_code != 0)
             ? PodPhase::failed
             : PodPhase::succeeded;
}

class CaseRun {
 public:
  CaseRun(const WorkflowTest& test, std::size_t number)
      : test_(test),
        case_(test.cases[number]),
        path_("spec.cases[" + std::to_string(number) + "]") {}

  CaseOutcome run(const doc::Value& workflow, const References& references,
                  const EngineConfig& config) {
    auto made = ScriptedRun::create(
        submitted(workflow), references,
        [this](const Engine& engine, const CreatePod& pod) { return play(engine, pod); }, config);
    if (!made) {
      return refused(made.error().message);
    }
    const TimePoint begin = made->now();
    if (const auto ended = drive(*made); !ended) {
      return refused(ended.error().message);
    }
    CaseOutcome out;
    const NodeTable& nodes = made->engine().nodes();
    for (NodeIndex i = 0; i < nodes.size(); ++i) {
      out.templates.insert(nodes.call(i).target());
    }
    out.steps = made->created().size();
    out.duration = std::chrono::duration_cast<std::chrono::milliseconds>(made->now() - begin);
    out.failures = check_expectation(case_.expect, path_ + ".expect", made->engine(), out.duration);
    if (!hangs_at_.empty() && case_.expect.phase != "Running") {
      out.failures.insert(out.failures.begin(),
                          {path_ + ".name", "the run waits for ever at " + hangs_at_ +
                                                ": give it a stub with a duration"});
    }
    return out;
  }

 private:
  CaseOutcome refused(const std::string& message) const {
    CaseOutcome out;
    out.failures.push_back({path_ + ".name", message});
    return out;
  }

  /// The Workflow with the case's arguments and entrypoint.
  doc::Value submitted(const doc::Value& workflow) const {
    doc::Value out = workflow;
    doc::Value& spec = out.as_object()["spec"];
    if (!spec.is_object()) {
      spec.emplace_object();
    }
    if (!case_.entrypoint.empty()) {
      spec.as_object()["entrypoint"] = case_.entrypoint;
    }
    if (case_.parameters.empty()) {
      return out;
    }
    doc::Value& arguments = spec.as_object()["arguments"];
    if (!arguments.is_object()) {
      arguments.emplace_object();
    }
    doc::Value& parameters = arguments.as_object()["parameters"];
    if (!parameters.is_array()) {
      parameters.emplace_array();
    }
    doc::Array& list = parameters.as_array();
    for (const auto& [name, value] : case_.parameters) {
      const auto found = std::ranges::find_if(
          list, [&](const doc::Value& p) { return doc::find_string(p, "name") == name; });
      doc::Value& parameter = found != list.end() ? *found : list.emplace_back(doc::Object());
      parameter.as_object().erase("valueFrom");
      parameter.as_object()["name"] = name;
      parameter.as_object()["value"] = value.text;
    }
    return out;
  }

  /// Until nothing more happens, with suspended steps resumed as their stubs say.
  Result<> drive(ScriptedRun& run) {
    TRY_VOID(run.start());
    for (;;) {
      plan_resumes(run);
      const auto due = resumes_.begin();
      const auto next = run.next_time();
      if (due != resumes_.end() && (!next || due->first <= *next)) {
        const auto [at, index] = *due;
        resumes_.erase(due);
        TRY_VOID(resume(run, at, index));
        continue;
      }
      TRY(const bool happened, run.step());
      if (!happened) {
        break;
      }
    }
    const NodeTable& nodes = run.engine().nodes();
    for (NodeIndex i = 0; i < nodes.size() && !run.engine().finished(); ++i) {
      if (!fulfilled(nodes[i].phase) &&
          (nodes[i].type == NodeType::suspend || nodes[i].type == NodeType::pod)) {
        hangs_at_ = "step " + nodes.display_name(i);
        break;
      }
    }
    return {};
  }

  /// Looks at the nodes that are new.
  void plan_resumes(const ScriptedRun& run) {
    const NodeTable& nodes = run.engine().nodes();
    for (; seen_ < nodes.size(); ++seen_) {
      if (nodes[seen_].type == NodeType::suspend && stub_of(nodes, seen_) != nullptr) {
        to_plan_.insert(seen_);
      }
    }
    // One that waits for a lock is not suspended yet.
    std::erase_if(to_plan_, [&](NodeIndex node) {
      if (nodes[node].is_held_up()) {
        return false;
      }
      resumes_.emplace(
          run.now() + duration_of(stub_of(nodes, node)->outcome.duration, std::chrono::seconds(1)),
          node);
      return true;
    });
  }

  Result<> resume(ScriptedRun& run, TimePoint at, NodeIndex index) {
    const NodeTable& nodes = run.engine().nodes();
    if (fulfilled(nodes[index].phase)) {
      return {};
    }
    run.advance_to(at);
    const Stub& stub = *stub_of(nodes, index);
    const std::string selector = "id=" + nodes.id(index);
    SetNodes set;
    set.node_field_selector = selector;
    set.message = stub.outcome.message;
    for (const auto& [name, value] : stub.outcome.parameters) {
      set.output_parameters.emplace_back(name, value.text);
    }
    const PodPhase phase = phase_of(stub.outcome);
    if (phase != PodPhase::succeeded) {
      set.phase = phase == PodPhase::error ? NodePhase::error : NodePhase::failed;
    }
    if (set.phase || !set.message.empty() || !set.output_parameters.empty()) {
      TRY_VOID(run.apply(set));
    }
    return set.phase ? Result<>()
                     : run.apply(Resume{.node_field_selector = selector, .message = {}});
  }

  const Stub* stub_of(const NodeTable& nodes, NodeIndex index) const {
    const Stub* own = find_stub(case_.stubs, nodes, index);
    return own != nullptr ? own : find_stub(test_.stubs, nodes, index);
  }

  /// What the pod of a step does.
  Outcome play(const Engine& engine, const CreatePod& pod) {
    const NodeTable& nodes = engine.nodes();
    const Stub* stub = stub_of(nodes, pod.node);
    StubOutcome chosen;
    if (stub != nullptr) {
      chosen = stub->outcome;
      if (!stub->attempts.empty()) {
        const std::size_t attempt = nodes[pod.node].retried ? nodes[pod.node].slot : 0;
        chosen = stub->attempts[std::min(attempt, stub->attempts.size() - 1)];
      }
    }
    Outcome out;
    out.exit_code = chosen.exit_code;
    out.phase = phase_of(chosen);
    if (out.phase != PodPhase::succeeded && out.exit_code == 0) {
      out.exit_code = 1;
    }
    out.message = chosen.message;
    out.duration = duration_of(chosen.duration, std::chrono::seconds(1));
    out.stays_pending = chosen.phase == "Pending";
    if (pod.capture_result) {
      out.result = chosen.result ? chosen.result->text : "";
    }
    if (out.phase == PodPhase::succeeded) {
      add_outputs(out, pod, chosen, stub);
    }
    return out;
  }

  static void add_outputs(Outcome& out, const CreatePod& pod, const StubOutcome& chosen,
                          const Stub* stub) {
    const auto definition = doc::parse_json(pod.template_json);
    const doc::Value* outputs = definition ? doc::find(*definition, "outputs") : nullptr;
    const auto declared =
        outputs == nullptr ? Result<Outputs>(Outputs{}) : decode_outputs(*outputs);
    if (!declared) {
      return;
    }
    for (const Parameter& parameter : declared->parameters) {
      const auto given = chosen.parameters.find(parameter.name);
      if (given != chosen.parameters.end()) {
        out.parameters.emplace_back(parameter.name, given->second.text);
      } else if (parameter.value_from && parameter.value_from->default_value) {
        out.parameters.emplace_back(parameter.name, *parameter.value_from->default_value);
      } else if (parameter.value_from && parameter.value_from->path) {
        out.phase = PodPhase::error;
        out.message = "no stub says what output parameter \"" + parameter.name + "\" is";
      }
    }
    for (const Artifact& artifact : declared->artifacts) {
      if (stub == nullptr || std::ranges::find(stub->missing_artifacts, artifact.name) ==
                                 stub->missing_artifacts.end()) {
        doc::Object location;
        location["s3"] = doc::Object{{"key", pod.pod_name + "/" + artifact.name}};
        out.artifacts.push_back({artifact.name, doc::Value(std::move(location))});
      } else if (!artifact.optional) {
        out.phase = PodPhase::error;
        out.message = "artifact " + artifact.name + " was not produced";
      }
    }
  }

  const WorkflowTest& test_;
  const TestCase& case_;
  std::string path_;
  std::multimap<TimePoint, NodeIndex> resumes_;
  NodeIndex seen_ = 0;
  std::set<NodeIndex> to_plan_;
  std::string hangs_at_;
};

}  // namespace

bool names_node(std::string_view pattern, std::string_view name, std::string_view display_name,
                std::string_view workflow) {
  if (name == workflow) {
    return pattern == workflow;
  }
  std::string_view inner = name;
  if (inner.starts_with(workflow)) {
    inner.remove_prefix(workflow.size());
    inner.remove_prefix(inner.starts_with('.') ? 1 : 0);
  }
  return matches(pattern, display_name) || matches(pattern, inner) || pattern == name;
}

CaseOutcome run_case(const WorkflowTest& test, std::size_t number, const doc::Value& workflow,
                     const References& references, const EngineConfig& config) {
  return CaseRun(test, number).run(workflow, references, config);
}

}  // namespace tiphys::workflows

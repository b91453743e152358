// What the real controller did, replayed: lang/operate.jsonl (each reconcile's nodes, from upstream
// with fake clients) and the golden runs of groups 1 and 2 (real pods), whose recorded exit codes
// and outputs are the script here.
#include "doc/yaml.h"
#include "executor/step_plan.h"
#include "workflows/engine/observe.h"
#include "workflows/engine/pod.h"
#include "workflows/engine/testing/scripted_run.h"
#include "workflows/validate/validate.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace tiphys::workflows {
namespace {

using doc::Object;
using doc::Value;
using testing::Checks;
using testing::DocumentReferences;
using testing::Outcome;
using testing::ScriptedRun;

std::filesystem::path shared_folder() {
  return std::filesystem::path(TIPHYS_SOURCE_DIR) / "../shared/conformance";
}

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

const Value& at(const Value& object, std::string_view key) {
  static const Value kNull;
  const Value* found = doc::find(object, key);
  return found == nullptr ? kNull : *found;
}

std::string text(const Value& object, std::string_view key) {
  return std::string(doc::find_string(object, key));
}

// ---- operate

/// What needs rows that the engine does not run yet, and where an engine that decides by events is
/// ahead of one that reconciles.
const std::map<std::string, std::string> kOperateSkipped = {
    {"failfast-template", "upstream needs one more reconcile to end the workflow"},
    {"output-default-missing", "upstream waits for outputs that never come"},
};

Value container_status(std::string_view name, std::int64_t code) {
  return Object{
      {"name", name},
      {"state", Object{{"terminated", Object{{"exitCode", code},
                                             {"reason", code == 0 ? "Completed" : "Error"}}}}}};
}

/// The pod an outcome of the table stands for.
Value pod_of(const Value& outcome, const std::vector<std::string>& names) {
  const std::string phase = text(outcome, "phase");
  Object status{{"phase", phase}};
  if (const std::string ip = text(outcome, "ip"); !ip.empty()) {
    status["podIP"] = ip;
  }
  if (const std::string message = text(outcome, "message"); !message.empty()) {
    status["message"] = message;
  }
  if (at(outcome, "waiting").is_object()) {
    status["containerStatuses"] = doc::Array{
        Object{{"name", "main"}, {"state", Object{{"waiting", at(outcome, "waiting")}}}}};
  }
  doc::Array containers;
  doc::Array inits;
  if (at(outcome, "exitCodes").is_object()) {
    for (const auto& [name, code] : at(outcome, "exitCodes").get_object()) {
      containers.push_back(container_status({name.data(), name.size()}, code.get_int64()));
    }
  } else if (at(outcome, "exitCode").is_int64() || phase == "Succeeded") {
    const Value& code = at(outcome, "exitCode");
    for (const std::string& name : names) {
      containers.push_back(container_status(name, code.is_int64() ? code.get_int64() : 0));
    }
  } else if (phase == "Running") {
    const Value& ready = at(outcome, "ready");
    for (const std::string& name : names) {
      containers.push_back(Object{{"name", name},
                                  {"ready", ready.is_bool() && ready.get_bool()},
                                  {"state", Object{{"running", Object{}}}}});
    }
  }
  if (at(outcome, "initExitCodes").is_object()) {
    for (const auto& [name, code] : at(outcome, "initExitCodes").get_object()) {
      inits.push_back(container_status({name.data(), name.size()}, code.get_int64()));
    }
  }
  if (!containers.empty()) {
    status["containerStatuses"] = containers;
  }
  if (!inits.empty()) {
    status["initContainerStatuses"] = inits;
  }
  executor::StepOutputs outputs;
  if (at(outcome, "result").is_string()) {
    outputs.result = text(outcome, "result");
  }
  if (at(outcome, "parameters").is_object()) {
    for (const auto& [name, value] : at(outcome, "parameters").get_object()) {
      outputs.parameters.push_back({std::string(name), any_string(value)});
    }
  }
  Object annotations{{std::string(executor::kOutputsAnnotation), outputs.to_json()}};
  return Object{{"metadata", Object{{"annotations", annotations}}}, {"status", status}};
}

/// A node as the table shows it.
Value shown(const Engine& engine, NodeIndex index) {
  const NodeTable& nodes = engine.nodes();
  Object out = engine.node_status(index).get_object();
  for (const std::string_view hidden :
       {"startedAt", "finishedAt", "progress", "resourcesDuration", "taskResultSynced",
        "hostNodeName", "boundaryID", "podIP"}) {
    out.erase({hidden.data(), hidden.size()});
  }
  if (nodes[index].boundary != kNoNode) {
    out["boundary"] = nodes[nodes[index].boundary].name;
  }
  for (const auto& [key, list] : {std::pair{"children", &nodes[index].children},
                                  std::pair{"outboundNodes", &nodes[index].outbound}}) {
    std::set<std::string> names;
    for (const NodeIndex other : *list) {
      names.insert(nodes[other].name);
    }
    if (!names.empty()) {
      doc::Array sorted;
      for (const std::string& name : names) {
        sorted.emplace_back(name);
      }
      out[key] = std::move(sorted);
    }
  }
  return out;
}

std::string sorted_json(const Value& value) {
  return doc::to_json(value, {.escape_html = false, .sort_keys = true});
}

/// The first difference between a recorded step and the engine, or "".
std::string difference(const Value& expected, const Engine& engine,
                       const std::vector<CreatePod>& pods) {
  const auto differ = [](std::string_view what, const std::string& wanted, const std::string& got) {
    return wanted == got ? std::string()
                         : std::string(what) + "\n   wanted " + wanted + "\n   got    " + got;
  };
  std::string out = differ("phase", text(expected, "phase"), std::string(name_of(engine.phase())));
  out += differ("message", text(expected, "message"), engine.message());
  out += differ("progress", text(expected, "progress"), engine.progress());
  std::map<std::string, std::string> wanted;
  std::map<std::string, std::string> got;
  if (at(expected, "nodes").is_array()) {
    for (const Value& node : at(expected, "nodes").get_array()) {
      wanted[text(node, "name")] = sorted_json(node);
    }
  }
  for (NodeIndex i = 0; i < engine.nodes().size(); ++i) {
    got[engine.nodes()[i].name] = sorted_json(shown(engine, i));
  }
  for (const auto& [name, json] : wanted) {
    out += differ("node " + name, json, got[name]);
  }
  for (const auto& [name, json] : got) {
    if (!wanted.contains(name)) {
      out += "node " + name + " is not wanted\n";
    }
  }
  std::map<std::string, std::string> created;
  for (const CreatePod& pod : pods) {
    const Value document = build_pod(engine, pod);
    created[pod.pod_name] =
        sorted_json(at(at(at(document, "spec"), "containers").get_array().front(), "args"));
  }
  if (at(expected, "newPods").is_array()) {
    for (const Value& pod : at(expected, "newPods").get_array()) {
      const std::string name = text(pod, "name");
      out += differ("pod " + name, sorted_json(at(pod, "args")),
                    created.contains(name) ? created[name] : "no pod");
      created.erase(name);
    }
  }
  for (const auto& [name, args] : created) {
    out += "pod " + name + " is not wanted\n";
  }
  return out;
}

/// What upstream's controller says before anything runs.
std::string refusal_of(const Value& workflow) {
  const Candidate candidate{.document = &workflow};
  ValidateOptions options;
  options.strict = false;
  options.submitting = true;
  for (const Finding& finding : validate({&candidate, 1}, options)) {
    if (finding.severity == Severity::error) {
      return "invalid spec: " + finding.message;
    }
  }
  return {};
}

std::string replay(const Value& test) {
  static const DocumentReferences kNone;
  Value workflow = at(at(test, "in"), "workflow");
  workflow.as_object()["apiVersion"] = "argoproj.io/v1alpha1";
  workflow.as_object()["kind"] = "Workflow";
  auto engine = Engine::create(workflow, kNone, {});
  if (!engine) {
    return engine.error().message;
  }
  TimePoint now{std::chrono::seconds(1'700'000'000)};
  std::set<NodeIndex> live;
  const doc::Array& steps = at(at(test, "in"), "steps").get_array();
  const doc::Array& expected = at(test, "out").get_array();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    now += std::chrono::seconds(1);
    std::vector<CreatePod> pods;
    const auto apply = [&](const Event& event) {
      auto decisions = engine->apply(event, now);
      for (CreatePod& pod : decisions->create_pods) {
        live.insert(pod.node);
        pods.push_back(std::move(pod));
      }
    };
    if (i == 0) {
      apply(Start{refusal_of(workflow)});
    }
    std::vector<PodUpdate> updates;
    for (const NodeIndex node : live) {
      const std::string name = engine->nodes().display_name(node);
      const Value* outcome = doc::find(steps[i], name);
      outcome = outcome == nullptr ? doc::find(steps[i], "*") : outcome;
      // Pods that vanish are the controller's to notice, some time later.
      if (outcome != nullptr && !at(*outcome, "delete").is_bool()) {
        updates.push_back(assess_pod(engine->nodes(), node,
                                     pod_of(*outcome, main_containers(engine->nodes(), node))));
      }
    }
    for (const PodUpdate& update : updates) {
      apply(update);
      if (fulfilled(engine->nodes()[update.node].phase)) {
        live.erase(update.node);
      }
    }
    if (std::string problem = difference(expected[i], *engine, pods); !problem.empty()) {
      return "step " + std::to_string(i) + ": " + problem;
    }
  }
  return {};
}

TEST(Conformance, replays_recorded_reconciles) {
  const auto table = shared_folder() / "lang/operate.jsonl";
  if (!std::filesystem::exists(table)) {
    GTEST_SKIP() << "no conformance data here";
  }
  std::ifstream lines(table);
  int passed = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto test = doc::parse_json(line);
    ASSERT_TRUE(test);
    const std::string id = text(*test, "id");
    const std::string name = id.substr(8, id.rfind('/') - 8);
    if (kOperateSkipped.contains(name)) {
      continue;
    }
    const std::string problem = replay(*test);
    EXPECT_EQ(problem, "") << id;
    passed += problem.empty() ? 1 : 0;
  }
  RecordProperty("passed", passed);
}

// ---- golden runs

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = line.find('\t', begin);
    out.push_back(line.substr(begin, end - begin));
    if (end == std::string::npos) {
      return out;
    }
    begin = end + 1;
  }
}

struct GoldenNode {
  std::string display_name, type, phase, exit_code, message, outputs, name;
};

struct GoldenRun {
  std::string file, phase, progress, message, remark, outputs;
  std::size_t count = 0;
  std::vector<GoldenNode> nodes;
};

std::string unescaped(const std::string& text) {
  auto value = doc::parse_json("\"" + text + "\"");
  return value ? std::string(doc::text_of(value->as_string())) : text;
}

std::vector<GoldenRun> golden_runs(const std::set<std::string>& groups) {
  std::vector<GoldenRun> out;
  std::ifstream lines(shared_folder() / "workflows/GOLDEN.tsv");
  for (std::string line; std::getline(lines, line);) {
    auto c = columns_of(line);
    c.resize(std::max<std::size_t>(c.size(), 9));
    if (c[0] == "W" && groups.contains(c[1])) {
      out.push_back({c[2],
                     c[3],
                     c[4],
                     unescaped(c[6]),
                     c[7],
                     unescaped(c[8]),
                     static_cast<std::size_t>(std::stoul(c[5])),
                     {}});
    } else if (c[0] == "N" && groups.contains(c[1])) {
      out.back().nodes.push_back({unescaped(c[3]), c[4], c[5], c[6], unescaped(c[7]),
                                  unescaped(c[8]), unescaped(c.size() > 9 ? c[9] : c[8])});
    }
  }
  return out;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
  return text;
}

/// {WF} and {NODE:name} in a recorded text.
std::string concrete(std::string text, const Engine& engine) {
  const std::string& name = engine.nodes().workflow_name();
  text = replaced(std::move(text), "{WF}", name);
  for (std::size_t at = text.find("{NODE:"); at != std::string::npos; at = text.find("{NODE:")) {
    const std::size_t end = text.find('}', at);
    const auto node = engine.nodes().find_name(text.substr(at + 6, end - at - 6));
    text.replace(at, end - at + 1, node ? engine.nodes().id(*node) : "no such node");
  }
  return text;
}

std::string outputs_shown(const Engine& engine, NodeIndex index) {
  const Value status = engine.node_status(index);
  const Value& outputs = at(status, "outputs");
  Object out;
  if (at(outputs, "parameters").is_array()) {
    Object parameters;
    for (const Value& parameter : at(outputs, "parameters").get_array()) {
      parameters[text(parameter, "name")] = at(parameter, "value");
    }
    out["parameters"] = std::move(parameters);
  }
  if (at(outputs, "result").is_string()) {
    out["result"] = at(outputs, "result");
  }
  if (at(outputs, "artifacts").is_array()) {
    std::set<std::string> names;
    for (const Value& artifact : at(outputs, "artifacts").get_array()) {
      names.insert(text(artifact, "name"));
    }
    doc::Array list;
    for (const std::string& name : names) {
      list.emplace_back(name);
    }
    out["artifacts"] = std::move(list);
  }
  return out.empty() ? "" : sorted_json(out);
}

Outcome outcome_of(const GoldenNode& node) {
  Outcome out;
  out.exit_code = node.exit_code.empty() ? 0 : std::stoi(node.exit_code);
  out.phase = node.phase == "Succeeded" ? PodPhase::succeeded
              : node.phase == "Error"   ? PodPhase::error
                                        : PodPhase::failed;
  out.message = node.message;
  if (!node.outputs.empty()) {
    const auto outputs = doc::parse_json(node.outputs);
    if (outputs && at(*outputs, "result").is_string()) {
      out.result = text(*outputs, "result");
    }
    if (outputs && at(*outputs, "parameters").is_object()) {
      for (const auto& [name, value] : at(*outputs, "parameters").get_object()) {
        out.parameters.emplace_back(std::string(name), any_string(value));
      }
    }
    if (outputs && at(*outputs, "artifacts").is_array()) {
      for (const Value& name : at(*outputs, "artifacts").get_array()) {
        out.artifacts.push_back(
            {std::string(doc::text_of(name.get_string())), Object{{"s3", Object{{"key", "k"}}}}});
      }
    }
  }
  return out;
}

std::string compare_golden(const GoldenRun& golden, const Engine& engine) {
  std::string out;
  const auto differ = [&](std::string_view what, const std::string& wanted,
                          const std::string& got) {
    if (wanted != got) {
      out += std::string(what) + "\n   wanted " + wanted + "\n   got    " + got + "\n";
    }
  };
  differ("phase", golden.phase, std::string(name_of(engine.phase())));
  differ("message", concrete(golden.message, engine), engine.message());
  differ("progress", golden.progress, engine.progress());
  differ("nodes", std::to_string(golden.count), std::to_string(engine.nodes().size()));
  for (const GoldenNode& node : golden.nodes) {
    const auto index = engine.nodes().find_name(concrete(node.name, engine));
    if (!index) {
      out += "node " + node.name + " is missing\n";
      continue;
    }
    const Value status = engine.node_status(*index);
    differ("display name of " + node.name, concrete(node.display_name, engine),
           text(status, "displayName"));
    differ("type of " + node.name, node.type, text(status, "type"));
    differ("phase of " + node.name, node.phase, text(status, "phase"));
    differ("exit code of " + node.name, node.exit_code, text(at(status, "outputs"), "exitCode"));
    differ("message of " + node.name, concrete(node.message, engine), text(status, "message"));
    const auto wanted = doc::parse_json(node.outputs.empty() ? "null" : node.outputs);
    differ("outputs of " + node.name, node.outputs.empty() ? "" : sorted_json(*wanted),
           outputs_shown(engine, *index));
  }
  return out;
}

/// Files that need rows of later work, or whose record is not a finished run.
bool is_out_of_reach(const GoldenRun& golden) {
  return golden.file.contains('~') || golden.remark.contains("not finished");
}

std::string run_golden(const GoldenRun& golden) {
  const std::string file = golden.file.substr(0, golden.file.find('#'));
  const auto documents = doc::parse_manifests(slurp(shared_folder() / "workflows" / file));
  DocumentReferences references;
  std::optional<Value> workflow;
  for (const auto& document : documents) {
    if (!document) {
      return document.error().message;
    }
    references.add(document->value);
    if (doc::find_string(document->value, "kind") == "Workflow" && !workflow) {
      workflow = document->value;
    }
  }
  if (!workflow) {
    return "no Workflow in the file";
  }
  Object& metadata = workflow->as_object()["metadata"].as_object();
  std::string name = text(*doc::find(*workflow, "metadata"), "name");
  if (name.empty()) {
    name = text(*doc::find(*workflow, "metadata"), "generateName") + "abcde";
    metadata["name"] = name;
  }
  metadata["namespace"] = "argo";
  metadata["uid"] = "u";
  metadata["creationTimestamp"] = "2026-11-22T19:33:45Z";
  std::map<std::string, const GoldenNode*> script;
  for (const GoldenNode& node : golden.nodes) {
    script[replaced(node.name, "{WF}", name)] = &node;
  }
  std::string unknown;
  auto run = ScriptedRun::create(
      *workflow, references,
      [&](const Engine& engine, const CreatePod& pod) {
        const auto found = script.find(engine.nodes()[pod.node].name);
        if (found == script.end()) {
          unknown += "pod of " + engine.nodes()[pod.node].name + " is not wanted\n";
          return Outcome{};
        }
        Outcome out = outcome_of(*found->second);
        out.duration = std::chrono::seconds(1);
        return out;
      },
      {}, Checks::restore);
  if (!run) {
    return run.error().message;
  }
  if (const auto ended = run->run(); !ended) {
    return ended.error().message;
  }
  return unknown + compare_golden(golden, run->engine());
}

TEST(Conformance, repeats_golden_runs) {
  if (!std::filesystem::exists(shared_folder() / "workflows/GOLDEN.tsv")) {
    GTEST_SKIP() << "no conformance data here";
  }
  int passed = 0;
  int skipped = 0;
  for (const GoldenRun& golden : golden_runs({"g1", "g2", "g13"})) {
    if (is_out_of_reach(golden)) {
      ++skipped;
      continue;
    }
    const std::string problem = run_golden(golden);
    EXPECT_EQ(problem, "") << golden.file;
    passed += problem.empty() ? 1 : 0;
  }
  RecordProperty("passed", passed);
  RecordProperty("skipped", skipped);
}

}  // namespace
}  // namespace tiphys::workflows

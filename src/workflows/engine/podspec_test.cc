// The pods that upstream's controller made, compared in all that does not concern its own helpers.

#include "workflows/engine/engine.h"
#include "workflows/engine/pod.h"
#include "workflows/engine/testing/scripted_run.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

namespace tiphys::workflows {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

/// Cases that are not compared, and why.
const std::map<std::string, std::string> kLeftOut{
    {"podSpecPatch", "the controller patches"},
    {"podSpecPatchTemplate", "the controller patches"},
    {"podSpecPatchUnknown", "the controller patches"},
    {"resourceOwner", "resource templates"},
    {"resourceGetFlags", "resource templates"},
    {"dataOutput", "data templates"},
    {"dagInline", "upstream needs one more reconcile for the second task"},
    {"volumeDevices", "upstream forgets the volume of a device, and no API server takes the pod"},
    {"timeout", "upstream's clock had gone on by less than a second"},
};

const Value& at(const Value& object, std::string_view key) {
  static const Value kNull;
  const Value* found = doc::find(object, key);
  return found == nullptr ? kNull : *found;
}

/// Elements without those that belong to upstream's executor.
Array without_helpers(const Value& list) {
  static const std::set<std::string, std::less<>> kVolumes{"var-run-argo", "tmp-dir-argo",
                                                           "input-artifacts", "argo-staging"};
  Array out;
  if (!list.is_array()) {
    return out;
  }
  for (const Value& element : list.get_array()) {
    const std::string_view name = doc::find_string(element, "name");
    if (!kVolumes.contains(name) && !name.starts_with("ARGO_") && !name.starts_with("TRACE")) {
      out.push_back(element);
    }
  }
  return out;
}

/// A container as the manifest's author knows it. Upstream's command is its emissary's, with the
/// author's behind "--"; what it took from a table of images is no matter of the pod here.
Value plain(const Value& container, const Value& ours) {
  Object out = container.get_object();
  for (const std::string_view list : {"env", "volumeMounts"}) {
    Array left = without_helpers(at(container, list));
    out.erase({list.data(), list.size()});
    if (!left.empty()) {
      out[{list.data(), list.size()}] = std::move(left);
    }
  }
  if (at(container, "resources").is_object() && at(container, "resources").get_object().empty()) {
    out.erase("resources");
  }
  Array command;
  bool behind = false;
  if (at(container, "command").is_array()) {
    for (const Value& part : at(container, "command").get_array()) {
      if (behind) {
        command.push_back(part);
      }
      behind = behind || part == "--";
    }
  }
  if (behind) {
    out["command"] = std::move(command);
  }
  if (at(ours, "command").is_null()) {
    out.erase("command");
    out.erase("args");
  }
  return out;
}

std::string text(const Value& value) {
  return doc::to_json(value, {.escape_html = false, .sort_keys = true});
}

std::string compare_containers(const Value& wanted, const Value& got) {
  std::string out;
  Array users;
  for (const Value& container : wanted.is_array() ? wanted.get_array() : Array{}) {
    const std::string_view name = doc::find_string(container, "name");
    if (name != "init" && name != "wait") {
      users.push_back(container);
    }
  }
  const Array ours = got.is_array() ? got.get_array() : Array{};
  if (users.size() != ours.size()) {
    return "number of containers\n";
  }
  for (std::size_t i = 0; i < users.size(); ++i) {
    const std::string expected = text(plain(users[i], ours[i]));
    const std::string found = text(plain(ours[i], ours[i]));
    if (expected != found) {
      out += "container\n  wanted " + expected + "\n  got    " + found + "\n";
    }
  }
  return out;
}

std::string compare_pods(const Value& wanted, const Value& got) {
  const Value& spec = at(wanted, "spec");
  const Value& ours = at(got, "spec");
  std::string out = compare_containers(at(spec, "containers"), at(ours, "containers")) +
                    compare_containers(at(spec, "initContainers"), at(ours, "initContainers"));
  const auto compare = [&](std::string_view what, const Value& a, const Value& b) {
    if (text(a) != text(b)) {
      out += std::string(what) + "\n  wanted " + text(a) + "\n  got    " + text(b) + "\n";
    }
  };
  compare("volumes", without_helpers(at(spec, "volumes")), without_helpers(at(ours, "volumes")));
  std::set<std::string> members;
  for (const Value* one : {&spec, &ours}) {
    for (const auto& [key, value] : one->get_object()) {
      members.emplace(key);
    }
  }
  for (const std::string& member : members) {
    if (member != "containers" && member != "initContainers" && member != "volumes") {
      compare(member, at(spec, member), at(ours, member));
    }
  }
  const Value& metadata = at(wanted, "metadata");
  compare("name", at(metadata, "name"), at(at(got, "metadata"), "name"));
  compare("labels", at(metadata, "labels"), at(at(got, "metadata"), "labels"));
  return out;
}

TEST(PodSpec, agrees_with_the_recorded_pods_in_what_they_share) {
  const std::filesystem::path table =
      std::filesystem::path(TIPHYS_SOURCE_DIR) / "../shared/conformance/lang/podspec.jsonl";
  if (!std::filesystem::exists(table)) {
    GTEST_SKIP() << "no conformance data here";
  }
  static const testing::DocumentReferences kNone;
  std::ifstream lines(table);
  int passed = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto test = doc::parse_json(line);
    ASSERT_TRUE(test);
    const std::string id(doc::find_string(*test, "id"));
    const std::string name = id.substr(8, id.rfind('/') - 8);
    const Value& pods = at(at(*test, "out"), "pods");
    if (kLeftOut.contains(name) || !pods.is_array() || pods.get_array().empty()) {
      continue;
    }
    Value workflow = at(at(*test, "in"), "workflow");
    workflow.as_object()["apiVersion"] = "argoproj.io/v1alpha1";
    workflow.as_object()["kind"] = "Workflow";
    workflow.as_object()["metadata"].as_object()["uid"] = "11111111-2222-3333-4444-555555555555";
    auto engine = Engine::create(workflow, kNone, {});
    ASSERT_TRUE(engine) << id << engine.error().message;
    const auto decisions = engine->apply(Start{}, TimePoint(std::chrono::seconds(1'700'000'000)));
    ASSERT_TRUE(decisions);
    std::string problem;
    if (decisions->create_pods.size() != pods.get_array().size()) {
      problem = "number of pods";
    } else {
      problem = compare_pods(pods.get_array().front(),
                             build_pod(*engine, decisions->create_pods.front()));
    }
    EXPECT_EQ(problem, "") << id;
    passed += problem.empty() ? 1 : 0;
  }
  RecordProperty("passed", passed);
  EXPECT_GT(passed, 0);
}

}  // namespace
}  // namespace tiphys::workflows

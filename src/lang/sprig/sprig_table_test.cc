/// The conformance table of the functions, where it is at hand.
#include "doc/json.h"
#include "lang/sprig/sprig.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

namespace tiphys::lang {
namespace {

const std::string kFolder = TIPHYS_SOURCE_DIR "/../shared/conformance/lang/";

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return std::nullopt;
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class MachineZones final : public ZoneFiles {
 public:
  std::optional<std::string> load(std::string_view name) const override {
    return read_file("/usr/share/zoneinfo/" + std::string(name));
  }
};

/// Environments are Go values: whole numbers are ints. Sized numbers occur in the language's own
/// table only.
ExprValue go_value(const doc::Value& value) {
  if (value.is_int64()) {
    return ExprValue::integer(value.get_int64());
  }
  if (value.is_array()) {
    ExprList items;
    for (const doc::Value& item : value.get_array()) {
      items.push_back(go_value(item));
    }
    return ExprValue::list(std::move(items));
  }
  if (!value.is_object()) {
    return ExprValue::from_json(value);
  }
  ExprEntries entries;
  for (const auto& member : value.get_object()) {
    entries.emplace(std::string(member.key()), go_value(member.value()));
  }
  return ExprValue::map(std::move(entries));
}

/// The value in the tables' notation, or the error behind its stage.
std::string outcome_of(const std::string& expression, const ExprEnvironment& environment) {
  static const MachineZones zones;
  ExprRuntime runtime;
  runtime.zones = &zones;
  const auto compiled = Expr::compile(expression, environment);
  if (!compiled) {
    return "compile: " + compiled.error().message;
  }
  const auto value = compiled->run(environment, runtime);
  return value ? value->typed_text() : "run: " + value.error().message;
}

TEST(SprigTable, agrees_with_the_conformance_table) {
  const auto side_file = read_file(kFolder + "expr-env.json");
  if (!side_file) {
    GTEST_SKIP() << "no conformance tables beside the repository";
  }
  ExprTable table;
  const doc::Value documents = doc::parse_json(*side_file).value();
  for (const auto& member : documents.at("environments").at("std").as_object()) {
    table.set(std::string(member.key()), go_value(member.value()));
  }
  add_sprig(table, {.now = [] { return Instant{.unix_seconds = 1'700'000'000}; },
                    .random = {},
                    .lookup_host = {}});
  const ExprOverlay environment(argo_functions(), table);
  // Deliberate differences, each with its reason.
  const std::set<std::string_view> exceptions = {};
  std::ifstream cases(kFolder + "sprig.jsonl");
  int passed = 0;
  int total = 0;
  for (std::string line; std::getline(cases, line); ++total) {
    const doc::Value row = doc::parse_json(line).value();
    std::string want(doc::find_string(row, "error"));
    if (const doc::Value* out = doc::find(row, "out")) {
      want = doc::find_string(*out, "typed");
    }
    const std::string expression(doc::find_string(row.at("in"), "expr"));
    const std::string got = outcome_of(expression, environment);
    passed += got == want ? 1 : 0;
    if (!exceptions.contains(doc::find_string(row, "id"))) {
      EXPECT_EQ(got, want) << expression;
    }
  }
  std::cout << passed << " of " << total << " cases agree\n";
}

}  // namespace
}  // namespace tiphys::lang

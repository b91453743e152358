/// The conformance table of the language, where it is at hand.
#include "lang/expr/expr.h"

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

class SystemZones final : public ZoneFiles {
 public:
  std::optional<std::string> load(std::string_view name) const override {
    return read_file("/usr/share/zoneinfo/" + std::string(name));
  }
};

ExprValue sized_value(const boost::json::object& object) {
  const std::string_view kind = object.begin()->key();
  const doc::Value& value = object.begin()->value();
  if (kind == "$float32") {
    return ExprValue::float32(value.to_number<float>());
  }
  const std::map<std::string_view, ExprKind> kinds = {
      {"$int64", ExprKind::int64}, {"$int32", ExprKind::int32}, {"$uint8", ExprKind::uint8}};
  return ExprValue::sized_integer(kinds.at(kind), value.to_number<std::int64_t>());
}

/// Environments are Go values: whole numbers are ints, `{"$int64": 7}` is a Go int64.
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
  const auto& object = value.get_object();
  if (object.size() == 1 && object.begin()->key().starts_with('$')) {
    return sized_value(object);
  }
  ExprEntries entries;
  for (const auto& member : object) {
    entries.emplace(std::string(member.key()), go_value(member.value()));
  }
  return ExprValue::map(std::move(entries));
}

struct Outcome {
  std::string typed;
  std::optional<std::string> json;
  std::string error;
};

Outcome outcome_of(const Result<ExprValue>& result, std::string_view stage) {
  Outcome out;
  if (!result) {
    out.error = std::string(stage) + result.error().message;
    return out;
  }
  out.typed = result->typed_text();
  if (const auto json = result->to_json_text()) {
    // The table was read by a JSON library that does not keep the spelling of numbers either.
    out.json = doc::to_json(doc::parse_json(*json).value(), {.sort_keys = true});
  }
  return out;
}

class Cases {
 public:
  bool load() {
    const auto text = read_file(kFolder + "expr-env.json");
    if (!text) {
      return false;
    }
    documents_ = doc::parse_json(*text).value();
    for (const auto& environment : documents_.at("environments").as_object()) {
      ExprTable table;
      for (const auto& member : environment.value().as_object()) {
        table.set(std::string(member.key()), go_value(member.value()));
      }
      tables_.emplace(environment.key(), std::move(table));
    }
    return true;
  }

  Outcome run(const doc::Value& in) const {
    if (doc::find_string(in, "op") == "jsonpath") {
      return json_path(in);
    }
    const ExprTable& table = tables_.at(std::string(doc::find_string(in, "env")));
    const ExprOverlay environment(argo_functions(), table);
    ExprRuntime runtime;
    runtime.zones = &zones_;
    runtime.now = [] { return Instant::zero().plus_date(2023, 0, 0); };
    const auto expression = Expr::parse(doc::find_string(in, "expr"));
    const bool eval_bool = doc::find_string(in, "op") == "evalBool";
    if (!expression) {
      return {"", {}, (eval_bool ? "" : "compile: ") + expression.error().message};
    }
    if (eval_bool) {
      const auto holds = expression->run_bool(environment, runtime);
      return outcome_of(
          holds ? Result<ExprValue>(ExprValue::boolean(*holds)) : std::unexpected(holds.error()),
          "");
    }
    if (const auto check = expression->check(environment); !check) {
      return {"", {}, "compile: " + check.error().message};
    }
    return outcome_of(expression->run(environment, runtime), "run: ");
  }

 private:
  /// The call stands at the first character of `jsonpath(doc, path)`, which errors show.
  Outcome json_path(const doc::Value& in) const {
    ExprTable table;
    table.set("doc", ExprValue::string(std::string(doc::find_string(documents_.at("documents"),
                                                                    doc::find_string(in, "doc")))));
    table.set("path", ExprValue::string(std::string(doc::find_string(in, "path"))));
    const ExprOverlay environment(argo_functions(), table);
    return outcome_of(Expr::parse("jsonpath(doc, path)").value().run(environment), "");
  }

  doc::Value documents_;
  std::map<std::string, ExprTable, std::less<>> tables_;
  SystemZones zones_;
};

TEST(ExprTable, agrees_with_the_conformance_table) {
  Cases cases;
  if (!cases.load()) {
    GTEST_SKIP() << "no conformance tables beside the repository";
  }
  // Deliberate differences, each with its reason.
  const std::set<std::string_view> exceptions = {};
  std::ifstream table(kFolder + "expr.jsonl");
  int passed = 0;
  int total = 0;
  for (std::string line; std::getline(table, line);) {
    const doc::Value row = doc::parse_json(line).value();
    const std::string_view id = doc::find_string(row, "id");
    const Outcome got = cases.run(row.at("in"));
    Outcome want;
    want.error = std::string(doc::find_string(row, "error"));
    if (const doc::Value* out = doc::find(row, "out")) {
      const doc::Value* typed = doc::find(*out, "typed");
      want.typed = typed != nullptr ? std::string(typed->as_string()) : doc::to_json(*out);
      if (const doc::Value* json = doc::find(*out, "json")) {
        want.json = doc::to_json(*json, {.sort_keys = true});
      }
    }
    ++total;
    const bool panics = want.error.find("panic: ") != std::string::npos;
    const bool same = panics ? !got.error.empty()
                             : got.typed == want.typed && got.error == want.error &&
                                   (!want.json || got.json == want.json);
    passed += same ? 1 : 0;
    if (!exceptions.contains(id)) {
      EXPECT_TRUE(same) << id << "\n  expression: " << doc::to_json(row.at("in"))
                        << "\n  wanted: " << want.typed << want.error << " "
                        << want.json.value_or("") << "\n  got:    " << got.typed << got.error << " "
                        << got.json.value_or("");
    }
  }
  std::cout << passed << " of " << total << " cases agree\n";
}

}  // namespace
}  // namespace tiphys::lang

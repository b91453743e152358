#include "lang/sprig/sprig.h"

#include "doc/json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <fstream>

namespace tiphys::lang {
namespace {

/// The world the kept cases were made in. What they show depends neither on the time nor on chance.
ExprTable make_table() {
  ExprTable table;
  add_sprig(table, {.now = [] { return Instant{.unix_seconds = 1'700'000'000}; },
                    .random =
                        [](std::span<unsigned char> bytes) {
                          for (unsigned char value = 1; unsigned char& byte : bytes) {
                            byte = value++;
                          }
                        },
                    .lookup_host = {}});
  table.set("i64", ExprValue::sized_integer(ExprKind::int64, 7));
  table.set("i32", ExprValue::sized_integer(ExprKind::int32, 7));
  table.set("u8", ExprValue::sized_integer(ExprKind::uint8, 200));
  table.set("f32", ExprValue::float32(1.25F));
  return table;
}

/// As the kept cases write it: "ok: <Go type> <value>" or the error behind its stage.
std::string outcome_of(const std::string& expression, const ExprRuntime& runtime = {}) {
  static const ExprTable table = make_table();
  const auto compiled = Expr::compile(expression, table);
  if (!compiled) {
    return "compile: " + compiled.error().message;
  }
  const auto value = compiled->run(table, runtime);
  return value ? "ok: " + value->type().go_name() + " " + value->typed_text()
               : "run: " + value.error().message;
}

class MachineZones final : public ZoneFiles {
 public:
  std::optional<std::string> load(std::string_view name) const override {
    std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
    return file ? std::optional(std::string(std::istreambuf_iterator<char>(file), {}))
                : std::nullopt;
  }
};

TEST(Sprig, answers_as_upstream_does) {
  const MachineZones zones;
  ExprRuntime runtime;
  runtime.zones = &zones;
  std::ifstream cases(TIPHYS_SOURCE_DIR "/src/lang/sprig/testdata/upstream.jsonl");
  ASSERT_TRUE(cases);
  for (std::string line; std::getline(cases, line);) {
    const auto parsed = doc::parse_json(line);
    ASSERT_TRUE(parsed) << line;
    const auto& pair = parsed->as_array();
    const std::string expression(doc::text_of(pair.at(0).as_string()));
    EXPECT_EQ(outcome_of(expression, runtime), doc::text_of(pair.at(1).as_string())) << expression;
  }
}

std::string first_line(const std::string& text) { return text.substr(0, text.find(" (1:")); }

TEST(Sprig, refuses_what_would_fill_the_memory) {
  const std::string limit = "run: memory budget exceeded";
  for (const std::string expression :
       {"sprig.repeat(9223372036854775807, 'ab')", "sprig.repeat(100000000, 'ab')",
        "sprig.indent(9223372036854775807, 'a')",
        "sprig.nindent(100000, sprig.repeat(100000, '\\n'))", "sprig.until(9223372036854775807)",
        "sprig.untilStep(0, -9223372036854775807, -1)", "sprig.seq(1000000000)",
        "sprig.randAlpha(9223372036854775807)", "sprig.randBytes(9223372036854775807)",
        "sprig.replace('', sprig.repeat(10000, 'x'), sprig.repeat(100000, 'y'))",
        "sprig.join(sprig.repeat(100000, 'x'), sprig.until(1000))",
        "sprig.wrapWith(1, sprig.repeat(100000, 'x'), sprig.repeat(10000, 'y'))",
        "sprig.regexReplaceAll('', sprig.repeat(1000, 'x'), sprig.repeat(1000000, 'y'))",
        "reduce(1..100, sprig.concat(#acc, #acc), [1])",
        "reduce(1..100, sprig.cat(#acc, #acc), 'x')",
        "sprig.splitList('', sprig.repeat(2000000, 'x'))"}) {
    EXPECT_EQ(first_line(outcome_of(expression)), limit) << expression;
  }
}

TEST(Sprig, ends_when_values_share_their_parts) {
  ExprRuntime runtime;
  runtime.step_budget = 100'000;
  const std::string twins =
      "let a = reduce(1..60, [#acc, #acc], [1]); let b = reduce(1..60, [#acc, #acc], [1]); ";
  EXPECT_EQ(first_line(outcome_of(twins + "sprig.deepEqual(a, b)", runtime)),
            "run: step budget exceeded");
  EXPECT_EQ(first_line(outcome_of(twins + "sprig.has(a, [b])", runtime)),
            "run: step budget exceeded");
  EXPECT_EQ(first_line(outcome_of(twins + "sprig.uniq([a, b])", runtime)),
            "run: step budget exceeded");
}

TEST(Sprig, refuses_values_that_are_nested_too_deeply) {
  EXPECT_EQ(first_line(outcome_of("reduce(1..5000, sprig.list(#acc), 1)")),
            "run: the value is nested too deeply");
  EXPECT_EQ(first_line(outcome_of("reduce(1..5000, sprig.dict('a', #acc), 1)")),
            "run: the value is nested too deeply");
}

TEST(Sprig, affords_only_a_few_slow_functions_in_a_run) {
  EXPECT_EQ(first_line(outcome_of("map(1..100, sprig.genPrivateKey('ed25519'))")),
            "run: step budget exceeded");
}

TEST(Sprig, leaves_its_arguments_alone) {
  EXPECT_EQ(outcome_of("let d = {a: 1}; let e = sprig.set(d, 'b', 2); [len(d), len(e)]"),
            "ok: []interface {} [1, 2]");
  EXPECT_EQ(outcome_of("let d = {a: 1}; let e = sprig.merge(d, {b: 2}); [len(d), len(e)]"),
            "ok: []interface {} [1, 2]");
}

TEST(Sprig, prints_the_types_of_its_functions_as_go_does) {
  EXPECT_EQ(outcome_of("sprig.typeOf(sprig.genSignedCert)"),
            "ok: string \"func(string, []interface {}, []interface {}, int, sprig.certificate) "
            "(sprig.certificate, error)\"");
  EXPECT_EQ(outcome_of("sprig.typeOf(sprig.split)"),
            "ok: string \"func(string, string) map[string]string\"");
}

TEST(Sprig, knows_neither_the_environment_nor_its_expansion) {
  EXPECT_EQ(outcome_of("sprig.env"), "ok: <nil> nil");
  EXPECT_EQ(outcome_of("sprig.expandenv"), "ok: <nil> nil");
  EXPECT_EQ(outcome_of("len(sprig)"), "ok: int 209");
}

}  // namespace
}  // namespace tiphys::lang

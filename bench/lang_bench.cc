// The small languages, parsed once and run many times: nanoseconds of CPU per evaluation.
#include "lang/cron/cron.h"
#include "lang/expr/expr.h"
#include "lang/jq/jq.h"
#include "lang/jsonpath/template.h"
#include "lang/tags/tag_text.h"
#include "lang/when/when.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <string>

namespace tiphys::lang {
namespace {

double cpu_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// The best of several rounds of about a tenth of a second each.
template <class Work>
void measure(std::string_view name, double goal, Work work) {
  constexpr int kRounds = 5;
  std::size_t count = 1;
  double best = 1e18;
  for (int round = 0; round < kRounds;) {
    const double begin = cpu_nanoseconds();
    for (std::size_t i = 0; i < count; ++i) {
      work();
    }
    const double spent = cpu_nanoseconds() - begin;
    if (spent < 2e7) {
      count *= 4;
      continue;
    }
    best = std::min(best, spent / static_cast<double>(count));
    ++round;
  }
  fmt::print("{:<58}{:>10.0f} ns", name, best);
  fmt::print(
      "{}\n",
      goal == 0 ? "" : fmt::format("   goal {:>6.0f}   {}", goal, best <= goal ? "met" : "MISSED"));
}

void must(bool works) {
  if (!works) {
    fmt::print("does not work\n");
    std::exit(1);
  }
}

Scope item_scope() {
  Scope scope;
  scope.set_value("item", ExprValue::string("21"));
  scope.set_value("inputs.parameters.message", ExprValue::string("hello"));
  scope.set_value("workflow.name", ExprValue::string("hello-world-x7k2p"));
  for (int i = 0; i < 20; ++i) {
    scope.set_value(fmt::format("tasks.t{}.outputs.result", i), ExprValue::string("done"));
  }
  return scope;
}

void measure_tags() {
  const Scope scope = item_scope();
  const TagRules rules{.strictness = Strictness::everything()};
  const auto fill = [&](std::string_view name, std::string text, double goal) {
    const TagText scanned = TagText::scan(std::move(text), TagText::Format::own_json).value();
    must(scanned.replace(scope, rules).has_value());
    measure(name, goal, [&] { must(scanned.replace(scope, rules).has_value()); });
  };
  fill("a simple tag: \"{{inputs.parameters.message}}\"", R"("{{inputs.parameters.message}}")",
       1000);
  fill("an expression tag: \"{{=asInt(item)*2}}\"", R"("{{=asInt(item)*2}}")", 5000);
  fill(
      "ten simple tags",
      R"(["{{item}}","{{item}}","{{item}}","{{item}}","{{item}}","{{item}}","{{item}}","{{item}}","{{item}}","{{item}}"])",
      10'000);
  measure("the same expression tag, scanned each time", 0, [&] {
    must(replace_tags(R"("{{=asInt(item)*2}}")", scope, rules, TagText::Format::own_json)
             .has_value());
  });
}

void measure_expressions() {
  ExprTable table;
  table.set("item", ExprValue::string("21"));
  table.set("n", ExprValue::integer(3));
  const ExprOverlay environment(argo_functions(), table);
  const auto evaluate = [&](std::string_view source, double goal) {
    const Expr expression = Expr::compile(source, environment).value();
    must(expression.run(environment).has_value());
    measure(fmt::format("expr {}", source), goal,
            [&] { must(expression.run(environment).has_value()); });
  };
  evaluate("asInt(item) * 2", 2000);
  evaluate("n > 2 && item != \"\"", 2000);
  evaluate("filter(1..10, # % 2 == 0)", 0);
}

void measure_others() {
  measure("when 'a' == 'b' || 3 > 2", 0,
          [] { must(should_execute("'a' == 'b' || 3 > 2").has_value()); });
  const CronSchedule daily = parse_cron("30 4 * * 1-5", nullptr).value();
  const Instant from{.unix_seconds = 1'700'000'000};
  measure("cron 30 4 * * 1-5, the next time", 0, [&] { must(next_time(daily, from).has_value()); });
  const doc::Value document =
      doc::parse_json(
          R"({"status":{"conditions":[{"type":"Ready","status":"True"},{"type":"Done","status":"False"}]}})")
          .value();
  const JqFilter filter =
      JqFilter::compile(".status.conditions[] | select(.type == \"Ready\") | .status").value();
  measure("jq, a select over two conditions", 0, [&] { must(filter.text(document).has_value()); });
  const JqFilter loop = JqFilter::compile("reduce range(1000) as $i (0; . + $i)").value();
  measure("jq, reduce range(1000)", 0, [&] { must(loop.text(document).has_value()); });
  const JsonPathTemplate path =
      JsonPathTemplate::parse("{.status.conditions[?(@.type==\"Ready\")].status}").value();
  measure("jsonpath, a filter over two conditions", 0,
          [&] { must(path.execute(document).has_value()); });
}

}  // namespace
}  // namespace tiphys::lang

int main() {
  tiphys::lang::measure_tags();
  tiphys::lang::measure_expressions();
  tiphys::lang::measure_others();
  return 0;
}

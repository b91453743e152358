#include "lang/depends/depends.h"

#include <gtest/gtest.h>

#include <map>

namespace tiphys::lang {
namespace {

std::optional<ContinueOn> policy_of(std::string_view task) {
  static const std::map<std::string_view, ContinueOn> kTasks = {
      {"a", {}}, {"b", {.error = true, .failed = true}}, {"a-b", {}}, {"1a", {}}};
  const auto place = kTasks.find(task);
  return place == kTasks.end() ? std::nullopt : std::optional(place->second);
}

Depends read(std::string_view text) { return Depends::parse(text, policy_of).value(); }

using Names = std::vector<std::string>;

TEST(Depends, bare_names_are_written_out) {
  const Depends depends = read("a && !(b || a-b.Failed)");
  EXPECT_EQ(depends.logic(),
            "(a.Succeeded || a.Skipped || a.Daemoned) && !((b.Succeeded || b.Skipped || b.Daemoned "
            "|| b.Errored || b.Failed) || a-b.Failed)");
  EXPECT_EQ(depends.dependencies(), (Names{"a", "a-b", "b"}));
}

TEST(Depends, dependencies_are_all_wanted) {
  const Names names = {"b", "a"};
  const Depends depends = Depends::all_of(names, policy_of).value();
  EXPECT_EQ(depends.logic(),
            "(b.Succeeded || b.Skipped || b.Daemoned || b.Errored || b.Failed) && (a.Succeeded || "
            "a.Skipped || a.Daemoned)");
  EXPECT_EQ(depends.dependencies(), (Names{"a", "b"}));
  EXPECT_TRUE(Depends::all_of({}, policy_of).value().evaluate({}).value());
}

TEST(Depends, unknown_bare_names_are_refused_and_unknown_results_kept) {
  EXPECT_EQ(Depends::parse("nope", policy_of).error().message, "target nope does not exist");
  EXPECT_EQ(Depends::parse("a.S", policy_of).error().message, "target S does not exist");
  EXPECT_EQ(read("a && nope.Failed").dependencies(), (Names{"a", "nope"}));
  EXPECT_EQ(read("a.").logic(), "(a.Succeeded || a.Skipped || a.Daemoned).");
}

TEST(Depends, formulas_are_evaluated_over_outcomes) {
  const auto outcome = [](std::string_view task) {
    return TaskOutcome{.succeeded = task == "a", .failed = task != "a"};
  };
  EXPECT_TRUE(read("a").evaluate(outcome).value());
  EXPECT_TRUE(read("a && a-b.Failed").evaluate(outcome).value());
  EXPECT_FALSE(read("!a || a-b").evaluate(outcome).value());
  EXPECT_TRUE(read("a.Failed || a.Succeeded && a-b.Failed").evaluate(outcome).value());
}

TEST(Depends, anything_else_is_an_expression) {
  const auto outcome = [](std::string_view) { return TaskOutcome{.succeeded = true}; };
  EXPECT_TRUE(read("a.Succeeded == b.Succeeded").evaluate(outcome).value());
  EXPECT_EQ(read("a.Succeeded ||").evaluate(outcome).error().message,
            "unable to evaluate expression 'a.Succeeded ||': unexpected token EOF (1:14)\n"
            " | a.Succeeded ||\n"
            " | .............^");
}

TEST(Depends, members_are_wanted_unless_a_bare_name_follows) {
  EXPECT_TRUE(read("a.Succeeded || a.AnySucceeded").wants_members_of("a"));
  EXPECT_FALSE(read("a.AnySucceeded || a").wants_members_of("a"));
  EXPECT_TRUE(check_task_results("a.AllFailed"));
  EXPECT_EQ(check_task_results("a.Unknown").error().message,
            "task result 'Unknown' for task 'a' is invalid");
}

TEST(Depends, deep_formulas_are_harmless) {
  const auto outcome = [](std::string_view) { return TaskOutcome{}; };
  const std::string deep = std::string(100000, '(') + "a" + std::string(100000, ')');
  EXPECT_FALSE(read(deep).evaluate(outcome));
  EXPECT_FALSE(read(std::string(100000, '!') + "a").evaluate(outcome));
}

}  // namespace
}  // namespace tiphys::lang

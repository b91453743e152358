#include "lang/when/when.h"

#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

std::string outcome(std::string_view when) {
  const auto result = should_execute(when);
  if (!result) {
    return result.error().message;
  }
  return *result ? "true" : "false";
}

TEST(When, compares_bare_words_as_texts) {
  EXPECT_EQ(outcome(""), "true");
  EXPECT_EQ(outcome("heads == heads"), "true");
  EXPECT_EQ(outcome("'heads' == tails"), "false");
  EXPECT_EQ(outcome("Succeeded in (Failed, Succeeded)"), "true");
  EXPECT_EQ(outcome("[a-b] == 'a-b'"), "true");
}

TEST(When, numbers_and_texts_do_not_mix) {
  EXPECT_EQ(outcome("1 == '1'"), "false");
  EXPECT_EQ(outcome("'10' < '9'"), "true");
  EXPECT_EQ(outcome("1 < 'a'"),
            "Failed to evaluate 'when' expresion '1 < 'a'': Value '1' cannot be used with the "
            "comparator '<', it is not a number");
  EXPECT_EQ(outcome("1 + 'a' == '1a'"), "true");
}

TEST(When, operators_of_one_precedence_group_to_the_left) {
  EXPECT_EQ(outcome("2 ** 3 ** 2 == 64"), "true");
  EXPECT_EQ(outcome("100 / 10 / 2 == 5"), "true");
  EXPECT_EQ(outcome("-2 ** 2 == 4"), "true");
  EXPECT_EQ(outcome("false ? true : false"), "false");
}

TEST(When, powers_and_lists_print_as_go_prints_them) {
  EXPECT_EQ(outcome("0x1F ** 0x1F"),
            "Expected boolean evaluation for '0x1F ** 0x1F'. Got 1.7069174130723234e+46");
  EXPECT_EQ(outcome("'', b"), "Expected boolean evaluation for ''', b'. Got [ b]");
}

TEST(When, the_left_side_may_decide_alone) {
  EXPECT_EQ(outcome("true || 'x'"), "true");
  EXPECT_EQ(outcome("false && (1 / 'x')"), "false");
}

TEST(When, quoted_dates_are_times) {
  EXPECT_EQ(outcome("'2024-01-02' == 1704153600"), "true");
  EXPECT_EQ(outcome("'2024-01-02T03:04:05Z' < '2024-01-03'"), "true");
}

TEST(When, errors_say_what_upstream_says) {
  EXPECT_EQ(outcome("a && "), "Invalid 'when' expression 'a && ': Unexpected end of expression");
  EXPECT_EQ(outcome("{{x}} == 1"),
            "Invalid 'when' expression '{{x}} == 1': Invalid token: '{{' (hint: try wrapping the "
            "affected expression in quotes (\"))");
  EXPECT_EQ(outcome("x"), "Expected boolean evaluation for 'x'. Got x");
  EXPECT_EQ(outcome("!a == b"),
            "Failed to parse 'when' expression '!a == b': Cannot transition token types from "
            "PREFIX [!] to STRING [a]");
  EXPECT_EQ(outcome("a ? , b"),
            "Invalid 'when' expression 'a ? , b': Unable to plan token kind: 'SEPARATOR', value: "
            "','");
  EXPECT_EQ(outcome("()"), "Expected boolean evaluation for '()'. Got <nil>");
}

TEST(When, without_conversion_bare_words_are_unknown_parameters) {
  EXPECT_EQ(should_execute_strict("heads == heads").error().message, "No parameter 'heads' found.");
  EXPECT_TRUE(should_execute_strict("'a' == 'a'").value());
}

TEST(When, deep_and_long_expressions_are_harmless) {
  EXPECT_FALSE(should_execute(std::string(100000, '(') + "true" + std::string(100000, ')')));
  std::string chain = "true";
  for (int i = 0; i < 50000; ++i) {
    chain += " && true";
  }
  EXPECT_TRUE(should_execute(chain).value());
  EXPECT_FALSE(should_execute("a\\"));
}

}  // namespace
}  // namespace tiphys::lang

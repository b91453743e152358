#include "lang/goregex/goregex.h"

#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

TEST(GoRegexp, matches_anywhere) {
  EXPECT_TRUE(GoRegexp::compile("o+").value().matches("foo"));
  EXPECT_FALSE(GoRegexp::compile("^o").value().matches("foo"));
}

TEST(GoRegexp, errors_are_gos) {
  EXPECT_EQ(GoRegexp::compile("[").error().message, "error parsing regexp: missing closing ]: `[`");
  EXPECT_EQ(GoRegexp::compile("(a").error().message,
            "error parsing regexp: missing closing ): `(a`");
  EXPECT_EQ(GoRegexp::compile("a)").error().message, "error parsing regexp: unexpected ): `a)`");
  EXPECT_EQ(GoRegexp::compile("*").error().message,
            "error parsing regexp: missing argument to repetition operator: `*`");
  EXPECT_EQ(GoRegexp::compile("a**").error().message,
            "error parsing regexp: invalid nested repetition operator: `**`");
  EXPECT_EQ(GoRegexp::compile("\\").error().message,
            "error parsing regexp: trailing backslash at end of expression: ``");
}

TEST(GoRegexp, groups_are_named_in_either_way) {
  EXPECT_TRUE(GoRegexp::compile("(?<a>x)(?P<b>y)").value().matches("xy"));
  EXPECT_EQ(GoRegexp::compile("(?<a>x)").value().pattern(), "(?<a>x)");
}

TEST(RegexMatches, an_empty_match_behind_another_does_not_count) {
  const auto pattern = compile_regex("a*(b)?").value();
  RegexMatches matches(*pattern, "baab", 2);
  std::string found;
  while (matches.next()) {
    found += std::to_string(matches.span(0)->begin) + "-" + std::to_string(matches.span(0)->end) +
             (matches.span(1) ? "b " : " ");
  }
  EXPECT_EQ(found, "0-1b 1-4b ");
}

}  // namespace
}  // namespace tiphys::lang

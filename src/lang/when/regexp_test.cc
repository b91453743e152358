#include "lang/when/regexp.h"

#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

TEST(GoRegexp, matches_anywhere) {
  EXPECT_TRUE(GoRegexp::compile("o+").value().matches("foo"));
  EXPECT_FALSE(GoRegexp::compile("^o").value().matches("foo"));
}

TEST(GoRegexp, errors_are_gos) {
  EXPECT_EQ(GoRegexp::compile("[").error(), "error parsing regexp: missing closing ]: `[`");
  EXPECT_EQ(GoRegexp::compile("(a").error(), "error parsing regexp: missing closing ): `(a`");
  EXPECT_EQ(GoRegexp::compile("a)").error(), "error parsing regexp: unexpected ): `a)`");
  EXPECT_EQ(GoRegexp::compile("*").error(),
            "error parsing regexp: missing argument to repetition operator: `*`");
  EXPECT_EQ(GoRegexp::compile("a**").error(),
            "error parsing regexp: invalid nested repetition operator: `**`");
  EXPECT_EQ(GoRegexp::compile("\\").error(),
            "error parsing regexp: trailing backslash at end of expression: ``");
}

}  // namespace
}  // namespace tiphys::lang

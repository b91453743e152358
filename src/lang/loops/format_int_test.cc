#include "lang/loops/format_int.h"

#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

std::string format(std::string_view pattern, std::int64_t value) {
  return go_format_int(pattern, value).value();
}

TEST(FormatInt, prints_numbers) {
  EXPECT_EQ(format("%d", -5), "-5");
  EXPECT_EQ(format("host-%03d", 7), "host-007");
  EXPECT_EQ(format("%03d", -7), "-07");
  EXPECT_EQ(format("%-5d|", 7), "7    |");
  EXPECT_EQ(format("%+d|%3[1]d", 7), "+7|  7");
  EXPECT_EQ(format("%#x", 255), "0xff");
  EXPECT_EQ(format("%X %%", 255), "FF %");
  EXPECT_EQ(format("%.4d", 7), "0007");
  EXPECT_EQ(format("%8.4d", -7), "   -0007");
  EXPECT_EQ(format("%#o", 8), "010");
  EXPECT_EQ(format("%+v", 8), "8");
  EXPECT_EQ(format("%O", 8), "0o10");
  EXPECT_EQ(format("%c%[1]U", 65), "AU+0041");
  EXPECT_EQ(format("%q", 39), R"('\'')");
  EXPECT_EQ(format("%d", std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
}

TEST(FormatInt, marks_mistakes_as_go_does) {
  EXPECT_EQ(format("%s", 5), "%!s(int=5)");
  EXPECT_EQ(format("%d-%d", 0), "0-%!d(MISSING)");
  EXPECT_EQ(format("static", 1), "static%!(EXTRA int=1)");
  EXPECT_EQ(format("%", 0), "%!(NOVERB)%!(EXTRA int=0)");
  EXPECT_EQ(format("%d%", 0), "0%!(NOVERB)");
  EXPECT_EQ(format("%[2]d", 0), "%!d(BADINDEX)");
  EXPECT_EQ(format("%[1]d-%[1]x", 10), "10-a");
  EXPECT_EQ(format("%*d", 3), "%!d(MISSING)");
}

TEST(FormatInt, refuses_to_fill_the_memory) {
  std::string pattern;
  for (int i = 0; i < 40; ++i) {
    pattern += "%999999[1]d";
  }
  EXPECT_FALSE(go_format_int(pattern, 1));
}

}  // namespace
}  // namespace tiphys::lang

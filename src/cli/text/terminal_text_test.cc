#include "cli/text/terminal_text.h"

#include <gtest/gtest.h>

namespace tiphys::cli {
namespace {

TEST(TerminalText, control_characters_become_single_spaces) {
  EXPECT_EQ(printable_line("a\nb\r\n\tc\x1b[2Jd"), "a b c [2Jd");
  EXPECT_EQ(printable_line("ends\n"), "ends");
  EXPECT_EQ(printable_line("\xe2\x80\xaeleft"), "left");
  EXPECT_EQ(printable_line(std::string_view("a\0b", 3)), "a b");
}

TEST(TerminalText, what_is_not_utf8_becomes_a_question_mark) {
  EXPECT_EQ(printable_line("a\xff\xc3"), "a??");
  EXPECT_EQ(printable_line("größe 日本"), "größe 日本");
}

TEST(TerminalText, counts_columns_and_not_bytes) {
  EXPECT_EQ(column_count("größe"), 5U);
  EXPECT_EQ(column_count("日本"), 4U);
  EXPECT_EQ(column_count("\x1b[31mred\x1b[0m"), 3U);
}

TEST(TerminalText, cuts_with_an_ellipsis_and_closes_colours) {
  EXPECT_EQ(fit_columns("short", 5, true), "short");
  EXPECT_EQ(fit_columns("longer", 5, true), "long…");
  EXPECT_EQ(fit_columns("longer", 5, false), "long.");
  EXPECT_EQ(fit_columns("日本語", 5, true), "日本…");
  EXPECT_EQ(fit_columns("日本語", 4, true), "日…");
  EXPECT_EQ(fit_columns("\x1b[31mlonger\x1b[0m", 3, true), "\x1b[31mlo…\x1b[0m");
  EXPECT_EQ(fit_columns("x", 0, true), "");
}

}  // namespace
}  // namespace tiphys::cli

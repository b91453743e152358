#include "lang/gotext/gotext.h"

#include <gtest/gtest.h>

namespace tiphys::lang {
namespace {

TEST(GoText, floats_are_spelled_as_the_verb_v_spells_them) {
  EXPECT_EQ(float_text(3.0), "3");
  EXPECT_EQ(float_text(0.1), "0.1");
  EXPECT_EQ(float_text(123456789.0), "1.23456789e+08");
  EXPECT_EQ(float_text(1e20), "1e+20");
  EXPECT_EQ(float_text(1e-7), "1e-07");
  EXPECT_EQ(float_text(-0.0), "-0");
  EXPECT_EQ(float_text(1.0 / 0.0), "+Inf");
  EXPECT_EQ(float_text(1.25F), "1.25");
}

TEST(GoText, integers_are_parsed_with_the_errors_of_strconv) {
  EXPECT_EQ(parse_integer("+42", 10), 42);
  EXPECT_EQ(parse_integer("-9223372036854775808", 10), INT64_MIN);
  EXPECT_EQ(parse_integer("0x1F", 0), 31);
  EXPECT_EQ(parse_integer("0o17", 0), 15);
  EXPECT_EQ(parse_integer("0b101", 0), 5);
  EXPECT_EQ(parse_integer("0", 0), 0);
  EXPECT_EQ(parse_integer("1_000", 0), 1000);
  EXPECT_EQ(parse_integer("1_000", 10).error().message,
            R"(strconv.ParseInt: parsing "1_000": invalid syntax)");
  EXPECT_EQ(parse_integer("9223372036854775808", 10).error().message,
            R"(strconv.ParseInt: parsing "9223372036854775808": value out of range)");
}

TEST(GoText, floats_are_parsed_in_every_go_spelling) {
  EXPECT_EQ(parse_float("-1e3"), -1000.0);
  EXPECT_EQ(parse_float("0x1p-2"), 0.25);
  EXPECT_EQ(parse_float(".5"), 0.5);
  EXPECT_EQ(parse_float("1e-400"), 0.0);
  EXPECT_FALSE(parse_float("1e400"));
  EXPECT_FALSE(parse_float("1e"));
  EXPECT_FALSE(parse_float(" 1"));
  EXPECT_FALSE(parse_float("0x10"));
}

TEST(GoText, text_is_quoted_as_a_go_literal) {
  EXPECT_EQ(quote("a\"b\\\n\x01\x7F\xFF\xC2\xA0é"), R"("a\"b\\\n\x01\x7f\xff\u00a0é")");
  EXPECT_EQ(rune_name('~'), "U+007E '~'");
  EXPECT_EQ(rune_name(0xFEFF), "U+FEFF");
}

TEST(GoText, case_mapping_is_simple_and_without_locale) {
  EXPECT_EQ(upper("héllo ß ǆ ÿ"), "HÉLLO ß Ǆ Ÿ");
  EXPECT_EQ(lower("ΣÀİ"), "σài");
  EXPECT_EQ(upper("а-я"), "А-Я");
}

TEST(GoText, broken_bytes_count_as_one_replacement_each) {
  EXPECT_EQ(rune_count("漢\xFF\xE6"), 3U);
  EXPECT_EQ(valid_utf8("a\xC0\x80"), "a\uFFFD\uFFFD");
  EXPECT_EQ(last_rune("x漢").size, 3U);
  EXPECT_EQ(last_rune("\xA2").rune, kReplacementRune);
}

TEST(GoText, spaces_of_unicode_are_trimmed) {
  EXPECT_EQ(trim_space("\u00a0\t x y\u3000\n"), "x y");
}

TEST(GoText, base64_goes_there_and_back_and_names_the_bad_byte) {
  for (const std::string text : {"", "a", "ab", "abc", "hello \xFF"}) {
    EXPECT_EQ(base64_decode(base64_encode(text)), text);
  }
  EXPECT_EQ(base64_decode("!!").error().message, "illegal base64 data at input byte 0");
  EXPECT_EQ(base64_decode("aGVsbG8").error().message, "illegal base64 data at input byte 4");
  EXPECT_EQ(base64_decode("aGVs\nbG8="), "hello");
}

}  // namespace
}  // namespace tiphys::lang

#pragma once
/// Text as Go's packages strconv, unicode, utf8, strings and base64 treat it, because languages
/// made for Go programs print, quote, parse and compare text by these rules. Strings are bytes; a
/// byte that is not valid UTF-8 counts as one character U+FFFD. Pure functions, no locale.
///
/// Source of the rules: the documentation of those packages and the Unicode Character Database.

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::lang {

inline constexpr char32_t kReplacementRune = 0xFFFD;

/// One character of a text and the bytes it takes (0 at the end of the text).
struct DecodedRune {
  char32_t rune = kReplacementRune;
  std::size_t size = 0;
};

DecodedRune first_rune(std::string_view text);
DecodedRune last_rune(std::string_view text);
/// Surrogates and values above U+10FFFF are written as U+FFFD.
void append_rune(std::string& out, char32_t rune);
std::size_t rune_count(std::string_view text);
/// Bytes that are no UTF-8 replaced by U+FFFD each.
std::string valid_utf8(std::string_view text);

bool is_letter(char32_t rune);
/// Decimal digits of any script.
bool is_digit(char32_t rune);
bool is_space(char32_t rune);
/// Letters, marks, numbers, punctuation, symbols and the ASCII space.
bool is_print(char32_t rune);

char32_t upper_rune(char32_t rune);
char32_t lower_rune(char32_t rune);
std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string_view trim_space(std::string_view text);

/// A double-quoted Go literal (strconv.Quote).
std::string quote(std::string_view text);
/// "U+007E '~'", the %#U of a character.
std::string rune_name(char32_t rune);

/// A float64 as %v prints it: "3", "1e+06", "+Inf", "NaN".
std::string float_text(double value);
std::string float_text(float value);

/// Go's strconv.ParseInt with 64 bits. Base 0 takes the base from a prefix and allows underscores.
/// Errors (invalid) carry Go's text: `strconv.ParseInt: parsing "x": invalid syntax`.
Result<std::int64_t> parse_integer(std::string_view text, int base,
                                   std::string_view function = "ParseInt");
/// Go's strconv.ParseFloat with 64 bits: decimal, hexadecimal, Inf, Infinity, NaN.
Result<double> parse_float(std::string_view text);

std::string base64_encode(std::string_view bytes);
/// Standard alphabet with padding; line breaks are skipped. Error: `illegal base64 data at input
/// byte N`.
Result<std::string> base64_decode(std::string_view text);

}  // namespace tiphys::lang

#include "lang/gotime/layout.h"

#include <fmt/format.h>

namespace tiphys::lang {
namespace {

struct Spelling {
  std::string_view text;
  LayoutElement element;
};

/// The first spelling that fits wins, so longer ones stand before their beginnings.
constexpr Spelling kSpellings[] = {
    {"January", LayoutElement::long_month},
    {"Jan", LayoutElement::month},
    {"Monday", LayoutElement::long_weekday},
    {"Mon", LayoutElement::weekday},
    {"MST", LayoutElement::zone_name},
    {"002", LayoutElement::zero_year_day},
    {"01", LayoutElement::zero_month},
    {"02", LayoutElement::zero_day},
    {"03", LayoutElement::zero_hour12},
    {"04", LayoutElement::zero_minute},
    {"05", LayoutElement::zero_second},
    {"06", LayoutElement::year},
    {"15", LayoutElement::hour},
    {"1", LayoutElement::number_month},
    {"2006", LayoutElement::long_year},
    {"2", LayoutElement::day},
    {"__2", LayoutElement::space_year_day},
    {"_2", LayoutElement::space_day},
    {"3", LayoutElement::hour12},
    {"4", LayoutElement::minute},
    {"5", LayoutElement::second},
    {"PM", LayoutElement::upper_pm},
    {"pm", LayoutElement::lower_pm},
    {"-07:00:00", LayoutElement::number_colon_seconds_zone},
    {"-07:00", LayoutElement::number_colon_zone},
    {"-070000", LayoutElement::number_seconds_zone},
    {"-0700", LayoutElement::number_zone},
    {"-07", LayoutElement::number_short_zone},
    {"Z07:00:00", LayoutElement::iso_colon_seconds_zone},
    {"Z07:00", LayoutElement::iso_colon_zone},
    {"Z070000", LayoutElement::iso_seconds_zone},
    {"Z0700", LayoutElement::iso_zone},
    {"Z07", LayoutElement::iso_short_zone},
};

bool starts_lower(std::string_view text) {
  return !text.empty() && text[0] >= 'a' && text[0] <= 'z';
}

bool starts_with_digit(std::string_view text) {
  return !text.empty() && text[0] >= '0' && text[0] <= '9';
}

/// ".000" or ",999": a run of one digit that no other digit follows.
std::size_t fraction_length(std::string_view rest) {
  if (rest.size() < 2 || (rest[0] != '.' && rest[0] != ',') || (rest[1] != '0' && rest[1] != '9')) {
    return 0;
  }
  std::size_t end = 1;
  while (end < rest.size() && rest[end] == rest[1]) {
    ++end;
  }
  return starts_with_digit(rest.substr(end)) ? 0 : end;
}

Spelling spelling_at(std::string_view rest) {
  if (const std::size_t length = fraction_length(rest); length > 0) {
    return {rest.substr(0, length),
            rest[1] == '0' ? LayoutElement::fraction_zeros : LayoutElement::fraction_nines};
  }
  for (const Spelling& spelling : kSpellings) {
    if (!rest.starts_with(spelling.text)) {
      continue;
    }
    // "Janet" and "Month" are words, not elements.
    const bool short_name =
        spelling.element == LayoutElement::month || spelling.element == LayoutElement::weekday;
    if (short_name && starts_lower(rest.substr(3))) {
      continue;
    }
    return spelling;
  }
  return {{}, LayoutElement::none};
}

}  // namespace

LayoutPart next_part(std::string_view layout) {
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const std::string_view rest = layout.substr(i);
    if (rest.starts_with("_2006")) {
      return {layout.substr(0, i + 1), LayoutElement::long_year, rest.substr(1, 4), rest.substr(5)};
    }
    const Spelling found = spelling_at(rest);
    if (found.element != LayoutElement::none) {
      return {layout.substr(0, i), found.element, found.text, rest.substr(found.text.size())};
    }
  }
  return {layout, LayoutElement::none, {}, {}};
}

std::string time_quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || byte < ' ') {
      out += fmt::format("\\x{:02x}", byte);
      continue;
    }
    if (c == '"' || c == '\\') {
      out.push_back('\\');
    }
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

}  // namespace tiphys::lang

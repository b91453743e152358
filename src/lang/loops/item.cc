#include "lang/loops/item.h"

#include "lang/jsontext/json_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace tiphys::lang {
namespace {

std::string_view trimmed(std::string_view json) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = json.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    return {};
  }
  return json.substr(begin, json.find_last_not_of(kBlanks) - begin + 1);
}

/// Nothing when the number is beyond float64.
std::optional<double> number_of(std::string_view json) {
  double value = 0;
  const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), value);
  // A number too close to zero is out of range here, and zero in Go.
  if (error == std::errc::result_out_of_range) {
    const std::size_t exponent = json.find_first_of("eE");
    const bool is_tiny = exponent != std::string_view::npos && json[exponent + 1] == '-';
    return is_tiny ? std::optional(json.starts_with('-') ? -0.0 : 0.0) : std::nullopt;
  }
  return value;
}

/// The shortest digits that give the number back, without exponent.
std::string plain_number(double number) {
  std::array<char, 64> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                    std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(result.ptr - buffer.data()));
  const std::size_t mark = text.find('e');
  int exponent = 0;
  const char* first = text.data() + mark + (text[mark + 1] == '+' ? 2 : 1);
  std::from_chars(first, text.data() + text.size(), exponent);
  std::string digits;
  std::string sign;
  for (const char byte : text.substr(0, mark)) {
    if (byte == '-') {
      sign = "-";
    } else if (byte != '.') {
      digits += byte;
    }
  }
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) {
    return sign + digits + std::string(whole - digits.size(), '0');
  }
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

}  // namespace

std::string_view text_of(ItemType type) {
  switch (type) {
    case ItemType::number:
      return "number";
    case ItemType::string:
      return "string";
    case ItemType::boolean:
      return "bool";
    case ItemType::map:
      return "map";
    case ItemType::list:
      return "list";
  }
  return "";
}

ItemType Item::type() const {
  const std::string_view kind = json_kind(json_);
  if (kind == "number") {
    return number_of(trimmed(json_)) ? ItemType::number : ItemType::string;
  }
  if (kind == "bool") {
    return ItemType::boolean;
  }
  if (kind == "object") {
    return ItemType::map;
  }
  return kind == "string" ? ItemType::string : ItemType::list;
}

std::string Item::compact() const {
  std::string out;
  append_compact_json(out, json_);
  return out;
}

std::string Item::text() const {
  const std::string json = compact();
  std::string_view text = json;
  if (text.starts_with('"')) {
    text = text.substr(1, text.size() - 2);
  }
  return without_html_escapes(text);
}

std::string Item::string_value() const {
  return json_kind(json_) == "string" ? json_unescape(trimmed(json_)) : std::string();
}

Result<std::string> any_string(std::string_view json) {
  if (auto problem = json_problem(json)) {
    return fail(ErrorCode::invalid, *std::move(problem));
  }
  const std::string_view value = trimmed(json);
  const std::string_view kind = json_kind(value);
  if (kind == "string") {
    return json_unescape(value);
  }
  if (kind == "bool") {
    return std::string(value);
  }
  if (kind != "number") {
    return std::string();
  }
  const auto number = number_of(value);
  if (!number) {
    return fail(
        ErrorCode::invalid,
        fmt::format("json: cannot unmarshal number {} into Go value of type float64", value));
  }
  return plain_number(*number);
}

}  // namespace tiphys::lang

// Formats: @csv, @base64 and so on.

#include "lang/gotext/gotext.h"
#include "lang/jq/json_form.h"
#include "lang/jq/native.h"

#include <algorithm>
#include <optional>

namespace tiphys::lang::jq {
namespace {

std::string text_of(const NativeCall& call) {
  return call.value.is(Kind::text) ? call.value.as_text() : to_json(call.value, call.budget);
}

struct Replacement {
  char from;
  std::string_view to;
};

std::string replaced(std::string_view text, std::span<const Replacement> table) {
  std::string out;
  for (const char c : text) {
    const auto found = std::ranges::find(table, c, &Replacement::from);
    if (found == table.end()) {
      out.push_back(c);
    } else {
      out += found->to;
    }
  }
  return out;
}

constexpr Replacement kHtml[] = {
    {'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'\'', "&apos;"}, {'"', "&quot;"}};
constexpr Replacement kCsv[] = {{'"', "\"\""}, {'\0', "\\0"}};
constexpr Replacement kTsv[] = {
    {'\t', "\\t"}, {'\r', "\\r"}, {'\n', "\\n"}, {'\\', "\\\\"}, {'\0', "\\0"}};
constexpr Replacement kShell[] = {{'\'', "'\\''"}, {'\0', "\\0"}};

struct Row {
  std::string_view name;
  std::string_view separator;
  std::string_view quote;
  std::span<const Replacement> escapes;
};

Outcome joined(const NativeCall& call, const Row& row, const List& elements) {
  std::string out;
  bool is_first = true;
  for (const Value& element : elements) {
    out += is_first ? "" : row.separator;
    is_first = false;
    if (element.is(Kind::list) || element.is(Kind::map)) {
      return problem("@" + std::string(row.name) +
                     " cannot format an array including: " + preview_with_type(element));
    }
    if (element.is(Kind::text)) {
      call.budget.spend_bytes(element.as_text().size());
      out.append(row.quote).append(replaced(element.as_text(), row.escapes)).append(row.quote);
      continue;
    }
    const std::string json = to_json(element, call.budget);
    out += json == "null" && row.name != "sh" ? "" : json;
  }
  return Value::text(std::move(out));
}

Outcome to_csv(const NativeCall& call) {
  return call.value.is(Kind::list) ? joined(call, {"csv", ",", "\"", kCsv}, call.value.as_list())
                                   : not_for("@csv", call.value);
}

Outcome to_tsv(const NativeCall& call) {
  return call.value.is(Kind::list) ? joined(call, {"tsv", "\t", "", kTsv}, call.value.as_list())
                                   : not_for("@tsv", call.value);
}

Outcome to_sh(const NativeCall& call) {
  return joined(call, {"sh", " ", "'", kShell},
                call.value.is(Kind::list) ? call.value.as_list() : List{call.value});
}

Outcome to_html(const NativeCall& call) { return Value::text(replaced(text_of(call), kHtml)); }

Outcome to_uri(const NativeCall& call) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text_of(call)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kHex[byte >> 4U]);
    out.push_back(kHex[byte & 15U]);
  }
  return Value::text(std::move(out));
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? std::optional(low - 'a' + 10) : std::nullopt;
}

Outcome to_urid(const NativeCall& call) {
  const std::string text = text_of(call);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const auto high = i + 1 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
    if (!high || !low) {
      return failed_for("@urid", preview(call.value),
                        "invalid URL escape " + quote(text.substr(i, 3)));
    }
    out.push_back(static_cast<char>(*high * 16 + *low));
    i += 2;
  }
  return Value::text(std::move(out));
}

Outcome to_base64(const NativeCall& call) { return Value::text(base64_encode(text_of(call))); }

std::optional<unsigned> base64_digit(char c) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t place = kDigits.find(c);
  return place == std::string_view::npos ? std::nullopt
                                         : std::optional(static_cast<unsigned>(place));
}

/// Up to the first padding; line breaks are skipped.
Outcome to_base64d(const NativeCall& call) {
  std::string text = text_of(call);
  text.resize(std::min(text.find('='), text.size()));
  std::string out;
  unsigned bits = 0;
  std::size_t digits = 0;
  const auto broken = [&](std::size_t at) {
    return failed_for("@base64d", preview(call.value),
                      "illegal base64 data at input byte " + std::to_string(at));
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') {
      continue;
    }
    const auto digit = base64_digit(text[i]);
    if (!digit) {
      return broken(i);
    }
    bits = bits << 6U | *digit;
    if (++digits % 4 != 1) {
      // Of 12, 18 or 24 bits the lowest 4, 2 or 0 belong to the next byte.
      out.push_back(static_cast<char>(bits >> (8 - digits % 4 * 2) % 8));
    }
  }
  if (digits % 4 == 1) {
    return broken(text.size());
  }
  return Value::text(std::move(out));
}

Outcome format(const NativeCall& call) {
  static constexpr std::string_view kFormats[] = {"html", "uri", "urid",   "csv",
                                                  "tsv",  "sh",  "base64", "base64d"};
  const Value& name = call.argument(0);
  if (!name.is(Kind::text)) {
    return not_for("format", name);
  }
  const std::string& text = name.as_text();
  const Native* native = nullptr;
  if (text == "text" || text == "json") {
    native = find_native(text == "text" ? "tostring" : "tojson", 0);
  } else if (std::ranges::find(kFormats, text) != std::end(kFormats)) {
    native = find_native("_to" + text, 0);
  }
  return native == nullptr ? problem("format not defined: @" + text)
                           : native->function({call.value, {}, call.budget, call.now});
}

constexpr Native kNatives[] = {
    {"_tocsv", 0, to_csv},       {"_totsv", 0, to_tsv},         {"_tosh", 0, to_sh},
    {"_tohtml", 0, to_html},     {"_touri", 0, to_uri},         {"_tourid", 0, to_urid},
    {"_tobase64", 0, to_base64}, {"_tobase64d", 0, to_base64d}, {"format", 1, format},
};

}  // namespace

std::span<const Native> format_natives() { return kNatives; }

}  // namespace tiphys::lang::jq

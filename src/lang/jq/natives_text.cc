// Texts, conversions, errors.

#include "lang/gotext/gotext.h"
#include "lang/jq/json_form.h"
#include "lang/jq/lexer.h"
#include "lang/jq/native.h"
#include "lang/jq/operators.h"
#include "lang/jsontext/json_text.h"

#include <algorithm>

namespace tiphys::lang::jq {
namespace {

bool both_texts(const NativeCall& call) {
  call.budget.spend_bytes(call.value.is(Kind::text) ? call.value.as_text().size() : 0);
  return call.value.is(Kind::text) && call.argument(0).is(Kind::text);
}

Outcome text_of(std::string_view text) { return Value::text(std::string(text)); }

Outcome utf8bytelength(const NativeCall& call) {
  if (!call.value.is(Kind::text)) {
    return not_for("utf8bytelength", call.value);
  }
  return Value::integer(static_cast<std::int64_t>(call.value.as_text().size()));
}

Outcome startswith(const NativeCall& call) {
  if (!both_texts(call)) {
    return not_for("startswith", call.argument(0), call.value);
  }
  return Value::boolean(call.value.as_text().starts_with(call.argument(0).as_text()));
}

Outcome endswith(const NativeCall& call) {
  if (!both_texts(call)) {
    return not_for("endswith", call.argument(0), call.value);
  }
  return Value::boolean(call.value.as_text().ends_with(call.argument(0).as_text()));
}

std::string_view without_prefix(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

std::string_view without_suffix(std::string_view text, std::string_view suffix) {
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

Outcome ltrimstr(const NativeCall& call) {
  return both_texts(call)
             ? text_of(without_prefix(call.value.as_text(), call.argument(0).as_text()))
             : not_for("ltrimstr", call.argument(0), call.value);
}

Outcome rtrimstr(const NativeCall& call) {
  return both_texts(call)
             ? text_of(without_suffix(call.value.as_text(), call.argument(0).as_text()))
             : not_for("rtrimstr", call.argument(0), call.value);
}

Outcome trimstr(const NativeCall& call) {
  if (!both_texts(call)) {
    return not_for("trimstr", call.argument(0), call.value);
  }
  const std::string& affix = call.argument(0).as_text();
  return text_of(without_suffix(without_prefix(call.value.as_text(), affix), affix));
}

std::string_view without_left_blanks(std::string_view text) {
  while (!text.empty() && is_space(first_rune(text).rune)) {
    text.remove_prefix(first_rune(text).size);
  }
  return text;
}

std::string_view without_right_blanks(std::string_view text) {
  while (!text.empty() && is_space(last_rune(text).rune)) {
    text.remove_suffix(last_rune(text).size);
  }
  return text;
}

Outcome ltrim(const NativeCall& call) {
  return call.value.is(Kind::text) ? text_of(without_left_blanks(call.value.as_text()))
                                   : not_for("ltrim", call.value);
}

Outcome rtrim(const NativeCall& call) {
  return call.value.is(Kind::text) ? text_of(without_right_blanks(call.value.as_text()))
                                   : not_for("rtrim", call.value);
}

Outcome trim(const NativeCall& call) {
  return call.value.is(Kind::text)
             ? text_of(without_right_blanks(without_left_blanks(call.value.as_text())))
             : not_for("trim", call.value);
}

Outcome explode(const NativeCall& call) {
  if (!call.value.is(Kind::text)) {
    return not_for("explode", call.value);
  }
  std::string_view text = call.value.as_text();
  List out;
  while (!text.empty() && call.budget.spend(1)) {
    const DecodedRune rune = first_rune(text);
    out.push_back(Value::integer(static_cast<std::int64_t>(rune.rune)));
    text.remove_prefix(rune.size);
  }
  return Value::list(std::move(out));
}

Outcome implode(const NativeCall& call) {
  if (!call.value.is(Kind::list)) {
    return not_for("implode", call.value);
  }
  std::string out;
  for (const Value& element : call.value.as_list()) {
    const auto rune = to_integer(element);
    if (!rune) {
      return not_for("implode", call.value);
    }
    append_rune(out,
                *rune >= 0 && *rune <= 0x10FFFF ? static_cast<char32_t>(*rune) : kReplacementRune);
  }
  call.budget.spend(call.value.as_list().size());
  return Value::text(std::move(out));
}

Outcome split(const NativeCall& call) {
  if (!call.value.is(Kind::text)) {
    return not_for("split", call.value);
  }
  if (!call.argument(0).is(Kind::text)) {
    return not_for("split", call.argument(0));
  }
  return split_text(call.value.as_text(), call.argument(0).as_text(), call.budget);
}

template <char first, char last>
Outcome change_case(const NativeCall& call) {
  if (!call.value.is(Kind::text)) {
    return not_for(first == 'A' ? "ascii_downcase" : "ascii_upcase", call.value);
  }
  call.budget.spend_bytes(call.value.as_text().size());
  std::string out = valid_utf8(call.value.as_text());
  for (char& c : out) {
    c = c >= first && c <= last ? static_cast<char>(c ^ 0x20) : c;
  }
  return Value::text(std::move(out));
}

Outcome toboolean(const NativeCall& call) {
  if (call.value.is(Kind::boolean)) {
    return call.value;
  }
  if (!call.value.is(Kind::text)) {
    return not_for("toboolean", call.value);
  }
  const std::string& text = call.value.as_text();
  if (text != "true" && text != "false") {
    return failed_for("toboolean", preview(call.value), "invalid boolean");
  }
  return Value::boolean(text == "true");
}

Outcome tonumber(const NativeCall& call) {
  if (call.value.is_number()) {
    return call.value;
  }
  if (!call.value.is(Kind::text)) {
    return not_for("tonumber", call.value);
  }
  if (!Lexer::is_number(call.value.as_text())) {
    return failed_for("tonumber", preview(call.value), "invalid number");
  }
  return parse_number(call.value.as_text());
}

Outcome tojson(const NativeCall& call) { return Value::text(to_json(call.value, call.budget)); }

Outcome tostring(const NativeCall& call) {
  return call.value.is(Kind::text) ? call.value : tojson(call);
}

Outcome fromjson(const NativeCall& call) {
  if (!call.value.is(Kind::text)) {
    return not_for("fromjson", call.value);
  }
  const std::string& text = call.value.as_text();
  call.budget.spend_bytes(text.size() * 4);
  auto wrong = json_problem(text);
  if (!wrong) {
    return from_json(text, call.budget);
  }
  if (wrong->ends_with("after top-level value")) {
    return not_for("fromjson", call.value);
  }
  if (*wrong == "unexpected end of JSON input") {
    // A decoder that reads a stream has other words for it.
    const bool is_blank = text.find_first_not_of(" \t\r\n") == std::string::npos;
    wrong = is_blank ? "EOF" : "unexpected EOF";
  }
  return failed_for("fromjson", preview(call.value), *wrong);
}

Outcome type(const NativeCall& call) { return text_of(type_name(call.value)); }

Outcome error(const NativeCall& call) {
  return std::unexpected(Problem{.kind = Problem::Kind::value,
                                 .value = call.arguments.empty() ? call.value : call.argument(0)});
}

Outcome halt(const NativeCall& /*call*/) {
  return std::unexpected(Problem{.kind = Problem::Kind::halt});
}

Outcome halt_error(const NativeCall& call) {
  if (!call.arguments.empty() && !to_integer(call.argument(0))) {
    return not_for("halt_error", call.argument(0));
  }
  return std::unexpected(Problem{.kind = Problem::Kind::halt, .value = call.value});
}

Outcome modulemeta(const NativeCall& call) {
  return call.value.is(Kind::text) ? problem("cannot load module: " + quote(call.value.as_text()))
                                   : not_for("modulemeta", call.value);
}

constexpr Native kNatives[] = {
    {"utf8bytelength", 0, utf8bytelength},
    {"startswith", 1, startswith},
    {"endswith", 1, endswith},
    {"ltrimstr", 1, ltrimstr},
    {"rtrimstr", 1, rtrimstr},
    {"trimstr", 1, trimstr},
    {"ltrim", 0, ltrim},
    {"rtrim", 0, rtrim},
    {"trim", 0, trim},
    {"explode", 0, explode},
    {"implode", 0, implode},
    {"split", 1, split},
    {"ascii_downcase", 0, change_case<'A', 'Z'>},
    {"ascii_upcase", 0, change_case<'a', 'z'>},
    {"toboolean", 0, toboolean},
    {"tonumber", 0, tonumber},
    {"tojson", 0, tojson},
    {"tostring", 0, tostring},
    {"fromjson", 0, fromjson},
    {"type", 0, type},
    {"error", 0, error},
    {"error", 1, error},
    {"halt", 0, halt},
    {"halt_error", 0, halt_error},
    {"halt_error", 1, halt_error},
    {"modulemeta", 0, modulemeta},
};

}  // namespace

std::span<const Native> text_natives() { return kNatives; }

}  // namespace tiphys::lang::jq

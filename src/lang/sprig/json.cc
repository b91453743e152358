/// JSON in and out.
#include "lang/expr/go_json.h"
#include "lang/sprig/functions.h"

namespace tiphys::lang::sprig {
namespace {

enum class Errors { given, swallowed };

Answer from_json(const Call& call, Errors errors) {
  TRY_VOID(call.run.charge_text(call.text(0).size()));
  TRY_VOID(call.run.step(call.text(0).size() / 8));
  auto value = parse_go_json(call.text(0));
  return value || errors == Errors::given ? value : Answer(ExprValue());
}

Answer to_json(const Call& call, int indent, Errors errors) {
  auto text = call[0].to_json_text(indent);
  if (!text && errors == Errors::given) {
    return failure(text.error().message);
  }
  return text_answer(call, text ? *std::move(text) : std::string());
}

/// JSON as Go writes it when HTML characters need no escape. The line separators stay escaped.
std::string without_html_escapes(std::string_view json) {
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view escape = json.substr(i, 6);
    if (json[i] != '\\') {
      out.push_back(json[i]);
    } else if (escape == "\\u003c" || escape == "\\u003e" || escape == "\\u0026") {
      out.push_back(escape == "\\u003c" ? '<' : escape == "\\u003e" ? '>' : '&');
      i += 5;
    } else {
      out += json.substr(i, 2);
      ++i;
    }
  }
  return out;
}

Answer to_raw_json(const Call& call) {
  const auto text = call[0].to_json_text();
  return text ? text_answer(call, without_html_escapes(*text)) : failure(text.error().message);
}

constexpr int kPrettyIndent = 2;
constexpr std::string_view kWrite = "func(interface {}) string";
constexpr std::string_view kMustWrite = "func(interface {}) (string, error)";

constexpr Function kFunctions[] = {
    {"fromJson", "func(string) interface {}",
     [](const Call& call) { return from_json(call, Errors::swallowed); }},
    {"mustFromJson", "func(string) (interface {}, error)",
     [](const Call& call) { return from_json(call, Errors::given); }},
    {"toJson", kWrite, [](const Call& call) { return to_json(call, 0, Errors::swallowed); }},
    {"mustToJson", kMustWrite, [](const Call& call) { return to_json(call, 0, Errors::given); }},
    {"toPrettyJson", kWrite,
     [](const Call& call) { return to_json(call, kPrettyIndent, Errors::swallowed); }},
    {"mustToPrettyJson", kMustWrite,
     [](const Call& call) { return to_json(call, kPrettyIndent, Errors::given); }},
    {"toRawJson", kWrite, to_raw_json},
    {"mustToRawJson", kMustWrite, to_raw_json},
};

}  // namespace

std::span<const Function> json_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig

#include "lang/when/when.h"

#include "lang/when/evaluate.h"
#include "lang/when/token.h"

#include <fmt/format.h>

namespace tiphys::lang {
namespace {

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::bad_request, std::move(message));
}

struct Parsed {
  std::vector<when::Token> tokens;
  when::NodePtr tree;
};

Result<Parsed> parse(std::vector<when::Token> tokens) {
  TRY_VOID(when::check(tokens));
  TRY(when::NodePtr tree, when::plan(tokens));
  return Parsed{std::move(tokens), std::move(tree)};
}

Result<Parsed> parse_text(std::string_view text) {
  TRY(std::vector<when::Token> tokens, when::scan(text));
  return parse(std::move(tokens));
}

Result<bool> as_decision(std::string_view when, const when::Value& value) {
  const bool* decision = std::get_if<bool>(&value.data);
  if (decision == nullptr) {
    return refuse(
        fmt::format("Expected boolean evaluation for '{}'. Got {}", when, when::text_of(value)));
  }
  return *decision;
}

}  // namespace

Result<bool> should_execute(std::string_view when) {
  if (when.empty()) {
    return true;
  }
  auto parsed = parse_text(when);
  if (!parsed) {
    const std::string& problem = parsed.error().message;
    const bool hint = problem.find("Invalid token") != std::string::npos;
    return refuse(
        fmt::format("Invalid 'when' expression '{}': {}{}", when, problem,
                    hint ? " (hint: try wrapping the affected expression in quotes (\"))" : ""));
  }
  // Bare words are texts, so that `status == Succeeded` needs no quotes.
  for (when::Token& token : parsed->tokens) {
    if (token.kind == when::Kind::variable) {
      token.kind = when::Kind::string;
    }
  }
  const auto final_parse = parse(std::move(parsed->tokens));
  if (!final_parse) {
    return refuse(fmt::format("Failed to parse 'when' expression '{}': {}", when,
                              final_parse.error().message));
  }
  const auto value = when::evaluate(final_parse->tree);
  if (!value) {
    return refuse(
        fmt::format("Failed to evaluate 'when' expresion '{}': {}", when, value.error().message));
  }
  return as_decision(when, *value);
}

Result<bool> should_execute_strict(std::string_view when) {
  if (when.empty()) {
    return true;
  }
  TRY(const Parsed parsed, parse_text(when));
  TRY(const when::Value value, when::evaluate(parsed.tree));
  return as_decision(when, value);
}

}  // namespace tiphys::lang

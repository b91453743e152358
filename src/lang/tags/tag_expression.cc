#include "lang/tags/tag_expression.h"

#include "lang/gotext/gotext.h"
#include "lang/jsontext/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tiphys::lang {
namespace {

constexpr std::string_view kFailed = "failed to evaluate expression: ";

/// Names that get their value late: in a lenient pass an expression that reads one waits.
constexpr std::array<std::string_view, 8> kLateNames = {
    "item",
    "retries",
    "lastRetry.exitCode",
    "lastRetry.status",
    "lastRetry.duration",
    "lastRetry.message",
    "workflow.status",
    "workflow.failures",
};

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::bad_request, std::move(message));
}

std::string dotted(const std::vector<std::string>& path) {
  return fmt::format("{}", fmt::join(path, "."));
}

std::vector<std::string> missing_names(const Expr& expression,
                                       const ScopeEnvironment& environment) {
  std::vector<std::string> missing;
  for (const ExprReference& reference : expression.references()) {
    // Upstream looks for the dotted name, so that a key with a dot in it is never found.
    std::string name = dotted(reference.path);
    if (!reference.optional && !environment.has(name)) {
      missing.push_back(std::move(name));
    }
  }
  return missing;
}

void append_unchanged(std::string& out, const TagExpression& expression) {
  out += "{{=";
  out += expression.text;
  out += "}}";
}

Result<JsonSafety> append_value(std::string& out, const TagExpression& expression,
                                const ExprValue& value, bool may_stay) {
  const auto json = value.to_json_text();
  if (!json) {
    if (may_stay) {
      append_unchanged(out, expression);
      return JsonSafety::safe;
    }
    return refuse("failed to marshal evaluated expression: " + json.error().message);
  }
  if (json->size() > 1 && json->front() == '"' && json->back() == '"') {
    out.append(*json, 1, json->size() - 2);
    return JsonSafety::safe;
  }
  return append_go_escaped(out, *json);
}

}  // namespace

std::shared_ptr<const TagExpression> parse_tag_expression(std::string_view text) {
  auto expression = std::make_shared<TagExpression>();
  expression->text = without_html_escapes(text);
  const std::string quoted = fmt::format("\"{}\"", expression->text);
  expression->escape_problem = json_problem(quoted);
  if (!expression->escape_problem) {
    expression->parsed = Expr::parse(json_unescape(quoted));
  }
  return expression;
}

Result<JsonSafety> fill_expression(std::string& out, const TagExpression& expression,
                                   const Scope& scope, const TagRules& rules) {
  const auto stay = [&]() -> Result<JsonSafety> {
    append_unchanged(out, expression);
    return JsonSafety::safe;
  };
  if (expression.escape_problem) {
    return refuse("failed to unmarshall JSON expression: " + *expression.escape_problem);
  }
  // Lint fills in placeholders for what is not known yet; they excuse any failure.
  const bool has_placeholder = scope.has_placeholder();
  const Result<Expr>& parsed = *expression.parsed;
  if (!parsed) {
    return has_placeholder ? stay() : refuse(fmt::format("{}{}", kFailed, parsed.error().message));
  }
  const ScopeEnvironment environment(scope, *rules.functions, rules.nil);
  const std::vector<std::string> missing = missing_names(*parsed, environment);
  for (const std::string& name : missing) {
    if (rules.strictness.demands(name)) {
      return refuse(fmt::format("{}{} is missing", kFailed, name));
    }
  }
  const bool may_stay = !missing.empty() || rules.strictness.is_lenient();
  const auto is_late = [](const std::string& name) {
    return std::ranges::find(kLateNames, name) != kLateNames.end();
  };
  if (may_stay && std::ranges::any_of(missing, is_late)) {
    return stay();
  }
  const auto value = parsed->run(environment, rules.runtime);
  if ((!value || value->is_nil()) && (may_stay || has_placeholder)) {
    return stay();
  }
  if (!value) {
    return refuse(fmt::format("{}{}", kFailed, value.error().message));
  }
  if (value->is_nil()) {
    return refuse(fmt::format("failed to evaluate expression {}", quote(expression.text)));
  }
  return append_value(out, expression, *value, may_stay);
}

}  // namespace tiphys::lang

#pragma once
/// Expression tags: parsing and filling one. Private to the module.

#include "lang/tags/escape.h"
#include "lang/tags/tag_text.h"

#include <optional>

namespace tiphys::lang {

struct TagExpression {
  /// What stands behind `=`, with the HTML escapes of JSON undone; still JSON-escaped otherwise.
  std::string text;
  /// Why the text cannot be JSON-unescaped.
  std::optional<std::string> escape_problem;
  /// Set unless there is an escape_problem.
  std::optional<Result<Expr>> parsed;
};

std::shared_ptr<const TagExpression> parse_tag_expression(std::string_view text);

/// Appends what the expression stands for, or the tag itself when it may stay.
Result<JsonSafety> fill_expression(std::string& out, const TagExpression& expression,
                                   const Scope& scope, const TagRules& rules);

}  // namespace tiphys::lang

#include "lang/gotext/gotext.h"
#include "lang/jsontext/json_text.h"
#include "lang/tags/tag_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::lang {
namespace {

/// The names of a scope as they are.
class FlatEnvironment final : public ExprEnvironment {
 public:
  explicit FlatEnvironment(const Scope& scope) : scope_(scope) {}

  std::optional<ExprValue> lookup(std::string_view name) const override {
    const ExprValue* value = scope_.find(name);
    return value == nullptr ? std::nullopt : std::optional(*value);
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const Scope* layer = &scope_; layer != nullptr; layer = layer->below()) {
      for (const std::string_view name : layer->sorted_names()) {
        names.emplace_back(name);
      }
    }
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

 private:
  const Scope& scope_;
};

std::unexpected<Error> refuse(std::string_view what, std::string_view text) {
  return fail(ErrorCode::bad_request, fmt::format("{}: {}", what, quote(text)));
}

}  // namespace

Result<ResolvedTag> resolve_tag(std::string_view tag, const Scope& scope,
                                const ExprRuntime& runtime) {
  if (tag.starts_with("{{")) {
    tag.remove_prefix(2);
  }
  if (tag.ends_with("}}")) {
    tag.remove_suffix(2);
  }
  tag = trim_space(tag);
  if (!tag.starts_with('=')) {
    const ExprValue* value = scope.find(tag);
    if (value == nullptr) {
      return refuse("Unable to resolve", tag);
    }
    return ResolvedTag{std::string(tag), *value};
  }
  const std::string expression = without_html_escapes(tag.substr(1));
  const FlatEnvironment environment(scope);
  const auto compiled = Expr::compile(expression, environment);
  if (!compiled) {
    return refuse("Unable to compile", expression);
  }
  auto value = compiled->run(environment, runtime);
  if (!value) {
    return refuse("Invalid expression", expression);
  }
  if (value->is_nil()) {
    return refuse("Unable to resolve", tag);
  }
  return ResolvedTag{std::string(tag), *std::move(value)};
}

}  // namespace tiphys::lang

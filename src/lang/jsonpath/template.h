#pragma once
/// Kubernetes' JSONPath templates, as `kubectl -o jsonpath=` and `valueFrom.jsonPath` take them:
/// text with actions in braces, `{.items[*].metadata.name}`, `{range .items[*]}{.a}{"\n"}{end}`,
/// filters `[?(@.a=="b")]`, unions, slices and recursive descent. One noun: `JsonPathTemplate`,
/// read once and executed over many documents; immutable, may be shared between threads.
///
/// Source of the rules, their oddities and the error texts: client-go v0.35 util/jsonpath. Maps are
/// walked in the order of their keys, where upstream's order is random.

#include "base/error.h"
#include "doc/json.h"

#include <memory>
#include <string>
#include <string_view>

namespace tiphys::lang {

struct JsonPathNode;

/// What to do with a field that no value has.
enum class MissingKeys {
  /// It is nothing (kubectl).
  allow,
  /// Error "x is not found".
  refuse,
};

class JsonPathTemplate {
 public:
  /// Errors: invalid, such as "unclosed action" or "invalid array index x"; also for templates of
  /// more than 64 KiB.
  static Result<JsonPathTemplate> parse(std::string_view text);

  /// The text that the template leaves: values of one action separated by blanks, maps and lists as
  /// JSON. Errors: invalid, upstream's texts; also when it takes more than a million steps or
  /// leaves more than 16 MiB (nested ranges multiply).
  Result<std::string> execute(const doc::Value& document,
                              MissingKeys missing = MissingKeys::allow) const;

 private:
  explicit JsonPathTemplate(std::shared_ptr<const JsonPathNode> root) : root_(std::move(root)) {}

  std::shared_ptr<const JsonPathNode> root_;
};

}  // namespace tiphys::lang

#pragma once
/// Which tags can be filled at a place of a workflow. Private to the module.
/// Source: Argo Workflows v4.1.2 workflow/validate resolveAllVariables.

#include "doc/json.h"
#include "lang/tags/scope.h"
#include "lang/tags/tag_text.h"
#include "workflows/validate/place.h"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace tiphys::workflows {

/// Names of variables, over those of another set.
class TagNames {
 public:
  TagNames() = default;

  /// `below` must outlive this one.
  explicit TagNames(const TagNames* below) : below_(below) {}

  void add(std::string name) { names_.insert(std::move(name)); }

  bool contains(std::string_view name) const;

 private:
  struct Hash {
    using is_transparent = void;

    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };

  const TagNames* below_ = nullptr;
  std::unordered_set<std::string, Hash, std::equal_to<>> names_;
};

/// Names that stand for all names with their prefix, because the rest is known only when the
/// workflow runs.
inline constexpr std::string_view kAnyItem = "item.*";
inline constexpr std::string_view kAnyGlobalParameter = "workflow.outputs.parameters.*";
inline constexpr std::string_view kAnyGlobalArtifact = "workflow.outputs.artifacts.*";

struct TagRulesOfPlace {
  const TagNames& names;
  /// Names that everything in the workflow sees, with their values.
  const lang::Scope& globals;
  /// Arguments of the workflow may come from whoever uses the template.
  bool is_template_alone = false;
  /// More names, or null; asked last.
  std::function<bool(std::string_view name)> more = nullptr;
};

/// Checks every simple tag in the JSON text of `document`, which stands at `place`. Error: `failed
/// to resolve {{x}}` for the first, at the string that holds it.
Result<> check_tags(const doc::Value& document, const Place& place, const TagRulesOfPlace& rules,
                    lang::ExpressionCache& expressions);

}  // namespace tiphys::workflows

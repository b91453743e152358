#pragma once
/// Rules on names, and on texts that lint fills with placeholders. Private to the module.
/// Source: Argo Workflows v4.1.2 workflow/validate, workflow/common, workflow/metrics.

#include "workflows/validate/place.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>

namespace tiphys::workflows {

/// Stands for a value that is known only when the workflow runs.
inline constexpr std::string_view kPlaceholderPrefix = "__argo__internal__placeholder-";

bool is_placeholder(std::string_view text);
bool holds_placeholder(std::string_view text);

/// Why a name is none, or "". Field names are those of templates, steps and tasks.
std::string field_name_problem(std::string_view name);
std::string parameter_name_problem(std::string_view name);
/// Like field_name_problem; placeholders in the name count as letters.
std::string step_name_problem(std::string_view name);

enum class NameRule { field, parameter };

/// Checks the names of a list one by one: given, valid, unique.
class NameList {
 public:
  explicit NameList(NameRule rule) : rule_(rule) {}

  /// What is wrong with the next name, as upstream words it behind the list: "[2].name 'x' is not
  /// unique"; or "".
  std::string add(std::string_view name);

 private:
  NameRule rule_;
  std::size_t index_ = 0;
  std::unordered_set<std::string> seen_;
};

/// Runs a list's elements, which have a `name`, through a NameList. Errors start with `prefix`.
template <class List>
Result<> check_names(const List& list, NameRule rule, std::string_view prefix, const Place& place) {
  NameList names(rule);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (std::string problem = names.add(list[i].name); !problem.empty()) {
      return fail_at(place.element("", i), ".name", std::string(prefix) + problem);
    }
  }
  return {};
}

/// Whether a tag without blanks and braces stands anywhere in the text: `{{inputs.parameters.x}}`.
bool holds_parameter_tag(std::string_view text);
/// Names of containers that the program itself uses.
bool is_reserved_container(std::string_view name);
bool is_metric_name(std::string_view name);
/// Go's strconv.Atoi succeeds.
bool is_integer_text(std::string_view text);

}  // namespace tiphys::workflows

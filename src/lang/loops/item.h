#pragma once
/// One element of a loop. Items keep their JSON spelling: `1.0` and `1e3` reach the step as they
/// were written. What an item is follows from how its text reads, as upstream decides it.
///
/// Source of the rules: Argo Workflows v4.1.2 pkg/apis/workflow/v1alpha1/item.go and anystring.go.

#include "base/error.h"

#include <string>
#include <string_view>

namespace tiphys::lang {

enum class ItemType { number, string, boolean, map, list };

std::string_view text_of(ItemType type);

/// Refers to raw JSON that json_problem finds nothing wrong with.
class Item {
 public:
  explicit Item(std::string_view json) : json_(json) {}

  /// `null` counts as a list, and a number out of float64's range as a string.
  ItemType type() const;
  /// Compact JSON; a string without its quotes, escapes kept except those of `<`, `>` and `&`.
  std::string text() const;
  /// Compact JSON with `<`, `>` and `&` escaped.
  std::string compact() const;
  /// The content of a string, empty for everything else.
  std::string string_value() const;

  std::string_view json() const { return json_; }

 private:
  std::string_view json_;
};

/// Any JSON scalar as the text of a string field, such as a parameter's value: numbers without
/// exponent, other kinds of value empty. Errors: invalid, with the words of Go's encoding/json.
Result<std::string> any_string(std::string_view json);

}  // namespace tiphys::lang

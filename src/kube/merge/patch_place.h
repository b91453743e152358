#pragma once
/// What the schema says about merging at a place of a document: apimachinery's LookupPatchMeta over
/// Go structs, over our types. Private to this module.

#include "base/error.h"
#include "doc/schema.h"

#include <string>
#include <string_view>

namespace tiphys::kube {

/// The type of an object that is being merged. `type` is null where the schema knows no members;
/// `go_kind` is then what Go calls it ("map", "interface").
struct PatchPlace {
  const doc::Type* type = nullptr;
  std::string_view go_kind = "struct";
};

enum class PatchStrategy { none, merge, replace };

/// How a member of an object is merged.
struct PatchRule {
  PatchPlace place;
  PatchStrategy strategy = PatchStrategy::none;
  bool retain_keys = false;
  /// The member by which elements of a list are told apart; empty for none.
  std::string merge_key;
};

/// The rule of an object's member that is itself an object. Errors: invalid, upstream's text, when
/// the place has no such member.
Result<PatchRule> rule_of_object(const PatchPlace& place, std::string_view member);
/// The rule of a member that is a list; `place` is that of its elements.
Result<PatchRule> rule_of_list(const PatchPlace& place, std::string_view member);

}  // namespace tiphys::kube

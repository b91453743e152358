#pragma once
/// Strategic merge patch: a patch that follows the types of an object, so that lists of named
/// things are merged by name. Rules and error texts are those of apimachinery v0.35
/// (pkg/util/strategicpatch); what it takes from tags of Go structs comes from our schema here:
/// patchStrategy and patchMergeKey. Directives in a patch: `$patch: replace|delete`, `$retainKeys`,
/// `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>`.

#include "base/error.h"
#include "doc/json.h"
#include "doc/schema.h"

namespace tiphys::kube {

/// `original` with `patch` applied; both are objects of `type`. Errors: invalid.
Result<doc::Value> strategic_merge(const doc::Type& type, doc::Value original, doc::Value patch);

/// The patch that makes `modified` of `original`. Errors: invalid.
Result<doc::Value> strategic_diff(const doc::Type& type, doc::Value original, doc::Value modified);

enum class OnConflict {
  /// What `modified` wants wins.
  overwrite,
  /// An error with code conflict when `current` was changed where the patch changes it.
  fail,
};

/// The patch of kubectl apply: brings `current` to what `modified` says and takes away what
/// `original` (the last applied) had and `modified` has no more.
Result<doc::Value> strategic_three_way_diff(const doc::Type& type, doc::Value original,
                                            doc::Value modified, doc::Value current,
                                            OnConflict on_conflict);

}  // namespace tiphys::kube

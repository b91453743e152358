#pragma once
/// Shared by the merge and the diff. Private to this module.

#include "base/error.h"
#include "doc/json.h"
#include "kube/merge/patch_place.h"

namespace tiphys::kube {

struct MergeOptions {
  /// Apply the directives; else merge two patches and keep them.
  bool apply_directives = true;
  /// Nulls for members that are not there are dropped.
  bool drop_unmatched_nulls = true;
};

/// Merges `patch` into `original`; `patch` is used up.
Result<> merge_objects(doc::Object& original, doc::Object& patch, const PatchPlace& place,
                       const MergeOptions& options);

/// An object, or an error with upstream's words; null is an empty object.
Result<doc::Object> as_document(doc::Value value);

}  // namespace tiphys::kube

#pragma once
/// JSON merge patch (RFC 7386): objects are merged member by member, null takes a member away,
/// everything else is replaced.

#include "doc/json.h"

#include <optional>

namespace tiphys::doc {

/// What the nulls of a patch do.
enum class PatchNulls {
  /// They take members away.
  remove,
  /// They are kept, for merging one patch into another.
  keep,
};

/// `target` with `patch` applied.
Value merge_patch(Value target, const Value& patch, PatchNulls nulls = PatchNulls::remove);

/// The patch that makes `modified` of `original`: members that changed, null for those that went.
/// Lists are replaced whole. Nothing when both are equal and objects.
Value create_merge_patch(const Value& original, const Value& modified);

/// The patch of kubectl apply for objects without types: brings `current` to what `modified` says
/// and takes away what `original` had and `modified` has no more (apimachinery jsonmergepatch).
Value three_way_merge_patch(const Value& original, const Value& modified, const Value& current);

}  // namespace tiphys::doc

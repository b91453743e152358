#pragma once
/// Reading and changing values at paths. Private to the module.

#include "lang/jq/budget.h"

namespace tiphys::lang::jq {

/// value[key]: a member, an element, a slice ({"start", "end"}), or the places of a list in a list.
Outcome at_key(const Value& value, const Value& key, Budget& budget);
/// value[from:to]; either may be null.
Outcome slice_of(const Value& value, const Value& from, const Value& to, Budget& budget);
/// Takes over `value`, so that what nobody else holds is changed in place.
Outcome set_path(Value value, const Value& path, const Value& wanted, Budget& budget);
Outcome get_path(const Value& value, const Value& path, Budget& budget);
/// All paths are taken away together: indexes are those before.
Outcome delete_paths(Value value, const Value& paths, Budget& budget);
/// The places at which `part` is in `list`.
List places_of(const List& list, const List& part, Budget& budget);

}  // namespace tiphys::lang::jq

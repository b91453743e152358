#pragma once
/// Documents as Go would write them after reading them: members in the order of declaration,
/// unknown ones dropped, structs that are no pointers always there. Upstream reports the first tag
/// at fault in this order, and shows JSON text behind a tag that is not closed. Private to the
/// module.

#include "doc/json.h"
#include "doc/schema.h"

namespace tiphys::workflows {

/// `document` is any JSON; what does not fit the type is copied as it is.
doc::Value go_form(const doc::Type& type, const doc::Value& document);

}  // namespace tiphys::workflows

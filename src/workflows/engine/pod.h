#pragma once
/// From a decision to a pod's document, and from artifacts to the keys they are stored under.

#include "workflows/engine/engine.h"

namespace tiphys::workflows {

/// Appends a path to the key of an artifact's location (subPath). Error invalid: the location has
/// no key.
Result<> append_to_key(doc::Value& location, std::string_view sub_path);

}  // namespace tiphys::workflows

#pragma once
/// JSON patch (RFC 6902) as the API server applies it (evanphx/json-patch v4): where that differs
/// from the RFC, it is the server's way. Negative indexes count from the end, replacing a missing
/// member adds it, copying one copies null.

#include "base/error.h"
#include "doc/json.h"

namespace tiphys::doc {

/// What one patch may cost; the API server's limits.
struct JsonPatchLimits {
  std::size_t operations = 10'000;
  /// Bytes of JSON that copy operations may add together.
  std::size_t copied_bytes = std::size_t{3} << 20U;
};

/// `document`, an object or a list, with the operations of `patch`, a list, carried out in turn;
/// all of them or none. Errors: invalid, upstream's text.
Result<Value> apply_json_patch(Value document, const Value& patch,
                               const JsonPatchLimits& limits = {});

}  // namespace tiphys::doc

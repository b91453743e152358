#pragma once
/// Checks a document against a type and tells everything that is wrong with it, each with the path
/// and, given a table of positions, line and column.

#include "base/error.h"
#include "doc/json.h"
#include "doc/positions.h"
#include "doc/schema.h"

#include <string>
#include <vector>

namespace tiphys::doc {

enum class FaultKind {
  /// A member that the type does not have.
  unknown_field,
  /// JSON of another type than the field's, or a text that its type cannot read.
  wrong_type,
  /// A required member is missing.
  missing,
  /// Against an enum, a pattern, a range or a length.
  not_allowed,
};

struct Fault {
  FaultKind kind;
  /// "spec.templates[0].container.args"
  std::string path;
  /// For users, with the path: `spec.templates[0].container.args: expected a list of strings, found
  /// a string`; `unknown field "spec.entryPoints"` as upstream words it.
  std::string message;
  /// What Go's decoder says to a wrong type: "json: cannot unmarshal string into Go struct field
  /// Container.spec.templates.container.args of type []string". Empty for other kinds.
  std::string go_message;
  /// Go's decoder stops here at once instead of going on to the next field: types that decode
  /// themselves do that.
  bool stops_go = false;
  /// The name that was probably meant, for unknown fields; may be empty.
  std::string suggestion;
  /// Of the key for unknown fields, of the object for missing ones, else of the value.
  Position position;
};

struct ValidateOptions {
  bool unknown_fields = true;
  /// Required members, enums, patterns, ranges: what an API server enforces, but no decoder.
  bool rules = true;
};

/// All faults of `document`, in the order in which upstream finds them: members by name, depth
/// first. Null counts as absent. No more than 100 unknown fields are told, as upstream does.
std::vector<Fault> validate(const Type& type, const Value& document,
                            const Positions* positions = nullptr,
                            const ValidateOptions& options = {});

/// The error that upstream's strict decoder makes of the faults: the first wrong type
/// (one that stops the decoder before all others), else all
/// unknown fields as `strict decoding error: unknown field "a", unknown field "b"`. The causes are
/// all faults of these two kinds. No error when there are none.
Result<> strict_decoding_result(const std::vector<Fault>& faults);

}  // namespace tiphys::doc

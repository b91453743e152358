#pragma once
/// What is wrong with manifests before anything runs. Two nouns: a `Candidate`, a document with the
/// places of its fields; a `Finding`, one thing wrong with it, in upstream's words
/// (workflow/validate and the strict decoder of v4.1.2) and, what upstream lacks, with the path,
/// line and column at fault.
///
/// Pure: references are resolved among the candidates and through `Known`. Used by `lint` and
/// before every run.

#include "base/error.h"
#include "doc/json.h"
#include "doc/positions.h"
#include "doc/schema.h"
#include "lang/gotime/gotime.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::workflows {

struct Candidate {
  const doc::Value* document = nullptr;
  const doc::Positions* positions = nullptr;  ///< may be null: findings then have no place
};

enum class Severity { error, warning };

struct Finding {
  std::size_t candidate = 0;  ///< index of the Candidate
  Severity severity = Severity::error;
  /// Upstream's text, e.g. "templates.main.steps[0].a template name 'x' undefined".
  std::string message;
  std::string path;  ///< of the field at fault, "" when the whole document is
  Position position;
};

struct ValidateOptions {
  /// Unknown fields and fields in the wrong case are errors.
  bool strict = true;
  /// Objects outside the candidates that references may name; null result = there is none. May be
  /// empty.
  std::function<const doc::Value*(std::string_view kind, std::string_view name)> known;
  /// A run, not only a lint: workflow arguments must have values.
  bool submitting = false;
  /// The types of schemas/; null = a set of its own is read for the call.
  const doc::Schema* types = nullptr;
  /// A Workflow whose metadata and spec stand below those of every Workflow; null = none.
  const doc::Value* workflow_defaults = nullptr;
  /// Without them names of time zones pass unchecked.
  const lang::ZoneFiles* zones = nullptr;
};

/// The findings of all candidates, in their order; of a Workflow the first semantic error only, as
/// upstream reports it. Kinds that are none of Argo Workflows' pass unchecked, and event bindings
/// are checked against their schema only. Takes time in proportion to the candidates' size.
///
/// A fault within a template of another candidate is reported at the reference to it. Of unknown
/// fields there is one error, at the first, with upstream's text for all; each that was probably
/// misspelt has a warning of its own.
std::vector<Finding> validate(std::span<const Candidate> candidates,
                              const ValidateOptions& options);

/// The findings of one candidate, whose references the others are for: what is about to run.
std::vector<Finding> validate_one(std::span<const Candidate> candidates, std::size_t which,
                                  const ValidateOptions& options);

/// Whether upstream's lint looks into documents of this kind ("found nothing to lint" otherwise).
bool is_linted(const doc::Value& document);

/// `in "hello-world-" (Workflow)`, as upstream's lint names an object.
std::string describe_object(const doc::Value& document);

}  // namespace tiphys::workflows

#pragma once
/// Faults with their place. A `Place` names a node of the manifest under validation. Private to the
/// module.

#include "base/error.h"
#include "doc/positions.h"

#include <string>
#include <string_view>

namespace tiphys::workflows {

/// Templates of other manifests have no places in the one under validation: everything in them
/// stands where they are referred to, in a place that is `fixed`.
class Place {
 public:
  explicit Place(std::string path) : path_(std::move(path)) {}

  static Place fixed(std::string path);

  /// The node `suffix` below: ".container.args[0]".
  Place below(std::string_view suffix) const;
  Place element(std::string_view list, std::size_t index) const;

  bool is_fixed() const { return fixed_; }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool fixed_ = false;
};

/// An invalid Error with one cause, at `place` and what `suffix` names below it.
std::unexpected<Error> fail_at(const Place& place, std::string_view suffix, std::string message);

/// The error with `prefix` before its message; the causes stay.
std::unexpected<Error> behind(std::string prefix, Error error);

/// Moves the error to another place.
std::unexpected<Error> moved_to(const Place& place, std::string_view suffix, Error error);

/// Position of the value at `path`, or of the nearest node above it that the text has.
Position position_of(const doc::Positions& positions, std::string_view path);

}  // namespace tiphys::workflows

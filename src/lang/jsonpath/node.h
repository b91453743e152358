#pragma once
/// A template cut into nodes. Private to the module.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tiphys::lang {

/// One end of a slice, or its step.
struct SliceParameter {
  std::int64_t value = 0;
  bool known = false;
  /// The end of a plain index: one behind its start.
  bool derived = false;
};

struct JsonPathNode {
  enum class Kind {
    list,
    text,
    identifier,
    integer,
    number,
    boolean,
    field,
    wildcard,
    recursive,
    slice,
    filter,
    each_of,
  };

  Kind kind = Kind::list;
  /// Of text, identifier and field; the operator of a filter ("exists" without one).
  std::string text;
  std::int64_t integer = 0;
  double number = 0;
  bool boolean = false;
  std::array<SliceParameter, 3> slice = {};
  /// The nodes of a list in order; the two sides of a filter; the lists of a union.
  std::vector<JsonPathNode> children;
};

}  // namespace tiphys::lang

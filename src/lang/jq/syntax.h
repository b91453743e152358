#pragma once
/// What the parser makes of a program. Private to the module.

#include "lang/jq/value.h"

#include <memory>
#include <string>
#include <vector>

namespace tiphys::lang::jq {

struct Syntax;
using SyntaxPointer = std::unique_ptr<Syntax>;

/// `$name`, `[pattern, ...]` or `{key: pattern, ...}`.
struct Pattern {
  struct Member {
    /// A constant, interpolated or computed key; null for `$name` alone.
    SyntaxPointer key;
    /// Set for `$name` and `$name: pattern`: the key's text is bound to it too.
    std::string variable;
    std::unique_ptr<Pattern> value;
  };

  std::string variable;
  std::vector<Pattern> elements;
  std::vector<Member> members;
};

struct Definition {
  std::string name;
  /// `f` for a filter, `$v` for a value.
  std::vector<std::string> parameters;
  SyntaxPointer body;
};

struct Syntax {
  enum class Kind {
    /// The empty program.
    missing,
    identity,
    recurse,
    /// A number, text, null or boolean.
    constant,
    /// Children are constants and the filters put between them; `name` is the format, "@json".
    interpolation,
    format,
    /// target[key]
    index,
    /// target[from:to]; either end may be null.
    slice,
    /// target[]
    iterate,
    /// target?
    optional,
    group,
    /// name(children)
    call,
    variable,
    /// Pairs of key and value; a null value takes it from the input, or from the variable that the
    /// key names.
    object,
    /// At most one child.
    array,
    /// `name` is "+" or "-".
    unary,
    /// condition, then, and possibly else.
    conditional,
    /// body and possibly catch.
    attempt,
    /// source, start, update
    reduce,
    /// source, start, update and possibly extract
    foreach,
    label,
    break_to,
    pipe,
    comma,
    /// `name` is the operator.
    binary,
    /// source as patterns | body
    bind,
    /// def ...; rest
    define,
  };

  Kind kind = Kind::missing;
  std::string name;
  Value constant;
  std::vector<SyntaxPointer> children;
  std::vector<Pattern> patterns;
  std::unique_ptr<Definition> definition;
  /// How deep the tree below is.
  std::size_t depth = 1;
};

}  // namespace tiphys::lang::jq

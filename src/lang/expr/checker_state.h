#pragma once
/// The checker's inside, shared by its two files. Private to the module.

#include "lang/expr/checker.h"
#include "lang/expr/lexer.h"

namespace tiphys::lang {

/// Go's assignability, for the types that occur.
bool assignable(const Nature& from, const Nature& to);
/// The nature of an element of a list or map.
Nature element_of(const Nature& nature);
Nature list_of(Nature element);

/// Walks the tree bottom-up in evaluation order and keeps the first error, as upstream does.
class Checker {
 public:
  explicit Checker(const ExprEnvironment& environment) : environment_(environment) {}

  Nature visit(Node& node);

  const std::optional<SourceError>& first_error() const { return error_; }

  std::vector<CheckedName> take_names() { return std::move(names_); }

  int variable_count() const { return variable_count_; }

 private:
  struct PredicateScope {
    Nature collection;
    bool has_index = false;
    bool has_accumulator = false;
  };

  struct Variable {
    std::string name;
    Nature nature;
    int slot = 0;
  };

  /// The result of a call, or why it cannot be made.
  using CallNature = std::expected<Nature, SourceError>;

  Nature error(const Node& node, std::string message);
  Nature error(SourceError error);

  Nature nature_of(Node& node);
  Nature identifier(Node& node);
  Nature unary(Node& node);
  Nature binary(Node& node);
  Nature in(Node& node, const Nature& left, const Nature& right);
  Nature mismatch(const Node& node, const Nature& left, const Nature& right);
  Nature member(Node& node);
  Nature element_member(const Node& node, const Nature& base, const Nature& key);
  Nature slice(Node& node);
  Nature pointer(const Node& node);
  Nature declaration(Node& node);
  Nature conditional(Node& node);
  Nature list(Node& node);

  Nature call(Node& node);
  Nature builtin(Node& node);
  Nature predicate_builtin(Node& node);
  Nature predicate_result(const Node& node, const Nature& collection, const Nature& body);
  Nature get_builtin(Node& node);
  Nature call_builtin(const Builtin& builtin, Node& node, std::size_t first);
  CallNature call_function(std::string_view name, const ExprType& type, Node& node,
                           std::size_t first);
  std::optional<SourceError> check_argument(std::string_view name, const ExprType& wanted,
                                            Node& argument);

  int slot_of(std::string_view name);
  std::optional<Nature> environment_nature(std::string_view name);

  const ExprEnvironment& environment_;
  std::vector<CheckedName> names_;
  std::vector<PredicateScope> scopes_;
  std::vector<Variable> variables_;
  int variable_count_ = 0;
  /// Above zero, errors are dropped.
  int lenient_ = 0;
  std::optional<SourceError> error_;
};

}  // namespace tiphys::lang

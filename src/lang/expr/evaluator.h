#pragma once
/// Runs a checked tree. Private to the module.

#include "lang/expr/checker.h"
#include "lang/expr/operators.h"

namespace tiphys::lang {

class Evaluator {
 public:
  /// `names` are the values of the tree's names by slot. All must outlive the evaluator.
  Evaluator(std::string_view source, const CheckedTree& tree, const ExprEnvironment& environment,
            const std::vector<ExprValue>& names, ExprRun& run)
      : source_(source),
        environment_(environment),
        names_(names),
        run_(run),
        variables_(static_cast<std::size_t>(tree.variables)) {}

  /// Errors: invalid, with snippet.
  Result<ExprValue> eval(const Node& node);

 private:
  /// The loop of a function with a predicate.
  struct Scope {
    ExprValue collection;
    std::int64_t length = 0;
    std::int64_t index = 0;
    ExprValue accumulator;
  };

  /// A value, or the error with the place of `node`.
  template <class Value>
  Result<Value> at(const Node& node, Result<Value> result) const {
    return result ? std::move(result) : located(node.at, result.error());
  }

  std::unexpected<Error> located(std::uint32_t at, const Error& error) const;
  std::unexpected<Error> error_at(const Node& node, std::string message) const;
  /// The boolean a condition gives; an error of the condition's owner otherwise.
  Result<bool> condition(const Node& owner, const ExprValue& value) const;
  Result<ExprValue> shallow(const Node& node, ExprValue value) const;

  Result<ExprValue> identifier(const Node& node);
  Result<ExprValue> unary(const Node& node);
  Result<ExprValue> binary(const Node& node);
  Result<ExprValue> logical(const Node& node);
  Result<ExprValue> equality(const Node& node, const ExprValue& left, const ExprValue& right);
  Result<ExprValue> apply(const Node& node, const ExprValue& left, const ExprValue& right);
  Result<ExprValue> chain(const Node& node);
  Result<ExprValue> member(const Node& node);
  Result<ExprValue> slice_of(const Node& node);
  Result<ExprValue> declaration(const Node& node);
  Result<ExprValue> list(const Node& node);
  Result<ExprValue> map(const Node& node);
  Result<ExprValue> pointer(const Node& node);
  Result<ExprValue> whole_environment() const;

  Result<ExprValue> call(const Node& node);
  Result<> fit_arguments(const Node& node, const ExprType& type, ExprList& arguments) const;

  Result<ExprValue> builtin(const Node& node);
  Result<ExprValue> with_predicate(const Node& node);
  Result<> begin(const Node& node);
  Result<ExprValue> item(const Node& node);
  Result<bool> test(const Node& node);
  Result<ExprValue> run_loop(const Node& node);
  Result<ExprValue> quantifier(const Node& node);
  Result<ExprValue> filter(const Node& node);
  Result<ExprValue> mapped(const Node& node);
  Result<ExprValue> count(const Node& node);
  Result<ExprValue> sum(const Node& node);
  Result<ExprValue> sum_from_right(const Node& node);
  Result<ExprValue> find(const Node& node, bool backwards, bool give_index);
  Result<ExprValue> group_by(const Node& node);
  Result<ExprValue> sort_by(const Node& node);
  Result<ExprValue> reduce(const Node& node);

  std::string_view source_;
  const ExprEnvironment& environment_;
  const std::vector<ExprValue>& names_;
  ExprRun& run_;
  std::vector<ExprValue> variables_;
  std::vector<Scope> scopes_;
  /// A ?. met nil: everything up to the end of its chain is nil.
  bool cut_ = false;
};

}  // namespace tiphys::lang

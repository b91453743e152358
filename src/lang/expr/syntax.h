#pragma once
/// Tables of the grammar. Private to the module.

#include "lang/expr/lexer.h"
#include "lang/expr/node.h"

#include <algorithm>
#include <array>

namespace tiphys::lang {

/// Parentheses, brackets and operators in each other; each level costs a few stack frames.
inline constexpr int kMaxNesting = 250;

struct BinaryOperator {
  std::string_view text;
  int precedence;
  Op op;
};

inline constexpr std::array kBinaryOperators = {
    BinaryOperator{"|", 0, Op::none},
    BinaryOperator{"or", 10, Op::logical_or},
    BinaryOperator{"||", 10, Op::logical_or},
    BinaryOperator{"and", 15, Op::logical_and},
    BinaryOperator{"&&", 15, Op::logical_and},
    BinaryOperator{"==", 20, Op::equal},
    BinaryOperator{"!=", 20, Op::not_equal},
    BinaryOperator{"<", 20, Op::less},
    BinaryOperator{">", 20, Op::greater},
    BinaryOperator{">=", 20, Op::greater_equal},
    BinaryOperator{"<=", 20, Op::less_equal},
    BinaryOperator{"in", 20, Op::in},
    BinaryOperator{"matches", 20, Op::matches},
    BinaryOperator{"contains", 20, Op::contains},
    BinaryOperator{"startsWith", 20, Op::starts_with},
    BinaryOperator{"endsWith", 20, Op::ends_with},
    BinaryOperator{"..", 25, Op::range},
    BinaryOperator{"+", 30, Op::add},
    BinaryOperator{"-", 30, Op::subtract},
    BinaryOperator{"*", 60, Op::multiply},
    BinaryOperator{"/", 60, Op::divide},
    BinaryOperator{"%", 60, Op::modulo},
    BinaryOperator{"**", 100, Op::power},
    BinaryOperator{"^", 100, Op::power},
    BinaryOperator{"??", 500, Op::coalesce},
};

inline const BinaryOperator* binary_operator(std::string_view text) {
  const auto found = std::ranges::find(kBinaryOperators, text, &BinaryOperator::text);
  return found == kBinaryOperators.end() ? nullptr : &*found;
}

inline bool is_comparison(Op op) { return op >= Op::less && op <= Op::greater_equal; }

/// `not` may stand before these: `a not in b`.
inline bool can_be_negated(Op op) { return op >= Op::in && op <= Op::ends_with; }

/// A function whose second argument is a predicate.
struct PredicateShape {
  std::string_view name;
  std::size_t required;
  std::size_t count;
};

inline constexpr std::array kPredicates = {
    PredicateShape{"all", 2, 2},      PredicateShape{"none", 2, 2},
    PredicateShape{"any", 2, 2},      PredicateShape{"one", 2, 2},
    PredicateShape{"filter", 2, 2},   PredicateShape{"map", 2, 2},
    PredicateShape{"count", 1, 2},    PredicateShape{"sum", 1, 2},
    PredicateShape{"find", 2, 2},     PredicateShape{"findIndex", 2, 2},
    PredicateShape{"findLast", 2, 2}, PredicateShape{"findLastIndex", 2, 2},
    PredicateShape{"groupBy", 2, 2},  PredicateShape{"sortBy", 2, 3},
    PredicateShape{"reduce", 2, 3},
};

struct UnaryOperator {
  Op op;
  int precedence;
};

inline std::optional<UnaryOperator> unary_operator(const Token& token) {
  if (token.is_op("not") || token.is_op("!")) {
    return UnaryOperator{Op::logical_not, 50};
  }
  if (token.is_op("-")) {
    return UnaryOperator{Op::minus, 90};
  }
  return token.is_op("+") ? std::optional(UnaryOperator{Op::plus, 90}) : std::nullopt;
}

/// The node of a number token. Errors: parse.
Result<NodePtr> number_literal(const Token& token);

}  // namespace tiphys::lang

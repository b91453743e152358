#pragma once
/// The tokens of `when`: scanning, and which kind may follow which. Private to the module.

#include "base/error.h"
#include "lang/goregex/goregex.h"
#include "lang/gotime/gotime.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tiphys::lang::when {

enum class Kind {
  unknown,
  prefix,
  numeric,
  boolean,
  string,
  pattern,
  time,
  variable,
  separator,
  accessor,
  comparator,
  logical,
  modifier,
  clause,
  clause_close,
  ternary,
};

/// Operators are texts; an accessor is the list of its parts; brackets have no value of their own.
using TokenValue = std::variant<std::monostate, std::string, double, bool, Instant, GoRegexp,
                                std::vector<std::string>>;

struct Token {
  Kind kind = Kind::unknown;
  TokenValue value;
};

/// "VARIABLE [x]", as error messages name a token.
std::string describe(const Token& token);

/// Splits a text. Errors: bad_request.
Result<std::vector<Token>> scan(std::string_view text);

/// The checks a list of tokens must pass before it can be planned: balance, order, and patterns
/// after =~ and !~, which are compiled in place. Errors: bad_request.
Result<> check(std::vector<Token>& tokens);

}  // namespace tiphys::lang::when

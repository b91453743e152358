#pragma once
/// The parts of JSON paths. Private to the module.

#include "lang/expr/value.h"

#include <memory>
#include <variant>

namespace tiphys::lang {

class PathScript;
struct PathToken;
using PathTokens = std::vector<PathToken>;

enum class PathKind : std::uint8_t {
  root,
  current,
  wildcard,
  recursive,
  length,
  key,
  index,
  range,
  set,
  filter,
  script,
};

/// A number, a name, a script, or nothing: what stands between `:` and `,`.
using PathArgument =
    std::variant<std::monostate, std::int64_t, std::string, std::shared_ptr<const PathScript>>;

/// One step of a path.
struct PathToken {
  PathKind kind = PathKind::root;
  std::string key = {};
  std::int64_t index = 0;
  std::vector<PathArgument> arguments = {};
  std::shared_ptr<const PathScript> script = {};
};

/// What a query may use.
struct PathBudget {
  std::size_t steps = 2'000'000;

  Result<> spend();
};

/// Cuts a path into the texts of its steps.
Result<std::vector<std::string>> split_path(std::string_view path);
Result<PathToken> parse_path_token(std::string_view text, PathBudget& budget);
Result<PathTokens> parse_path(std::string_view path, PathBudget& budget);

/// Applies the steps from `tokens[at]` on.
Result<ExprValue> apply_path(const PathTokens& tokens, std::size_t at, const ExprValue& root,
                             const ExprValue& current, PathBudget& budget);

/// The expression of `[?(...)]` and `[(...)]`.
class PathScript {
 public:
  static Result<std::shared_ptr<const PathScript>> compile(std::string_view text,
                                                           PathBudget& budget);

  Result<ExprValue> evaluate(const ExprValue& root, const ExprValue& current,
                             PathBudget& budget) const;

  PathScript();
  ~PathScript();
  PathScript(const PathScript&) = delete;
  PathScript& operator=(const PathScript&) = delete;

  bool empty() const { return text_.empty(); }

 private:
  struct Operator;
  friend class PathScriptBuilder;
  friend class PathScriptRun;

  std::string text_;
  std::unique_ptr<Operator> root_;
};

/// An integer, or a float without fraction.
std::optional<std::int64_t> path_integer(const ExprValue& value);
/// "nil", "map", "slice", "float64": how errors name what was found.
std::string path_kind(const ExprValue& value);
std::unexpected<Error> path_error(std::string message);

}  // namespace tiphys::lang

/// The expressions inside JSON paths.
#include "lang/expr/go_json.h"
#include "lang/expr/json_path.h"
#include "lang/goregex/goregex.h"
#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <span>

namespace tiphys::lang {
namespace {

/// In the order they are looked for: the first one found splits the expression. The empty one
/// comes first where parentheses were taken off; upstream has it, and it makes most such
/// expressions an error.
constexpr std::array<std::string_view, 19> kOperators = {
    "",  "||", "&&", "==", "!=", "<=", ">=", "<",      ">", "=~",
    "!", "+",  "-",  "**", "*",  "/",  "%",  "not in", "in"};
constexpr std::array<std::string_view, 21> kWithSelectors = [] {
  std::array<std::string_view, 21> out{};
  for (std::size_t i = 0; i < kOperators.size(); ++i) {
    out[i] = kOperators[i];
  }
  out[19] = "@";
  out[20] = "$";
  return out;
}();

/// Where an operator stands outside quotes and brackets.
std::size_t find_operator(std::string_view text, std::string_view wanted) {
  bool single = false;
  bool double_quoted = false;
  int square = 0;
  int round = 0;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedRune next = first_rune(text.substr(at));
    const bool quoted = single || double_quoted;
    if (next.rune == '(' && !quoted && square <= 0) {
      ++round;
    } else if (next.rune == ')' && !quoted && square <= 0) {
      --round;
    } else if (next.rune == '[' && !quoted && round <= 0) {
      ++square;
    } else if (next.rune == ']' && !quoted && round <= 0) {
      --square;
    } else if (next.rune == '\'' && !double_quoted && square <= 0 && round <= 0) {
      single = !single;
    } else if (next.rune == '"' && !single && square <= 0 && round <= 0) {
      double_quoted = !double_quoted;
    }
    const bool outside = !single && !double_quoted && square <= 0 && round <= 0;
    if (outside && wanted.size() <= at + 1) {
      const std::size_t start = at + 1 - wanted.size();
      if (text.substr(start, wanted.size()) == wanted) {
        return start;
      }
    }
    at += next.size;
  }
  return std::string_view::npos;
}

bool is_quoted(std::string_view text, char quote) {
  return text.size() > 1 && text.starts_with(quote) && text.ends_with(quote);
}

std::unexpected<Error> bad_argument(std::string_view expected) {
  return path_error(fmt::format("invalid argument. expected {}", expected));
}

}  // namespace

/// An operation, or a selector when `tokens` is set. A side is an operation, a value, or nothing.
struct PathScript::Operator {
  struct Side {
    std::unique_ptr<Operator> operation;
    std::optional<ExprValue> value;

    bool empty() const { return !operation && !value; }
  };

  std::string_view name;
  Side left;
  Side right;
  PathTokens tokens;
};

PathScript::PathScript() = default;
PathScript::~PathScript() = default;

/// Builds the tree of operations.
class PathScriptBuilder {
 public:
  using Operator = PathScript::Operator;
  using OperatorPtr = std::unique_ptr<Operator>;
  using Names = std::span<const std::string_view>;

  explicit PathScriptBuilder(PathBudget& budget) : budget_(budget) {}

  static Names all_names() { return Names(kWithSelectors).subspan(1); }

  /// Null when the expression is a plain value.
  Result<OperatorPtr> build(std::string_view text, Names names, int depth) {
    constexpr int kMaxDepth = 200;
    if (depth > kMaxDepth) {
      return path_error("the expression is nested too deeply");
    }
    text = trim_space(text);
    if (text.empty()) {
      return OperatorPtr();
    }
    while (!names.empty()) {
      TRY_VOID(budget_.spend());
      const std::string_view name = names[0];
      if (text.size() > 1 && text.starts_with('(') && text.ends_with(')')) {
        text = trim_space(text.substr(1, text.size() - 2));
        names = Names(kWithSelectors);
      }
      const std::size_t at = find_operator(text, name);
      if (at != std::string_view::npos) {
        TRY(auto found, split(text, name, at, names, depth));
        if (found) {
          return std::move(*found);
        }
      }
      names = names.subspan(1);
      text = trim_space(text);
      if (text.empty()) {
        return OperatorPtr();
      }
    }
    return OperatorPtr();
  }

 private:
  /// The operation with both sides, or nothing when this operator does not fit there.
  Result<std::optional<OperatorPtr>> split(std::string_view text, std::string_view name,
                                           std::size_t at, Names names, int depth) {
    const bool selector = name == "@" || name == "$";
    const std::string_view right = trim_space(text.substr(at + name.size()));
    if (right.empty() && !selector) {
      return std::nullopt;
    }
    auto node = std::make_unique<Operator>();
    TRY(node->right, side(right, names, depth));
    const std::string_view left = trim_space(text.substr(0, at));
    if (left.empty() && !selector && name != "!") {
      return std::nullopt;
    }
    TRY(node->left, side(left, names, depth));
    if ((selector || name == "!") && !node->left.empty()) {
      return std::nullopt;
    }
    if (name.empty()) {
      return path_error("unsupported operator");
    }
    node->name = name;
    if (selector) {
      TRY(node->tokens, parse_path(text, budget_));
    }
    return std::optional(std::move(node));
  }

  Result<Operator::Side> side(std::string_view text, Names names, int depth) {
    Operator::Side out;
    TRY(out.operation, build(text, names, depth + 1));
    text = trim_space(text);
    if (out.operation || text.empty()) {
      return out;
    }
    const bool json = (text.starts_with('[') && text.ends_with(']')) ||
                      (text.starts_with('{') && text.ends_with('}'));
    if (json) {
      if (auto value = parse_go_json(text)) {
        out.value = *std::move(value);
        return out;
      }
    }
    out.value = ExprValue::string(std::string(text));
    return out;
  }

  PathBudget& budget_;
};

/// Evaluates the tree for one element.
class PathScriptRun {
 public:
  using Operator = PathScript::Operator;
  using Side = Operator::Side;

  PathScriptRun(const ExprValue& root, const ExprValue& current, PathBudget& budget)
      : root_(root), current_(current), budget_(budget) {}

  /// The value of one of the names `$`, `@`, `nil`, `null`.
  std::optional<ExprValue> parameter(std::string_view text) const {
    if (text == "$") {
      return root_;
    }
    if (text == "@") {
      return current_;
    }
    return text == "nil" || text == "null" ? std::optional(ExprValue()) : std::nullopt;
  }

  Result<ExprValue> evaluate(const Operator& node) {
    TRY_VOID(budget_.spend());
    const std::string_view name = node.name;
    if (name == "@" || name == "$") {
      return select(node);
    }
    if (name == "==" || name == "!=") {
      TRY(const bool same, equal(node));
      return ExprValue::boolean(same == (name == "=="));
    }
    if (name == "=~") {
      return regex(node);
    }
    if (name == "in" || name == "not in") {
      TRY(const bool found, in(node));
      return ExprValue::boolean(found == (name == "in"));
    }
    if (name == "!" || name == "||" || name == "&&") {
      return logic(node);
    }
    return name == "%" ? remainder(node) : numeric(node);
  }

  Result<double> number(const Side& side) {
    TRY(const ExprValue value, resolved(side));
    const Result<double> out = parse_float(value.text());
    return out ? out : Result<double>(bad_argument("number"));
  }

  Result<bool> boolean(const Side& side) {
    if (side.empty()) {
      return false;
    }
    TRY(const ExprValue value, resolved(side));
    if (value.is_nil()) {
      return false;
    }
    const std::string text = value.text();
    for (const std::string_view word : {"1", "t", "T", "TRUE", "true", "True"}) {
      if (text == word) {
        return true;
      }
    }
    for (const std::string_view word : {"0", "f", "F", "FALSE", "false", "False"}) {
      if (text == word) {
        return false;
      }
    }
    return bad_argument("boolean");
  }

 private:
  /// The value of a side, with names looked up.
  Result<ExprValue> resolved(const Side& side) {
    TRY(const ExprValue value, raw(side));
    if (value.kind() == ExprKind::string) {
      if (auto known = parameter(value.as_string())) {
        return *std::move(known);
      }
    }
    return value;
  }

  Result<ExprValue> raw(const Side& side) {
    if (side.operation) {
      return evaluate(*side.operation);
    }
    if (!side.value) {
      return path_error("invalid argument. is nil");
    }
    return *side.value;
  }

  /// Text literals come out in single quotes.
  Result<std::string> text(const Side& side) {
    TRY(const ExprValue value, raw(side));
    if (value.kind() != ExprKind::string) {
      return value.text();
    }
    const std::string_view literal = value.as_string();
    const auto known = parameter(literal);
    if (known && known->kind() != ExprKind::string) {
      return known->text();
    }
    const std::string_view meaning = known ? known->as_string() : literal;
    if (is_quoted(meaning, '\'')) {
      return std::string(meaning);
    }
    if (is_quoted(meaning, '"')) {
      return fmt::format("'{}'", meaning.substr(1, meaning.size() - 2));
    }
    return known ? fmt::format("'{}'", meaning) : std::string(meaning);
  }

  Result<ExprValue> select(const Operator& node) {
    TRY(const ExprValue value, apply_path(node.tokens, 0, root_, current_, budget_));
    if (value.kind() != ExprKind::string || is_quoted(value.as_string(), '\'')) {
      return value;
    }
    return ExprValue::string(fmt::format("'{}'", value.as_string()));
  }

  Result<bool> equal(const Operator& node) {
    const Result<double> first = number(node.left);
    if (first) {
      const Result<double> second = number(node.right);
      if (second) {
        return *first == *second;
      }
    }
    TRY(const std::string left, text(node.left));
    TRY(const std::string right, text(node.right));
    return left == right;
  }

  Result<ExprValue> logic(const Operator& node) {
    if (node.name == "!") {
      TRY(const bool value, boolean(node.right));
      return ExprValue::boolean(!value);
    }
    TRY(const bool first, boolean(node.left));
    TRY(const bool second, boolean(node.right));
    return ExprValue::boolean(node.name == "||" ? first || second : first && second);
  }

  Result<ExprValue> numeric(const Operator& node) {
    TRY(const double a, number(node.left));
    TRY(const double b, number(node.right));
    const std::string_view name = node.name;
    if (name == "<") {
      return ExprValue::boolean(a < b);
    }
    if (name == ">") {
      return ExprValue::boolean(a > b);
    }
    if (name == "<=") {
      return ExprValue::boolean(a <= b);
    }
    if (name == ">=") {
      return ExprValue::boolean(a >= b);
    }
    if (name == "**") {
      return ExprValue::number(std::pow(a, b));
    }
    return ExprValue::number(name == "+"   ? a + b
                             : name == "-" ? a - b
                             : name == "*" ? a * b
                                           : a / b);
  }

  Result<std::int64_t> integer(const Side& side) {
    TRY(const ExprValue value, resolved(side));
    const Result<std::int64_t> out = parse_integer(value.text(), 10);
    return out ? out : Result<std::int64_t>(bad_argument("integer"));
  }

  Result<ExprValue> remainder(const Operator& node) {
    TRY(const std::int64_t a, integer(node.left));
    TRY(const std::int64_t b, integer(node.right));
    if (b == 0) {
      return path_error("runtime error: integer divide by zero");
    }
    return ExprValue::sized_integer(ExprKind::int64, b == -1 ? 0 : a % b);
  }

  static std::string unquoted(std::string text) {
    return is_quoted(text, '\'') ? text.substr(1, text.size() - 2) : text;
  }

  Result<ExprValue> regex(const Operator& node) {
    TRY(const std::string subject, text(node.left));
    TRY(const std::string pattern, text(node.right));
    const auto compiled = compile_regex(unquoted(pattern));
    if (!compiled) {
      return bad_argument("a valid regexp");
    }
    return ExprValue::boolean(RE2::PartialMatch(unquoted(subject), **compiled));
  }

  Result<ExprList> elements(const Side& side) {
    TRY(ExprValue value, resolved(side));
    if (value.kind() == ExprKind::string) {
      const std::string_view literal = value.as_string();
      const bool json = (literal.starts_with('[') && literal.ends_with(']')) ||
                        (literal.starts_with('{') && literal.ends_with('}'));
      if (json) {
        const auto parsed = parse_go_json(literal);
        if (!parsed) {
          return path_error("invalid argument");
        }
        value = *parsed;
      }
    }
    if (value.kind() == ExprKind::list) {
      return value.as_list();
    }
    if (value.as_map() != nullptr) {
      ExprList out;
      value.as_map()->each([&](std::string_view, const ExprValue& member) {
        out.push_back(member);
        return true;
      });
      return out;
    }
    return value.is_nil() ? Result<ExprList>(path_error("invalid argument. is nil"))
                          : Result<ExprList>(bad_argument("array, map, or slice"));
  }

  Result<bool> in(const Operator& node) {
    std::optional<ExprValue> item;
    if (const auto as_number = number(node.left)) {
      item = ExprValue::number(*as_number);
    } else if (const auto as_text = text(node.left)) {
      item = ExprValue::string(*as_text);
    } else if (const auto as_boolean = boolean(node.left)) {
      item = ExprValue::boolean(*as_boolean);
    }
    TRY(const ExprList list, elements(node.right));
    for (const ExprValue& element : list) {
      TRY_VOID(budget_.spend());
      if (item && element.depth() == 0 && element.deep_equal(*item)) {
        return true;
      }
    }
    return false;
  }

  const ExprValue& root_;
  const ExprValue& current_;
  PathBudget& budget_;
};

Result<std::shared_ptr<const PathScript>> PathScript::compile(std::string_view text,
                                                              PathBudget& budget) {
  auto script = std::make_shared<PathScript>();
  script->text_ = std::string(text);
  PathScriptBuilder builder(budget);
  TRY(script->root_, builder.build(text, PathScriptBuilder::all_names(), 0));
  return script;
}

Result<ExprValue> PathScript::evaluate(const ExprValue& root, const ExprValue& current,
                                       PathBudget& budget) const {
  PathScriptRun run(root, current, budget);
  if (root_) {
    return run.evaluate(*root_);
  }
  if (auto known = run.parameter(text_)) {
    return *std::move(known);
  }
  Operator::Side literal;
  literal.value = ExprValue::string(text_);
  if (const auto number = run.number(literal)) {
    return ExprValue::number(*number);
  }
  if (const auto boolean = run.boolean(literal)) {
    return ExprValue::boolean(*boolean);
  }
  return ExprValue::string(text_);
}

}  // namespace tiphys::lang

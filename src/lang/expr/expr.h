#pragma once
/// The expression language of `{{=...}}` tags, `retryStrategy.expression`, `valueFrom.expression`
/// and their like: parse once, check against an environment, run many times. Three nouns: `Expr`, a
/// parsed expression, immutable, cheap to copy and safe to share between threads;
/// `ExprEnvironment`, the names an expression can see; `ExprRuntime`, what a run needs from the
/// world (the time, zone files) and how much it may use. Nothing here reads a clock or a file, and
/// every run ends: there are budgets for steps and memory.
///
/// Source of the rules: github.com/expr-lang/expr v1.17.8 (language definition and observed
/// behaviour) with the environment Argo Workflows v4.1.2 builds in util/expr/env; error texts are
/// theirs.

#include "lang/expr/value.h"

namespace tiphys::lang {

/// The names an expression can see. A name that is not there is an error of the check; a name with
/// the value nil is not.
class ExprEnvironment {
 public:
  virtual ~ExprEnvironment() = default;
  virtual std::optional<ExprValue> lookup(std::string_view name) const = 0;
  /// All names, sorted; only asked for when an expression uses `$env` as a whole.
  virtual std::vector<std::string> names() const = 0;
};

/// An environment that is a table.
class ExprTable final : public ExprEnvironment {
 public:
  ExprTable() = default;

  explicit ExprTable(ExprEntries entries) : entries_(std::move(entries)) {}

  /// Replaces what is there.
  void set(std::string name, ExprValue value);
  /// Adds a function under its own name.
  void set(ExprFunction function);
  std::optional<ExprValue> lookup(std::string_view name) const override;
  std::vector<std::string> names() const override;

 private:
  ExprEntries entries_;
};

/// Two environments in one: `first` hides names of `second`. Both must outlive it.
class ExprOverlay final : public ExprEnvironment {
 public:
  ExprOverlay(const ExprEnvironment& first, const ExprEnvironment& second)
      : first_(first), second_(second) {}

  std::optional<ExprValue> lookup(std::string_view name) const override;
  std::vector<std::string> names() const override;

 private:
  const ExprEnvironment& first_;
  const ExprEnvironment& second_;
};

/// The functions Argo Workflows adds: asInt, asFloat, jsonpath, toJson. Add further ones (a map of
/// functions named sprig) with an ExprOverlay.
const ExprTable& argo_functions();

/// `sprig.name(...)`: a map of functions as one value.
ExprValue function_namespace(std::vector<ExprFunction> functions);

/// Go's evilmonkeyinc/jsonpath v0.8.1 query over a document in JSON text, with its error texts.
/// Errors: invalid.
Result<ExprValue> query_json_path(std::string_view json, std::string_view path);

/// What a run may use and see.
struct ExprRuntime {
  /// now(); without it now() is an error.
  std::function<Instant()> now;
  /// Zone files for timezone() and date(); without them only UTC is known.
  const ZoneFiles* zones = nullptr;
  /// Elements and characters made by the language's own functions and lists, as upstream counts
  /// them ("memory budget exceeded").
  std::size_t memory_budget = 1'000'000;
  /// Nodes visited.
  std::size_t step_budget = 10'000'000;
  /// Bytes of text that may be made in one run.
  std::size_t text_budget = 64U << 20U;
};

/// Handed to functions while they run.
class ExprRun {
 public:
  explicit ExprRun(const ExprRuntime& runtime)
      : runtime_(runtime),
        memory_left_(runtime.memory_budget),
        steps_left_(runtime.step_budget),
        text_left_(runtime.text_budget) {}

  const ExprRuntime& runtime() const { return runtime_; }

  /// Error "memory budget exceeded" once the elements made are too many.
  Result<> charge(std::size_t elements);
  /// The same for steps and for bytes of text.
  Result<> step(std::size_t count = 1);
  Result<> charge_text(std::size_t bytes);
  Result<> charge_text(std::size_t count, std::size_t bytes_each);

  std::size_t text_left() const { return text_left_; }

 private:
  const ExprRuntime& runtime_;
  std::size_t memory_left_;
  std::size_t steps_left_;
  std::size_t text_left_;
};

/// A name or a static path an expression reads, such as `inputs.parameters.x` or `m['a'].b`.
struct ExprReference {
  std::vector<std::string> path;
  /// The value may be missing: it stands on the left of `??`, or right before a `?.`.
  bool optional = false;

  bool operator==(const ExprReference&) const = default;
};

class Expr {
 public:
  /// Parses. Errors: parse, message with place and snippet as upstream prints them:
  /// "unexpected token EOF (1:3)\n | 1 +\n | ..^".
  static Result<Expr> parse(std::string_view source);
  /// Parses and checks against an environment.
  static Result<Expr> compile(std::string_view source, const ExprEnvironment& environment);

  /// The type check upstream does before it runs anything. Errors: parse, in the same form.
  Result<> check(const ExprEnvironment& environment) const;
  /// Checks, then runs. Errors: parse where the check fails, invalid where the run fails.
  Result<ExprValue> run(const ExprEnvironment& environment, const ExprRuntime& runtime = {}) const;
  /// Upstream's EvalBool: an error when the result is no boolean.
  Result<bool> run_bool(const ExprEnvironment& environment, const ExprRuntime& runtime = {}) const;

  /// Every identifier and static member path, inner ones first, in order of appearance, without
  /// duplicates. As upstream collects them: names made by `let` and functions of the environment
  /// are among them, functions of the language are not. One that appears guarded and unguarded is
  /// not optional. Member paths can be optional, plain names never are.
  const std::vector<ExprReference>& references() const;
  const std::string& source() const;

 private:
  struct Program;

  explicit Expr(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

  std::shared_ptr<const Program> program_;
};

}  // namespace tiphys::lang

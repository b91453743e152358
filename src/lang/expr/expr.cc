#include "lang/expr/expr.h"

#include "lang/expr/checker.h"
#include "lang/expr/evaluator.h"
#include "lang/expr/optimizer.h"
#include "lang/expr/parser.h"
#include "lang/expr/parts.h"
#include "lang/expr/references.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

namespace tiphys::lang {

void ExprTable::set(std::string name, ExprValue value) {
  entries_.insert_or_assign(std::move(name), std::move(value));
}

void ExprTable::set(ExprFunction function) {
  std::string name = function.name;
  set(std::move(name), ExprValue::function(std::move(function)));
}

std::optional<ExprValue> ExprTable::lookup(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> ExprTable::names() const {
  std::vector<std::string> out;
  for (const auto& entry : entries_) {
    out.push_back(entry.first);
  }
  return out;
}

std::optional<ExprValue> ExprOverlay::lookup(std::string_view name) const {
  auto value = first_.lookup(name);
  return value ? std::move(value) : second_.lookup(name);
}

std::vector<std::string> ExprOverlay::names() const {
  std::vector<std::string> out;
  std::ranges::set_union(first_.names(), second_.names(), std::back_inserter(out));
  return out;
}

ExprValue function_namespace(std::vector<ExprFunction> functions) {
  ExprEntries entries;
  for (ExprFunction& function : functions) {
    std::string name = function.name;
    entries.insert_or_assign(std::move(name), ExprValue::function(std::move(function)));
  }
  return ExprValue::map(std::move(entries));
}

namespace {

Result<> take_from(std::size_t& left, std::size_t amount, const char* what) {
  if (amount >= left) {
    left = 0;
    return fail(ErrorCode::invalid, fmt::format("{} budget exceeded", what));
  }
  left -= amount;
  return {};
}

}  // namespace

Result<> ExprRun::charge(std::size_t elements) {
  return take_from(memory_left_, elements, "memory");
}

Result<> ExprRun::step(std::size_t count) { return take_from(steps_left_, count, "step"); }

Result<> ExprRun::charge_text(std::size_t bytes) { return take_from(text_left_, bytes, "memory"); }

Result<> ExprRun::charge_text(std::size_t count, std::size_t bytes_each) {
  std::size_t total = 0;
  const bool overflow = __builtin_mul_overflow(count, bytes_each, &total);
  return charge_text(overflow ? SIZE_MAX : total);
}

/// A parsed expression with the last tree that was checked; the tree serves again as long as the
/// names have the same types.
struct Expr::Program {
  std::string source;
  NodePtr root;
  std::vector<ExprReference> references;
  /// Functions of the language it calls; a name of the environment may hide one.
  std::vector<std::string> called;
  mutable std::atomic<std::shared_ptr<const CheckedTree>> checked;

  Result<std::shared_ptr<const CheckedTree>> check(const ExprEnvironment& environment) const;
};

namespace {

void collect_calls(const Node& node, std::vector<std::string>& out) {
  if (node.kind == NodeKind::builtin && std::ranges::find(out, node.text) == out.end()) {
    out.push_back(node.text);
  }
  for (const NodePtr& kid : node.kids) {
    if (kid) {
      collect_calls(*kid, out);
    }
  }
}

/// The values of the tree's names, or nothing when one has another type than it was checked for.
std::optional<std::vector<ExprValue>> matching_values(const CheckedTree& tree,
                                                      const ExprEnvironment& environment) {
  std::vector<ExprValue> values;
  values.reserve(tree.names.size());
  for (const CheckedName& name : tree.names) {
    auto value = environment.lookup(name.name);
    const bool same = value ? name.type && value->type() == *name.type : !name.type;
    if (!same) {
      return std::nullopt;
    }
    values.push_back(value ? *std::move(value) : ExprValue());
  }
  return values;
}

}  // namespace

Result<std::shared_ptr<const CheckedTree>> Expr::Program::check(
    const ExprEnvironment& environment) const {
  HiddenNames hidden;
  for (const std::string& name : called) {
    if (environment.lookup(name)) {
      hidden.insert(name);
    }
  }
  NodePtr tree;
  if (hidden.empty()) {
    tree = clone(*root);
  } else {
    TRY(tree, parse_expression(source, hidden));
  }
  TRY(CheckedTree result, check_tree(source, std::move(tree), environment));
  TRY_VOID(optimize(source, result.root));
  for (const std::string& name : called) {
    if (std::ranges::find(result.names, name, &CheckedName::name) == result.names.end()) {
      const auto value = environment.lookup(name);
      result.names.push_back({name, value ? std::optional(value->type()) : std::nullopt});
    }
  }
  return std::make_shared<const CheckedTree>(std::move(result));
}

Result<Expr> Expr::parse(std::string_view source) {
  auto program = std::make_shared<Program>();
  program->source = std::string(source);
  TRY(program->root, parse_expression(program->source));
  program->references = references_of(*program->root);
  collect_calls(*program->root, program->called);
  return Expr(std::move(program));
}

Result<Expr> Expr::compile(std::string_view source, const ExprEnvironment& environment) {
  TRY(Expr expression, parse(source));
  TRY_VOID(expression.check(environment));
  return expression;
}

Result<> Expr::check(const ExprEnvironment& environment) const {
  TRY(auto tree, program_->check(environment));
  program_->checked.store(std::move(tree));
  return {};
}

Result<ExprValue> Expr::run(const ExprEnvironment& environment, const ExprRuntime& runtime) const {
  std::shared_ptr<const CheckedTree> tree = program_->checked.load();
  auto values = tree ? matching_values(*tree, environment) : std::nullopt;
  if (!values) {
    TRY(tree, program_->check(environment));
    program_->checked.store(tree);
    values = matching_values(*tree, environment);
    if (!values) {
      return fail(ErrorCode::internal, "the environment changed while the expression was checked");
    }
  }
  ExprRun run(runtime);
  return Evaluator(program_->source, *tree, environment, *values, run).eval(*tree->root);
}

namespace {

/// Go's %s of a value: what is no text is marked.
std::string verb_s(const ExprValue& value) {
  if (value.kind() == ExprKind::string || value.kind() == ExprKind::time ||
      value.kind() == ExprKind::duration || value.kind() == ExprKind::object) {
    return value.text();
  }
  if (value.is_nil()) {
    return "%!s(<nil>)";
  }
  if (value.kind() == ExprKind::list) {
    std::string out = "[";
    for (const ExprValue& item : value.as_list()) {
      out += (out.size() == 1 ? "" : " ") + verb_s(item);
    }
    return out + "]";
  }
  if (value.as_map() != nullptr) {
    std::string out = "map[";
    value.as_map()->each([&](std::string_view key, const ExprValue& member) {
      out += (out.size() == 4 ? "" : " ") + std::string(key) + ":" + verb_s(member);
      return out.size() < kExprTextLimit;
    });
    return out + "]";
  }
  return fmt::format("%!s({}={})", type_text(value), value.text());
}

}  // namespace

Result<bool> Expr::run_bool(const ExprEnvironment& environment, const ExprRuntime& runtime) const {
  TRY_VOID(check(environment));
  const Result<ExprValue> value = run(environment, runtime);
  if (!value) {
    return fail(value.error().code, fmt::format("unable to evaluate expression '{}': {}", source(),
                                                value.error().message));
  }
  if (value->kind() != ExprKind::boolean) {
    return fail(ErrorCode::invalid,
                fmt::format("unable to cast expression result '{}' to bool", verb_s(*value)));
  }
  return value->as_bool();
}

const std::vector<ExprReference>& Expr::references() const { return program_->references; }

const std::string& Expr::source() const { return program_->source; }

}  // namespace tiphys::lang

#include "lang/depends/depends.h"

#include "lang/depends/formula.h"
#include "lang/expr/expr.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace tiphys::lang {
namespace {

/// Hyphens cannot stand in names of the expression language.
std::string folded(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, '-', '_');
  return out;
}

Result<std::string> written_out(std::string_view task, const ContinueOnOf& continue_on) {
  const auto policy = continue_on(task);
  if (!policy) {
    return fail(ErrorCode::invalid, fmt::format("target {} does not exist", task));
  }
  std::string out = fmt::format("({0}.Succeeded || {0}.Skipped || {0}.Daemoned", task);
  if (policy->error) {
    out += fmt::format(" || {}.Errored", task);
  }
  if (policy->failed) {
    out += fmt::format(" || {}.Failed", task);
  }
  return out + ")";
}

/// An outcome as the Go struct expressions see.
class OutcomeObject final : public ExprObject {
 public:
  explicit OutcomeObject(TaskOutcome outcome) : outcome_(outcome) {}

  std::string go_name() const override { return "controller.TaskResults"; }

  std::optional<ExprType> field_type(std::string_view name) const override {
    return find_result_word(name) == nullptr ? std::nullopt
                                             : std::optional<ExprType>(ExprKind::boolean);
  }

  std::optional<ExprValue> field(std::string_view name) const override {
    const ResultWord* word = find_result_word(name);
    return word == nullptr ? std::nullopt
                           : std::optional(ExprValue::boolean(outcome_.*(word->member)));
  }

  doc::Value to_json() const override {
    doc::Object out;
    for (const ResultWord& word : result_words()) {
      out.emplace(boost::json::string_view(word.word.data(), word.word.size()),
                  outcome_.*(word.member));
    }
    return out;
  }

  std::string text() const override {
    std::string out = "{";
    for (const ResultWord& word : result_words()) {
      out += fmt::format("{}{}", out.size() > 1 ? " " : "", outcome_.*(word.member));
    }
    return out + "}";
  }

 private:
  TaskOutcome outcome_;
};

}  // namespace

struct Depends::Program {
  std::vector<std::string> dependencies;
  /// Beside each dependency.
  std::vector<bool> wants_members;
  std::vector<std::string> folded_names;
  std::string logic;
  std::string folded_logic;
  /// Unset when the formula needs the whole expression language, or cannot be read.
  std::optional<Formula> formula;

  void finish(const std::map<std::string, bool, std::less<>>& wants) {
    for (const auto& [name, members] : wants) {
      dependencies.push_back(name);
      wants_members.push_back(members);
      folded_names.push_back(folded(name));
    }
    folded_logic = folded(logic);
    formula = Formula::compile(folded_logic, folded_names);
  }
};

Depends::Depends() : program_(std::make_shared<const Program>()) {}

Result<Depends> Depends::parse(std::string_view depends, const ContinueOnOf& continue_on) {
  auto program = std::make_shared<Program>();
  std::map<std::string, bool, std::less<>> wants;
  std::size_t at = 0;
  for (const TaskMention& mention : find_mentions(depends)) {
    program->logic += depends.substr(at, mention.begin - at);
    at = mention.end;
    if (mention.result.empty()) {
      TRY(const std::string formula, written_out(mention.task, continue_on));
      program->logic += formula;
      wants.insert_or_assign(std::string(mention.task), false);
      continue;
    }
    program->logic += depends.substr(mention.begin, mention.end - mention.begin);
    const bool members = mention.result == "AnySucceeded" || mention.result == "AllFailed";
    if (members) {
      wants.insert_or_assign(std::string(mention.task), true);
    } else {
      wants.try_emplace(std::string(mention.task), false);
    }
  }
  program->logic += depends.substr(at);
  program->finish(wants);
  return Depends(std::move(program));
}

Result<Depends> Depends::all_of(std::span<const std::string> dependencies,
                                const ContinueOnOf& continue_on) {
  std::string depends;
  for (const std::string& dependency : dependencies) {
    TRY(const std::string formula, written_out(dependency, continue_on));
    depends += depends.empty() ? "" : " && ";
    depends += formula;
  }
  // Read again as a formula: names upstream's tokens cannot hold come apart the same way.
  return depends.empty() ? Depends() : parse(depends, continue_on);
}

const std::vector<std::string>& Depends::dependencies() const { return program_->dependencies; }

bool Depends::wants_members_of(std::string_view dependency) const {
  const auto place = std::ranges::find(program_->dependencies, dependency);
  return place != program_->dependencies.end() &&
         program_->wants_members[static_cast<std::size_t>(place - program_->dependencies.begin())];
}

const std::string& Depends::logic() const { return program_->logic; }

Result<bool> Depends::evaluate(
    const std::function<TaskOutcome(std::string_view task)>& outcome_of) const {
  const Program& program = *program_;
  if (program.logic.empty()) {
    return true;
  }
  std::vector<TaskOutcome> outcomes;
  outcomes.reserve(program.dependencies.size());
  for (const std::string& dependency : program.dependencies) {
    outcomes.push_back(outcome_of(dependency));
  }
  if (program.formula) {
    return program.formula->evaluate(outcomes);
  }
  ExprTable environment;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    environment.set(program.folded_names[i],
                    ExprValue::object(std::make_shared<const OutcomeObject>(outcomes[i])));
  }
  const auto parsed = Expr::parse(program.folded_logic);
  auto result = parsed ? parsed->run_bool(environment) : std::unexpected(parsed.error());
  if (!result) {
    return fail(ErrorCode::invalid, fmt::format("unable to evaluate expression '{}': {}",
                                                program.folded_logic, result.error().message));
  }
  return *result;
}

Result<> check_task_results(std::string_view depends) {
  for (const TaskMention& mention : find_mentions(depends)) {
    if (!mention.result.empty() && find_result_word(mention.result) == nullptr) {
      return fail(ErrorCode::invalid, fmt::format("task result '{}' for task '{}' is invalid",
                                                  mention.result, mention.task));
    }
  }
  return {};
}

}  // namespace tiphys::lang

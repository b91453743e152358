#include "lang/jq/machine.h"

#include "lang/jq/json_form.h"

#include <algorithm>
#include <utility>

namespace tiphys::lang::jq {
namespace {

/// Links, bindings and choices that may be alive at once.
constexpr std::size_t kMaximumCells = 1'000'000;

}  // namespace

Machine::Machine(const Program& program, Value input, Budget& budget,
                 const std::function<Instant()>& now)
    : program_(program),
      budget_(budget),
      now_(now),
      node_(program_.root.get()),
      value_(std::move(input)) {}

std::optional<Outcome> Machine::next() {
  while (true) {
    const bool is_full = pool_.live() + choices_.size() > kMaximumCells;
    if (!budget_.spend(1) || is_full || value_.depth() > kMaximumDepth) {
      choices_.clear();
      mode_ = Mode::go_back;
      return over_limit(is_full               ? "the filter needs too much memory"
                        : budget_.exhausted() ? "the filter takes too many steps"
                                              : "a value is nested too deeply");
    }
    switch (mode_) {
      case Mode::evaluate:
        mode_ = evaluate();
        break;
      case Mode::deliver:
        if (!next_) {
          mode_ = Mode::go_back;
          return std::move(value_);
        }
        mode_ = deliver();
        break;
      case Mode::go_back:
        if (choices_.empty()) {
          return std::nullopt;
        }
        mode_ = go_back();
        break;
      case Mode::raise:
        if (choices_.empty()) {
          mode_ = Mode::go_back;
          return std::unexpected(std::move(problem_));
        }
        mode_ = raise();
        break;
    }
  }
}

Machine::Mode Machine::go(const Node& node) {
  node_ = &node;
  return Mode::evaluate;
}

Machine::Mode Machine::give(Value value) {
  value_ = std::move(value);
  return Mode::deliver;
}

Machine::Mode Machine::give(Outcome outcome) {
  return outcome ? give(*std::move(outcome)) : fail(std::move(outcome).error());
}

Machine::Mode Machine::fail(Problem problem) {
  problem_ = std::move(problem);
  left_attempts_ = 0;
  if (problem_.kind == Problem::Kind::limit) {
    choices_.clear();
  }
  return Mode::raise;
}

/// A link in front of the continuation; it remembers the bindings of now.
Cell& Machine::push(Step step, const Node& node) {
  CellPointer link = pool_.make();
  link->next = std::move(next_);
  link->env = env_;
  link->node = &node;
  link->step = step;
  link->depth = paused_;
  next_ = std::move(link);
  return *next_;
}

Machine::Choice& Machine::choose(Choice::Kind kind, const Node& node) {
  Choice& choice = choices_.emplace_back();
  choice.kind = kind;
  choice.node = &node;
  choice.env = env_;
  choice.next = next_;
  choice.path = path_;
  choice.depth = paused_;
  return choice;
}

void Machine::restore(Choice& choice) {
  env_ = std::move(choice.env);
  next_ = std::move(choice.next);
  path_ = std::move(choice.path);
  paused_ = choice.depth;
}

CellPointer Machine::bound(CellPointer outer, Value value) {
  CellPointer cell = pool_.make();
  cell->next = std::move(outer);
  cell->value = std::move(value);
  return cell;
}

CellPointer Machine::up(CellPointer env, std::size_t hops) {
  for (; hops > 0; --hops) {
    env = CellPointer(env->next);
  }
  return env;
}

const Cell& Machine::binding(std::size_t hops) const {
  const CellPointer* env = &env_;
  for (; hops > 0; --hops) {
    env = &(*env)->next;
  }
  return **env;
}

// Paths.

bool Machine::is_on_path(const Value& value) const { return path_->value.is_same(value); }

void Machine::extend_path(Value key, const Value& value) {
  CellPointer cell = pool_.make();
  cell->next = std::move(path_);
  cell->value = value;
  cell->other = std::move(key);
  path_ = std::move(cell);
}

/// A path that starts at `value`; a link that ends it must have been pushed.
void Machine::begin_path(const Value& value) {
  next_->state = std::move(path_);
  CellPointer root = pool_.make();
  root->value = value;
  // The others have a key.
  root->number = 1;
  path_ = std::move(root);
  paused_ = 0;
}

Machine::Mode Machine::finish_path(const Cell& link) {
  if (!is_on_path(value_)) {
    return fail(problem("invalid path against: " + preview_with_type(value_)).error());
  }
  List keys;
  for (const Cell* cell = &*path_; cell->number == 0; cell = &*cell->next) {
    keys.push_back(cell->other);
    budget_.spend(1);
  }
  std::ranges::reverse(keys);
  path_ = link.state;
  paused_ = link.depth;
  return give(Value::list(std::move(keys)));
}

}  // namespace tiphys::lang::jq

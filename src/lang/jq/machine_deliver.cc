#include "lang/jq/json_form.h"
#include "lang/jq/machine.h"
#include "lang/jq/paths.h"

#include <optional>

namespace tiphys::lang::jq {

Machine::Mode Machine::deliver() {
  const CellPointer link = std::move(next_);
  next_ = link->next;
  return deliver_to(*link);
}

Machine::Mode Machine::deliver_to(const Cell& link) {
  const Node& node = *link.node;
  const auto child = [&node](std::size_t index) -> const Node& { return *node.children[index]; };
  // Patterns leave what they bound in `env_`.
  if (link.step != Step::bind_body && link.step != Step::loop_update) {
    env_ = link.env;
  }
  switch (link.step) {
    case Step::pipe:
      return go(child(1));
    case Step::branch: {
      const bool holds = value_.truthy();
      paused_ = link.depth;
      value_ = link.value;
      return go(child(holds ? 1 : 2));
    }
    case Step::argument: {
      paused_ = link.depth;
      List arguments = link.list;
      arguments[link.index] = std::move(value_);
      return next_argument(node, link.value, link.env, std::move(arguments), link.index);
    }
    case Step::parameter:
      paused_ = link.depth;
      return next_parameter(node, link.value, bound(link.env, std::move(value_)), link.index + 1);
    case Step::key:
      return index(Value(value_), node.constant);
    case Step::each:
      node_ = &node;
      return iterate(Value(value_));
    case Step::attempt_end:
      choose(Choice::Kind::attempt_over, node);
      return Mode::deliver;
    case Step::alternative:
      if (!value_.truthy()) {
        return Mode::go_back;
      }
      link.state->number = 1;
      return Mode::deliver;
    case Step::collect:
      link.state->value.append(std::move(value_));
      return Mode::go_back;
    case Step::member:
      return next_member(node, link.value, link.env, bound(link.state, std::move(value_)),
                         link.index + 1);
    case Step::bind_value:
      push(Step::bind_body, node).value = link.value;
      next_->depth = link.depth;
      return begin_pattern(node, 0);
    case Step::bind_body:
      paused_ = link.depth;
      value_ = link.value;
      return go(child(1));
    case Step::pattern:
      return take_apart(node, static_cast<std::size_t>(link.number), link.index);
    case Step::path_end:
      return finish_path(link);
    case Step::loop_start:
    case Step::loop_item:
    case Step::loop_update:
    case Step::reduce_store:
    case Step::foreach_store:
      return deliver_in_loop(link);
    default:
      return deliver_in_update(link);
  }
}

Machine::Mode Machine::deliver_in_loop(const Cell& link) {
  const Node& node = *link.node;
  const bool is_reduce = node.kind == Node::Kind::reduce;
  switch (link.step) {
    case Step::loop_start: {
      CellPointer state = pool_.make();
      state->value = std::move(value_);
      if (is_reduce) {
        choose(Choice::Kind::reduced, node).state = state;
      }
      push(Step::loop_item, node).state = std::move(state);
      value_ = link.value;
      return go(*node.children[0]);
    }
    case Step::loop_item:
      push(Step::loop_update, node).state = link.state;
      return begin_pattern(node, 0);
    case Step::loop_update:
      push(is_reduce ? Step::reduce_store : Step::foreach_store, node).state = link.state;
      value_ = link.state->value;
      return go(*node.children[2]);
    case Step::reduce_store:
      link.state->value = std::move(value_);
      return Mode::go_back;
    default:
      link.state->value = value_;
      return node.children.size() > 3 ? go(*node.children[3]) : Mode::deliver;
  }
}

Machine::Mode Machine::deliver_in_update(const Cell& link) {
  const Node& node = *link.node;
  switch (link.step) {
    case Step::assign_value: {
      paused_ = link.depth;
      CellPointer state = pool_.make();
      state->value = link.value;
      state->other = std::move(value_);
      choose(Choice::Kind::assigned, node).state = state;
      push(Step::assign_store, node).state = std::move(state);
      push(Step::path_end, node);
      begin_path(link.value);
      value_ = link.value;
      return go(*node.children[0]);
    }
    case Step::assign_store: {
      auto changed = set_path(std::move(link.state->value), value_, link.state->other, budget_);
      if (!changed) {
        return fail(std::move(changed).error());
      }
      link.state->value = *std::move(changed);
      return Mode::go_back;
    }
    case Step::assign_constant:
      return give(set_path(link.value, node.constant, value_, budget_));
    case Step::modify_path: {
      auto leaf = get_path(link.state->value, value_, budget_);
      if (!leaf) {
        return fail(std::move(leaf).error());
      }
      Choice& choice = choose(Choice::Kind::unmodified, node);
      choice.state = link.state;
      choice.value = value_;
      Cell& store = push(Step::modify_store, node);
      store.state = link.state;
      store.value = std::move(value_);
      store.number = static_cast<std::int64_t>(choices_.size()) - 1;
      value_ = *std::move(leaf);
      return go(*node.children[1]);
    }
    case Step::modify_store: {
      // Only the first result counts.
      choices_.erase(choices_.begin() + link.number, choices_.end());
      auto changed = set_path(std::move(link.state->value), link.value, value_, budget_);
      if (!changed) {
        return fail(std::move(changed).error());
      }
      link.state->value = *std::move(changed);
      return Mode::go_back;
    }
    default:
      return Mode::go_back;
  }
}

// Patterns.

/// Takes `value_` apart by an alternative of the node's patterns; where that goes wrong the next
/// one is tried.
Machine::Mode Machine::begin_pattern(const Node& node, std::size_t alternative) {
  const PatternPlan& plan = node.patterns[alternative];
  if (plan.steps.empty()) {
    env_ = bound(std::move(env_), value_);
    return Mode::deliver;
  }
  if (alternative + 1 < node.patterns.size()) {
    Choice& other = choose(Choice::Kind::pattern, node);
    other.value = value_;
    other.number = static_cast<std::int64_t>(alternative) + 1;
  }
  return take_apart(node, alternative, 0);
}

/// What `value_` becomes by a step.
Outcome Machine::taken(const PatternStep& step) {
  switch (step.kind) {
    case PatternStep::Kind::load:
      return binding(step.hops).value;
    case PatternStep::Kind::element:
      if (!value_.is_null() && !value_.is(Kind::list)) {
        return problem("expected an array but got: " + preview_with_type(value_));
      }
      return at_key(value_, Value::integer(static_cast<std::int64_t>(step.index)), budget_);
    case PatternStep::Kind::member:
      return at_key(value_, Value::text(step.key), budget_);
    default:
      return at_key(binding(step.hops).value, value_, budget_);
  }
}

Machine::Mode Machine::take_apart(const Node& node, std::size_t alternative, std::size_t step) {
  const PatternPlan& plan = node.patterns[alternative];
  for (; step < plan.steps.size(); ++step) {
    budget_.spend(1);
    const PatternStep& one = plan.steps[step];
    if (one.kind == PatternStep::Kind::store) {
      env_ = bound(std::move(env_), value_);
      continue;
    }
    if (one.kind == PatternStep::Kind::evaluate) {
      Cell& link = push(Step::pattern, node);
      link.number = static_cast<std::int64_t>(alternative);
      link.index = step + 1;
      return go(*one.node);
    }
    auto value = taken(one);
    if (!value) {
      return fail(std::move(value).error());
    }
    value_ = *std::move(value);
  }
  return finish_pattern(plan);
}

Machine::Mode Machine::finish_pattern(const PatternPlan& plan) {
  CellPointer env = up(env_, plan.added);
  for (const PatternPlan::Source& source : plan.variables) {
    env = bound(std::move(env), source.is_bound ? binding(source.hops).value : Value());
  }
  env_ = std::move(env);
  return Mode::deliver;
}

// Going back.

Machine::Mode Machine::go_back() {
  using Kind = Choice::Kind;
  if (choices_.back().kind == Kind::iterate) {
    return iterate_on(choices_.back());
  }
  if (choices_.back().kind == Kind::range) {
    return range_on(choices_.back());
  }
  Choice choice = std::move(choices_.back());
  choices_.pop_back();
  switch (choice.kind) {
    case Kind::resume:
      restore(choice);
      value_ = std::move(choice.value);
      return go(*choice.node);
    case Kind::alternative:
      if (choice.state->number != 0) {
        return Mode::go_back;
      }
      restore(choice);
      value_ = std::move(choice.value);
      return go(*choice.node->children[1]);
    case Kind::collected:
    case Kind::reduced:
    case Kind::assigned:
      restore(choice);
      return give(std::move(choice.state->value));
    case Kind::unmodified:
      choice.state->list.push_back(std::move(choice.value));
      return Mode::go_back;
    case Kind::modified:
      restore(choice);
      return give(delete_paths(std::move(choice.state->value),
                               Value::list(std::move(choice.state->list)), budget_));
    default:
      return Mode::go_back;
  }
}

Machine::Mode Machine::raise() {
  using Kind = Choice::Kind;
  Choice choice = std::move(choices_.back());
  choices_.pop_back();
  const bool can_be_caught =
      problem_.kind == Problem::Kind::message || problem_.kind == Problem::Kind::value;
  if (choice.kind == Kind::attempt_over) {
    ++left_attempts_;
  } else if (choice.kind == Kind::attempt && left_attempts_ > 0) {
    --left_attempts_;
  } else if (choice.kind == Kind::attempt && can_be_caught) {
    restore(choice);
    if (choice.node->children.size() < 2) {
      return Mode::go_back;
    }
    value_ = problem_.kind == Problem::Kind::value ? std::move(problem_.value)
                                                   : Value::text(std::move(problem_.text));
    return go(*choice.node->children[1]);
  } else if (choice.kind == Kind::label && problem_.kind == Problem::Kind::broken &&
             problem_.label == choice.number) {
    return Mode::go_back;
  } else if (choice.kind == Kind::pattern) {
    restore(choice);
    value_ = std::move(choice.value);
    return begin_pattern(*choice.node, static_cast<std::size_t>(choice.number));
  }
  return Mode::raise;
}

}  // namespace tiphys::lang::jq

#include "lang/jq/json_form.h"
#include "lang/jq/machine.h"
#include "lang/jq/operators.h"
#include "lang/jq/paths.h"

namespace tiphys::lang::jq {

Machine::Mode Machine::evaluate() {
  using Kind = Node::Kind;
  const Node& node = *node_;
  const auto child = [&node](std::size_t index) -> const Node& { return *node.children[index]; };
  switch (node.kind) {
    case Kind::identity:
      return Mode::deliver;
    case Kind::constant:
      return give(node.constant);
    case Kind::pipe:
      push(Step::pipe, node);
      return go(child(0));
    case Kind::comma:
      choose(Choice::Kind::resume, child(1)).value = value_;
      return go(child(0));
    case Kind::variable:
      return give(binding(node.hops).value);
    case Kind::closure: {
      const Cell& bound = binding(node.hops);
      const Node* filter = bound.node;
      env_ = CellPointer(bound.env);
      return go(*filter);
    }
    case Kind::call:
      return evaluate_call(node);
    case Kind::native:
    case Kind::range:
      return next_argument(node, std::move(value_), env_, List(node.children.size()),
                           node.children.size());
    case Kind::index:
      if (child(0).kind == Kind::identity) {
        return index(Value(value_), node.constant);
      }
      push(Step::key, node);
      return go(child(0));
    case Kind::iterate:
      if (child(0).kind == Kind::identity) {
        return iterate(Value(value_));
      }
      push(Step::each, node);
      return go(child(0));
    case Kind::attempt:
      choose(Choice::Kind::attempt, node).value = value_;
      push(Step::attempt_end, node);
      return go(child(0));
    case Kind::conditional:
      push(Step::branch, node).value = value_;
      ++paused_;
      return go(child(0));
    case Kind::object:
      return next_member(node, std::move(value_), env_, {}, 0);
    case Kind::bind:
      push(Step::bind_value, node).value = value_;
      ++paused_;
      return go(child(0));
    case Kind::label:
      choose(Choice::Kind::label, node).number = ++labels_;
      env_ = bound(std::move(env_), Value());
      env_->number = labels_;
      return go(child(0));
    case Kind::break_to:
      return fail({.kind = Problem::Kind::broken,
                   .text = "label not defined: " + node.name,
                   .label = binding(node.hops).number});
    case Kind::empty:
      return Mode::go_back;
    default:
      return evaluate_loop(node);
  }
}

/// Nodes whose results come together from several values.
Machine::Mode Machine::evaluate_loop(const Node& node) {
  using Kind = Node::Kind;
  const auto child = [&node](std::size_t index) -> const Node& { return *node.children[index]; };
  CellPointer state = pool_.make();
  switch (node.kind) {
    case Kind::alternative: {
      Choice& rest = choose(Choice::Kind::alternative, node);
      rest.value = value_;
      rest.state = state;
      push(Step::alternative, node).state = std::move(state);
      return go(child(0));
    }
    case Kind::collect:
      state->value = Value::list({});
      choose(Choice::Kind::collected, node).state = state;
      push(Step::collect, node).state = std::move(state);
      return go(child(0));
    case Kind::reduce:
    case Kind::foreach:
      push(Step::loop_start, node).value = value_;
      return go(child(1));
    case Kind::path:
      push(Step::path_end, node);
      begin_path(value_);
      return go(child(0));
    case Kind::assign:
      push(Step::assign_value, node).value = value_;
      ++paused_;
      return go(child(1));
    case Kind::assign_constant:
      push(Step::assign_constant, node).value = value_;
      return go(child(0));
    case Kind::modify:
      state->value = value_;
      choose(Choice::Kind::modified, node).state = state;
      push(Step::modify_path, node).state = std::move(state);
      push(Step::path_end, node);
      begin_path(value_);
      return go(child(0));
    default:
      return Mode::go_back;
  }
}

// Calls of functions written in jq.

Machine::Mode Machine::evaluate_call(const Node& node) {
  const Function& function = *node.function;
  CellPointer env = function.is_global ? CellPointer() : up(env_, node.hops);
  for (const NodePointer& argument : node.children) {
    CellPointer cell = pool_.make();
    cell->next = std::move(env);
    if (argument->kind == Node::Kind::closure) {
      // Handed on as it is, so that recursion does not make chains of it.
      const Cell& bound = binding(argument->hops);
      cell->node = bound.node;
      cell->env = CellPointer(bound.env);
    } else {
      cell->node = argument.get();
      cell->env = env_;
    }
    env = std::move(cell);
  }
  return next_parameter(node, std::move(value_), std::move(env), 0);
}

/// Evaluates the arguments that are values, from the first to the last, then the function.
Machine::Mode Machine::next_parameter(const Node& node, Value input, CellPointer env,
                                      std::size_t index) {
  const auto& parameters = node.function->parameters;
  std::size_t values = 0;
  for (std::size_t i = 0; i < index; ++i) {
    values += parameters[i].is_value ? 1 : 0;
  }
  while (index < parameters.size() && !parameters[index].is_value) {
    ++index;
  }
  if (index == parameters.size()) {
    env_ = std::move(env);
    value_ = std::move(input);
    return go(*node.function->body);
  }
  const CellPointer argument = up(env, values + parameters.size() - 1 - index);
  Cell& link = push(Step::parameter, node);
  link.env = std::move(env);
  link.value = input;
  link.index = index;
  ++paused_;
  env_ = argument->env;
  value_ = std::move(input);
  return go(*argument->node);
}

// Calls of functions written in C++.

namespace {

/// The first argument that does not lead to a place of the input; those are off the path.
std::size_t first_paused(const Node& node) {
  switch (node.native->role) {
    case Native::Role::index:
    case Native::Role::slice:
      return 1;
    case Native::Role::getpath:
      return 0;
    case Native::Role::plain:
      break;
  }
  return node.children.size();
}

}  // namespace

Machine::Mode Machine::next_argument(const Node& node, Value input, CellPointer env, List arguments,
                                     std::size_t left) {
  for (; left > 0; --left) {
    const Node& argument = *node.children[left - 1];
    if (argument.kind == Node::Kind::constant) {
      arguments[left - 1] = argument.constant;
      continue;
    }
    if (argument.kind == Node::Kind::identity) {
      arguments[left - 1] = input;
      continue;
    }
    Cell& link = push(Step::argument, node);
    link.env = env;
    link.value = input;
    link.list = std::move(arguments);
    link.index = left - 1;
    paused_ += left - 1 >= first_paused(node) ? 1 : 0;
    env_ = std::move(env);
    value_ = std::move(input);
    return go(argument);
  }
  return apply(node, input, std::move(arguments));
}

Machine::Mode Machine::apply(const Node& node, const Value& input, List arguments) {
  Outcome result = node.native->function({input, arguments, budget_, now_});
  if (!result) {
    return fail(std::move(result).error());
  }
  if (node.kind == Node::Kind::range) {
    Choice& choice = choose(Choice::Kind::range, node);
    choice.value = std::move(arguments[0]);
    choice.other = Value::list({std::move(arguments[1]), std::move(arguments[2])});
    return range_on(choice);
  }
  return node.native->role != Native::Role::plain && follows_path()
             ? follow(*node.native, input, arguments, *std::move(result))
             : give(*std::move(result));
}

/// The path grows by what a function led to.
Machine::Mode Machine::follow(const Native& native, const Value& input, const List& arguments,
                              Value result) {
  const Value& from = native.role == Native::Role::getpath ? input : arguments[0];
  if (!is_on_path(from)) {
    return fail(problem("invalid path against: " + preview_with_type(from)).error());
  }
  if (native.role == Native::Role::index) {
    extend_path(arguments[1], result);
  } else if (native.role == Native::Role::slice) {
    extend_path(Value::map({{"start", arguments[2]}, {"end", arguments[1]}}), result);
  } else {
    for (const Value& key : arguments[0].as_list()) {
      extend_path(key, result);
    }
  }
  return give(std::move(result));
}

Machine::Mode Machine::index(const Value& value, const Value& key) {
  Outcome result = at_key(value, key, budget_);
  if (!result) {
    return fail(std::move(result).error());
  }
  if (follows_path()) {
    if (!is_on_path(value)) {
      return fail(problem("invalid path against: " + preview_with_type(value)).error());
    }
    extend_path(key, *result);
  }
  return give(*std::move(result));
}

Machine::Mode Machine::iterate(const Value& value) {
  if (!value.is(Kind::list) && !value.is(Kind::map)) {
    return fail(problem("cannot iterate over: " + preview_with_type(value)).error());
  }
  if (follows_path() && !is_on_path(value)) {
    return fail(problem("invalid path on iterating against: " + preview_with_type(value)).error());
  }
  if (value.is(Kind::list) ? value.as_list().empty() : value.as_map().empty()) {
    return Mode::go_back;
  }
  Choice& choice = choose(Choice::Kind::iterate, *node_);
  choice.value = value;
  if (value.is(Kind::map)) {
    choice.member = value.as_map().begin();
  }
  return iterate_on(choice);
}

/// Gives the next element or member; `choice` is the last one and goes with the last element.
Machine::Mode Machine::iterate_on(Choice& choice) {
  next_ = choice.next;
  path_ = choice.path;
  paused_ = choice.depth;
  Value key;
  Value element;
  bool is_last = false;
  if (choice.value.is(Kind::list)) {
    const List& list = choice.value.as_list();
    key = Value::integer(choice.number);
    element = list[static_cast<std::size_t>(choice.number)];
    is_last = static_cast<std::size_t>(++choice.number) == list.size();
  } else {
    if (follows_path()) {
      key = Value::text(choice.member->first);
    }
    element = choice.member->second;
    is_last = ++choice.member == choice.value.as_map().end();
  }
  if (is_last) {
    choices_.pop_back();
  }
  if (follows_path()) {
    extend_path(std::move(key), element);
  }
  return give(std::move(element));
}

Machine::Mode Machine::range_on(Choice& choice) {
  const List& rest = choice.other.as_list();
  const int direction = compare(rest[1], Value::integer(0), budget_);
  if (direction * compare(choice.value, rest[0], budget_) >= 0) {
    choices_.pop_back();
    return Mode::go_back;
  }
  next_ = choice.next;
  path_ = choice.path;
  paused_ = choice.depth;
  auto following = add(choice.value, rest[1], budget_);
  if (!following) {
    return fail(std::move(following).error());
  }
  return give(std::exchange(choice.value, *std::move(following)));
}

// Objects.

Machine::Mode Machine::next_member(const Node& node, Value input, CellPointer env,
                                   CellPointer parts, std::size_t index) {
  for (; index < node.children.size(); ++index) {
    const Node* part = node.children[index].get();
    if (part == nullptr) {
      auto held = at_key(input, parts->value, budget_);
      if (!held) {
        return fail(std::move(held).error());
      }
      parts = bound(std::move(parts), *std::move(held));
    } else if (part->kind == Node::Kind::constant) {
      parts = bound(std::move(parts), part->constant);
    } else {
      Cell& link = push(Step::member, node);
      link.env = env;
      link.value = input;
      link.state = std::move(parts);
      link.index = index;
      env_ = std::move(env);
      value_ = std::move(input);
      return go(*part);
    }
  }
  return finish_object(parts);
}

/// From the last member to the first: of members with one key the last one counts.
Machine::Mode Machine::finish_object(const CellPointer& parts) {
  Map members;
  for (const CellPointer* part = &parts; *part; part = &(*part)->next->next) {
    const Value& key = (*part)->next->value;
    if (!key.is(Kind::text)) {
      return fail(
          problem("expected a string for object key but got: " + preview_with_type(key)).error());
    }
    budget_.spend(1);
    members.emplace(key.as_text(), (*part)->value);
  }
  return give(Value::map(std::move(members)));
}

}  // namespace tiphys::lang::jq

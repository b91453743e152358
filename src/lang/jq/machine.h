#pragma once
/// Runs a compiled program. Private to the module.
///
/// Three nouns: the *continuation*, a chain of links that says what happens with the next value;
/// *choices*, a stack of places to go back to for another value; the *path*, which follows where in
/// the input the value came from while `path(f)` and updates ask for it. A value that reaches the
/// end of the continuation is a result; asking for the next result goes back to the last choice. So
/// results are made one at a time, nothing recurses in C++, and calls in last place take no memory.
///
/// Source of the rules: gojq v0.12.19 compiler.go and execute.go, paths and the order of evaluation
/// included: arguments from the last to the first, values of parameters from the first.

#include "lang/jq/cell.h"
#include "lang/jq/program.h"

#include <functional>
#include <optional>

namespace tiphys::lang::jq {

class Machine {
 public:
  /// `program` and `now` must outlive it.
  Machine(const Program& program, Value input, Budget& budget, const std::function<Instant()>& now);

  /// The next result, the problem that ended the run, or nothing at its end.
  std::optional<Outcome> next();

 private:
  enum class Mode {
    /// `node_` on `value_`.
    evaluate,
    /// `value_` to the continuation.
    deliver,
    /// Back to the last choice.
    go_back,
    /// `problem_` to who catches it.
    raise,
  };

  struct Choice {
    enum class Kind {
      resume,
      iterate,
      range,
      attempt,
      attempt_over,
      alternative,
      collected,
      reduced,
      label,
      pattern,
      assigned,
      modified,
      unmodified,
    };

    Kind kind = Kind::resume;
    const Node* node = nullptr;
    Value value;
    Value other;
    CellPointer env;
    CellPointer next;
    CellPointer path;
    CellPointer state;
    std::int64_t number = 0;
    Map::const_iterator member;
    int depth = 0;
  };

  Mode evaluate();
  Mode evaluate_call(const Node& node);
  Mode evaluate_loop(const Node& node);
  Mode deliver();
  Mode deliver_to(const Cell& link);
  Mode go_back();
  Mode raise();
  Mode go(const Node& node);
  Mode give(Value value);
  Mode give(Outcome outcome);
  Mode fail(Problem problem);

  Cell& push(Step step, const Node& node);
  Choice& choose(Choice::Kind kind, const Node& node);
  void restore(Choice& choice);
  CellPointer bound(CellPointer outer, Value value);
  const Cell& binding(std::size_t hops) const;
  static CellPointer up(CellPointer env, std::size_t hops);

  bool follows_path() const { return path_ && paused_ == 0; }

  bool is_on_path(const Value& value) const;
  void extend_path(Value key, const Value& value);
  void begin_path(const Value& value);

  Mode next_parameter(const Node& node, Value input, CellPointer env, std::size_t index);
  Mode next_argument(const Node& node, Value input, CellPointer env, List arguments,
                     std::size_t left);
  Mode apply(const Node& node, const Value& input, List arguments);
  Mode follow(const Native& native, const Value& input, const List& arguments, Value result);
  Mode index(const Value& value, const Value& key);
  Mode iterate(const Value& value);
  Mode iterate_on(Choice& choice);
  Mode range_on(Choice& choice);
  Mode next_member(const Node& node, Value input, CellPointer env, CellPointer parts,
                   std::size_t index);
  Mode finish_object(const CellPointer& parts);
  Mode begin_pattern(const Node& node, std::size_t alternative);
  Mode take_apart(const Node& node, std::size_t alternative, std::size_t step);
  Outcome taken(const PatternStep& step);
  Mode finish_pattern(const PatternPlan& plan);
  Mode deliver_in_loop(const Cell& link);
  Mode deliver_in_update(const Cell& link);
  Mode finish_path(const Cell& link);

  // First, because everything else lives in it.
  CellPool pool_;
  const Program& program_;
  Budget& budget_;
  const std::function<Instant()>& now_;

  const Node* node_;
  Value value_;
  CellPointer env_;
  CellPointer next_;
  CellPointer path_;
  /// Above 0 while a path is followed but this part of the program does not belong to it.
  int paused_ = 0;
  std::vector<Choice> choices_;
  Problem problem_;
  /// Attempts that a problem does not belong to, because they had given their value before.
  std::size_t left_attempts_ = 0;
  std::int64_t labels_ = 0;
  Mode mode_ = Mode::evaluate;
};

}  // namespace tiphys::lang::jq

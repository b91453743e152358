#include "cli/run_tree.h"

#include "cli/text/terminal_text.h"

#include <algorithm>

namespace tiphys::cli {
namespace {

using State = RunTree::State;
using Kind = RunTree::Kind;

State state_of(std::string_view phase) {
  if (phase == "Running") {
    return State::running;
  }
  if (phase == "Succeeded") {
    return State::done;
  }
  if (phase == "Failed" || phase == "Error") {
    return State::failed;
  }
  return phase == "Skipped" || phase == "Omitted" ? State::skipped : State::waiting;
}

Kind kind_of(std::string_view type) {
  if (type == "Steps" || type == "DAG") {
    return Kind::group;
  }
  if (type == "TaskGroup") {
    return Kind::loop;
  }
  if (type == "Retry") {
    return Kind::retry;
  }
  return type == "Suspend" ? Kind::suspend : Kind::step;
}

bool is_step(const RunTree::Branch& branch) {
  return branch.kind == Kind::step || branch.kind == Kind::suspend;
}

bool has_ended(State state) { return state != State::waiting && state != State::running; }

/// "align" of "align(3:chunk)"; "" for what is no item of a loop.
std::string_view loop_name(std::string_view display_name) {
  const std::size_t open = display_name.find('(');
  if (open == std::string_view::npos) {
    return {};
  }
  const std::size_t end = display_name.find_first_not_of("0123456789", open + 1);
  const bool item = end != std::string_view::npos && end > open + 1 && display_name[end] == ':';
  return item ? display_name.substr(0, open) : std::string_view();
}

}  // namespace

void RunTree::update(const NodeLine& node, Time now) {
  if (node.type == "StepGroup") {
    const auto parent = by_index_.find(node.parent);
    by_index_[node.index] = parent == by_index_.end() ? kNone : parent->second;
    return;
  }
  const Id id = place_of(node);
  Branch& branch = branches_[id];
  const State state = state_of(node.phase);
  branch.message = printable_line(node.message);
  branch.pod = node.pod;
  branch.omitted = node.phase == "Omitted";
  if (node.earlier || (has_ended(state) && branch.began == Time())) {
    branch.began = node.started;
  } else if (state == State::running && branch.state != State::running) {
    branch.began = now;
  }
  if (has_ended(state) && !has_ended(branch.state)) {
    branch.ended = node.earlier ? node.finished : now;
  }
  if (node.reused && !branch.reused) {
    branch.reused = true;
    branch.began = branch.ended = Time();
    ++reused_;
  }
  change(id, state);
}

RunTree::Id RunTree::place_of(const NodeLine& node) {
  if (const auto known = by_index_.find(node.index); known != by_index_.end()) {
    return known->second;
  }
  Branch branch;
  // The exit handler is named after the run, whose name stands above already.
  const bool of_run = node.display_name.starts_with(run_ + ".");
  branch.label =
      printable_line(std::string_view(node.display_name).substr(of_run ? run_.size() + 1 : 0));
  branch.kind = kind_of(node.type);
  if (const auto parent = by_index_.find(node.parent); parent != by_index_.end()) {
    branch.parent = parent->second;
  }
  if (branch.parent != kNone && branches_[branch.parent].kind != Kind::loop) {
    branch.parent = loop_of(node, branch.parent);
  }
  const Id id = add(std::move(branch));
  by_index_[node.index] = id;
  return id;
}

/// Steps have no node for a loop: the first item makes its branch.
RunTree::Id RunTree::loop_of(const NodeLine& node, Id parent) {
  const std::string_view name = loop_name(node.display_name);
  if (name.empty()) {
    return parent;
  }
  const std::string key = std::to_string(node.parent) + "/" + std::string(name);
  const auto [found, is_new] = loops_.try_emplace(key, kNone);
  if (is_new) {
    Branch loop;
    loop.label = printable_line(name);
    loop.kind = Kind::loop;
    loop.parent = parent;
    loop.derived = true;
    found->second = add(std::move(loop));
  }
  return found->second;
}

RunTree::Id RunTree::add(Branch branch) {
  const Id id = static_cast<Id>(branches_.size());
  if (is_step(branch)) {
    ++steps_[State::waiting];
  }
  const Id parent = branch.parent;
  branches_.push_back(std::move(branch));
  if (parent == kNone) {
    roots_.push_back(id);
    return id;
  }
  branches_[parent].children.push_back(id);
  ++branches_[parent].counts[State::waiting];
  return id;
}

void RunTree::change(Id id, State state) {
  Branch& branch = branches_[id];
  const State before = branch.state;
  if (before == state) {
    return;
  }
  branch.state = state;
  if (is_step(branch)) {
    --steps_[before];
    ++steps_[state];
  }
  if (branch.parent == kNone) {
    return;
  }
  Branch& parent = branches_[branch.parent];
  --parent.counts[before];
  ++parent.counts[state];
  if (before == State::running) {
    unlink_running(parent, id);
  }
  if (state == State::running) {
    link_running(parent, id);
  } else if (state == State::failed) {
    parent.failed.push_back(id);
  }
  if (!parent.derived) {
    return;
  }
  const bool busy =
      parent.counts[State::running] > 0 ||
      (parent.counts[State::waiting] > 0 && parent.counts[State::waiting] < parent.counts.all());
  const State of_loop = busy                                ? State::running
                        : parent.counts[State::waiting] > 0 ? State::waiting
                        : parent.counts[State::failed] > 0  ? State::failed
                        : parent.counts[State::done] > 0    ? State::done
                                                            : State::skipped;
  if (parent.began == Time()) {
    parent.began = branch.began;
  }
  parent.ended = std::max(parent.ended, branch.ended);
  change(branch.parent, of_loop);
}

void RunTree::link_running(Branch& parent, Id id) {
  Branch& branch = branches_[id];
  branch.running_before = parent.last_running;
  branch.running_after = kNone;
  (parent.last_running == kNone ? parent.first_running
                                : branches_[parent.last_running].running_after) = id;
  parent.last_running = id;
}

void RunTree::unlink_running(Branch& parent, Id id) {
  const Branch& branch = branches_[id];
  (branch.running_before == kNone ? parent.first_running
                                  : branches_[branch.running_before].running_after) =
      branch.running_after;
  (branch.running_after == kNone ? parent.last_running
                                 : branches_[branch.running_after].running_before) =
      branch.running_before;
}

}  // namespace tiphys::cli

#include "workflows/engine/globals.h"
#include "workflows/engine/machine.h"

#include <boost/json.hpp>

namespace tiphys::workflows {

StepsFrame* Engine::Machine::steps_frame_of_child(NodeIndex index) const {
  const Node& node = (*nodes_)[index];
  if (node.owner == kNoNode || (*nodes_)[node.owner].type != NodeType::step_group) {
    return nullptr;
  }
  return static_cast<StepsFrame*>(boundary_frame(node.boundary));
}

/// The node and its hook have ended: tell whoever waits for it.
void Engine::Machine::node_done(NodeIndex index) {
  (*nodes_)[index].done = true;
  mark(index);
  add_resources(index);
  close_frame(index);
  if (BoundaryFrame* frame = boundary_frame((*nodes_)[index].boundary)) {
    wake_waiting(*frame);
  }
  const Node& node = (*nodes_)[index];
  if (node.owner != kNoNode) {
    tell_owner(index);
  } else if (node.name == nodes_->workflow_name()) {
    entry_done(index);
  } else {
    exit_handler_done(index);
  }
}

void Engine::Machine::close_frame(NodeIndex index) {
  switch ((*nodes_)[index].type) {
    case NodeType::steps:
      steps_.erase(index);
      return;
    case NodeType::dag:
      dags_.erase(index);
      return;
    case NodeType::task_group:
      loops_.erase(index);
      return;
    case NodeType::retry:
      // One whose attempt is a daemon starts another when that dies.
      if (!(*nodes_)[index].daemoned) {
        retries_.erase(index);
      }
      return;
    default:
      return;
  }
}

void Engine::Machine::tell_owner(NodeIndex index) {
  const Node& node = (*nodes_)[index];
  const NodeIndex owner = node.owner;
  if (node.hooked) {
    hook_done(index);
    return;
  }
  switch ((*nodes_)[owner].type) {
    case NodeType::steps:
      leave_group(*steps_.at(owner));
      return;
    case NodeType::step_group:
      group_child_done(*steps_.at(node.boundary), index);
      return;
    case NodeType::dag:
      note_task_error(index);
      task_done(*dags_.at(owner), node.slot);
      return;
    case NodeType::task_group:
      note_task_error(index);
      loop_child_done(owner);
      return;
    case NodeType::retry:
      attempt_done(owner);
      return;
    default:
      return;
  }
}

/// A task that could not be started says which one it was.
void Engine::Machine::note_task_error(NodeIndex index) {
  const auto error = bubbling_.find(index);
  if (error == bubbling_.end()) {
    return;
  }
  Node& node = (*nodes_)[index];
  node.message = "task '" + node.name + "' errored: " + error->second;
  mark(index);
  bubbling_.erase(error);
}

void Engine::Machine::add_resources(NodeIndex index) {
  const Node& node = (*nodes_)[index];
  if (!node.resources.known) {
    return;
  }
  const NodeIndex owner = resource_owner(*nodes_, index);
  if (owner == kNoNode) {
    resources_.add(node.resources);
  } else {
    (*nodes_)[owner].resources.add(node.resources);
  }
}

void Engine::Machine::entry_done(NodeIndex index) {
  if (const auto error = bubbling_.find(index); error != bubbling_.end()) {
    finish_run(RunPhase::error, "error in entry template execution: " + error->second);
    return;
  }
  after_entry();
}

/// The entry node has ended: run the workflow's exit handler, or end the run.
void Engine::Machine::start_exit_handler() {
  const NodeIndex entry = *nodes_->find_name(nodes_->workflow_name());
  const Hook* hook = nullptr;
  Hook named;
  if (!spec_.on_exit.empty()) {
    named.template_name = spec_.on_exit;
    named.arguments = spec_.arguments;
    hook = &named;
  } else if (const auto found = spec_.hooks.find("exit"); found != spec_.hooks.end()) {
    hook = &found->second;
  }
  const std::string name = nodes_->workflow_name() + ".onExit";
  if (const auto existing = nodes_->find_name(name)) {
    if ((*nodes_)[*existing].done) {
      exit_handler_done(*existing);
    }
    return;
  }
  if (hook == nullptr || shutdown_ == "Terminate") {
    finish_from_nodes(entry, kNoNode);
    return;
  }
  set_outcome_variables(entry);
  Arguments arguments = hook->arguments;
  if (!hook->has_arguments && hook != &named) {
    arguments = spec_.arguments;
  }
  Call call;
  call.template_name = hook->template_name;
  call.template_ref = hook->template_ref;
  Launch launch_exit;
  launch_exit.name = name;
  launch_exit.call = &call;
  launch_exit.base = catalog_.local();
  launch_exit.arguments = &arguments;
  launch_exit.hooked = true;
  launch_exit.in_exit_handler = true;
  launch(launch_exit);
}

void Engine::Machine::set_outcome_variables(NodeIndex entry) {
  const NodePhase phase = (*nodes_)[entry].phase;
  globals_.set("workflow.status", phase == NodePhase::failed  ? "Failed"
                                  : phase == NodePhase::error ? "Error"
                                                              : "Succeeded");
  std::string quoted;
  doc::append_json_string(quoted, failures_text(), false);
  globals_.set("workflow.failures", std::move(quoted));
}

/// The nodes that failed, as the exit handler is told of them.
std::string Engine::Machine::failures_text() const {
  doc::Array out;
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    const Node& node = (*nodes_)[i];
    if (!failed_or_error(node.phase)) {
      continue;
    }
    doc::Object entry;
    entry["displayName"] = nodes_->display_name(i);
    entry["message"] = node.message;
    entry["templateName"] = nodes_->call(i).target();
    entry["phase"] = name_of(node.phase);
    entry["podName"] = nodes_->pod_name(i);
    entry["finishedAt"] = time_text(node.finished);
    out.push_back(std::move(entry));
  }
  return out.empty() ? "null" : doc::to_json(out);
}

void Engine::Machine::exit_handler_done(NodeIndex index) {
  if (const auto error = bubbling_.find(index); error != bubbling_.end()) {
    finish_run(RunPhase::error, "error in exit template execution : " + error->second);
    return;
  }
  if (!run_workflow_hooks()) {
    finish_from_nodes(*nodes_->find_name(nodes_->workflow_name()), index);
  }
}

void Engine::Machine::finish_from_nodes(NodeIndex entry, NodeIndex exit_handler) {
  const Node& node = (*nodes_)[entry];
  if (failed_or_error(node.phase)) {
    finish_run(node.phase == NodePhase::failed ? RunPhase::failed : RunPhase::error,
               failure_message(entry));
    return;
  }
  if (exit_handler != kNoNode && failed_or_error((*nodes_)[exit_handler].phase)) {
    const Node& exit = (*nodes_)[exit_handler];
    finish_run(exit.phase == NodePhase::failed ? RunPhase::failed : RunPhase::error, exit.message);
    return;
  }
  finish_run(RunPhase::succeeded, "");
}

}  // namespace tiphys::workflows

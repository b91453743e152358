#include "workflows/engine/machine.h"

namespace tiphys::workflows {
namespace {

constexpr std::string_view kTooDeep =
    "Maximum recursion depth exceeded. See "
    "https://argo-workflows.readthedocs.io/en/latest/scaling/#maximum-recursion-depth";
constexpr std::string_view kTooMany =
    "Maximum number of recursive calls exceeded: templates of this run call themselves over and "
    "over";

/// A call refused for its depth shows a recursion that does not end by itself, and counts as many.
constexpr std::size_t kWeightOfTooDeep = 100;

}  // namespace

/// Whether the template of a node is already at work around it. A call by reference and one by name
/// differ, so that a recursion that changes from one to the other is seen one level later.
bool Engine::Machine::is_recursive(NodeIndex index) const {
  const Node& node = (*nodes_)[index];
  if (node.retried || nodes_->call(index).target().empty()) {
    return false;
  }
  for (NodeIndex i = node.boundary; i != kNoNode; i = (*nodes_)[i].boundary) {
    if ((*nodes_)[i].call == node.call) {
      return true;
    }
  }
  return false;
}

/// True when the call would nest too deeply; its node has failed then.
bool Engine::Machine::refuse_depth(const Launch& launch) {
  if (launch.depth < config_.maximum_depth) {
    return false;
  }
  error_node(launch, std::string(kTooDeep), false);
  recursive_calls_ += kWeightOfTooDeep;
  return true;
}

/// Counts the node of a steps or DAG template when it is a recursive call. True when it is one too
/// many; the node has failed then.
bool Engine::Machine::refuse_recursion(NodeIndex index) {
  if (!is_recursive(index) || ++recursive_calls_ <= config_.maximum_recursive_calls) {
    return false;
  }
  recursion_refused_ = true;
  set_phase(index, NodePhase::error, std::string(kTooMany));
  return true;
}

std::string Engine::Machine::failure_message(NodeIndex entry) const {
  if (!shutdown_.empty()) {
    return "Stopped with strategy '" + shutdown_ + "'";
  }
  return recursion_refused_ ? std::string(kTooMany) : (*nodes_)[entry].message;
}

void Engine::Machine::rebuild_recursion() {
  for (NodeIndex i = 0; i < nodes_->size(); ++i) {
    const Node& node = (*nodes_)[i];
    if (node.type == NodeType::skipped && node.phase == NodePhase::error &&
        node.message == kTooDeep) {
      recursive_calls_ += kWeightOfTooDeep;
    }
    const bool calls =
        node.type == NodeType::steps || node.type == NodeType::dag || node.type == NodeType::retry;
    if (calls && is_recursive(i)) {
      ++recursive_calls_;
      recursion_refused_ =
          recursion_refused_ || (node.phase == NodePhase::error && node.message == kTooMany);
    }
  }
}

}  // namespace tiphys::workflows

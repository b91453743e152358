#pragma once
/// What the engine remembers of work under way: a frame for each node that waits for others, plans
/// of steps and tasks about to be started, timers. Private to the engine (see machine.h).

#include "workflows/engine/catalog.h"
#include "workflows/engine/globals.h"
#include "workflows/engine/status.h"

#include <deque>
#include <queue>
#include <set>

namespace tiphys::workflows {

/// A step or task whose references are resolved, ready to be started: once, or once per item.
struct Plan {
  std::uint32_t number = 0;
  const CompiledCall* call = nullptr;
  Call target;  ///< name, template and inline template of what is called
  Arguments arguments;
  std::string when;
  bool when_false = false;
  // Loops only.
  std::optional<LoopItems> items;
  TagText loop;  ///< the with* members with references resolved
  TagText item_arguments;
  TagText item_when;
  TagText item_template;
  /// What its elements see of other steps, when that cannot change while they are started.
  std::shared_ptr<const Scope> results;
  std::size_t next = 0;
  std::size_t count = 1;
  bool skips_existing = false;

  bool exhausted() const { return next >= count; }
};

/// Suffixes of variables such as ".outputs.result", and their texts.
using Aggregate = std::vector<std::pair<std::string, std::string>>;

/// The variables of one node's template: inputs over locals over the workflow's.
struct NodeScope {
  explicit NodeScope(const Scope* globals) : locals(globals), inputs(&locals) {}

  NodeScope(const NodeScope&) = delete;
  NodeScope& operator=(const NodeScope&) = delete;

  Scope locals;  ///< node.name, steps.name or tasks.name, pod.name, retries ...
  Scope inputs;  ///< inputs.* and declared paths
};

/// A Steps or DAG node that is not done.
struct BoundaryFrame : NodeScope {
  explicit BoundaryFrame(const Scope* globals) : NodeScope(globals) {}

  NodeIndex node = kNoNode;
  const CompiledTemplate* compiled = nullptr;
  int depth = 0;
  /// By number of step or task: the node that answers for it, or kNoNode.
  std::vector<NodeIndex> results;
  /// Texts of loop aggregates by number, computed when the loop has ended.
  std::map<std::uint32_t, Aggregate> aggregates;
  /// Children of type Pod, Steps and DAG that are Pending or Running.
  std::int64_t active = 0;
  bool fail_fast_hit = false;
  /// Owners below this boundary that wait for one of its children to end.
  std::set<NodeIndex> waiting;
};

struct StepsFrame : BoundaryFrame {
  using BoundaryFrame::BoundaryFrame;

  std::uint32_t group = 0;
  NodeIndex group_node = kNoNode;
  std::vector<Plan> plans;
  std::size_t plan = 0;
  std::uint32_t open = 0;  ///< children of the group that are not done
  std::string group_error;
  bool has_group_error = false;
};

struct DagFrame : BoundaryFrame {
  using BoundaryFrame::BoundaryFrame;

  std::vector<std::uint32_t> targets;
  std::vector<std::uint32_t> missing;  ///< by task: dependencies that are not done
  std::vector<char> wanted;
  /// By task: its place in the order in which tasks are started.
  std::vector<std::uint32_t> rank;
  std::set<std::pair<std::uint32_t, std::uint32_t>> ready;  ///< rank and number
  std::uint32_t open = 0;  ///< tasks whose node exists and is not done
  /// Of a target's hook: ends the DAG when nothing in it runs any more. Kept as its message.
  std::string error;
};

/// A TaskGroup that is not fulfilled.
struct LoopFrame {
  NodeIndex dag = kNoNode;
  Plan plan;
  std::uint32_t open = 0;
};

/// A Retry node that is not fulfilled.
struct RetryFrame {
  const CompiledTemplate* compiled = nullptr;
  int depth = 0;
};

struct Timer {
  TimePoint at;
  NodeIndex node = kNoNode;  ///< kNoNode = the workflow's deadline

  bool operator>(const Timer& other) const {
    return at != other.at ? at > other.at : node > other.node;
  }
};

/// What starts a node.
struct Launch {
  std::string name;
  const Call* call = nullptr;
  const TemplateBase* base = nullptr;
  const Arguments* arguments = nullptr;
  /// The call's name in the callee ("" for hooks); tells steps from tasks.
  std::string call_name;
  bool is_task = false;
  NodeIndex boundary = kNoNode;
  NodeIndex owner = kNoNode;
  std::uint32_t slot = 0;
  std::vector<NodeIndex> parents;
  bool hooked = false;
  bool in_exit_handler = false;
  int depth = 0;
};

enum class Launched : std::uint8_t {
  started,
  blocked,
  nothing,  ///< all of the plan's nodes are there
};

NodeType node_type_for(TemplateType type);
NodePhase first_phase_of(NodeType type);
/// The step's or task's name in a node's name, without loop index and attempt.
std::string plain_call_name(std::string_view name);

}  // namespace tiphys::workflows

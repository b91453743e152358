#pragma once
/// A run read from its document, to answer questions about it: `RunView` over status.nodes, and
/// `SeenNode`, one node of it. Only for people's questions; the engine has tables of its own.

#include "doc/json.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::workflows {

struct SeenNode {
  const doc::Value* status = nullptr;
  std::string id;
  std::string name;
  std::string type;
  const SeenNode* boundary = nullptr;  ///< the steps or DAG node around it
  /// The step or task that made it, "" for the entrypoint and for exit handlers and hooks.
  std::string call;
};

class RunView final {
 public:
  /// `workflow` is a Workflow's document with its nodes; it must outlive the view.
  explicit RunView(const doc::Value& workflow);

  const std::string& name() const { return name_; }

  const std::string& uid() const { return uid_; }

  const doc::Value& workflow() const { return workflow_; }

  /// The nodes a person means: by name, place (place.h), display name, id or pod name.
  std::vector<const SeenNode*> find(std::string_view wanted) const;
  /// The pods of a node and below it, in the order of their names.
  std::vector<const SeenNode*> pods_of(const SeenNode& node) const;
  /// The nodes that a step or task of `boundary` made directly.
  std::vector<const SeenNode*> made_by(const SeenNode& boundary, std::string_view call) const;
  /// The pods that stored an artifact under this key or below it.
  std::vector<const SeenNode*> writers_of(std::string_view key) const;
  /// A node's place; the run's name for its root.
  std::string place_of(const SeenNode& node) const;

  /// The steps or DAG template of a node as it was written, or null.
  const doc::Value* template_of(const SeenNode& node) const;
  /// The step or task that made a node as it was written, or null.
  const doc::Value* call_of(const SeenNode& node) const;

 private:
  const doc::Value& workflow_;
  std::string name_;
  std::string uid_;
  std::map<std::string, SeenNode, std::less<>> by_name_;
};

}  // namespace tiphys::workflows

#include "app/node_lines.h"

namespace tiphys::app {

cli::NodeLine node_line_of(const workflows::Engine& engine, workflows::NodeIndex index) {
  const workflows::NodeTable& nodes = engine.nodes();
  const workflows::Node& node = nodes[index];
  cli::NodeLine line;
  line.run = engine.metadata().name;
  line.index = index;
  const workflows::NodeIndex parent = node.owner != workflows::kNoNode ? node.owner : node.boundary;
  line.parent = parent == workflows::kNoNode ? cli::NodeLine::kNoParent : parent;
  line.name = node.name;
  line.display_name = nodes.display_name(index);
  line.type = workflows::name_of(node.type);
  line.template_name = nodes.call(index).target();
  line.phase = workflows::name_of(node.phase);
  line.message = node.message;
  line.pod = node.type == workflows::NodeType::pod ? nodes.pod_name(index) : "";
  line.started = node.started;
  line.finished = node.finished;
  return line;
}

cli::RunLine run_line_of(const workflows::Engine& engine) {
  cli::RunLine line;
  line.name = engine.metadata().name;
  line.phase = workflows::name_of(engine.phase());
  line.message = engine.message();
  line.progress = engine.progress();
  return line;
}

}  // namespace tiphys::app

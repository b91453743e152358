/// What steps say of how far they are (upstream workflow/progress/updater.go and
/// pkg/apis/workflow/v1alpha1/progress.go).

#include "workflows/engine/machine.h"

#include <boost/json.hpp>

#include <charconv>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kAnnotation = "workflows.argoproj.io/progress";

/// As upstream reads it: what is no number counts as 0.
std::int64_t number_of(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? out : 0;
}

std::optional<Progress> annotated(const doc::Value& holder, std::string_view metadata) {
  const doc::Value* found = doc::find(holder, metadata);
  const doc::Value* annotations = found == nullptr ? nullptr : doc::find(*found, "annotations");
  return annotations == nullptr ? std::nullopt
                                : parse_progress(doc::find_string(*annotations, kAnnotation));
}

}  // namespace

bool has_own_progress(NodeType type) {
  return type == NodeType::pod || type == NodeType::container || type == NodeType::http ||
         type == NodeType::plugin || type == NodeType::suspend;
}

std::optional<Progress> parse_progress(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const Progress out{number_of(text.substr(0, slash)), number_of(text.substr(slash + 1))};
  const bool valid = out.done >= 0 && out.done <= out.total && out.total > 0;
  return valid ? std::optional(out) : std::nullopt;
}

Progress own_progress(const NodeTable& nodes, NodeIndex index) {
  const Node& node = nodes[index];
  if (!has_own_progress(node.type)) {
    return {};
  }
  Progress out = nodes.said_progress(index).value_or(Progress{0, 1});
  if (node.phase == NodePhase::succeeded || node.phase == NodePhase::skipped ||
      node.phase == NodePhase::omitted) {
    out.done = out.total;
  }
  return out;
}

void Engine::Machine::set_progress(NodeIndex index, std::string_view text) {
  const auto said = parse_progress(text);
  if (!said || said == nodes_->said_progress(index)) {
    return;
  }
  count(index, -1);
  nodes_->say_progress(index, *said);
  count(index, +1);
  mark(index);
}

/// The annotation that the pod is going to have says where a step begins.
void Engine::Machine::set_first_progress(NodeIndex index, std::string_view template_json) {
  const doc::Value* pod_metadata = doc::find(spec_.document, "podMetadata");
  if (pod_metadata == nullptr && !template_json.contains(kAnnotation)) {
    return;
  }
  const auto definition = doc::parse_json(template_json);
  auto said = definition ? annotated(*definition, "metadata") : std::nullopt;
  if (!said) {
    said = annotated(spec_.document, "podMetadata");
  }
  if (said) {
    set_progress(index, said->text());
  }
}

}  // namespace tiphys::workflows

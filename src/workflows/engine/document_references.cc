#include "workflows/engine/document_references.h"

#include <boost/json.hpp>

namespace tiphys::workflows {

void DocumentReferences::add(const doc::Value& document) {
  const std::string_view kind = doc::find_string(document, "kind");
  const doc::Value* metadata = doc::find(document, "metadata");
  if (metadata == nullptr) {
    return;
  }
  std::string name(doc::find_string(*metadata, "name"));
  if (kind == "WorkflowTemplate") {
    workflow_templates_[std::move(name)] = document;
  } else if (kind == "ClusterWorkflowTemplate") {
    cluster_workflow_templates_[std::move(name)] = document;
  } else if (kind == "ConfigMap") {
    config_maps_[std::move(name)] = document;
  }
}

const doc::Value* DocumentReferences::find(const Table& table, std::string_view name) {
  const auto found = table.find(name);
  return found == table.end() ? nullptr : &found->second;
}

const doc::Value* DocumentReferences::workflow_template(std::string_view name) const {
  return find(workflow_templates_, name);
}

const doc::Value* DocumentReferences::cluster_workflow_template(std::string_view name) const {
  return find(cluster_workflow_templates_, name);
}

const doc::Value* DocumentReferences::config_map(std::string_view name) const {
  return find(config_maps_, name);
}

}  // namespace tiphys::workflows

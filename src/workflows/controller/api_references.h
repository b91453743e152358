#pragma once
/// What a run refers to, looked up through the Api when it is first asked for.

#include "kube/api.h"
#include "workflows/engine/engine.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace tiphys::workflows {

/// Templates and ConfigMaps as the run first saw them: documents stay where they are as long as the
/// run lasts. Caches are looked up anew each time.
class ApiReferences final : public References {
 public:
  ApiReferences(const kube::Api& api, std::string namespace_name)
      : api_(api), namespace_(std::move(namespace_name)) {}

  const doc::Value* workflow_template(std::string_view name) const override {
    return find("WorkflowTemplate", namespace_, name);
  }

  const doc::Value* cluster_workflow_template(std::string_view name) const override {
    return find("ClusterWorkflowTemplate", "", name);
  }

  const doc::Value* config_map(std::string_view name) const override {
    return find("ConfigMap", namespace_, name);
  }

  const doc::Value* config_map_of(std::string_view namespace_name,
                                  std::string_view name) const override {
    return find("ConfigMap", namespace_name, name);
  }

  const doc::Value* current_config_map(std::string_view name) const override {
    current_ = api_.get({"ConfigMap", namespace_, std::string(name)});
    return current_ == nullptr ? nullptr : &current_->document();
  }

 private:
  const doc::Value* find(std::string_view kind, std::string_view namespace_name,
                         std::string_view name) const {
    kube::ObjectKey key{std::string(kind), std::string(namespace_name), std::string(name)};
    const auto found = held_.find(key);
    if (found != held_.end()) {
      return &found->second->document();
    }
    kube::ObjectRef object = api_.get(key);
    if (object == nullptr) {
      return nullptr;
    }
    return &held_.emplace(std::move(key), std::move(object)).first->second->document();
  }

  const kube::Api& api_;
  std::string namespace_;
  mutable std::map<kube::ObjectKey, kube::ObjectRef> held_;
  mutable kube::ObjectRef current_;
};

}  // namespace tiphys::workflows

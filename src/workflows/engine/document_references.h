#pragma once
/// References from documents in memory: what was read from files.

#include "workflows/engine/engine.h"

#include <map>
#include <string>

namespace tiphys::workflows {

class DocumentReferences final : public References {
 public:
  /// Files the document by its kind and name; other kinds are ignored.
  void add(const doc::Value& document);
  const doc::Value* workflow_template(std::string_view name) const override;
  const doc::Value* cluster_workflow_template(std::string_view name) const override;
  const doc::Value* config_map(std::string_view name) const override;

 private:
  using Table = std::map<std::string, doc::Value, std::less<>>;
  static const doc::Value* find(const Table& table, std::string_view name);

  Table workflow_templates_;
  Table cluster_workflow_templates_;
  Table config_maps_;
};

}  // namespace tiphys::workflows

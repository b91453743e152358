#include "workflows/controller/pod_spec_patch.h"

#include "doc/yaml.h"
#include "kube/merge/strategic_merge.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {

Result<> apply_pod_spec_patches(const Engine& engine, const CreatePod& step,
                                const doc::Schema* types, doc::Value& pod) {
  constexpr std::string_view kField = "podSpecPatch";
  std::vector<std::string> patches;
  if (const std::string_view text = doc::find_string(engine.spec().document, kField);
      !text.empty()) {
    patches.emplace_back(text);
  }
  if (step.template_json.find(kField) != std::string::npos) {
    TRY(const doc::Value definition, doc::parse_json(step.template_json));
    patches.emplace_back(doc::find_string(definition, kField));
  }
  for (const std::string& text : patches) {
    if (text.empty()) {
      continue;
    }
    auto patch = doc::parse_yaml(text);
    if (!patch) {
      return std::unexpected(std::move(patch).error().with_context(kField));
    }
    const doc::Type* type = types == nullptr ? nullptr : types->find("core/v1.PodSpec");
    CHECK(type != nullptr, "the type of pods is known");
    doc::Value& spec = pod.get_object()["spec"];
    auto merged = kube::strategic_merge(*type, std::move(spec), std::move(patch->value));
    if (!merged) {
      return std::unexpected(std::move(merged).error().with_context(kField));
    }
    spec = std::move(*merged);
  }
  return {};
}

Result<> put_main_defaults(const Engine& engine, const CreatePod& step, const doc::Value& defaults,
                           const doc::Schema* types, doc::Value& pod) {
  if (!defaults.is_object()) {
    return {};
  }
  const doc::Type* type = types == nullptr ? nullptr : types->find("core/v1.Container");
  CHECK(type != nullptr, "the type of containers is known");
  doc::Value* containers = pod.get_object()["spec"].get_object().if_contains("containers");
  if (containers == nullptr || !containers->is_array()) {
    return {};
  }
  const std::vector<std::string> mains = main_containers(engine.nodes(), step.node);
  for (doc::Value& container : containers->get_array()) {
    if (std::ranges::find(mains, doc::find_string(container, "name")) != mains.end()) {
      TRY(container, kube::strategic_merge(*type, defaults, std::move(container)));
    }
  }
  return {};
}

}  // namespace tiphys::workflows

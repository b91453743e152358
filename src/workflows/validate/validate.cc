#include "workflows/validate/validate.h"

namespace tiphys::workflows {

std::string describe_object(const doc::Value& document) {
  std::string name = "object #1";
  if (const doc::Value* metadata = doc::find(document, "metadata")) {
    const std::string_view given = doc::find_string(*metadata, "name");
    const std::string_view generated = doc::find_string(*metadata, "generateName");
    name = given.empty() ? (generated.empty() ? name : std::string(generated)) : std::string(given);
  }
  return "\"" + name + "\" (" + std::string(doc::find_string(document, "kind")) + ")";
}

std::vector<Finding> validate(std::span<const Candidate> /*candidates*/, const ValidateOptions& /*options*/) { return {}; }

}  // namespace tiphys::workflows

#include "doc/yaml.h"
#include "kube/types/types.h"
#include "workflows/validate/validate.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace doc = tiphys::doc;
  namespace workflows = tiphys::workflows;
  namespace kube = tiphys::kube;
  static const doc::Schema types(kube::built_in_types());
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto loaded = doc::parse_manifests(text);
  std::vector<workflows::Candidate> candidates;
  for (const auto& document : loaded) {
    if (document) {
      candidates.push_back({&document->value, &document->positions});
    }
  }
  for (const bool strict : {true, false}) {
    workflows::ValidateOptions options;
    options.strict = strict;
    options.submitting = strict;
    options.types = &types;
    for (const workflows::Finding& finding : workflows::validate(candidates, options)) {
      if (finding.candidate >= candidates.size()) {
        std::abort();
      }
    }
  }
  return 0;
}

// Two JSON documents, separated by a zero byte, merged and compared as workflow specs.
#include "doc/json.h"
#include "kube/merge/strategic_merge.h"
#include "kube/types/types.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tiphys;
  static const doc::Schema schema(kube::built_in_types());
  const doc::Type& type = *schema.find("workflows/v1alpha1.WorkflowSpec");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = std::min(text.find('\0'), text.size());
  const auto left = doc::parse_json(text.substr(0, zero));
  const auto right = doc::parse_json(text.substr(std::min(zero + 1, text.size())));
  if (!left || !right) {
    return 0;
  }
  (void)kube::strategic_merge(type, *left, *right);
  if (const auto patch = kube::strategic_diff(type, *left, *right)) {
    (void)kube::strategic_merge(type, *left, *patch);
  }
  (void)kube::strategic_three_way_diff(type, *left, *right, *right, kube::OnConflict::fail);
  return 0;
}

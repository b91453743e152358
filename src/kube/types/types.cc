#include "kube/types/types.h"

#include "kube/types/embedded.h"

#include <algorithm>

namespace tiphys::kube {

doc::SchemaSource built_in_types() {
  return [](std::string_view id) -> std::string_view {
    const auto files = embedded_files();
    const auto found = std::ranges::find(files, id, &EmbeddedFile::id);
    return found == files.end() ? std::string_view() : std::string_view(found->begin, found->end);
  };
}

}  // namespace tiphys::kube

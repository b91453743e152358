#include "workflows/engine/pod.h"

#include <boost/json.hpp>

namespace tiphys::workflows {

Result<> append_to_key(doc::Value& location, std::string_view sub_path) {
  if (location.is_object()) {
    for (auto& [store, fields] : location.get_object()) {
      if (!fields.is_object()) {
        continue;
      }
      for (const std::string_view name : {"key", "path", "blob"}) {
        doc::Value* key = fields.get_object().if_contains({name.data(), name.size()});
        if (key == nullptr || !key->is_string()) {
          continue;
        }
        std::string joined(doc::text_of(key->get_string()));
        if (!joined.empty() && !joined.ends_with('/')) {
          joined += '/';
        }
        joined += sub_path.starts_with('/') ? sub_path.substr(1) : sub_path;
        *key = joined;
        return {};
      }
    }
  }
  return fail(ErrorCode::invalid, "key not found");
}

}  // namespace tiphys::workflows
